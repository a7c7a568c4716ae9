//! What other policies would have said of the last decisions.

use std::sync::Arc;

use forge_auth::policy::Policies;
use forge_auth::policy::cedar::{Facts, PolicySet, PolicySource};
use forge_store::decisions::{KEPT, StoredDecision};
use forge_types::id::AccountId;
use forge_types::{Action, Error, FieldCode, Result, Timestamp};

use super::{invalid, sources};
use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;

/// The change that is tried.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The policies that would be added; one with the name of another would replace it.
    pub add: Vec<PolicySource>,
    /// The names of those that would be removed.
    pub remove: Vec<String>,
    /// How many of the last decisions are asked again.
    pub decisions: Option<u32>,
}

/// What policies say of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Is it a yes?
    pub is_allowed: bool,
    /// The policy that refuses.
    pub rule: Option<String>,
    /// What the caller would be told.
    pub message: Option<String>,
}

/// A decision that would be another.
#[derive(Clone, Debug)]
pub struct Change {
    /// When it was made.
    pub decided_at: Timestamp,
    /// What it was about.
    pub facts: Facts,
    /// What the policies of now say.
    pub before: Verdict,
    /// What the others say.
    pub after: Verdict,
}

/// Asks the last decisions about an organization again, under other policies, and returns how many were asked and which
/// change. Nothing is kept of it.
///
/// # Errors
/// `Invalid`, in the validator's words, if the policies are not valid together; what the decision says.
pub async fn dry_run(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    wanted: &DryRun,
) -> Result<(usize, Vec<Change>)> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    let (id, login) = (found.organization.account.id, found.organization.account.login);
    ctx.app().policies.refresh(&mut conn).await?;
    let proposed = proposed(sources(&mut conn, id).await?, wanted)?;
    let proposed = PolicySet::of_organization(&login, &proposed).map_err(invalid)?;
    let limit = wanted.decisions.map_or(KEPT, |limit| i64::from(limit).min(KEPT));
    let decisions = forge_store::decisions::list(&mut conn, id, limit).await?;
    drop(conn);
    let before = ctx.app().policies.policies();
    let after = before.with_organization(id, Some(Arc::new(proposed)));
    let replay = move || replay(id, &before, &after, decisions);
    tokio::task::spawn_blocking(replay).await.map_err(Error::internal)?
}

fn proposed(mut sources: Vec<PolicySource>, wanted: &DryRun) -> Result<Vec<PolicySource>> {
    for name in &wanted.remove {
        let Some(at) = sources.iter().position(|source| source.name == *name) else {
            let message = format!("the organization has no policy `{name}`");
            return Err(Error::invalid("Policy", "remove", FieldCode::Missing, message));
        };
        sources.remove(at);
    }
    sources.retain(|source| wanted.add.iter().all(|added| added.name != source.name));
    sources.extend(wanted.add.iter().cloned());
    Ok(sources)
}

fn replay(
    owner: AccountId,
    before: &Policies,
    after: &Policies,
    decisions: Vec<StoredDecision>,
) -> Result<(usize, Vec<Change>)> {
    let considered = decisions.len();
    let mut changes = Vec::new();
    for decision in decisions {
        let facts: Facts = serde_json::from_str(&decision.facts).map_err(Error::internal)?;
        let (now, then) = (verdict(before, owner, &facts), verdict(after, owner, &facts));
        if now.is_allowed != then.is_allowed || now.rule != then.rule {
            changes.push(Change { decided_at: decision.created_at, facts, before: now, after: then });
        }
    }
    Ok((considered, changes))
}

fn verdict(policies: &Policies, owner: AccountId, facts: &Facts) -> Verdict {
    match policies.judge(Some(owner), facts) {
        Ok(()) => Verdict { is_allowed: true, rule: None, message: None },
        Err(denial) => {
            Verdict { is_allowed: false, rule: Some(denial.rule.into_owned()), message: Some(denial.message) }
        }
    }
}
