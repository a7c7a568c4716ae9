//! The server: configuration, command line, network, local mode, and the wiring of all rooms.
//!
//! - `assembly`: from a configuration to what answers requests; start here to embed the forge.
//! - `serve`: what `forge serve` does with it.
//! - `front`: what every request passes before it reaches a room.
//! - `backup`: a copy of everything, and the way back.
//! - `console`: the operator's commands.
//! - `config`: one file, the environment, the command line.
//! - `cli`: the commands of the program `forge`.
//! - `data`: the data directory and its lock.
//! - `control`: how commands talk to a running server.
//! - `doors`: everything that listens, opened as the configuration says.
//! - `local`: HTTPS on one machine without root.
//! - `net`: listeners, TLS, connections.
//! - `outbound`, `issuers`: asking others, and the keys of those who vouch for workloads.

mod assembly;
mod backup;
pub mod cli;
mod clock;
pub mod config;
pub mod console;
pub mod control;
pub mod data;
mod decision_point;
pub mod doors;
pub mod failure;
mod front;
mod issuers;
pub mod local;
pub mod log;
pub mod net;
mod oidc;
mod outbound;
mod secret;
pub mod serve;

pub use assembly::{Forge, ForgeBuilder, rooms};
pub use decision_point::HttpDecisionPoint;
pub use front::identity::{HostAuthenticator, HostIdentity};
pub use issuers::Issuers;
