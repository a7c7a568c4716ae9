//! The branches a grant is about: those below one prefix.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::RefName;

/// A prefix of branch names that ends with `/`, such as `agent/task-123/`.
///
/// INVARIANT: names are compared byte for byte, so `agent/task-123/` covers neither `agent/task-123` nor
/// `agent/task-1234/x` nor `Agent/task-123/x`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BranchPrefix(String);

/// Why a text is no branch prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBranchPrefix(&'static str);

impl fmt::Display for InvalidBranchPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidBranchPrefix {}

impl BranchPrefix {
    /// Checks a prefix: it ends with `/`, and a branch below it could be created.
    ///
    /// # Errors
    /// What is wrong, as a sentence about `branch_prefix`.
    pub fn new(text: &str) -> Result<Self, InvalidBranchPrefix> {
        let refuse = |reason| Err(InvalidBranchPrefix(reason));
        if !text.ends_with('/') || text.len() < 2 {
            return refuse("branch_prefix must name something and end with `/`");
        }
        if text.starts_with("refs/") {
            return refuse("branch_prefix is the short name of branches, without `refs/heads/`");
        }
        match RefName::branch(&format!("{text}x")) {
            Ok(name) if name.check_creatable().is_ok() => Ok(Self(text.to_owned())),
            _ => refuse("no branch could be created below this branch_prefix"),
        }
    }

    /// Returns the prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the ref is a branch below the prefix.
    #[must_use]
    pub fn covers(&self, name: &RefName) -> bool {
        let rest = name.branch_name().and_then(|branch| branch.strip_prefix(self.0.as_str()));
        rest.is_some_and(|rest| !rest.is_empty()) && name.check_creatable().is_ok()
    }

    /// Returns whether everything below this prefix is below `outer`.
    #[must_use]
    pub fn is_below(&self, outer: &Self) -> bool {
        self.0.starts_with(outer.0.as_str())
    }
}

impl fmt::Display for BranchPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BranchPrefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
