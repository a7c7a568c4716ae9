//! Putting the forge together: from a configuration to what answers requests.
//!
//! [`ForgeBuilder`] opens the data and builds the rooms; [`Forge`] is the outcome. The program `forge` serves it
//! through its own doors; another program may mount its router and say itself who is asking.

pub(crate) mod keyring;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use forge_auth::password::PasswordHashing;
use forge_service::app::{
    AgentCredential, AgentRecovery, AgentRegistration, AuditSettings, Clock, OpenRegistration, ProofNonces,
    Random, Separation,
};
use forge_service::git::{self, Engine};
use forge_service::limits::Limits;
use forge_service::{App, AppParts, Settings, policies};
use forge_store::{Db, DbOptions};
use url::Url;

use crate::config::{self, Config, Database, GitTransport, PublicUrl};
use crate::data::{DataDirectory, DataLock};
use crate::decision_point::HttpDecisionPoint;
use crate::failure::{Failure, Result};
use crate::front::identity::{Authenticate, HostAuthenticator};
use crate::issuers::Issuers;
use crate::net::Metrics;
use crate::oidc::Provider;

pub use routes::rooms;

/// Passwords that are hashed at a time, and how long others wait for their turn.
const PASSWORDS_AT_A_TIME: usize = 2;
const PASSWORD_PATIENCE: Duration = Duration::from_secs(10);
/// Memory and rounds of argon2id.
const PASSWORD_MEMORY_KIB: u32 = 19 * 1024;
const PASSWORD_ROUNDS: u32 = 2;

/// Builds a forge.
pub struct ForgeBuilder {
    config: Config,
    browser_url: Option<PublicUrl>,
    mutual_url: Option<PublicUrl>,
    host: Option<Arc<dyn Authenticate>>,
}

/// A forge that is ready to answer. It holds its data directory until it is dropped.
pub struct Forge {
    app: Arc<App>,
    router: Router,
    metrics: Arc<Metrics>,
    data: DataDirectory,
    lock: DataLock,
}

impl ForgeBuilder {
    /// Starts from a configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, browser_url: None, mutual_url: None, host: None }
    }

    /// Lets the embedding program say who sends a request.
    #[must_use]
    pub fn with_authenticator(mut self, host: impl HostAuthenticator) -> Self {
        self.host = Some(Arc::new(host));
        self
    }

    /// Gives links for people another origin than the public URL: the one with the port in use.
    #[must_use]
    pub fn with_browser_url(mut self, url: PublicUrl) -> Self {
        self.browser_url = Some(url);
        self
    }

    /// Says at which URL clients show certificates.
    #[must_use]
    pub fn with_mutual_url(mut self, url: Option<PublicUrl>) -> Self {
        self.mutual_url = url;
        self
    }

    /// Takes the data directory and opens everything in it.
    ///
    /// # Errors
    /// If another process has it, or the database or the keys cannot be used.
    pub async fn build(self) -> Result<Forge> {
        let data = DataDirectory::create(&self.config.server.data)?;
        let lock = DataLock::take(&data, Duration::ZERO)?;
        self.build_in(data, lock).await
    }

    /// The same in a data directory that is taken already.
    pub(crate) async fn build_in(self, data: DataDirectory, lock: DataLock) -> Result<Forge> {
        let app = Arc::new(self.open().await?);
        policies::load(&app).map_err(|fault| Failure::usage(fault.to_string()))?;
        git::recover(&app)
            .await
            .map_err(|error| Failure::io("cannot take away what a former process left", error))?;
        let metrics = Arc::<Metrics>::default();
        let provider = Provider::configured(&self.config.oidc)?;
        let router = routes::router(&app, &self.config, self.host, provider, metrics.clone());
        let counted = app.clone();
        metrics.add_source(move |text| {
            let statements = counted.db().statement_count();
            text.counter("forge_db_statements_total", "Statements sent to the database.", &[], statements);
            let passwords = counted.password_work();
            text.counter("forge_passwords_total", "Passwords hashed or checked.", &[], passwords);
        });
        Ok(Forge { app, router, metrics, data, lock })
    }

    async fn open(&self) -> Result<App> {
        let (clock, random) = (Clock::System, Random::System);
        let db = open_database(&self.config).await?;
        let keys = keyring::open(&db, &self.config.key_file(), &clock, &random).await?;
        let passwords = PasswordHashing::new(
            PASSWORDS_AT_A_TIME,
            PASSWORD_PATIENCE,
            PASSWORD_MEMORY_KIB,
            PASSWORD_ROUNDS,
        );
        Ok(App::new(AppParts {
            db,
            keys,
            token_prefix: self.config.token_prefix().map_err(Failure::usage)?,
            passwords: passwords
                .map_err(|_| Failure::unavailable("passwords cannot be hashed on this machine"))?,
            clock,
            random,
            git: open_git(&self.config)?,
            settings: self.settings()?,
            key_source: Issuers::in_networks(&self.config.agents.issuer_networks.0)?,
            decision_point: HttpDecisionPoint::configured(&self.config.policies)?,
        }))
    }

    fn settings(&self) -> Result<Settings> {
        let config = &self.config;
        let url = |url: &PublicUrl| {
            Url::parse(&url.origin()).map_err(|error| Failure::usage(format!("{url}: {error}")))
        };
        let registration = &config.registration;
        Ok(Settings {
            mutual_origin: self.mutual_url.as_ref().map(url).transpose()?,
            people_origin: url(self.browser_url.as_ref().unwrap_or(&config.server.url))?,
            agent_registration: match registration.agents {
                config::AgentRegistration::Key => AgentRegistration::Key,
                config::AgentRegistration::Invite => AgentRegistration::Invite,
                config::AgentRegistration::Open => AgentRegistration::Open,
                config::AgentRegistration::Closed => AgentRegistration::Closed,
            },
            open_registration: OpenRegistration {
                per_address_per_hour: registration.open_per_address_and_hour,
                per_hour: registration.open_per_hour,
                unbound_lifetime: registration.unbound_expiry.0,
            },
            agent_credential: match config.agents.credential {
                config::AgentCredential::Token => AgentCredential::Token,
                config::AgentCredential::Bootstrap => AgentCredential::Bootstrap,
            },
            agent_recovery: match config.agents.recovery {
                config::AgentRecovery::Token => AgentRecovery::Token,
                config::AgentRecovery::Session => AgentRecovery::Session,
            },
            proof_nonces: match config.agents.proof_nonces {
                config::ProofNonces::Demanded => ProofNonces::Demanded,
                config::ProofNonces::Off => ProofNonces::Off,
            },
            separation: match config.agents.separation {
                config::Separation::Requester => Separation::Requester,
                config::Separation::Strict => Separation::Strict,
            },
            default_branch: config.git.default_branch.clone(),
            bundles: config.git.bundles,
            deleted_grace: config.git.keep_deleted.0,
            policy_folder: config.policies.folder.clone(),
            limits: Limits {
                account_per_hour: config.limits.requests_per_hour,
                anonymous_per_hour: config.limits.anonymous_requests_per_hour,
            },
            audit: AuditSettings {
                is_sealing: config.audit.sealing == config::Sealing::On,
                checkpoint_events: config.audit.checkpoint_events.max(1),
                checkpoint_interval: config.audit.checkpoint_interval.0,
                checkpoint_file: config.audit.checkpoint_file.clone(),
                checkpoint_webhook: config.checkpoint_webhook().map_err(Failure::usage)?,
                ..AuditSettings::default()
            },
            ..Settings::for_origin(url(&config.server.url)?)
        })
    }
}

async fn open_database(config: &Config) -> Result<Db> {
    let options = DbOptions { max_connections: config.server.database_connections, ..DbOptions::default() };
    match config.database().map_err(Failure::usage)? {
        Database::Sqlite(path) => Db::open_sqlite(&path, &options).await.map_err(|error| {
            Failure::io(format_args!("cannot open the database `{}`", path.display()), error)
        }),
        Database::Postgres(url) => Db::open_postgres(&url, &options)
            .await
            .map_err(|error| Failure::io("cannot use the PostgreSQL database", error)),
    }
}

/// Opens the repositories. Who builds a forge holds the data directory, so that nobody else is in the middle of a push.
fn open_git(config: &Config) -> Result<Engine> {
    let mut limits = git::Limits::default();
    limits.pack.pack_bytes = config.git.max_push.0;
    limits.pack.file_bytes = config.git.max_file.0;
    let root = config.server.data.join("repositories");
    let engine = Engine::open(&root, &config.git.program, limits)
        .map_err(|error| Failure::io("cannot serve Git repositories", error))?
        .with_transport(match config.git.transport {
            GitTransport::InProcess => git::Transport::InProcess,
            GitTransport::Subprocess => git::Transport::Subprocess,
        });
    engine
        .sweep()
        .map_err(|error| Failure::io(format_args!("cannot clean up `{}`", root.display()), error))?;
    tracing::info!(version = engine.git_version(), "found git");
    Ok(engine)
}

impl Forge {
    /// Returns all routes, to be served or mounted.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns the use cases' side of the forge.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Returns what is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Returns the data directory.
    pub fn data(&self) -> &DataDirectory {
        &self.data
    }

    /// Returns the proof that the data directory is ours.
    pub(crate) fn lock(&self) -> &DataLock {
        &self.lock
    }

    /// Writes what is still to be written and lets go of the database.
    pub async fn close(self) {
        if let Err(error) = self.app.flush_uses().await {
            tracing::warn!(%error, "when credentials were last used was not written");
        }
        self.app.db().close().await;
    }
}

#[cfg(test)]
mod tests;
