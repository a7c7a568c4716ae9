//! Keeping what was decided: in the transaction of its effect, or with the audit of refusals.
//!
//! Kept are decisions that policies had a part in: those about changes that rights allow. What was allowed is kept for
//! organizations, who can have other policies; what was refused is kept for all, since policies may ask for it.

use std::time::Duration;

use forge_auth::policy::cedar::{Facts, ResourceFacts};
use forge_auth::policy::{Decision, Resource, Ruling, policies_of};
use forge_store::Tx;
use forge_store::decisions::NewDecision;
use forge_types::id::AccountId;
use forge_types::{Error, Result};

use crate::context::RequestContext;

/// For how long a refusal counts as recent.
pub(crate) const RECENT: Duration = Duration::from_secs(600);

/// A decision that waits for being kept.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    owner_id: AccountId,
    rule: Option<String>,
    facts: Facts,
}

impl Made {
    /// Returns what is to be kept of a ruling; none if it is not.
    pub(crate) fn of(ruling: &Ruling, resource: &Resource) -> Option<Self> {
        let facts = ruling.facts.as_ref()?;
        let rule = match &ruling.decision {
            Decision::Allow if !is_of_organization(facts) => return None,
            Decision::Allow => None,
            Decision::Deny(denial) => Some(denial.rule.clone().into_owned()),
        };
        let owner_id = policies_of(resource).unwrap_or(AccountId(facts.principal.id));
        Some(Self { owner_id, rule, facts: facts.clone() })
    }

    /// Returns whether it is the answer to the same question.
    pub(crate) fn is_about(&self, other: &Self) -> bool {
        self.facts.action == other.facts.action
            && self.facts.resource == other.facts.resource
            && self.facts.context.r#ref.as_ref().map(|changed| &changed.name)
                == other.facts.context.r#ref.as_ref().map(|changed| &changed.name)
    }

    const fn is_allowed(&self) -> bool {
        self.rule.is_none()
    }
}

fn is_of_organization(facts: &Facts) -> bool {
    match &facts.resource {
        ResourceFacts::Organization { .. } | ResourceFacts::Team { .. } => true,
        ResourceFacts::Repository { owner_kind, .. } => owner_kind == "organization",
        ResourceFacts::Account { .. } | ResourceFacts::TaskGrant { .. } => false,
    }
}

/// Keeps what was allowed, in the transaction of its effect.
pub(crate) async fn keep_allowed(ctx: &RequestContext, tx: &mut Tx) -> Result<()> {
    for made in ctx.take_decisions(Made::is_allowed) {
        keep(ctx, tx, &made).await?;
    }
    Ok(())
}

/// Keeps what was refused.
pub(crate) async fn keep_refused(ctx: &RequestContext, tx: &mut Tx) -> Result<()> {
    for made in ctx.take_decisions(|made| !made.is_allowed()) {
        keep(ctx, tx, &made).await?;
    }
    Ok(())
}

async fn keep(ctx: &RequestContext, tx: &mut Tx, made: &Made) -> Result<()> {
    let facts = serde_json::to_string(&made.facts).map_err(Error::internal)?;
    let new = NewDecision {
        owner_id: made.owner_id,
        credential_id: ctx.caller().credential.as_ref().map(|credential| credential.id),
        is_allowed: made.is_allowed(),
        rule: made.rule.as_deref(),
        facts: &facts,
    };
    Ok(forge_store::decisions::insert(tx, &new, ctx.now()).await?)
}
