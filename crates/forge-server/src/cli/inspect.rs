//! `forge verify` and `forge repo export-refs|import-refs|maintain|list-deleted|restore-deleted`: looking into what is stored.

use clap::{Args, Subcommand};

use super::Place;
use crate::config::Environment;
use crate::console::{self, Command};
use crate::failure::Result;

/// Arguments of `forge verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
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
    /// List the repositories that were deleted and can be had back, with the ids they had.
    ListDeleted {
        #[command(flatten)]
        place: Place,
    },
    /// Have back a repository that was deleted, with its settings, branches and tags. Collaborators, labels and forks are gone.
    RestoreDeleted {
        /// The id it had, as `forge repo list-deleted` says.
        id: i64,
        /// OWNER/NAME, if it is to be called otherwise or is to be somebody else's.
        #[arg(long)]
        to: Option<String>,
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
        RepositoryWhat::ListDeleted { place } => (Command::ListDeleted, place),
        RepositoryWhat::RestoreDeleted { id, to, place } => (Command::RestoreDeleted { id, to }, place),
        RepositoryWhat::ImportRefs { repository, place } => (Command::ImportRefs { repository }, place),
    };
    console::send(&place.config(environment)?, command)
}

/// Checks everything that is stored.
pub(super) fn verify(args: &VerifyArgs, environment: &Environment) -> Result<String> {
    console::send(&args.place.config(environment)?, Command::Verify)
}
