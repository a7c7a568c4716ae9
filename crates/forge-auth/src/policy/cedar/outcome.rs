//! What a soft policy asks for instead of refusing for good.

use super::Facts;

/// What a soft policy asks for. In the order in which they are named: a human is asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing may be changed; reading goes on.
    ReadOnly,
    /// A review has to come first.
    ReviewBefore,
    /// The caller has to prove better who it is.
    RequireStrongerAuth,
    /// A human has to approve.
    RequireApproval,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ReadOnly, Self::ReviewBefore, Self::RequireStrongerAuth, Self::RequireApproval];

    /// Returns the name in a policy's `@outcome`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ReviewBefore => "review_before",
            Self::RequireStrongerAuth => "require_stronger_auth",
            Self::RequireApproval => "require_approval",
        }
    }

    /// Returns the outcome with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Returns what is told to whoever meets a policy that says no words of its own.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ReadOnly => "this is read-only",
            Self::ReviewBefore => "this takes a review first",
            Self::RequireStrongerAuth => {
                "this takes stronger authentication: a token bound to a key, or a recent sign-in"
            }
            Self::RequireApproval => "this takes a human's approval",
        }
    }
}

/// Which soft policies are content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Satisfied {
    is_approved: bool,
    is_bound: bool,
}

impl Satisfied {
    pub(super) const fn by(facts: &Facts) -> Self {
        Self { is_approved: facts.context.is_approved, is_bound: facts.context.credential.is_bound }
    }

    /// Authors need not write the way out into the policy: an approval satisfies whoever asks for one.
    pub(super) const fn covers(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::ReadOnly | Outcome::ReviewBefore => false,
            Outcome::RequireStrongerAuth => self.is_bound,
            Outcome::RequireApproval => self.is_approved,
        }
    }
}
