//! Credentials of accounts: creating, listing and revoking them.
//!
//! INVARIANT: [`issue`] is the only way a credential comes into being. It enforces the lifetime of each kind, that
//! what is derived never exceeds what it was derived from, and that the value exists in its return alone. It takes the
//! proof that what the credential rests on stands until the commit.

mod issue;
mod own;

pub use issue::{NewToken, Parent, issue};
pub use own::{TokenRequest, create, list, revoke, revoke_value};
pub(crate) use own::{find_by_value, revoke_found};
