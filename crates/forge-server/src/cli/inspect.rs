//! `forge verify`, `forge audit export` and `forge repo export-refs|import-refs|maintain`: looking into what is stored.

use std::io::Write as _;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Place;
use crate::config::Environment;
use crate::console::{self, Command};
use crate::failure::{Failure, Result};

/// Arguments of `forge verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
}

/// Arguments of `forge audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    what: AuditWhat,
}

#[derive(Debug, Subcommand)]
enum AuditWhat {
    /// Print the audit log, oldest entry first, a line of JSON each.
    Export {
        /// Only entries after the one with this id.
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        #[command(flatten)]
        place: Place,
    },
}

/// Arguments of `forge repo`.
#[derive(Debug, Args)]
pub(super) struct RepositoryArgs {
    #[command(subcommand)]
    what: RepositoryWhat,
}

#[derive(Debug, Subcommand)]
enum RepositoryWhat {
    /// Write the refs into the repository directory, where git and other tools see them.
    ExportRefs {
        /// OWNER/NAME; all repositories without it.
        repository: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Sort packs anew now. The forge looks after packs by itself as pushes come.
    Maintain {
        /// OWNER/NAME; all repositories without it.
        repository: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Put back refs that the database lost, from the repository directory. What the database knows stays as it is.
    ImportRefs {
        /// OWNER/NAME; all repositories without it.
        repository: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

/// Works on repositories.
pub(super) fn repository(args: RepositoryArgs, environment: &Environment) -> Result<String> {
    let (command, place) = match args.what {
        RepositoryWhat::ExportRefs { repository, place } => (Command::ExportRefs { repository }, place),
        RepositoryWhat::Maintain { repository, place } => (Command::Maintain { repository }, place),
        RepositoryWhat::ImportRefs { repository, place } => (Command::ImportRefs { repository }, place),
    };
    console::send(&place.config(environment)?, command)
}

/// Checks everything that is stored.
pub(super) fn verify(args: &VerifyArgs, environment: &Environment) -> Result<String> {
    console::send(&args.place.config(environment)?, Command::Verify)
}

/// Prints the audit log, batch after batch.
pub(super) fn audit(args: AuditArgs, environment: &Environment) -> Result<String> {
    let AuditWhat::Export { mut after, place } = args.what;
    let config = place.config(environment)?;
    loop {
        let lines = console::send(&config, Command::ExportAudit { after })?;
        let Some(last) = lines.lines().next_back() else { return Ok(String::new()) };
        let entry: Value =
            serde_json::from_str(last).map_err(|error| Failure::io("an entry is no JSON", error))?;
        after = entry["id"].as_i64().ok_or_else(|| Failure::unavailable("an entry has no id"))?;
        let written = std::io::stdout().lock().write_all(lines.as_bytes());
        written.map_err(|error| Failure::io("cannot write the output", error))?;
    }
}
