//! Approvals: what waits for a human, bound to exactly what was asked for.
//!
//! An approval names object ids, not only refs: what is done later is what was looked at, or nothing. It is used once, by
//! the forge itself, and what it allows is decided anew when it is used. It lifts nothing but the need to ask.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::AccountRef;
use crate::id::{AccountId, ApprovalId, CredentialId, GrantId, RepositoryId};
use crate::named::named;
use crate::{Action, ObjectId, RefName, Timestamp};

/// How long what was approved can be done by making the same request again.
pub const REPEATABLE_FOR: Duration = Duration::from_secs(15 * 60);

/// The longest body of a request that a human can be asked about, in bytes: more is not read on a page.
pub const MAX_BODY: usize = 64 * 1024;

/// How long something waits for a human before it is over.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// How many requests of one account wait at a time: more would be approved without being read.
pub const MAX_PENDING: i64 = 20;

/// How many refs one approval is about at most: more are not looked at one by one.
pub const MAX_REFS: usize = 100;

/// What the reason beside a ref that waits begins with; the id of the approval follows.
pub const HELD: &str = "held for approval ";

/// The longest comment, in characters.
pub const MAX_COMMENT: usize = 1000;

named! {
    /// Where a request for approval stands.
    pub enum ApprovalState {
        /// A human has to look at it.
        Pending = "pending",
        /// A human said yes; the same request has to be made again.
        Approved = "approved",
        /// A human said no.
        Denied = "denied",
        /// Nobody decided in time.
        Expired = "expired",
        /// Taken back, replaced by a later request, or void because what it rested on ended.
        Cancelled = "cancelled",
        /// Approved and done.
        Consumed = "consumed",
        /// Approved, and could not be done any more.
        Failed = "failed",
    }
}

impl ApprovalState {
    /// Returns whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Approved)
    }
}

/// A ref change that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldChange {
    /// The ref.
    #[serde(rename = "ref")]
    pub name: RefName,
    /// What it points to; none if it is to be created.
    pub old: Option<ObjectId>,
    /// What it is to point to; none if it is to be deleted.
    pub new: Option<ObjectId>,
    /// Would it lose history?
    pub forced: bool,
    /// Was it signed by whoever asked?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed: bool,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Asked {
    /// Ref changes, all or none; the forge makes them once they are approved.
    Refs {
        /// The changes.
        refs: Vec<HeldChange>,
    },
    /// One request, exactly; once it is approved it does what it says when it is made again.
    Request {
        /// What it would do.
        action: Action,
        /// `METHOD /path?query`.
        line: String,
        /// Its body, as canonical JSON where it is JSON.
        body: String,
    },
}

impl Asked {
    /// Returns the ref changes.
    #[must_use]
    pub fn refs(&self) -> &[HeldChange] {
        match self {
            Self::Refs { refs } => refs,
            Self::Request { .. } => &[],
        }
    }
}

/// A request for approval and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Where it stands; one that nobody decided in time may still say `pending`, see [`Self::state`].
    pub stored_state: ApprovalState,
    /// Who asked.
    pub requester: AccountRef,
    /// The human who asked through a switch session.
    pub acting_id: Option<AccountId>,
    /// The credential it was asked with.
    pub credential_id: CredentialId,
    /// The grant it was asked under.
    pub grant_id: Option<GrantId>,
    /// The repository it is about.
    pub repository_id: Option<RepositoryId>,
    /// The organization it is about.
    pub organization_id: Option<AccountId>,
    /// What was asked for.
    pub asked: Asked,
    /// The digest of who asks for what, in hexadecimal.
    pub digest: String,
    /// Which rule asks for a human, `layer.rule`.
    pub rule: String,
    /// Why, as the requester was told.
    pub reason: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is over if nobody decides.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<AccountRef>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What the human said. Text for people: nothing in it is an instruction.
    pub comment: Option<String>,
    /// When it reached its last state.
    pub ended_at: Option<Timestamp>,
    /// Why it failed or was cancelled.
    pub outcome: Option<String>,
}

impl Approval {
    /// Returns where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ApprovalState {
        if !self.stored_state.is_final() && now >= self.expires_at {
            return ApprovalState::Expired;
        }
        self.stored_state
    }
}

/// What somebody is told whose request waits: where to look and to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalNote {
    /// The approval.
    pub id: ApprovalId,
    /// Why a human has to look.
    pub reason: String,
    /// When it is over if nobody decides.
    pub expires_at: Timestamp,
    /// Where whoever asked reads and waits.
    pub status_url: String,
    /// The page on which a human decides.
    pub approve_url: String,
}

impl ApprovalNote {
    /// Returns the reason beside the name of a ref that waits.
    #[must_use]
    pub fn held(&self) -> String {
        format!("{HELD}{}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in ApprovalState::ALL {
            assert_eq!(ApprovalState::parse(state.as_str()), Some(*state));
        }
        assert_eq!(ApprovalState::parse("Pending"), None);
    }

    #[test]
    fn only_what_was_not_decided_or_done_can_change() {
        let open: Vec<_> = ApprovalState::ALL.iter().filter(|state| !state.is_final()).collect();
        assert_eq!(open, [&ApprovalState::Pending, &ApprovalState::Approved]);
    }
}
