//! Credentials and decisions, without input or output.
//!
//! `token` makes and recognises credential values, `keys` holds the secrets that hash and seal, `password` checks
//! what people remember, `messages` reads and writes OAuth, and `policy` is the one place that decides who may do
//! what. `jose` reads signed objects, `dpop` the proofs of possession, `assertion` the clients' word and
//! `workload` what others say of those whom they run among them. Callers bring facts; nothing here
//! asks a database.

pub mod assertion;
pub mod dpop;
pub mod grant;
pub mod jose;
pub mod keys;
pub mod messages;
pub mod password;
pub mod policy;
pub mod push_nonce;
pub mod signing;
pub mod token;
pub mod totp;
pub mod workload;
