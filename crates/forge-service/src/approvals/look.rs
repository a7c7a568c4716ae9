//! What a human sees before deciding: who asks, for which task, and what would change.

use forge_git::objects::Objects;
use forge_store::approvals::ViewedApproval;
use forge_types::approval::{ApprovalState, HeldChange};
use forge_types::grant::TaskGrant;
use forge_types::id::ApprovalId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, ErrorKind, ObjectId, RefName, Result};

use crate::commits::{Brought, brought};
use crate::context::RequestContext;
use crate::objects::Opened;
use crate::target::RepositoryTarget;

/// An approval with what it is about.
#[derive(Clone, Debug)]
pub struct Look {
    /// The approval.
    pub found: ViewedApproval,
    /// The grant that it was asked under.
    pub grant: Option<TaskGrant>,
    /// The repository; none if the caller may not read it.
    pub repository: Option<RepositoryAccess>,
    /// What would change, while that can be read.
    pub changes: Vec<ShownChange>,
}

/// One ref change, and what it brings.
#[derive(Clone, Debug)]
pub struct ShownChange {
    /// The change.
    pub held: HeldChange,
    /// What it brings to where the ref is, or to the default branch if it is new; none if nothing, or too much to be read.
    pub brought: Option<Brought>,
}

/// Returns an approval with what a human has to know to decide. The content of the repository is shown to those alone who may
/// read it.
///
/// # Errors
/// As for [`find`](super::find).
pub async fn look(ctx: &RequestContext, id: &ApprovalId) -> Result<Look> {
    let found = super::find(ctx, id).await?;
    let approval = &found.approval;
    let mut conn = ctx.read().await?;
    let grant = match &approval.grant_id {
        Some(id) => {
            let viewed = forge_store::grants::find_viewed(&mut conn, ctx.account_id(), id).await?;
            viewed.map(|viewed| viewed.grant)
        }
        None => None,
    };
    drop(conn);
    let Some(id) = approval.repository_id else {
        return Ok(Look { found, grant, repository: None, changes: Vec::new() });
    };
    let target = RepositoryTarget::Id(id);
    let opened = match Opened::open(ctx, target, Action::CodeRead).await {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => {
            return Ok(Look { found, grant, repository: None, changes: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    let changes = match approval.state(ctx.now()) {
        ApprovalState::Pending => changes(&opened, approval.asked.refs().to_vec()).await?,
        _ => Vec::new(),
    };
    Ok(Look { found, grant, repository: Some(opened.access), changes })
}

async fn changes(opened: &Opened, held: Vec<HeldChange>) -> Result<Vec<ShownChange>> {
    let default = RefName::new(format!("refs/heads/{}", opened.access.repository.default_branch)).ok();
    let default = default.and_then(|name| opened.ref_id(&name));
    opened.read(move |objects| Ok(held.into_iter().map(|held| shown(objects, held, default)).collect())).await
}

fn shown(objects: &mut Objects, held: HeldChange, default: Option<ObjectId>) -> ShownChange {
    // What is too long to be read is not shown; the page says so.
    let brought = held.new.and_then(|new| brought(objects, held.old.or(default), new).ok());
    ShownChange { held, brought }
}
