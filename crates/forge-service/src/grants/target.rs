//! Grants as targets of decisions.

use forge_auth::policy::{GrantFacts, Resource, TaskGrantFacts};
use forge_store::Conn;
use forge_store::grants::{GrantLink, ViewedGrant};
use forge_types::Result;
use forge_types::account::{AccountKind, AccountRef};
use forge_types::id::GrantId;

use crate::context::RequestContext;
use crate::target::{Facts, Ids, Target};

/// The grant with this id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GrantTarget<'a>(pub(crate) &'a GrantId);

impl Target for GrantTarget<'_> {
    type Found = ViewedGrant;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<ViewedGrant>> {
        Ok(forge_store::grants::find_viewed(conn, ctx.account_id(), self.0).await?)
    }
}

impl Facts for ViewedGrant {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Grant(TaskGrantFacts {
            id: self.grant.id.clone(),
            agent_id: self.grant.agent.id,
            agent_owner_id: self.agent_owner_id,
            delegator_id: self.grant.delegator.id,
            owns_delegator: self.owns_delegator,
        })
    }

    fn ids(&self) -> Ids {
        Ids { subject_id: Some(self.grant.agent.id), ..Ids::default() }
    }
}

/// Returns what a decision needs of the grants that a token stands on.
pub(crate) fn facts_of(chain: Vec<GrantLink>) -> Vec<GrantFacts> {
    let facts = |link: GrantLink| GrantFacts {
        id: link.id,
        delegator_id: link.delegator.id,
        created_by: link.created_by,
        task: link.task,
        terms: link.terms,
    };
    chain.into_iter().map(facts).collect()
}

/// Returns how a delegator is written in a grant.
pub(super) fn delegator_name(delegator: &AccountRef) -> String {
    let kind = match delegator.kind {
        AccountKind::Human => "user",
        AccountKind::Agent => "agent",
        AccountKind::Organization => "org",
    };
    format!("{kind}:{}", delegator.login)
}
