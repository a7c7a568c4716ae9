//! `forge serve`.

use std::path::PathBuf;

use clap::Args;

use super::runtime;
use crate::config::{Config, Environment, Layers};
use crate::failure::Result;
use crate::{log, serve};

/// Arguments of `forge serve`: every option of the configuration.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Configuration file [FORGE_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Layers,
}

/// Serves until told to stop.
pub(super) fn run(args: ServeArgs, environment: &Environment) -> Result<String> {
    let config = Config::load(args.options, environment, args.config.as_deref())?;
    log::start(&config.log)?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve::serve(config, environment));
    // What blocks in the background may not hold up the end.
    runtime.shutdown_background();
    outcome.map(|()| String::new())
}
