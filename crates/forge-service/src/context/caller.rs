//! Who asks, by what means and from where.

use std::net::IpAddr;
use std::sync::Arc;

use forge_auth::policy::{Presence, Subject};
use forge_types::account::AccountRef;
use forge_types::audience::Audience;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId, GrantId, RequestId, WebSessionId};
use forge_types::{Scopes, Timestamp};

use crate::proof::certificate::ClientCertificate;

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
