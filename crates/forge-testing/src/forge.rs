//! A forge in this process: every edge, a database of its own, a clock that stands still, randomness that repeats.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use forge_auth::keys::Keys;
use forge_auth::password::PasswordHashing;
use forge_auth::token::TokenPrefix;
use forge_service::app::{Clock, Random};
use forge_service::git::{Engine, Limits};
use forge_service::outside::DecisionPoint;
use forge_service::{App, AppParts, Settings};
use forge_types::Timestamp;
use tempfile::TempDir;
use url::Url;

use crate::client::Client;
use crate::database::{Database, OnDatabase, TestDatabase};
use crate::decision_point;
use crate::edges;
use crate::listening::Listening;

/// The origin of a test forge.
pub const ORIGIN: &str = "https://forge.example";

/// When a test begins: 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// A forge to test against. Everything it has ends with it.
pub struct TestForge {
    app: Arc<App>,
    router: Router,
    clock: Arc<AtomicI64>,
    keys: Keys,
    random: Random,
    folder: TempDir,
    database: TestDatabase,
}

/// What a test forge may have otherwise.
pub struct TestForgeBuilder {
    database: Database,
    settings: Settings,
    git: Limits,
    decision_point: Option<Arc<dyn DecisionPoint>>,
}

impl TestForge {
    /// Starts to describe a forge.
    pub fn builder(database: Database) -> TestForgeBuilder {
        let origin: Url = ORIGIN.parse().expect("a constant URL");
        let mut settings = Settings::for_origin(origin);
        // A stream of events ends with what there is, as every other answer does.
        settings.audit.stream_lifetime = Duration::ZERO;
        TestForgeBuilder { database, settings, git: Limits::default(), decision_point: None }
    }

    /// Returns what all requests share.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Returns the folder with repositories and all else that is not in the database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Returns a client that presents nothing.
    pub fn client(&self) -> Client {
        Client::anonymous(self.router.clone())
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn random(&self) -> &Random {
        &self.random
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a time span within reason");
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    /// Turns the clock back.
    pub fn turn_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a time span within reason");
        self.clock.fetch_sub(micros, Ordering::SeqCst);
    }

    /// Does every job that is due, and the housekeeping of a minute.
    ///
    /// # Panics
    /// When the database is gone.
    pub async fn run_jobs(&self) {
        forge_jobs::run_all(&self.app).await.expect("jobs are done");
    }

    /// Returns how many statements the database has been sent.
    pub fn statements(&self) -> u64 {
        self.app.db().statement_count()
    }

    /// Serves the forge on a free loopback port, for real git and other programs.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn listen(&self) -> Listening {
        Listening::start(self.router.clone()).await
    }
}

impl OnDatabase for TestForge {
    async fn on(database: Database) -> Self {
        Self::builder(database).start().await
    }
}

impl TestForgeBuilder {
    /// Changes the settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Changes the limits on Git.
    #[must_use]
    pub fn git_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.git);
        self
    }

    /// Has a decision point outside asked.
    #[must_use]
    pub fn decision_point(mut self, point: Arc<dyn DecisionPoint>) -> Self {
        self.decision_point = Some(point);
        self
    }

    /// Starts the forge.
    ///
    /// # Panics
    /// When it cannot start.
    pub async fn start(self) -> TestForge {
        let database = self.database.open().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(AtomicI64::new(BEGINNING));
        let random = Random::Seeded(Arc::new(AtomicU64::new(1)));
        let keys = Keys::generate(|buffer| random.fill(buffer));
        let app = Arc::new(App::new(AppParts {
            db: database.db.clone(),
            keys: keys.clone(),
            token_prefix: TokenPrefix::default(),
            passwords: quick_passwords(),
            clock: Clock::Fixed(Arc::clone(&clock)),
            random: random.clone(),
            git: Engine::open(folder.path().join("repositories"), Path::new("git"), self.git)
                .expect("git and a folder for repositories"),
            settings: self.settings,
            key_source: forge_server::Issuers::in_networks(&loopback()).expect("TLS"),
            decision_point: self.decision_point.or_else(decision_point::wanted),
        }));
        let router = edges::router(&app);
        TestForge { app, router, clock, keys, random, folder, database }
    }
}

/// The networks in which tests publish keys.
fn loopback() -> [forge_server::config::AddressRange; 1] {
    ["127.0.0.0/8".parse().expect("a range")]
}

/// The cheapest parameters that argon2 takes: what is tested here is who may sign in, not how long guessing takes.
fn quick_passwords() -> PasswordHashing {
    PasswordHashing::new(4, Duration::from_secs(10), 8, 1).expect("argon2 takes its smallest parameters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::for_each_database;

    for_each_database! {
        async fn a_token_opens_the_forge_and_an_altered_one_does_not(forge: TestForge) {
            let alice = forge.human("alice").await;
            let token = forge.token(&alice, forge_types::credential::CredentialKind::Personal, None).await;
            let honest = forge.client().with_token(&token).get("/api/v3/no/such/route").await;
            assert_eq!(honest.status, 404);
            let mut altered = token.expose().to_owned();
            altered.replace_range(5..6, if altered.ends_with('A') { "B" } else { "A" });
            let altered = forge_auth::token::Secret::new(altered);
            let refused = forge.client().with_token(&altered).get("/api/v3/no/such/route").await;
            assert_eq!(refused.status, 401);
        }
    }
}
