//! The context of one request: who asks, from where, and the only ways to the database.

mod caller;
mod decide;
mod known;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use caller::{
    Authority, Caller, CallerCredential, CallerSession, Certified, GrantedTask, Peer, PreAuthenticated,
    RequestInfo, Surface,
};
pub use forge_auth::policy::Presence;
use forge_auth::policy::{GrantFacts, Means, Principal, Subject, visible_repositories};
use forge_store::{Conn, Tx};
use forge_types::account::AccountRef;
use forge_types::id::{AccountId, GrantId};
use forge_types::repository_query::VisibleRepositories;
use forge_types::{Error, Event, Result, Timestamp};

use self::known::Known;
use crate::app::{App, Settings};
use crate::approvals::{Repeat, settle_repeat};
use crate::audit::{self, Refusal};
use crate::outside::Outside;
use crate::policies::{self, Made};

/// The context of one request. Cloning it is cheap and means the same request.
#[derive(Clone)]
pub struct RequestContext {
    inner: Arc<Inner>,
}

struct Inner {
    app: Arc<App>,
    caller: Caller,
    info: RequestInfo,
    /// What is asked outside, where somebody is to be asked.
    outside: Option<Arc<Outside>>,
    refusals: Mutex<Vec<Refusal>>,
    /// The host that the request has the forge speak to.
    destination: OnceLock<String>,
    /// What is asked of a human, and what was approved before.
    repeat: Mutex<Option<Repeat>>,
    /// What was decided, until it is kept.
    decisions: Mutex<Vec<Made>>,
    /// What was looked up for the policies.
    known: Known,
}

/// How much a request had noted at some moment.
pub(crate) struct Mark {
    refusals: usize,
    decisions: usize,
}

/// One request may be refused thousands of refs; so many refusals of it are written down.
const RECORDED_REFUSALS: usize = 100;

impl RequestContext {
    /// Creates the context of a request by `caller`.
    #[must_use]
    pub fn new(app: Arc<App>, caller: Caller, info: RequestInfo) -> Self {
        let outside = Outside::of(&app, info.surface);
        Self::with(app, caller, info, outside)
    }

    /// Returns another context of the same request.
    pub(crate) fn derived(&self, caller: Caller, info: RequestInfo) -> Self {
        Self::with(Arc::clone(&self.inner.app), caller, info, self.inner.outside.clone())
    }

    /// Returns the same request again, of which nothing is durable yet: for what it does after something else of it is.
    pub(crate) fn anew(&self) -> Self {
        Self::new(Arc::clone(&self.inner.app), self.inner.caller.clone(), self.inner.info.clone())
    }

    fn with(app: Arc<App>, caller: Caller, info: RequestInfo, outside: Option<Arc<Outside>>) -> Self {
        let inner = Inner {
            app,
            caller,
            info,
            outside,
            refusals: Mutex::default(),
            destination: OnceLock::new(),
            repeat: Mutex::default(),
            decisions: Mutex::default(),
            known: Known::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns who asks.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.inner.caller
    }

    /// Returns the same request as one by `account`, for what the request itself has proved: it decides nothing, and
    /// the audit log names the account.
    pub(crate) fn speaking_for(&self, account: AccountRef) -> Self {
        let caller = Caller { account: Some(account), ..self.inner.caller.clone() };
        self.derived(caller, self.inner.info.clone())
    }

    /// Returns the same request as one by `account` in a runtime, where the request itself has proved both.
    pub(crate) fn speaking_in(&self, account: AccountRef, runtime: String) -> Self {
        let caller = Caller { account: Some(account), runtime: Some(runtime), ..self.inner.caller.clone() };
        self.derived(caller, self.inner.info.clone())
    }

    /// Returns the same request as one by `account`, for deciding now about something the account asked for before.
    pub(crate) fn deferred_for(&self, account: AccountRef, subject: Subject) -> Self {
        let caller = Caller { subject, account: Some(account), ..Caller::anonymous() };
        self.derived(caller, self.inner.info.clone())
    }

    /// Returns the same request as one by `caller`, for asking what would be; it leaves no trace.
    pub(crate) fn supposing(&self, caller: Caller, surface: Option<Surface>, source: Option<IpAddr>) -> Self {
        let mut info = self.inner.info.clone();
        info.surface = surface.unwrap_or(info.surface);
        info.ip = source.map(|source| source.to_string()).or(info.ip);
        self.derived(caller, info)
    }

    /// Takes over what was refused to `other`, so that it is written as refused to this request's caller.
    pub(crate) fn adopt_refusals(&self, other: &Self) {
        let theirs =
            std::mem::take(&mut *other.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner));
        self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner).extend(theirs);
    }

    /// Returns what is known of the request apart from who sent it.
    #[must_use]
    pub fn info(&self) -> &RequestInfo {
        &self.inner.info
    }

    /// Returns the caller's account.
    ///
    /// # Errors
    /// `Unauthenticated` when anonymous.
    pub fn account(&self) -> Result<&AccountRef> {
        self.inner.caller.account.as_ref().ok_or_else(Error::requires_authentication)
    }

    /// Returns whether this is a command given at the machine's own console, which no account gives.
    pub(crate) fn is_operator(&self) -> bool {
        let principal = self.inner.caller.subject.principal();
        principal.is_some_and(|principal| matches!(principal.means, Means::Console))
    }

    /// Returns the id of the caller's account; none when anonymous.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        self.inner.caller.account.as_ref().map(|account| account.id)
    }

    /// Returns the id of the account whose rights count: the caller's, or that of whoever lets it act.
    #[must_use]
    pub(crate) fn rights_id(&self) -> Option<AccountId> {
        self.inner.caller.subject.principal().map(Principal::rights_id)
    }

    /// Returns the id of the account whose memberships count: without a grant that of whose rights do, with one the caller's
    /// own, because grants convey nothing about organizations and teams.
    #[must_use]
    pub(crate) fn membership_id(&self) -> Option<AccountId> {
        if self.is_bound_by_grant() { self.account_id() } else { self.rights_id() }
    }

    /// Returns the grants that the caller's token stands on, its own first; none if it is no token for a task.
    pub(crate) fn grants(&self) -> &[GrantFacts] {
        let credential = self.inner.caller.subject.principal().and_then(Principal::credential);
        credential.map(|credential| credential.grants.as_slice()).unwrap_or_default()
    }

    /// Returns the grant that the caller's token is for, if it is one for a task.
    pub(crate) fn grant_id(&self) -> Option<&GrantId> {
        self.grants().first().map(|grant| &grant.id)
    }

    /// Returns whether the caller's token is one for a task.
    pub(crate) fn is_bound_by_grant(&self) -> bool {
        !self.grants().is_empty()
    }

    /// Returns whether the forge does what a human has approved, as the caller who asked for it.
    pub(crate) fn is_approved(&self) -> bool {
        let credential = self.inner.caller.subject.principal().and_then(Principal::credential);
        credential.is_some_and(|credential| credential.is_approved)
    }

    /// Returns the settings of the forge.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.app.settings
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.app.now()
    }

    /// Returns what all requests share. For the use cases of this crate.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.inner.app
    }

    /// Returns which repositories the caller may read: the filter of every list of repositories.
    pub(crate) fn visible_to(&self) -> VisibleRepositories {
        visible_repositories(&self.inner.caller.subject)
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let tx = self.inner.app.db.begin().await?;
        Ok(match &self.inner.outside {
            Some(outside) => tx.guarded(outside.guard()),
            None => tx,
        })
    }

    /// Returns a connection for reading.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn read(&self) -> Result<Conn> {
        Ok(self.inner.app.db.read().await?)
    }

    /// Returns what is known about asking a human for this request; nothing if nobody can be asked.
    pub(crate) fn repeat(&self) -> MutexGuard<'_, Option<Repeat>> {
        self.inner.repeat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is asked outside, where somebody is to be asked.
    pub(crate) fn outside(&self) -> Option<&Arc<Outside>> {
        self.inner.outside.as_ref()
    }

    /// Returns how much was noted so far.
    pub(crate) fn mark(&self) -> Mark {
        let refusals = self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner).len();
        let decisions = self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner).len();
        Mark { refusals, decisions }
    }

    /// Forgets what was noted since, because the request is tried again.
    pub(crate) fn forget_since(&self, mark: &Mark) {
        self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner).truncate(mark.refusals);
        self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner).truncate(mark.decisions);
        if let Some(repeat) = self.repeat().as_mut() {
            repeat.restart();
        }
    }

    /// Says which host the request has the forge speak to, before it is decided about.
    pub(crate) fn will_speak_to(&self, host: String) {
        let _ = self.inner.destination.set(host);
    }

    /// Asks again, within `tx`, whether what the caller came with stands, and keeps it so until the end of `tx`. For
    /// changes that begin long after the caller was authenticated, such as the end of a push.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub(crate) async fn still_stands(&self, tx: &mut Tx) -> Result<bool> {
        crate::standing::still_stands(self, tx).await
    }

    /// Writes `event` to the audit log, in the transaction of its effect.
    ///
    /// # Errors
    /// `Unavailable` if the database is; then the effect must not happen either.
    pub(crate) async fn record(&self, tx: &mut Tx, event: Event) -> Result<()> {
        let used = settle_repeat(self, tx).await?;
        let event = used.iter().fold(event, |event, id| event.with("approval_id", id.0.as_str()));
        audit::record(self, tx, event).await?;
        policies::keep_allowed(self, tx).await
    }

    /// Writes the refused mutations of this request to the audit log, in a transaction of their own. Edges call it
    /// once, before they answer.
    ///
    /// # Errors
    /// `Unavailable` if the database is.
    pub async fn finish(&self) -> Result<()> {
        let refusals =
            std::mem::take(&mut *self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner));
        let asks = self.repeat().as_mut().map(Repeat::take_asks).unwrap_or_default();
        if refusals.is_empty() && asks.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for ask in asks {
            ask.put_down(self, &mut tx).await?;
        }
        for refusal in refusals {
            audit::record_refusal(self, &mut tx, refusal).await?;
        }
        policies::keep_refused(self, &mut tx).await?;
        Ok(tx.commit().await?)
    }
}
