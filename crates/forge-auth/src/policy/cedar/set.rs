//! A set of policies that were read and validated together.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use cedar_policy::{Authorizer, Entities, PolicyId, Request};
use forge_types::grant::PathPattern;

use super::super::Denial;
use super::Outcome;

static AUTHORIZER: LazyLock<Authorizer> = LazyLock::new(Authorizer::new);

/// One policy, as far as it has to be spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What refusals and the audit log call it: `policy:acme/no-release`.
    pub name: String,
    /// What it asks for; none if it refuses for good.
    pub outcome: Option<Outcome>,
    /// Why, in the words of who wrote it.
    pub reason: Option<String>,
    /// The whole message, where clients know it by heart.
    pub message: Option<String>,
}

/// A set of policies.
#[derive(Clone, Default)]
pub struct PolicySet {
    pub(super) engine: cedar_policy::PolicySet,
    pub(super) rules: HashMap<PolicyId, Rule>,
    pub(super) watched: Vec<PathPattern>,
    pub(super) tells_refs_apart: bool,
    pub(super) counts_refusals: bool,
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.rules().map(|rule| &rule.name)).finish()
    }
}

impl PolicySet {
    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns the policies by name.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        rules.into_iter()
    }

    pub(super) fn watched_paths(&self) -> impl Iterator<Item = &PathPattern> {
        self.watched.iter()
    }

    pub(super) const fn tells_refs_apart(&self) -> bool {
        self.tells_refs_apart
    }

    /// Returns whether any of them asks for a human.
    pub(super) fn asks_humans(&self) -> bool {
        self.rules.values().any(|rule| rule.outcome == Some(Outcome::RequireApproval))
    }

    pub(super) const fn counts_refusals(&self) -> bool {
        self.counts_refusals
    }

    /// Returns the policies that forbid this, by name.
    ///
    /// # Errors
    /// A refusal if any of them could not be evaluated.
    pub(super) fn forbidding(&self, request: &Request, entities: &Entities) -> Result<Vec<&Rule>, Denial> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let answer = AUTHORIZER.is_authorized(request, &self.engine, entities);
        if let Some(error) = answer.diagnostics().errors().next() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            let rule = self.rules.get(error.policy_id());
            return Err(Denial::unevaluated(rule.map_or("policy.evaluation", |rule| rule.name.as_str())));
        }
        // What allows is the answer of the base alone; all others forbid.
        let mut found: Vec<&Rule> =
            answer.diagnostics().reason().filter_map(|id| self.rules.get(id)).collect();
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }
}
