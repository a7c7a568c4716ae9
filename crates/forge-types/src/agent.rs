//! Agents: what an agent account has beyond any account, its binding to a human, and invitations.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountRef};
use crate::ceiling::Ceiling;
use crate::id::{AccountId, InviteId, RepositoryId, TeamId};
use crate::named::named;
use crate::organization::TeamRole;
use crate::{Permission, Timestamp};

/// What an agent's standing token may do on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingAccess {
    /// Only be exchanged for task tokens.
    ExchangeOnly,
    /// Read what the agent may read.
    Read,
    /// Everything the agent may do.
    Full,
}

impl StandingAccess {
    /// Returns the name kept in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExchangeOnly => "exchange_only",
            Self::Read => "read",
            Self::Full => "full",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::ExchangeOnly, Self::Read, Self::Full].into_iter().find(|access| access.as_str() == name)
    }
}

named! {
    /// With whose rights an agent's own credentials act.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AgentMode {
        /// With its own; what becomes of a human changes nothing.
        Autonomous = "autonomous",
        /// With those that one human has at that time, as far as the agent's ceiling reaches.
        Delegated = "delegated",
    }
}

/// An agent: its account, its binding and what its owner sees of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The agent's account.
    pub account: Account,
    /// The human it is bound to.
    pub owner: Option<AccountRef>,
    /// When it was bound.
    pub bound_at: Option<Timestamp>,
    /// What its standing token may do.
    pub standing_access: StandingAccess,
    /// Whether its tokens are good only when they are bound to a key.
    pub bound_only: bool,
    /// Whether it changes refs by signed pushes only.
    pub signed_only: bool,
    /// The human with whose rights its own credentials act; none if with its own.
    pub delegator: Option<AccountRef>,
    /// What it has at most, whoever's rights it uses.
    pub ceiling: Option<Ceiling>,
    /// When an agent that nobody bound is removed.
    pub expires_unbound_at: Option<Timestamp>,
    /// When a credential of the agent was last used.
    pub last_used_at: Option<Timestamp>,
    /// Who created it.
    pub creator: Option<AccountRef>,
    /// Why it is suspended, when it is.
    pub suspended_reason: Option<String>,
    /// Who suspended it, when it is.
    pub suspended_by: Option<AccountId>,
}

impl Agent {
    /// Returns with whose rights its own credentials act.
    #[must_use]
    pub const fn mode(&self) -> AgentMode {
        if self.delegator.is_some() { AgentMode::Delegated } else { AgentMode::Autonomous }
    }

    /// Returns until when its binding can be undone; none when it is bound to nobody or that is over at `now`.
    #[must_use]
    pub fn undo_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.bound_at.and_then(|bound_at| undo_until(bound_at, now))
    }
}

/// An agent with what its human wants to see at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentOverview {
    /// The agent.
    pub agent: Agent,
    /// When its present standing credential was created; none when it has no live one.
    pub credential_created_at: Option<Timestamp>,
    /// The repositories it owns or collaborates on, by name.
    pub repositories: Vec<(String, Permission)>,
    /// The teams it is in.
    pub teams: Vec<TeamPlace>,
}

/// A place in a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamPlace {
    /// The organization's login.
    pub organization_login: String,
    /// The team's slug.
    pub slug: String,
    /// The role in the team.
    pub role: TeamRole,
}

/// Access to one repository that an invitation carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryGrant {
    /// The repository, whatever it is called when the invitation is accepted.
    pub repository_id: RepositoryId,
    /// `OWNER/NAME` when the invitation was made.
    pub repo_full_name: String,
    /// The permission the agent will have.
    pub permission: Permission,
}

/// Membership of one team that an invitation carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamGrant {
    /// The team, whatever it is called when the invitation is accepted.
    pub team_id: TeamId,
    /// The organization.
    pub organization_id: AccountId,
    /// The organization's login when the invitation was made.
    pub org: String,
    /// The team's slug when the invitation was made.
    pub team_slug: String,
    /// The role in the team.
    pub role: TeamRole,
}

/// An invitation of an agent by a human; its secret is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentInvite {
    /// The invitation's id.
    pub id: InviteId,
    /// The human who invites.
    pub human_id: AccountId,
    /// The only agent that may accept, when one is named.
    pub agent_login: Option<String>,
    /// Repositories the agent gets access to.
    pub repository_grants: Vec<RepositoryGrant>,
    /// Teams the agent joins.
    pub team_grants: Vec<TeamGrant>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it can no longer be accepted.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub consumed_at: Option<Timestamp>,
    /// The agent that accepted it.
    pub consumed_by: Option<AccountId>,
    /// The agent that registered with it, where registering takes an invitation; only that one may accept it.
    pub registered_id: Option<AccountId>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// How long an invitation can be accepted, at most and when its maker says nothing.
pub const INVITE_LIFETIME: Duration = Duration::from_secs(72 * 60 * 60);

/// What an invitation is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteState {
    /// It can be accepted.
    Pending,
    /// It was accepted.
    Accepted,
    /// It was withdrawn.
    Withdrawn,
    /// Its time is over.
    Expired,
}

impl InviteState {
    /// Returns the name in answers and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl AgentInvite {
    /// Returns what the invitation is at `now`; the instant of expiry itself is already too late.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> InviteState {
        if self.consumed_at.is_some() {
            InviteState::Accepted
        } else if self.withdrawn_at.is_some() {
            InviteState::Withdrawn
        } else if now >= self.expires_at {
            InviteState::Expired
        } else {
            InviteState::Pending
        }
    }
}

/// The consent of an agent to be recovered and switched to by one human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentBinding {
    /// The agent; at most one binding each.
    pub agent_id: AccountId,
    /// The human.
    pub human_id: AccountId,
    /// The invitation that the agent accepted.
    pub invite_id: InviteId,
    /// When the agent confirmed.
    pub bound_at: Timestamp,
}

/// How long after it came into being a binding can be undone, with all it gave.
pub const UNDO_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns until when a binding of that moment can be undone; none when that is over at `now`.
#[must_use]
pub fn undo_until(bound_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    Some(bound_at.plus(UNDO_WINDOW)).filter(|until| now < *until)
}
