//! What the authorization server keeps: clients, device codes, authorization requests and codes, and consents. Codes are kept as
//! keyed hashes; each is used up by one conditional statement.

pub mod authorization_codes;
pub mod clients;
pub mod consents;
pub mod device_codes;
pub mod pushed_requests;
