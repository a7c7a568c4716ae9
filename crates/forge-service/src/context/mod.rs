//! The context of one request: who asks, from where, and the only ways to the database.

mod known;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use forge_auth::policy::Presence;
use forge_auth::policy::{
    Answers, Circumstances, Decision, Denial, Effect, GrantFacts, Means, Policies, Principal, Resource,
    Ruling, Subject, cedar, decide, organization_of, visible_repositories,
};
use forge_store::{Conn, Tx};
use forge_types::access_group::AccessGroupPlace;
use forge_types::account::AccountRef;
use forge_types::audience::Audience;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId, GrantId, RequestId, WebSessionId};
use forge_types::repository_query::VisibleRepositories;
use forge_types::{Action, Error, Event, Result, Scopes, Timestamp};

use self::known::Known;
use crate::app::{App, Settings};
use crate::approvals::{Repeat, settle_repeat};
use crate::audit::{self, Refusal};
use crate::outside::Outside;
use crate::policies::{self, Made};
use crate::proof::certificate::ClientCertificate;
use crate::target::{Facts, Target};

/// The surface a request came in by; the audit log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Surface {
    Rest,
    GraphQl,
    Git,
    OAuth,
    Web,
    Console,
    Job,
}

impl Surface {
    /// Returns the name in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::GraphQl => "graphql",
            Self::Git => "git",
            Self::OAuth => "oauth",
            Self::Web => "web",
            Self::Console => "console",
            Self::Job => "job",
        }
    }
}

/// What is known of a request apart from who sent it.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// The request's id, also in its answer.
    pub id: RequestId,
    /// The surface it came in by.
    pub surface: Surface,
    /// The peer's address.
    pub ip: Option<String>,
    /// The program the peer says it is.
    pub user_agent: Option<String>,
    /// The certificate that the client has shown in the handshake of this connection.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What decisions need of it.
    pub subject: Subject,
    /// The account; none when anonymous.
    pub account: Option<AccountRef>,
    /// The human who acts through a switch session.
    pub acting: Option<AccountRef>,
    /// The token, when there is one.
    pub credential: Option<CallerCredential>,
    /// The browser session, when there is one.
    pub session: Option<CallerSession>,
    /// What lets an agent act for somebody, when it does.
    pub authority: Option<Authority>,
    /// What an agent runs in, where that was proved: the issuer that vouched for it, a space, and the subject.
    pub runtime: Option<String>,
}

/// By whose leave an agent acts, and for what.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The grant and the task it is for; none in delegated mode, where the agent's own credentials act for a human.
    pub grant: Option<GrantedTask>,
    /// Who granted it, or for whom the agent acts.
    pub delegator: AccountRef,
    /// The same, and who granted what it is a part of: all of them must be able to act.
    pub delegators: Vec<AccountId>,
}

/// What a task token is for.
#[derive(Clone, Debug)]
pub struct GrantedTask {
    /// The grant.
    pub grant_id: GrantId,
    /// The task.
    pub task: String,
}

/// The peer of a connection, put into the request by the listener. Absent in tests that call the router directly.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A caller that a host or proxy has authenticated already, put into the request by whoever trusts it.
#[derive(Clone, Debug)]
pub struct PreAuthenticated(pub Caller);

/// The browser session of a caller.
#[derive(Clone, Copy, Debug)]
pub struct CallerSession {
    /// The session's id.
    pub id: WebSessionId,
    /// When the person last proved to be present.
    pub authenticated_at: Timestamp,
    /// How recent that is.
    pub presence: Presence,
    /// When it stops.
    pub expires_at: Timestamp,
}

/// The token of a caller.
#[derive(Clone, Debug)]
pub struct CallerCredential {
    /// The credential's id.
    pub id: CredentialId,
    /// What it is for.
    pub kind: CredentialKind,
    /// Its public fingerprint.
    pub fingerprint: String,
    /// What it is limited to.
    pub scopes: Option<Scopes>,
    /// The authorization it descends from.
    pub family: String,
    /// The credential it was derived from.
    pub parent_id: Option<CredentialId>,
    /// The thumbprint of the key it is bound to.
    pub cnf_jkt: Option<String>,
    /// The SHA-256 of the client certificate it is bound to.
    pub cnf_x5t: Option<String>,
    /// When it stops.
    pub expires_at: Option<Timestamp>,
    /// The instant past which renewing cannot reach.
    pub renewable_until: Option<Timestamp>,
    /// The OAuth client it was issued to.
    pub client_id: Option<String>,
    /// Where it is good for anything; `None` means wherever its kind is.
    pub audience: Option<Audience>,
}

impl CallerCredential {
    /// Returns whether stealing its value would not do.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.cnf_jkt.is_some() || self.cnf_x5t.is_some()
    }
}

/// The certificate of a connection, put into the request by the listener on which clients show them.
#[derive(Clone, Debug)]
pub struct Certified(pub Arc<ClientCertificate>);

impl Caller {
    /// Nobody in particular.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            subject: Subject::Anonymous,
            account: None,
            acting: None,
            credential: None,
            session: None,
            authority: None,
            runtime: None,
        }
    }
}

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

    /// Loads `target` and decides whether the caller may do `action` to it: the only way to get a target.
    ///
    /// # Errors
    /// `NotFound` if it does not exist or the caller may not read it, else what the decision says.
    pub(crate) async fn authorize<T: Target>(
        &self,
        conn: &mut Conn,
        target: T,
        action: Action,
    ) -> Result<T::Found> {
        let found = target.load(self, conn).await?.ok_or_else(Error::not_found)?;
        if cedar::binds(action) {
            self.look_at_policies(conn, &found).await?;
        }
        self.permit(&found, action)?;
        Ok(found)
    }

    /// Decides about a further action on what was loaded for reading: what binds changes alone has not been looked at yet.
    ///
    /// # Errors
    /// What the decision says.
    pub(crate) async fn permit_change(
        &self,
        conn: &mut Conn,
        found: &impl Facts,
        action: Action,
    ) -> Result<()> {
        if cedar::binds(action) {
            self.look_at_policies(conn, found).await?;
        }
        self.permit(found, action)
    }

    /// Decides about a further action on what was already loaded for a change.
    ///
    /// # Errors
    /// What the decision says.
    pub(crate) fn permit(&self, found: &impl Facts, action: Action) -> Result<()> {
        let Err(denial) = self.ask(found, action) else { return Ok(()) };
        if denial.effect != Effect::Approval {
            return Err(denial.into());
        }
        match self.repeat().as_mut() {
            Some(repeat) => repeat.ask(self, found.ids(), action, &denial),
            None => {
                self.note_refusal(action, &denial, found);
                Err(denial.into())
            }
        }
    }

    /// Returns what is known about asking a human for this request; nothing if nobody can be asked.
    pub(crate) fn repeat(&self) -> MutexGuard<'_, Option<Repeat>> {
        self.inner.repeat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about a further action on what was already loaded, for who can have a human asked: that one has to be is no
    /// refusal yet.
    pub(crate) fn ask(&self, found: &impl Facts, action: Action) -> Result<(), Denial> {
        let resource = found.resource(self);
        if cedar::binds(action) && !self.has_looked(organization_of(&resource)) {
            return Err(known::unknown());
        }
        let ruling = self.rule(action, &resource);
        if let (true, Decision::Deny(denial)) = (ruling.is_open, &ruling.decision) {
            return Err(denial.clone());
        }
        self.note(&ruling, &resource);
        match ruling.decision {
            Decision::Allow => Ok(()),
            Decision::Deny(denial) => {
                if denial.effect != Effect::Approval {
                    self.note_refusal(action, &denial, found);
                }
                Err(denial)
            }
        }
    }

    /// Decides without error or trace, for answers that say what the caller could do. Nobody outside is asked: saying so is
    /// no effect.
    pub(crate) fn may(&self, found: &impl Facts, action: Action) -> bool {
        self.rule_inside(action, &found.resource(self), None).decision == Decision::Allow
    }

    /// Decides, and says what the policies were told. Leaves no trace.
    pub(crate) fn rule(&self, action: Action, resource: &Resource) -> Ruling {
        let outside = self.inner.outside.as_deref();
        let answers = outside.map(Outside::answers);
        let mut ruling = self.rule_inside(action, resource, answers.as_deref());
        if let (true, Some(outside), Some(facts)) = (ruling.is_open, outside, &ruling.facts) {
            ruling.is_open = outside.note(facts, self.inner.caller.authority.as_ref());
        }
        ruling
    }

    fn rule_inside(&self, action: Action, resource: &Resource, answers: Option<&Answers>) -> Ruling {
        let groups = self.groups();
        let circumstances = Circumstances { outside: answers, ..self.circumstances(&groups) };
        decide(&self.policies(), &circumstances, &self.inner.caller.subject, action, resource)
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

    /// Returns the policies in force.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.inner.app.policies.policies()
    }

    fn circumstances<'a>(&'a self, groups: &'a [AccessGroupPlace]) -> Circumstances<'a> {
        let (caller, info) = (&self.inner.caller, &self.inner.info);
        Circumstances {
            login: caller.account.as_ref().map_or("", |account| account.login.as_str()),
            now: self.now(),
            surface: info.surface.as_str(),
            source: info.ip.as_deref().and_then(|ip| ip.parse().ok()),
            destination: self.inner.destination.get().map(String::as_str),
            runtime: caller.runtime.as_deref(),
            has_key: caller.credential.as_ref().is_some_and(CallerCredential::is_bound),
            is_approved: self.is_approved(),
            recent_refusals: self.inner.known.recent_refusals(),
            groups,
            outside: None,
        }
    }

    /// Notes a decision that is to be kept; the last answer to a question counts.
    fn note(&self, ruling: &Ruling, resource: &Resource) {
        let Some(made) = Made::of(ruling, resource).filter(|_| self.inner.caller.account.is_some()) else {
            return;
        };
        let mut decisions = self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        decisions.retain(|other| !other.is_about(&made));
        if decisions.len() < RECORDED_REFUSALS {
            decisions.push(made);
        }
    }

    /// Takes the decisions that wait for being kept.
    pub(crate) fn take_decisions(&self, which: impl Fn(&Made) -> bool) -> Vec<Made> {
        let mut decisions = self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, left) = std::mem::take(&mut *decisions).into_iter().partition(which);
        *decisions = left;
        taken
    }

    /// Notes that a mutation was refused, for the audit log.
    pub(crate) fn note_refusal(&self, action: Action, denial: &Denial, found: &impl Facts) {
        if !action.is_read() && self.inner.caller.account.is_some() {
            let refusal = Refusal { action, denial: denial.clone(), ids: found.ids() };
            let mut refusals = self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if refusals.len() < RECORDED_REFUSALS {
                refusals.push(refusal);
            }
        }
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
