//! Task grants: what a principal lets an agent do for one task, where, until when, and within which bounds.
//!
//! A grant conveys: a token for it may do what the grant says and the delegator may do now, whatever the agent may do on its
//! own. Names are resolved to ids when the grant is made, so that it never follows a repository that takes over a name.
//! The vocabulary is closed: what is not understood is refused where a grant is made, never left out.
//! What a grant does to a decision is in `forge_auth::policy`.

mod action;
mod path;
mod prefix;
mod resource;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use action::GrantAction;
pub use path::{InvalidPathPattern, PathPattern};
pub use prefix::{BranchPrefix, InvalidBranchPrefix};
pub use resource::GrantResource;

use crate::Timestamp;
use crate::account::AccountRef;
use crate::id::{AccountId, DelegationPolicyId, GrantId, RepositoryId};

/// How deep delegation goes: a grant, one made under it, and one made under that.
pub const MAX_DEPTH: i64 = 3;

/// How long a grant lasts when its maker does not say.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// How long a grant can last.
pub const MAX_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// The `type` of a grant among the `authorization_details` of RFC 9396.
pub const DETAILS_TYPE: &str = "urn:forge:task-grant:1";

/// What a grant conveys, and within which bounds: everything a decision needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTerms {
    /// On what.
    pub resources: Vec<GrantResource>,
    /// What may be done.
    pub actions: BTreeSet<GrantAction>,
    /// Bounds.
    pub constraints: GrantConstraints,
}

/// Bounds of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantConstraints {
    /// Only branches below this may be created, moved or deleted.
    pub branch_prefix: Option<BranchPrefix>,
    /// Files that no commit made under the grant may touch.
    pub paths_deny: Vec<PathPattern>,
    /// How much may be done in all.
    pub budgets: GrantBudgets,
    /// What waits for a human each time.
    pub requires_approval: BTreeSet<GrantAction>,
}

/// How much may be done under a grant in all; `None` is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantBudgets {
    /// Requests that move refs.
    pub pushes: Option<i64>,
    /// Bytes of packs that come with them.
    pub bytes: Option<i64>,
}

/// What was done under a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantUse {
    /// Requests that moved refs.
    pub pushes: i64,
    /// Bytes of packs that came with them.
    pub bytes: i64,
    /// When it was last used, to the minute for reads.
    pub last_used_at: Option<Timestamp>,
}

/// What a grant is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// The agent has not yet agreed.
    PendingConsent,
    /// It can be used.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl GrantState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::PendingConsent, Self::Active, Self::Expired, Self::Revoked];

    /// Returns the name in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingConsent => "pending_consent",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// When a grant begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantLife {
    /// Does it wait for the agent's consent from the start?
    pub needs_consent: bool,
    /// When the agent agreed.
    pub consented_at: Option<Timestamp>,
    /// When it stops; the instant itself is already too late.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl GrantLife {
    /// Returns what the grant is at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> GrantState {
        if self.revoked_at.is_some() {
            GrantState::Revoked
        } else if now >= self.expires_at {
            GrantState::Expired
        } else if self.needs_consent && self.consented_at.is_none() {
            GrantState::PendingConsent
        } else {
            GrantState::Active
        }
    }
}

/// A task grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskGrant {
    /// Its id.
    pub id: GrantId,
    /// The agent it is for.
    pub agent: AccountRef,
    /// Who lets the agent do it: a human, an organization, or an agent that passes part of its own grant on.
    pub delegator: AccountRef,
    /// Whose rights it is about: the delegator's at the top of the chain.
    pub holder_id: AccountId,
    /// What the work is, in its maker's words.
    pub task: String,
    /// The grant it is a part of.
    pub parent_id: Option<GrantId>,
    /// 1 for one that is no part of another.
    pub depth: i64,
    /// What it conveys.
    pub terms: GrantTerms,
    /// When it begins and ends.
    pub life: GrantLife,
    /// Why it was revoked.
    pub revoke_reason: Option<String>,
    /// The policy it came by, with its name in the organization that delegates.
    pub policy: Option<(DelegationPolicyId, String)>,
    /// Who made it, or the policy it came by.
    pub created_by: AccountId,
    /// When.
    pub created_at: Timestamp,
    /// What was done under it.
    pub used: GrantUse,
}

impl GrantTerms {
    /// Returns whether anything in this repository is meant.
    #[must_use]
    pub fn concerns(&self, repository: RepositoryId) -> bool {
        self.resources.iter().any(|resource| resource.repository_id() == Some(repository))
    }

    /// Returns whether every use of `self` is also one of `wider`.
    ///
    /// # Errors
    /// What goes beyond it, as the end of a sentence.
    pub fn within(&self, wider: &Self) -> Result<(), String> {
        if let Some(action) = self.actions.difference(&wider.actions).next() {
            return Err(format!("it does not convey `{}`", action.as_str()));
        }
        let covered = |one: &GrantResource| wider.resources.iter().any(|other| one.within(other));
        if let Some(resource) = self.resources.iter().find(|resource| !covered(resource)) {
            return Err(format!("it does not cover `{resource}`"));
        }
        self.constraints.within(&wider.constraints)
    }
}

impl GrantConstraints {
    /// Returns the same, with what is left out as `others` have it, and nothing of theirs loosened.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        self.branch_prefix = self.branch_prefix.or_else(|| others.branch_prefix.clone());
        let missing = others.paths_deny.iter().filter(|path| !self.paths_deny.contains(path)).cloned();
        let missing: Vec<PathPattern> = missing.collect();
        self.paths_deny.extend(missing);
        self.budgets.pushes = self.budgets.pushes.or(others.budgets.pushes);
        self.budgets.bytes = self.budgets.bytes.or(others.budgets.bytes);
        self.requires_approval.extend(&others.requires_approval);
        self
    }

    fn within(&self, wider: &Self) -> Result<(), String> {
        if let Some(outer) = &wider.branch_prefix
            && !self.branch_prefix.as_ref().is_some_and(|inner| inner.is_below(outer))
        {
            return Err(format!("its branch prefix is `{outer}`"));
        }
        if let Some(pattern) = wider.paths_deny.iter().find(|pattern| !self.paths_deny.contains(pattern)) {
            return Err(format!("it denies the path `{pattern}`"));
        }
        if let Some(action) = wider.requires_approval.difference(&self.requires_approval).next() {
            return Err(format!("`{}` takes approval there", action.as_str()));
        }
        let fits = |inner: Option<i64>, outer: Option<i64>| match (inner, outer) {
            (_, None) => true,
            (Some(inner), Some(outer)) => inner <= outer,
            (None, Some(_)) => false,
        };
        let (inner, outer) = (self.budgets, wider.budgets);
        if fits(inner.pushes, outer.pushes) && fits(inner.bytes, outer.bytes) {
            return Ok(());
        }
        Err("its budgets are smaller".to_owned())
    }
}

#[cfg(test)]
mod tests;
