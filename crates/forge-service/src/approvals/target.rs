//! Approvals as targets of decisions.

use forge_auth::policy::{ApprovalFacts, Resource, organization_of};
use forge_store::Conn;
use forge_store::approvals::ViewedApproval;
use forge_types::id::ApprovalId;
use forge_types::{Permission, Result};

use crate::app::Separation;
use crate::context::RequestContext;
use crate::target::{Facts, Ids, RepositoryTarget, Target};

/// The approval with this id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApprovalTarget<'a>(pub(crate) &'a ApprovalId);

impl Target for ApprovalTarget<'_> {
    type Found = ViewedApproval;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<ViewedApproval>> {
        let Some(mut found) = forge_store::approvals::find_viewed(conn, ctx.membership_id(), self.0).await?
        else {
            return Ok(None);
        };
        found.permission = within_ceilings(ctx, conn, &found).await?;
        Ok(Some(found))
    }
}

/// Whoever may not do a thing by an access group, may not let another do it either.
async fn within_ceilings(
    ctx: &RequestContext,
    conn: &mut Conn,
    found: &ViewedApproval,
) -> Result<Option<Permission>> {
    let Some(repository) = found.approval.repository_id.filter(|_| found.permission.is_some()) else {
        return Ok(found.permission);
    };
    let loaded = RepositoryTarget::Id(repository).load(ctx, conn).await?;
    let organization = loaded.and_then(|loaded| organization_of(&loaded.resource(ctx)));
    ctx.look_at_groups(conn, organization).await?;
    let groups = ctx.groups();
    let ceilings = groups
        .iter()
        .filter(|place| Some(place.organization_id) == organization)
        .map(|place| place.ceiling.permission);
    Ok(found.permission.map(|permission| ceilings.fold(permission, Permission::min)))
}

impl Facts for ViewedApproval {
    fn resource(&self, ctx: &RequestContext) -> Resource {
        Resource::Approval(ApprovalFacts {
            requester_id: self.approval.requester.id,
            requester_owner_id: self.requester_owner_id,
            acting_id: self.approval.acting_id,
            delegators: [self.delegator_id, self.holder_id, self.lender_id].into_iter().flatten().collect(),
            grant_id: self.approval.grant_id.clone(),
            permission: self.permission,
            separates_delegator: ctx.settings().separation == Separation::Strict,
        })
    }

    fn ids(&self) -> Ids {
        Ids {
            repository_id: self.approval.repository_id,
            organization_id: self.approval.organization_id,
            subject_id: Some(self.approval.requester.id),
        }
    }
}
