//! Proofs of possession through every door: tokens that are good only with a proof of the key they are bound to.
//!
//! Tests named after an attack (`a51_…`) try it, beside the honest request that succeeds.

mod keys;
mod resources;
mod support;
mod tokens;
