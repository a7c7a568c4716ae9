//! What somebody has at most, whatever gives it: a bound on an agent, or on everyone in an access group.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Permission;
use crate::grant::GrantAction;

/// The most that can be used of what is given. It gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Words")]
pub struct Ceiling {
    /// The strongest permission on a repository.
    pub permission: Permission,
    /// What is done at most of all that grants have words for; all of it if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeSet<GrantAction>>,
}

/// A ceiling as it is written. Whoever lists actions means work on code: administering is then said apart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(default)]
    permission: Option<Permission>,
    #[serde(default)]
    actions: Option<BTreeSet<GrantAction>>,
}

impl From<Words> for Ceiling {
    fn from(Words { permission, actions }: Words) -> Self {
        let unsaid = if actions.is_some() { Permission::Write } else { Permission::Admin };
        Self { permission: permission.unwrap_or(unsaid), actions }
    }
}

impl Default for Ceiling {
    /// Bounds nothing.
    fn default() -> Self {
        Self { permission: Permission::Admin, actions: None }
    }
}

impl Ceiling {
    /// Returns a ceiling that only bounds the permission.
    #[must_use]
    pub const fn of(permission: Permission) -> Self {
        Self { permission, actions: None }
    }

    /// Returns what both leave.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let actions = match (&self.actions, &other.actions) {
            (Some(one), Some(two)) => Some(one & two),
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        Self { permission: self.permission.min(other.permission), actions }
    }

    /// Returns whether everything that `other` leaves is left.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.and(other) == *other
    }

    /// Says in words what is left.
    #[must_use]
    pub fn words(&self) -> String {
        let permission = format!("`{}`", self.permission.role_name());
        match &self.actions {
            None => permission,
            Some(actions) if actions.is_empty() => format!("{permission}, changing no code"),
            Some(actions) => {
                let names: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                format!("{permission}, {}", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(names: &[GrantAction]) -> Ceiling {
        Ceiling { permission: Permission::Admin, actions: Some(names.iter().copied().collect()) }
    }

    #[test]
    fn both_leave_the_narrower_of_everything() {
        let write = Ceiling::of(Permission::Write);
        let branches = actions(&[GrantAction::CreateBranch, GrantAction::PushBranch]);
        let both = write.and(&branches);
        assert_eq!(both.permission, Permission::Write);
        assert_eq!(both.actions, branches.actions);
        assert_eq!(both, branches.and(&write));
        let none = both.and(&actions(&[GrantAction::ForcePush]));
        assert_eq!(none.actions, Some(BTreeSet::new()));
        assert!(write.covers(&both) && branches.covers(&both) && !both.covers(&write));
        assert!(Ceiling::default().covers(&write));
    }

    #[test]
    fn members_that_nobody_knows_are_refused() {
        assert_eq!(serde_json::from_str::<Ceiling>("{}").unwrap(), Ceiling::default());
        let listed: Ceiling = serde_json::from_str(r#"{"actions":["push_branch"]}"#).unwrap();
        assert_eq!(listed.permission, Permission::Write, "a list of actions is about code");
        assert!(serde_json::from_str::<Ceiling>(r#"{"permission":"write","paths":[]}"#).is_err());
        assert!(serde_json::from_str::<Ceiling>(r#"{"permission":"owner"}"#).is_err());
        assert!(serde_json::from_str::<Ceiling>(r#"{"actions":["fly"]}"#).is_err());
    }
}
