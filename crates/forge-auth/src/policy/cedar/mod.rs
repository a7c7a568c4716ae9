//! Policies: what somebody forbids beyond what rights allow, written in Cedar (<https://docs.cedarpolicy.com>).
//!
//! The forge's own come as files, an organization's as rows; `source` reads and validates both against
//! `schema/forge.cedarschema`, [`Facts`] are what they are asked about, `set` asks them, and here the answers become one.
//!
//! INVARIANT: a policy only ever forbids. What it binds says `bound`: no reads, nothing that takes rights away.
//! INVARIANT: a policy that cannot be evaluated forbids.

mod bound;
mod expression;
mod facts;
mod outcome;
mod request;
mod set;
mod source;

pub use bound::{binds, risk};
pub use facts::{Asker, ChangedRef, CircumstanceFacts, Circumstances, Facts, ProvedBy, ResourceFacts};
pub use outcome::Outcome;
pub use set::{PolicySet, Rule};
pub use source::{
    MAX_ORGANIZATION_BYTES, MAX_ORGANIZATION_POLICIES, MAX_POLICY_BYTES, PolicyFault, PolicySource, SHIPPED,
};

use std::collections::HashMap;
use std::sync::Arc;

use forge_types::grant::PathPattern;
use forge_types::id::AccountId;

use super::{Denial, Verdict};
use outcome::Satisfied;

/// All policies that hold at one moment. A change makes new ones; nobody sees half of one.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    instance: Arc<PolicySet>,
    organizations: HashMap<AccountId, Arc<PolicySet>>,
    /// Does any of them ask for a human? Kept, so that requests need not look through all.
    asks_humans: bool,
}

impl Policies {
    /// Returns the policies that the forge comes with.
    ///
    /// # Panics
    /// Never in a build whose tests passed: the files are part of it.
    #[must_use]
    pub fn shipped() -> Self {
        let set = PolicySet::of_instance(&source::shipped()).expect("the shipped policies are valid");
        Self::default().with_instance(Arc::new(set))
    }

    /// Returns the same with other policies of the forge.
    #[must_use]
    pub fn with_instance(&self, set: Arc<PolicySet>) -> Self {
        Self { instance: set, ..self.clone() }.counted()
    }

    /// Returns the same with other policies of an organization.
    #[must_use]
    pub fn with_organization(&self, id: AccountId, set: Option<Arc<PolicySet>>) -> Self {
        let mut changed = self.clone();
        match set.filter(|set| !set.is_empty()) {
            Some(set) => changed.organizations.insert(id, set),
            None => changed.organizations.remove(&id),
        };
        changed.counted()
    }

    fn counted(mut self) -> Self {
        let of_organizations = self.organizations.values().any(|set| set.asks_humans());
        self.asks_humans = of_organizations || self.instance.asks_humans();
        self
    }

    /// Returns whether any policy anywhere lets something wait for a human.
    #[must_use]
    pub const fn ask_humans(&self) -> bool {
        self.asks_humans
    }

    /// Returns the policies of the forge.
    #[must_use]
    pub fn instance(&self) -> &Arc<PolicySet> {
        &self.instance
    }

    /// Returns the policies of an organization, if it has any.
    #[must_use]
    pub fn organization(&self, id: AccountId) -> Option<&Arc<PolicySet>> {
        self.organizations.get(&id)
    }

    /// Returns the policies that bind what belongs to `owner`.
    fn binding(&self, owner: Option<AccountId>) -> impl Iterator<Item = &PolicySet> {
        let own = owner.and_then(|id| self.organizations.get(&id));
        [Some(&self.instance), own].into_iter().flatten().map(Arc::as_ref)
    }

    /// Returns the paths that the policies over what belongs to `owner` ask about.
    pub fn watched_paths(&self, owner: AccountId) -> impl Iterator<Item = &PathPattern> {
        self.binding(Some(owner)).flat_map(PolicySet::watched_paths)
    }

    /// Returns whether the answer about a ref of what belongs to `owner` may depend on which ref it is.
    #[must_use]
    pub fn tell_refs_apart(&self, owner: AccountId) -> bool {
        self.binding(Some(owner)).any(PolicySet::tells_refs_apart)
    }

    /// Returns whether any policy over what belongs to `owner` asks what was refused lately.
    #[must_use]
    pub fn count_refusals(&self, owner: Option<AccountId>) -> bool {
        self.binding(owner).any(PolicySet::counts_refusals)
    }

    /// Refuses what a policy over what belongs to `owner` forbids.
    ///
    /// Hard ones come first, then soft ones that a human's approval would not help against, then the others; and a soft one
    /// is named only if nothing else would forbid once its condition were met.
    ///
    /// # Errors
    /// The refusal.
    pub fn judge(&self, owner: Option<AccountId>, facts: &Facts) -> Verdict {
        let forbidding = self.forbidding(owner, facts)?;
        if forbidding.is_empty() {
            return Ok(());
        }
        refuse_hard(&forbidding)?;
        let satisfied = Satisfied::by(facts);
        let open = |rule: &&Rule| rule.outcome.filter(|outcome| !satisfied.covers(*outcome)).is_some();
        let Some(first) = forbidding.into_iter().filter(open).min_by_key(|rule| rule.outcome) else {
            return Ok(());
        };
        refuse_hard(&self.forbidding(owner, &facts.satisfied())?)?;
        Err(Denial::by_policy(first))
    }

    fn forbidding(&self, owner: Option<AccountId>, facts: &Facts) -> Result<Vec<&Rule>, Denial> {
        let (request, entities) = request::build(facts).map_err(|_| Denial::unevaluated("policy.request"))?;
        let mut forbidding = Vec::new();
        for set in self.binding(owner) {
            forbidding.extend(set.forbidding(&request, &entities)?);
        }
        Ok(forbidding)
    }
}

fn refuse_hard(forbidding: &[&Rule]) -> Verdict {
    match forbidding.iter().find(|rule| rule.outcome.is_none()) {
        Some(rule) => Err(Denial::by_policy(rule)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
