//! `forge backup` and `forge restore`.

use std::path::PathBuf;

use clap::Args;

use super::Place;
use crate::config::Environment;
use crate::console::{self, Command};
use crate::failure::{Failure, Result};

/// Arguments of `forge backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The directory to write; it must be new or empty.
    directory: PathBuf,
    /// Put the key file into the backup too. Whoever has both can read every sealed secret.
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `forge restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The directory that `forge backup` wrote.
    directory: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Writes a backup.
pub(super) fn run(args: &BackupArgs, environment: &Environment) -> Result<String> {
    // The server works in a directory of its own.
    let target = std::path::absolute(&args.directory).map_err(|error| Failure::usage(error.to_string()))?;
    let command = Command::Backup { target, with_keys: args.with_keys };
    console::send(&args.place.config(environment)?, command)
}

/// Restores a backup.
pub(super) fn run_restore(args: &RestoreArgs, environment: &Environment) -> Result<String> {
    crate::backup::restore(&args.place.config(environment)?, &args.directory)
}
