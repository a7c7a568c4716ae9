//! What all requests share: the database, the keys, the clock, randomness and the settings.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forge_auth::keys::{KeyError, Keys};
use forge_auth::password::PasswordHashing;
use forge_auth::token::{Secret, TokenPrefix, base62, mint};
use forge_store::Db;
use forge_types::credential::CredentialKind;
use forge_types::id::{CredentialId, RequestId};
use forge_types::{Error, Result, Timestamp};
use url::Url;

use crate::audit::stream::Streams;
use crate::git::Engine;

use crate::limits::{Budgets, Limits};
use crate::news::Announcements;
use crate::oauth::KeySource;
use crate::outside::DecisionPoint;
use crate::policies::Active;

/// The running forge.
pub struct App {
    pub(crate) db: Db,
    pub(crate) keys: Keys,
    pub(crate) token_prefix: TokenPrefix,
    pub(crate) passwords: PasswordHashing,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) git: Engine,
    pub(crate) settings: Settings,
    pub(crate) budgets: Budgets,
    pub(crate) stops: Announcements,
    /// That something that waited for a human was decided about.
    pub(crate) decisions: Announcements,
    pub(crate) streams: Streams,
    pub(crate) policies: Active,
    pub(crate) key_source: Arc<dyn KeySource>,
    pub(crate) decision_point: Option<Arc<dyn DecisionPoint>>,
    uses: Mutex<HashMap<CredentialId, Timestamp>>,
}

/// What an [`App`] is made of.
pub struct AppParts {
    /// The database.
    pub db: Db,
    /// The keys that hash and seal.
    pub keys: Keys,
    /// What tokens start with.
    pub token_prefix: TokenPrefix,
    /// Where passwords are checked.
    pub passwords: PasswordHashing,
    /// The clock.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Where Git data lives.
    pub git: Engine,
    /// The settings.
    pub settings: Settings,
    /// Where the keys of issuers of workloads' tokens come from.
    pub key_source: Arc<dyn KeySource>,
    /// Who outside is asked about what everything in the forge allows.
    pub decision_point: Option<Arc<dyn DecisionPoint>>,
}

/// Settings that use cases need.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public origin, such as `https://forge.localhost`: everything printed or signed comes from it.
    pub origin: Url,
    /// The origin for links people follow; it carries the port in use in local mode.
    pub people_origin: Url,
    /// The origin of the listener on which clients show certificates, where there is one.
    pub mutual_origin: Option<Url>,
    /// Who may register agents.
    pub agent_registration: AgentRegistration,
    /// Limits on open registration.
    pub open_registration: OpenRegistration,
    /// What a registered agent receives.
    pub agent_credential: AgentCredential,
    /// What recovering an agent takes.
    pub agent_recovery: AgentRecovery,
    /// Whether proofs of possession must repeat a nonce.
    pub proof_nonces: ProofNonces,
    /// Who must not approve what an agent asks for.
    pub separation: Separation,
    /// The name of a new repository's default branch.
    pub default_branch: String,
    /// Whether clients are told of bundles.
    pub bundles: bool,
    /// How long the files of a deleted repository are kept.
    pub deleted_grace: Duration,
    /// The folder with files of policies that replace or add to those the forge comes with.
    pub policy_folder: Option<PathBuf>,
    /// How many requests an hour may be made.
    pub limits: Limits,
    /// How the audit log is sealed and where its checkpoints go.
    pub audit: AuditSettings,
}

/// How the audit log is sealed and where its checkpoints go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Whether this node seals.
    pub is_sealing: bool,
    /// After how many events there is a checkpoint.
    pub checkpoint_events: u32,
    /// After how long there is one.
    pub checkpoint_interval: Duration,
    /// The file that they are appended to.
    pub checkpoint_file: Option<PathBuf>,
    /// The address that they are sent to.
    pub checkpoint_webhook: Option<Url>,
    /// How long one stream of events lasts.
    pub stream_lifetime: Duration,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            is_sealing: true,
            checkpoint_events: 1000,
            checkpoint_interval: Duration::from_secs(300),
            checkpoint_file: None,
            checkpoint_webhook: None,
            stream_lifetime: Duration::from_secs(600),
        }
    }
}

/// Who may register agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentRegistration {
    /// Whoever holds the registration key.
    Key,
    /// Only agents that an administrator creates, or that a human's invite names.
    Invite,
    /// Anyone, within quotas; agents that nobody binds expire.
    Open,
    /// Nobody; administrators still create agents.
    Closed,
}

/// Limits on open registration.
#[derive(Clone, Copy, Debug)]
pub struct OpenRegistration {
    /// Registrations per peer address and hour.
    pub per_address_per_hour: u32,
    /// Registrations per hour in all.
    pub per_hour: u32,
    /// How long an agent may stay unbound.
    pub unbound_lifetime: Duration,
}

/// What a registered agent receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentCredential {
    /// A standing token.
    Token,
    /// A secret that is exchanged for short sessions.
    Bootstrap,
}

/// What it takes of an agent's human to replace what the agent proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentRecovery {
    /// A token with the scope `repo`, or a browser in which the human has just confirmed to be present.
    Token,
    /// Such a browser alone.
    Session,
}

/// Who must not approve what an agent asks for under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separation {
    /// Nobody but who asked.
    Requester,
    /// Nor whoever delegated.
    Strict,
}

/// Whether proofs of possession must repeat a nonce of the forge's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofNonces {
    /// They must, so that none was made long before it came.
    Demanded,
    /// Their own time is believed, within a minute.
    Off,
}

impl Settings {
    /// Returns settings for a forge at `origin`, all else as a forge that chose nothing has it.
    #[must_use]
    pub fn for_origin(origin: Url) -> Self {
        Self {
            people_origin: origin.clone(),
            origin,
            mutual_origin: None,
            agent_registration: AgentRegistration::Key,
            open_registration: OpenRegistration {
                per_address_per_hour: 5,
                per_hour: 100,
                unbound_lifetime: Duration::from_secs(7 * 24 * 3600),
            },
            agent_credential: AgentCredential::Token,
            agent_recovery: AgentRecovery::Token,
            proof_nonces: ProofNonces::Demanded,
            separation: Separation::Requester,
            default_branch: "main".to_owned(),
            bundles: true,
            deleted_grace: Duration::from_secs(30 * 86_400),
            policy_folder: None,
            limits: Limits::default(),
            audit: AuditSettings::default(),
        }
    }
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        let AppParts {
            db,
            keys,
            token_prefix,
            passwords,
            clock,
            random,
            git,
            settings,
            key_source,
            decision_point,
        } = parts;
        Self {
            db,
            keys,
            token_prefix,
            passwords,
            clock,
            random,
            git,
            settings,
            budgets: Budgets::default(),
            stops: Announcements::default(),
            decisions: Announcements::default(),
            streams: Streams::default(),
            policies: Active::default(),
            key_source,
            decision_point,
            uses: Mutex::default(),
        }
    }

    /// Returns the settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the database, for jobs, operations and counting; use cases go through their context.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns how many passwords were looked at or made since the start: each costs the same, whoever asks.
    #[must_use]
    pub fn password_work(&self) -> u64 {
        self.passwords.work()
    }

    /// Returns what tokens of this forge start with.
    #[must_use]
    pub const fn token_prefix(&self) -> &TokenPrefix {
        &self.token_prefix
    }

    /// Makes the value of a credential.
    pub(crate) fn mint(&self, kind: CredentialKind) -> Secret {
        mint(&self.token_prefix, kind, |buffer| self.random.fill(buffer))
    }

    /// Makes the id of a request.
    #[must_use]
    pub fn new_request_id(&self) -> RequestId {
        RequestId(self.random_id(RequestId::PREFIX))
    }

    /// Makes a random number that no other call makes.
    pub(crate) fn random_number(&self) -> u128 {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        u128::from_be_bytes(bytes)
    }

    /// Returns the repositories of this node, for starting, removing and maintaining; use cases go through their context.
    #[must_use]
    pub const fn git(&self) -> &Engine {
        &self.git
    }

    /// Makes a random id with `prefix`.
    pub(crate) fn random_id(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.random_text(20))
    }

    /// Makes `length` random base-62 characters.
    pub(crate) fn random_text(&self, length: usize) -> String {
        base62(length, |buffer| self.random.fill(buffer))
    }

    /// Makes `N` random bytes in hexadecimal.
    pub(crate) fn random_hex<const N: usize>(&self) -> String {
        let mut bytes = [0_u8; N];
        self.random.fill(&mut bytes);
        data_encoding::HEXLOWER.encode(&bytes)
    }

    /// Notes that a credential was used; written once a minute.
    pub(crate) fn note_use(&self, id: CredentialId, at: Timestamp) {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).insert(id, at);
    }

    /// Writes when credentials were last used since the last call.
    ///
    /// # Errors
    /// `Unavailable` if the database is; the notes are kept for the next call.
    pub async fn flush_uses(&self) -> Result<()> {
        let mut uses: Vec<_> = {
            let mut noted = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            noted.drain().collect()
        };
        // In one order on all nodes, so that none waits for another that waits for it.
        uses.sort_unstable_by_key(|(id, _)| *id);
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.write_uses(&uses).await;
        if written.is_err() {
            let mut noted = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, at) in uses {
                noted.entry(id).or_insert(at);
            }
        }
        written
    }

    async fn write_uses(&self, uses: &[(CredentialId, Timestamp)]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        forge_store::credentials::touch(&mut tx, uses).await?;
        Ok(tx.commit().await?)
    }
}

/// The keys were checked when they were read; a fault now is ours.
pub(crate) fn key_fault(error: KeyError) -> Error {
    Error::internal(error)
}

/// The clock: the machine's, or one that tests set.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is set, in microseconds since the epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Fixed(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn system_now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// Randomness: the system's, or a reproducible sequence for tests.
#[derive(Clone, Debug)]
pub enum Random {
    /// The operating system's.
    System,
    /// A sequence that depends on the counter alone. Never for a forge that anyone relies on.
    Seeded(Arc<AtomicU64>),
}

impl Random {
    /// Fills `buffer`.
    ///
    /// # Panics
    /// If the operating system has no randomness to give; nothing safe can be done then.
    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            Self::System => getrandom::fill(buffer).expect("the operating system gives randomness"),
            Self::Seeded(counter) => {
                for byte in buffer {
                    let step = counter.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
                    let mixed = (step ^ (step >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                    *byte = ((mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 56) as u8;
                }
            }
        }
    }
}
