//! Restoring a backup into a data directory that has no data yet.

use std::path::Path;
use std::time::Duration;

use super::{DATABASE, DESCRIPTION, Description, KEYS, tree};
use crate::config::{Config, Database};
use crate::data::{DataDirectory, DataLock, REPOSITORIES, write_private};
use crate::failure::{Failure, Result};

/// Puts a backup into the data directory. Returns what the operator is told.
pub(crate) fn restore(config: &Config, source: &Path) -> Result<String> {
    let description = describe(source)?;
    let Database::Sqlite(database) = config.database().map_err(Failure::usage)? else {
        return Err(Failure::usage(
            "a backup holds a SQLite database and cannot be restored into PostgreSQL",
        ));
    };
    let data = DataDirectory::create(&config.server.data)?;
    let _lock = DataLock::take(&data, Duration::ZERO)?;
    if database.exists() || data.path().join(REPOSITORIES).exists() {
        return Err(Failure::usage(format!("`{}` holds data already", data.path().display())));
    }
    let failed =
        |error: std::io::Error| Failure::io(format_args!("cannot restore `{}`", source.display()), error);
    if description.has_keys && !config.key_file().exists() {
        let keys = std::fs::read(source.join(KEYS)).map_err(failed)?;
        write_private(&config.key_file(), &keys).map_err(failed)?;
    }
    tree::copy(&source.join(REPOSITORIES), &data.path().join(REPOSITORIES)).map_err(failed)?;
    // The database goes last and as a whole: without it, a restore that broke off does not look like data.
    let arriving = data.path().join("forge.db.arriving");
    std::fs::copy(source.join(DATABASE), &arriving).map_err(failed)?;
    tree::sync(&arriving).map_err(failed)?;
    std::fs::rename(&arriving, &database).map_err(failed)?;
    tree::sync(data.path()).map_err(failed)?;
    Ok(told(config, &data))
}

fn told(config: &Config, data: &DataDirectory) -> String {
    let keys = config.key_file();
    let missing = if keys.exists() {
        String::new()
    } else {
        format!(
            "the backup is without the keys: put them into {} before you start the server\n",
            keys.display()
        )
    };
    format!("restored into {}\n{missing}", data.path().display())
}

fn describe(source: &Path) -> Result<Description> {
    let path = source.join(DESCRIPTION);
    let text = std::fs::read(&path).map_err(|_| {
        Failure::unavailable(format!("`{}` is not a whole backup: it has no {DESCRIPTION}", source.display()))
    })?;
    let description: Description =
        serde_json::from_slice(&text).map_err(|error| Failure::io(path.display(), error))?;
    if description.format != 1 {
        return Err(Failure::unavailable(format!(
            "`{}` was written by a later version of forge",
            source.display()
        )));
    }
    Ok(description)
}
