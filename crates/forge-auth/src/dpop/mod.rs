//! Proofs of possession (DPoP, RFC 9449): that whoever presents a token holds the key it is bound to.
//!
//! `proof` reads and checks one, `target` says when the address it names is the one that was asked, `nonce` makes what
//! a proof must repeat. That a proof comes once only is for whoever can remember it: [`Proof::replay_key`] is what to
//! remember, for [`Proof::REMEMBERED`].

mod nonce;
mod proof;
mod target;

pub use nonce::{Audience, NONCE_LIFETIME, current_nonce, is_recent_nonce};
pub use proof::{Demand, Proof, ProofFault, access_token_hash, make};
pub use target::Target;
