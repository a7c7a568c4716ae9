//! The server: configuration, command line, network, local mode, and the wiring of all rooms.
//!
//! - `config`: one file, the environment, the command line.
//! - `cli`: the commands of the program `forge`.
//! - `data`: the data directory and its lock.
//! - `control`: how commands talk to a running server.
//! - `doors`: everything that listens, opened as the configuration says.
//! - `local`: HTTPS on one machine without root.
//! - `net`: listeners, TLS, connections.

pub mod cli;
mod clock;
pub mod config;
pub mod control;
pub mod data;
pub mod doors;
pub mod failure;
pub mod local;
pub mod log;
pub mod net;
mod secret;
