//! The one authorization call: nothing in this crate decides but by the functions here, and they leave it to
//! [`forge_auth::policy`].

use std::sync::{Arc, PoisonError};

use forge_auth::policy::{
    Answers, Circumstances, Decision, Denial, Effect, Policies, Resource, Ruling, cedar, decide,
    organization_of,
};
use forge_store::Conn;
use forge_types::access_group::AccessGroupPlace;
use forge_types::{Action, Error, Result};

use super::{CallerCredential, RECORDED_REFUSALS, RequestContext, known};
use crate::audit::Refusal;
use crate::outside::Outside;
use crate::policies::Made;
use crate::target::{Facts, Target};

impl RequestContext {
    /// Loads `target` and decides whether the caller may do `action` to it: the only way to get a target.
    ///
    /// # Errors
    /// `NotFound` if it does not exist or the caller may not read it, else what the decision says.
    pub(crate) async fn authorize<T: Target>(
        &self,
        conn: &mut Conn,
        target: T,
        action: Action,
    ) -> Result<T::Found> {
        let found = target.load(self, conn).await?.ok_or_else(Error::not_found)?;
        if cedar::binds(action) {
            self.look_at_policies(conn, &found).await?;
        }
        self.permit(&found, action)?;
        Ok(found)
    }

    /// Decides about a further action on what was loaded for reading: what binds changes alone has not been looked at yet.
    ///
    /// # Errors
    /// What the decision says.
    pub(crate) async fn permit_change(
        &self,
        conn: &mut Conn,
        found: &impl Facts,
        action: Action,
    ) -> Result<()> {
        if cedar::binds(action) {
            self.look_at_policies(conn, found).await?;
        }
        self.permit(found, action)
    }

    /// Decides about a further action on what was already loaded for a change.
    ///
    /// # Errors
    /// What the decision says.
    pub(crate) fn permit(&self, found: &impl Facts, action: Action) -> Result<()> {
        let Err(denial) = self.ask(found, action) else { return Ok(()) };
        if denial.effect != Effect::Approval {
            return Err(denial.into());
        }
        match self.repeat().as_mut() {
            Some(repeat) => repeat.ask(self, found.ids(), action, &denial),
            None => {
                self.note_refusal(action, &denial, found);
                Err(denial.into())
            }
        }
    }

    /// Decides about a further action on what was already loaded, for who can have a human asked: that one has to be is no
    /// refusal yet.
    pub(crate) fn ask(&self, found: &impl Facts, action: Action) -> Result<(), Denial> {
        let resource = found.resource(self);
        if cedar::binds(action) && !self.has_looked(organization_of(&resource)) {
            return Err(known::unknown());
        }
        let ruling = self.rule(action, &resource);
        if let (true, Decision::Deny(denial)) = (ruling.is_open, &ruling.decision) {
            return Err(denial.clone());
        }
        self.note(&ruling, &resource);
        match ruling.decision {
            Decision::Allow => Ok(()),
            Decision::Deny(denial) => {
                if denial.effect != Effect::Approval {
                    self.note_refusal(action, &denial, found);
                }
                Err(denial)
            }
        }
    }

    /// Decides without error or trace, for answers that say what the caller could do. Nobody outside is asked: saying so is
    /// no effect.
    pub(crate) fn may(&self, found: &impl Facts, action: Action) -> bool {
        self.rule_inside(action, &found.resource(self), None).decision == Decision::Allow
    }

    /// Decides, and says what the policies were told. Leaves no trace.
    pub(crate) fn rule(&self, action: Action, resource: &Resource) -> Ruling {
        let outside = self.inner.outside.as_deref();
        let answers = outside.map(Outside::answers);
        let mut ruling = self.rule_inside(action, resource, answers.as_deref());
        if let (true, Some(outside), Some(facts)) = (ruling.is_open, outside, &ruling.facts) {
            ruling.is_open = outside.note(facts, self.inner.caller.authority.as_ref());
        }
        ruling
    }

    fn rule_inside(&self, action: Action, resource: &Resource, answers: Option<&Answers>) -> Ruling {
        let groups = self.groups();
        let circumstances = Circumstances { outside: answers, ..self.circumstances(&groups) };
        decide(&self.policies(), &circumstances, &self.inner.caller.subject, action, resource)
    }

    /// Returns the policies in force.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.inner.app.policies.policies()
    }

    fn circumstances<'a>(&'a self, groups: &'a [AccessGroupPlace]) -> Circumstances<'a> {
        let (caller, info) = (&self.inner.caller, &self.inner.info);
        Circumstances {
            login: caller.account.as_ref().map_or("", |account| account.login.as_str()),
            now: self.now(),
            surface: info.surface.as_str(),
            source: info.ip.as_deref().and_then(|ip| ip.parse().ok()),
            destination: self.inner.destination.get().map(String::as_str),
            runtime: caller.runtime.as_deref(),
            has_key: caller.credential.as_ref().is_some_and(CallerCredential::is_bound),
            is_approved: self.is_approved(),
            recent_refusals: self.inner.known.recent_refusals(),
            groups,
            outside: None,
        }
    }

    /// Notes a decision that is to be kept; the last answer to a question counts.
    fn note(&self, ruling: &Ruling, resource: &Resource) {
        let Some(made) = Made::of(ruling, resource).filter(|_| self.inner.caller.account.is_some()) else {
            return;
        };
        let mut decisions = self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        decisions.retain(|other| !other.is_about(&made));
        if decisions.len() < RECORDED_REFUSALS {
            decisions.push(made);
        }
    }

    /// Takes the decisions that wait for being kept.
    pub(crate) fn take_decisions(&self, which: impl Fn(&Made) -> bool) -> Vec<Made> {
        let mut decisions = self.inner.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, left) = std::mem::take(&mut *decisions).into_iter().partition(which);
        *decisions = left;
        taken
    }

    /// Notes that a mutation was refused, for the audit log.
    pub(crate) fn note_refusal(&self, action: Action, denial: &Denial, found: &impl Facts) {
        if !action.is_read() && self.inner.caller.account.is_some() {
            let refusal = Refusal { action, denial: denial.clone(), ids: found.ids() };
            let mut refusals = self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if refusals.len() < RECORDED_REFUSALS {
                refusals.push(refusal);
            }
        }
    }
}
