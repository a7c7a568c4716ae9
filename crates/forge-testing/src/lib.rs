//! What judges the product: contract checks, databases for tests, a forge to talk to.
//!
//! Development only. [`contract`] compares answers with GitHub's published descriptions, [`tools`] says where the programs are that `cargo xtask test` installed.

pub mod contract;
pub mod fixtures;
pub mod tools;
