//! Access groups of an organization: what everybody in them, human or agent, has at most in its repositories.

use crate::Timestamp;
use crate::agent::StandingAccess;
use crate::ceiling::Ceiling;
use crate::id::{AccessGroupId, AccountId};

/// The group of an organization's members whom nobody put into another.
pub const MEMBERS: &str = "members";

/// The group of everybody else whom nobody put into another: collaborators from outside, and agents that act by a grant.
pub const DEFAULT: &str = "default";

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessGroup {
    /// The group.
    pub id: AccessGroupId,
    /// Whose it is.
    pub organization_id: AccountId,
    /// Its name in the organization.
    pub name: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// What those in it have at most.
    pub ceiling: Ceiling,
    /// What the standing tokens of agents in it may do at most.
    pub standing_access: StandingAccess,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl AccessGroup {
    /// Returns whether it takes in whom nobody put into a group; there is always one for everybody.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.name == MEMBERS || self.name == DEFAULT
    }
}

/// A place of somebody in a group, as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessGroupPlace {
    /// Who is in it.
    pub account_id: AccountId,
    /// The organization whose group it is.
    pub organization_id: AccountId,
    /// The group.
    pub group_id: AccessGroupId,
    /// Its name.
    pub name: String,
    /// What those in it have at most.
    pub ceiling: Ceiling,
    /// What the standing tokens of agents in it may do at most.
    pub standing_access: StandingAccess,
}
