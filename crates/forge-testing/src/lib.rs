//! What judges the product: a forge in process, real repositories, contract checks.
//!
//! Development only. Start at [`TestForge`], and write a test inside [`for_each_database!`] so that it runs on both:
//!
//! ```ignore
//! for_each_database! {
//!     async fn a_human_reads_their_profile(forge: TestForge) {
//!         let alice = forge.human_client("alice").await;
//!         assert_eq!(alice.get("/api/v3/user").await.expect(200).json()["login"], "alice");
//!     }
//! }
//! ```
//!
//! Every answer from `/api/v3` and `/api/ext/v1` that a [`Client`] receives is checked by [`contract`] against GitHub's
//! description and ours;
//! [`fixtures`] makes Git repositories; [`tools`] says where the programs are that `cargo xtask test` installed.

pub mod agents;
pub mod browser;
mod client;
pub mod contract;
pub mod database;
mod decision_point;
mod edges;
pub mod fixtures;
mod forge;
mod listening;
pub mod meanwhile;
mod people;
mod places;
pub mod proofs;
mod proxy;
mod repositories;
pub mod tools;

pub use agents::TestAgent;
pub use axum::body::Body as RequestBody;
pub use client::{Answer, Client};
pub use database::{Database, ScratchPostgres, TestDatabase};
pub use forge::{ORIGIN, TestForge, TestForgeBuilder};
pub use listening::Listening;
pub use proxy::BufferingProxy;
