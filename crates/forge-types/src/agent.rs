//! Agents: what an agent account has beyond any account, its binding to a human, and invitations.

use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountRef};
use crate::id::{AccountId, InviteId};
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
    /// When an agent that nobody bound is removed.
    pub expires_unbound_at: Option<Timestamp>,
    /// When a credential of the agent was last used.
    pub last_used_at: Option<Timestamp>,
    /// Who created it.
    pub creator: Option<AccountRef>,
    /// Why it is suspended, when it is.
    pub suspended_reason: Option<String>,
}

/// Access to one repository that an invitation carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryGrant {
    /// `OWNER/NAME`.
    pub repo_full_name: String,
    /// The permission the agent will have.
    pub permission: Permission,
}

/// Membership of one team that an invitation carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamGrant {
    /// The organization's login.
    pub org: String,
    /// The team's slug.
    pub team_slug: String,
    /// The role in the team.
    pub role: crate::organization::TeamRole,
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
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}

/// The consent of an agent to be recovered and switched to by one human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentBinding {
    /// The agent; at most one binding each.
    pub agent_id: AccountId,
    /// The human.
    pub human_id: AccountId,
    /// When the agent confirmed.
    pub bound_at: Timestamp,
}
