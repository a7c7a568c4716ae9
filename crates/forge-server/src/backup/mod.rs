//! Backups: a directory that holds everything needed to go on elsewhere, but for the keys unless they are asked for.
//!
//! INVARIANT: the database is copied first and the packs after it. A pack is on disk before the database names it
//! and never changes, so that the copies together are a state that the forge was in.

mod restore;
mod tree;

use std::path::{Path, PathBuf};

use forge_service::App;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Database};
use crate::data::{REPOSITORIES, write_private};
use crate::failure::{Failure, Result};

pub(crate) use restore::restore;

const DATABASE: &str = "forge.db";
const KEYS: &str = "keys.toml";
const DESCRIPTION: &str = "backup.json";

/// What a backup says of itself; written last, so that a backup without it is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    /// The layout of the directory.
    format: u32,
    /// The program that wrote it.
    version: String,
    /// The public URL of the forge.
    url: String,
    /// Files of repositories.
    files: u64,
    /// Their bytes.
    bytes: u64,
    /// Whether the keys are in it.
    has_keys: bool,
}

/// Writes a backup into a new directory. Returns what the operator is told.
pub(crate) async fn backup(app: &App, config: &Config, target: PathBuf, with_keys: bool) -> Result<String> {
    if let Database::Postgres(_) = config.database().map_err(Failure::usage)? {
        return Err(Failure::usage(
            "a PostgreSQL database is backed up with pg_dump; copy the directory of repositories after it",
        ));
    }
    create_empty(&target)?;
    let copied = app.db().copy_sqlite_to(&target.join(DATABASE)).await;
    copied.map_err(|error| Failure::io("cannot copy the database", error))?;
    let config = config.clone();
    let work = tokio::task::spawn_blocking(move || copy_files(&config, &target, with_keys));
    work.await.map_err(|error| Failure::io("the backup broke off", error))?
}

fn copy_files(config: &Config, target: &Path, with_keys: bool) -> Result<String> {
    let failed = |error: std::io::Error| {
        Failure::io(format_args!("cannot write the backup `{}`", target.display()), error)
    };
    tree::sync(&target.join(DATABASE)).map_err(failed)?;
    let copied =
        tree::copy(&config.server.data.join(REPOSITORIES), &target.join(REPOSITORIES)).map_err(failed)?;
    if with_keys {
        let keys = std::fs::read(config.key_file()).map_err(failed)?;
        write_private(&target.join(KEYS), &keys).map_err(failed)?;
    }
    let description = Description {
        format: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: config.server.url.origin(),
        files: copied.files,
        bytes: copied.bytes,
        has_keys: with_keys,
    };
    let text = serde_json::to_vec_pretty(&description).map_err(|error| failed(error.into()))?;
    write_private(&target.join(DESCRIPTION), &text).map_err(failed)?;
    let keys = if with_keys { "with" } else { "without" };
    Ok(format!("backed up to {}, {keys} the keys\n", target.display()))
}

/// Creates the directory of a backup; one that is there must be empty.
fn create_empty(target: &Path) -> Result<()> {
    let failed =
        |error: std::io::Error| Failure::io(format_args!("cannot create `{}`", target.display()), error);
    crate::data::create_directory(target).map_err(failed)?;
    if std::fs::read_dir(target).map_err(failed)?.next().is_some() {
        return Err(Failure::usage(format!("`{}` is not empty", target.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
