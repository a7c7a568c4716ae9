//! Approvals as targets of decisions.

use forge_auth::policy::{ApprovalFacts, Resource};
use forge_store::Conn;
use forge_store::approvals::ViewedApproval;
use forge_types::Result;
use forge_types::id::ApprovalId;

use crate::app::Separation;
use crate::context::RequestContext;
use crate::target::{Facts, Ids, Target};

/// The approval with this id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApprovalTarget<'a>(pub(crate) &'a ApprovalId);

impl Target for ApprovalTarget<'_> {
    type Found = ViewedApproval;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<ViewedApproval>> {
        Ok(forge_store::approvals::find_viewed(conn, ctx.account_id(), self.0).await?)
    }
}

impl Facts for ViewedApproval {
    fn resource(&self, ctx: &RequestContext) -> Resource {
        Resource::Approval(ApprovalFacts {
            requester_id: self.approval.requester.id,
            requester_owner_id: self.requester_owner_id,
            acting_id: self.approval.acting_id,
            delegators: [self.delegator_id, self.holder_id].into_iter().flatten().collect(),
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
