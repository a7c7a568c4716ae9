//! The operator's console: commands that the server carries out for whoever owns its data directory.
//!
//! A command is the same whether it comes through the control socket of a running server or is carried out by a
//! process of its own; each calls use cases with the operator as the caller, so that the audit log has it.

mod accounts;
pub(crate) mod audit;
mod inspect;
mod send;

use std::path::PathBuf;
use std::sync::Arc;

use forge_service::App;
use forge_service::operations::{self, AuditFormat, ExportPlace};
use forge_types::{Error, ErrorKind, FieldCode};
use serde::{Deserialize, Serialize};

use crate::backup::backup;
use crate::config::Config;
use crate::failure::{Exit, Failure, Result};

pub use send::send;

/// A command of the operator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Creates a user.
    CreateUser {
        /// The login.
        login: String,
        /// The e-mail address.
        email: String,
        /// Whether the user administers the forge.
        is_site_admin: bool,
        /// The password; without one a one-time link is made.
        password: Option<String>,
    },
    /// Removes the authenticator app of a user.
    RemoveApp {
        /// The login.
        login: String,
    },
    /// Creates an organization.
    CreateOrganization {
        /// The login.
        login: String,
        /// The person who owns it.
        owner: String,
    },
    /// Creates an agent.
    CreateAgent {
        /// The login.
        login: String,
        /// A sentence about it.
        description: String,
        /// Its public key, as JWK.
        key: Option<serde_json::Value>,
    },
    /// Creates a token for an account.
    CreateToken {
        /// Whose token it is.
        login: String,
        /// What it may be used for.
        scopes: String,
        /// After how many seconds it ends.
        lifetime: Option<u64>,
    },
    /// Shows or replaces the key with which agents register.
    RegistrationKey {
        /// Whether to replace it.
        rotate: bool,
    },
    /// Makes another link for creating the first administrator.
    SetupLink,
    /// Checks everything that is stored.
    Verify,
    /// Returns entries of the audit log, as many as an answer holds, and where to go on, as JSON.
    ExportAudit {
        /// Where to begin.
        place: ExportPlace,
        /// How lines are written.
        format: AuditFormat,
    },
    /// Checks the audit log; returns the report as JSON.
    VerifyAudit {
        /// A file of checkpoints that were kept outside, absolute.
        checkpoints: Option<PathBuf>,
        /// A file of the keys they are signed with, absolute.
        key: Option<PathBuf>,
    },
    /// Empties personal fields of the audit log.
    EraseAudit {
        /// Whose.
        login: String,
    },
    /// Writes refs into repository directories.
    ExportRefs {
        /// `OWNER/NAME`; all repositories without it.
        repository: Option<String>,
    },
    /// Puts back refs that the database lost, from repository directories.
    ImportRefs {
        /// `OWNER/NAME`; all repositories without it.
        repository: Option<String>,
    },
    /// Lists the repositories that can be had back.
    ListDeleted,
    /// Has back a repository that was deleted.
    RestoreDeleted {
        /// The id it had.
        id: i64,
        /// `OWNER/NAME`, if it is to be called otherwise.
        to: Option<String>,
    },
    /// Sorts the packs of repositories anew.
    Maintain {
        /// `OWNER/NAME`; all repositories without it.
        repository: Option<String>,
    },
    /// Writes a backup.
    Backup {
        /// The directory to write, absolute.
        target: PathBuf,
        /// Whether the keys go with it.
        with_keys: bool,
    },
}

/// Carries out commands.
#[derive(Clone)]
pub struct Console {
    app: Arc<App>,
    config: Arc<Config>,
}

impl Console {
    /// Works on a forge.
    pub fn new(app: Arc<App>, config: Config) -> Self {
        Self { app, config: Arc::new(config) }
    }

    /// Carries out a command. Returns what goes to standard output.
    pub async fn carry_out(&self, command: Command) -> Result<String> {
        let ctx = forge_service::admin::console(&self.app);
        let outcome = match command {
            Command::Verify => {
                let found = inspect::verify(&ctx).await.map_err(failure)?;
                ctx.finish().await.map_err(failure)?;
                return found;
            }
            Command::ExportAudit { place, format } => audit::export(&ctx, place, format).await,
            Command::VerifyAudit { checkpoints, key } => {
                return audit::verify(&ctx, checkpoints.as_deref(), key.as_deref()).await;
            }
            Command::EraseAudit { login } => audit::erase(&ctx, &login).await,
            Command::ExportRefs { repository } => inspect::export_refs(&ctx, repository.as_deref()).await,
            Command::Maintain { repository } => inspect::maintain(&ctx, repository.as_deref()).await,
            Command::ImportRefs { repository } => {
                let done = inspect::import_refs(&ctx, repository.as_deref()).await.map_err(failure)?;
                ctx.finish().await.map_err(failure)?;
                return done;
            }
            Command::ListDeleted => inspect::list_deleted(&ctx).await,
            Command::RestoreDeleted { id, to } => {
                let done = inspect::restore_deleted(&ctx, id, to.as_deref()).await.map_err(failure)?;
                ctx.finish().await.map_err(failure)?;
                return done;
            }
            Command::Backup { target, with_keys } => {
                let _pause = operations::begin_backup(&ctx, with_keys).await.map_err(failure)?;
                return backup(&self.app, &self.config, target, with_keys).await;
            }
            Command::CreateUser { login, email, is_site_admin, password } => {
                accounts::create_user(&ctx, login, email, is_site_admin, password).await
            }
            Command::RemoveApp { login } => accounts::remove_app(&ctx, &login).await,
            Command::CreateOrganization { login, owner } => {
                accounts::create_organization(&ctx, login, &owner).await
            }
            Command::CreateAgent { login, description, key } => {
                accounts::create_agent(&ctx, login, description, key).await
            }
            Command::CreateToken { login, scopes, lifetime } => {
                accounts::create_token(&ctx, &login, &scopes, lifetime).await
            }
            Command::RegistrationKey { rotate } => accounts::registration_key(&ctx, rotate).await,
            Command::SetupLink => accounts::setup_link(&ctx).await,
        };
        ctx.finish().await.map_err(failure)?;
        outcome.map_err(failure)
    }
}

/// Says how a refused or failed use case ends a command.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn failure(error: Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::Unauthenticated
        | ErrorKind::Unproved(_)
        | ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::InsufficientScope(_)
        | ErrorKind::Conflict
        | ErrorKind::Stale => Exit::Finding,
        ErrorKind::Invalid(fields) if fields.iter().any(|field| field.code == FieldCode::AlreadyExists) => {
            Exit::Finding
        }
        ErrorKind::Malformed | ErrorKind::Invalid(_) | ErrorKind::TooLarge => Exit::Usage,
        ErrorKind::RateLimited(_) | ErrorKind::Unavailable(_) | ErrorKind::Internal => Exit::Unavailable,
    };
    Failure { exit, message: words(&error) }
}

/// The operator sees what a caller sees and, where the machine is at fault, the cause.
fn words(error: &Error) -> String {
    let fields = match error.kind() {
        ErrorKind::Invalid(fields) => fields.as_slice(),
        _ => &[],
    };
    let details: Vec<String> = fields
        .iter()
        .map(|field| {
            field.message.clone().unwrap_or_else(|| format!("{} {}", field.field, field.code.as_str()))
        })
        .collect();
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    match details.is_empty() {
        true => format!("{error}{cause}"),
        false => details.join("; "),
    }
}
