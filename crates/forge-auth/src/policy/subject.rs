//! Who asks, by what means, and what no one of that kind can ever do.

use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::audience::{Audience, Place};
use forge_types::ceiling::Ceiling;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId};
use forge_types::kill_switch::Stop;
use forge_types::{Action, Scopes, Timestamp};

use super::{Denial, GrantFacts, Resource, Verdict, approval, signing};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Nobody in particular.
    Anonymous,
    /// A known principal.
    Principal(Principal),
}

impl Subject {
    /// Returns the principal, unless anonymous.
    #[must_use]
    pub const fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Anonymous => None,
            Self::Principal(principal) => Some(principal),
        }
    }
}

/// A human or agent, and how it proved that.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its account.
    pub id: AccountId,
    /// What it is.
    pub kind: AccountKind,
    /// Whether it administers the whole forge.
    pub is_site_admin: bool,
    /// The human an agent is bound to.
    pub owner_id: Option<AccountId>,
    /// What an agent's standing token may do.
    pub standing_access: Option<StandingAccess>,
    /// What an agent has at most, whoever's rights it uses.
    pub ceiling: Option<Box<Ceiling>>,
    /// Whose rights it uses, if not its own: those of whoever let it act.
    pub holder_id: Option<AccountId>,
    /// The live kill switches; nobody looks for those of people.
    pub stops: Vec<Stop>,
    /// How it proved who it is.
    pub means: Means,
}

/// How a principal proved who it is.
#[derive(Clone, Debug)]
pub enum Means {
    /// A browser session, opened by signing in at this time.
    Browser {
        /// When the person last proved to be present.
        authenticated_at: Timestamp,
        /// How recent that is.
        presence: Presence,
    },
    /// A token.
    Credential(CredentialFacts),
    /// A host or proxy that has authenticated the caller.
    Host,
    /// The operator at the machine's own console.
    Console,
    /// The forge itself, on what the principal asked for before: an invite it made that is now accepted.
    Deferred,
}

/// How recently the person in front of a browser has proved to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// Too long ago for giving anyone access.
    Stale,
    /// Within half an hour.
    Recent,
    /// Within five minutes: the person was asked for the password for just this.
    Confirmed,
}

/// What matters about a token.
#[derive(Clone, Debug)]
pub struct CredentialFacts {
    /// The credential.
    pub id: CredentialId,
    /// What it is for.
    pub kind: CredentialKind,
    /// What it is limited to; `None` means everything its account may do.
    pub scopes: Option<Scopes>,
    /// The human who acts through it.
    pub acting_id: Option<AccountId>,
    /// The grant it is a token for, followed by those that one is a part of.
    pub grants: Vec<GrantFacts>,
    /// Where it is good for anything; `None` means wherever its kind is.
    pub audience: Option<Audience>,
    /// Whether its account takes tokens only that are bound to a key, and it is bound to none.
    pub lacks_key: bool,
    /// Whether a human has approved just this, and the forge does it now.
    pub is_approved: bool,
    /// Whether its account changes refs by signed pushes only.
    pub signed_only: bool,
    /// Whether it is a workload's, or came of what is: it ends with the binding that lets the workload in.
    pub is_of_runtime: bool,
}

impl Principal {
    /// Returns somebody who acts on their own, by these means.
    #[must_use]
    pub const fn new(id: AccountId, kind: AccountKind, is_site_admin: bool, means: Means) -> Self {
        Self {
            id,
            kind,
            is_site_admin,
            owner_id: None,
            standing_access: None,
            ceiling: None,
            holder_id: None,
            stops: Vec::new(),
            means,
        }
    }

    /// Returns whose rights count.
    #[must_use]
    pub fn rights_id(&self) -> AccountId {
        self.holder_id.unwrap_or(self.id)
    }

    /// Returns the token, if that is how the principal proved who it is.
    #[must_use]
    pub const fn credential(&self) -> Option<&CredentialFacts> {
        match &self.means {
            Means::Credential(credential) => Some(credential),
            Means::Browser { .. } | Means::Host | Means::Console | Means::Deferred => None,
        }
    }

    /// Returns whether a human acts as this agent.
    pub(super) fn is_switched(&self) -> bool {
        self.credential().is_some_and(|credential| credential.kind == CredentialKind::Switch)
    }
}

/// Refuses what this kind of principal or credential can never do.
pub(super) fn check(subject: &Subject, action: Action, resource: &Resource) -> Verdict {
    let Subject::Principal(principal) = subject else { return Ok(()) };
    check_kind(principal.kind, action)?;
    check_presence(&principal.means, action)?;
    if action == Action::ApprovalDecide {
        approval::check_presence(&principal.means)?;
    }
    if action == Action::SecondFactorManage {
        check_confirmed(&principal.means)?;
    }
    if action == Action::AgentDelegate {
        check_lender(&principal.means)?;
    }
    if action == Action::AgentRecover {
        check_recovery(&principal.means, resource)?;
    }
    signing::check(principal, action, resource)?;
    let Some(credential) = principal.credential() else { return Ok(()) };
    check_credential(credential.kind, action)?;
    if credential.is_of_runtime && action == Action::AgentKeyManage {
        let message = "a workload's session cannot change the agent's keys, which would outlast it";
        return Err(Denial::forbidden("subject.runtime", message));
    }
    check_audience(credential, resource)?;
    check_key(credential)?;
    check_standing_access(principal, credential.kind, action)
}

fn check_kind(kind: AccountKind, action: Action) -> Verdict {
    match kind {
        AccountKind::Human if action == Action::AgentConfirm => Err(Denial::forbidden(
            "subject.human",
            "only an agent can confirm an invite, with its own credential",
        )),
        AccountKind::Human if action == Action::TaskGrantConsent => Err(Denial::forbidden(
            "subject.human",
            "only the agent a grant is for can consent to it, with its own credential",
        )),
        AccountKind::Human if action == Action::TaskGrantClaim => Err(Denial::forbidden(
            "subject.human",
            "tasks are taken by a policy by agents; a human delegates",
        )),
        AccountKind::Agent if is_for_humans(action) => {
            let message = format!("agents can never do this: {} is for humans", action.as_str());
            Err(Denial::forbidden("subject.agent", message))
        }
        AccountKind::Organization => {
            Err(Denial::forbidden("subject.organization", "an organization cannot act by itself"))
        }
        AccountKind::Human | AccountKind::Agent => Ok(()),
    }
}

const fn is_for_humans(action: Action) -> bool {
    matches!(
        action,
        Action::SiteAdminister
            | Action::SiteAuditRead
            | Action::DeviceDecide
            | Action::ClientAuthorize
            | Action::AgentInvite
            | Action::AgentInviteRead
            | Action::AgentInviteWithdraw
            | Action::AgentUnbind
            | Action::AgentRuntimeManage
            | Action::AgentRecover
            | Action::AgentSwitch
            | Action::AgentDelegate
            | Action::AgentSuspend
            | Action::AgentRestore
            | Action::AgentRevoke
            | Action::RevokeDelegated
            | Action::KillSwitchSet
            | Action::KillSwitchList
            | Action::KillSwitchLift
            | Action::ApprovalDecide
            | Action::SecondFactorManage
            | Action::OrganizationCreate
            | Action::OrganizationAdminister
            | Action::OrganizationAuditRead
            | Action::OrganizationManageMembers
            | Action::OrganizationManagePolicies
    )
}

/// A browser that was left open for long may still read, but not give anyone access.
fn check_presence(means: &Means, action: Action) -> Verdict {
    if matches!(means, Means::Browser { presence: Presence::Stale, .. }) && takes_presence(action) {
        return Err(Denial::forbidden("subject.stale", "sign in again to confirm that it is you"));
    }
    Ok(())
}

/// What signing in takes is changed by the person in front of a browser alone.
fn check_confirmed(means: &Means) -> Verdict {
    if matches!(means, Means::Browser { presence: Presence::Confirmed, .. }) {
        return Ok(());
    }
    let message = "this is changed in a browser alone, after signing in again";
    Err(Denial::forbidden("subject.second_factor", message))
}

/// Rights that are lent are all of the person's, so a token that is limited to some of them cannot lend them.
fn check_lender(means: &Means) -> Verdict {
    let is_limited = matches!(means, Means::Credential(credential) if credential.scopes.is_some());
    if !is_limited {
        return Ok(());
    }
    let message =
        "a token that is limited to scopes lends nobody its person's rights: do it on the agent's page";
    Err(Denial::forbidden("subject.limited", message))
}

/// Recovery takes an agent away from whoever runs it, so a browser has to be asked for the password just now. Programs
/// with a token cannot be, and whether they may is the forge's setting.
fn check_recovery(means: &Means, resource: &Resource) -> Verdict {
    let takes_presence = matches!(resource, Resource::Agent(agent) if agent.recovery_takes_presence);
    match means {
        Means::Browser { presence: Presence::Confirmed, .. } => Ok(()),
        Means::Browser { .. } => Err(Denial::forbidden(
            "subject.unconfirmed",
            "sign in again to confirm that it is you: replacing credentials takes a password entered within five minutes",
        )),
        _ if takes_presence => Err(Denial::forbidden(
            "subject.recovery_session",
            "on this forge an agent is recovered on its page in the browser, after entering one's password again",
        )),
        Means::Credential(_) | Means::Host | Means::Console | Means::Deferred => Ok(()),
    }
}

const fn takes_presence(action: Action) -> bool {
    matches!(
        action,
        Action::CredentialCreate
            | Action::DeviceDecide
            | Action::ClientAuthorize
            | Action::AgentRecover
            | Action::AgentSwitch
            | Action::AgentDelegate
            | Action::TaskGrantCreate
            | Action::TaskGrantUpdate
            | Action::AgentKeyManage
            | Action::AgentRuntimeManage
            | Action::OrganizationManagePolicies
            | Action::SiteAdminister
    )
}

/// An agent that takes bound tokens only has no use for one that whoever reads it can use.
fn check_key(credential: &CredentialFacts) -> Verdict {
    if credential.lacks_key {
        return Err(Denial::forbidden(
            "subject.unbound",
            "this agent's tokens are good only when they are bound to a key: obtain one with a proof of possession",
        ));
    }
    Ok(())
}

/// A switch session acts as the agent but can neither create credentials, nor change who is trusted, nor who the agent
/// says it is.
fn check_credential(kind: CredentialKind, action: Action) -> Verdict {
    if action == Action::AgentSwitchRenew && kind != CredentialKind::Switch {
        return Err(Denial::forbidden("subject.not_switch", "this is not a switch session"));
    }
    if kind == CredentialKind::Switch && changes_trust(action) {
        let message = format!("a switch session cannot do this: {}", action.as_str());
        return Err(Denial::forbidden("subject.switch", message));
    }
    if !kind.is_access_token() {
        return Err(Denial::unauthenticated("subject.not_access_token"));
    }
    Ok(())
}

const fn changes_trust(action: Action) -> bool {
    matches!(
        action,
        Action::AccountUpdate
            | Action::CredentialCreate
            | Action::CredentialRevoke
            | Action::PublicKeyCreate
            | Action::PublicKeyDelete
            | Action::SigningKeyCreate
            | Action::SigningKeyDelete
            | Action::DeviceDecide
            | Action::ClientAuthorize
            | Action::AgentConfirm
            | Action::AgentUndoBinding
            | Action::AgentKeyManage
            | Action::AgentRuntimeManage
            | Action::AgentInvite
            | Action::AgentUpdate
            | Action::AgentDelegate
            | Action::TaskGrantCreate
            | Action::TaskGrantUpdate
            | Action::TaskGrantRevoke
            | Action::TaskGrantConsent
            | Action::TaskGrantClaim
            | Action::CollaboratorManage
            | Action::TeamManageMembers
            | Action::TeamManageRepositories
            | Action::RepositoryTransfer
    )
}

/// A token for the Git transport of one repository is nothing to another one.
fn check_audience(credential: &CredentialFacts, resource: &Resource) -> Verdict {
    let Some(audience) = &credential.audience else { return Ok(()) };
    let id = match resource {
        Resource::Repository(repository) => repository.id,
        Resource::Ref(facts) => facts.repository.id,
        _ => return Ok(()),
    };
    // Whether the surface is among the places was found when the token was presented.
    let is_for_surface = audience.includes(Place::Rest) || audience.includes(Place::GraphQl);
    if is_for_surface || audience.includes(Place::Git(id)) {
        return Ok(());
    }
    Err(Denial::forbidden("subject.audience", "this token is for another repository"))
}

/// Consenting, taking that back, seeing what one was granted and what waits, and changing one's keys are no use of what the agent may reach.
const fn is_consent(action: Action) -> bool {
    matches!(
        action,
        Action::AgentConfirm
            | Action::AgentUndoBinding
            | Action::TaskGrantConsent
            | Action::TaskGrantClaim
            | Action::TaskGrantRead
            | Action::TaskGrantList
            | Action::ApprovalList
            | Action::ApprovalRead
            | Action::ApprovalCancel
            | Action::AgentKeyManage
    )
}

/// What an agent's standing token may do beside being exchanged.
fn check_standing_access(principal: &Principal, kind: CredentialKind, action: Action) -> Verdict {
    // Whatever was derived from a standing token without a grant stands on the same.
    let has_grant = principal.credential().is_some_and(|credential| !credential.grants.is_empty());
    let is_standing = kind != CredentialKind::Switch && !has_grant;
    if !is_standing || is_consent(action) {
        return Ok(());
    }
    match principal.standing_access {
        Some(StandingAccess::ExchangeOnly) => Err(Denial::forbidden(
            "subject.exchange_only",
            "this agent's standing token is only good for being exchanged for a task token",
        )),
        Some(StandingAccess::Read) if !action.is_read() => Err(Denial::forbidden(
            "subject.standing_read",
            "this agent's standing token can only read; writing takes a task token",
        )),
        Some(StandingAccess::Read | StandingAccess::Full) | None => Ok(()),
    }
}
