//! Sending a command to where the data is: to the running server, or to ourselves.

use std::time::Duration;

use super::{Command, Console};
use crate::assembly::ForgeBuilder;
use crate::config::{Config, Database};
use crate::control;
use crate::data::{DataDirectory, DataLock};
use crate::failure::{Failure, Result};

/// How long a command waits for another one that works on the same data.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has a command carried out. Returns what goes to standard output.
pub fn send(config: &Config, command: Command) -> Result<String> {
    let data = DataDirectory::open(&config.server.data)?;
    if let Some(output) = control::send(&data, &command)? {
        return Ok(output);
    }
    by_ourselves(config, data, command)
}

fn by_ourselves(config: &Config, data: DataDirectory, command: Command) -> Result<String> {
    if let Database::Sqlite(file) = config.database().map_err(Failure::usage)?
        && !file.exists()
    {
        return Err(Failure::unavailable(format!(
            "there is no data in `{}` yet: start `forge serve` first",
            data.path().display()
        )));
    }
    let runtime = crate::cli::runtime()?;
    runtime.block_on(async {
        let lock = match DataLock::take(&data, PATIENCE) {
            Ok(lock) => lock,
            // A server that was just starting when we looked is ready to be asked now.
            Err(failure) => return control::send(&data, &command)?.ok_or(failure),
        };
        let forge = ForgeBuilder::new(config.clone()).build_in(data, lock).await?;
        let outcome = Console::new(forge.app().clone(), config.clone()).carry_out(command).await;
        forge.close().await;
        outcome
    })
}
