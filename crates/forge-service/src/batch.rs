//! Reads for the members of a list, all at once: what GraphQL selects below a node costs one statement per list, not
//! one per member.
//!
//! INVARIANT: what belongs to a repository is given only to those who bring the repository as a use case gave it to
//! them, and the decision is made again for each, which costs no statement.

use std::collections::HashMap;
use std::sync::Arc;

use forge_store::batch;
pub use forge_store::batch::{LabelOrder, LabelOrderField, Labels, RefsSummary};
use forge_types::account::{Account, AccountRef};
use forge_types::id::{AccountId, RepositoryId};
use forge_types::label::Label;
use forge_types::repository::RepositoryAccess;
use forge_types::window::{Window, Windowed};
use forge_types::{Action, Result};

use crate::accounts::as_seen;
use crate::context::RequestContext;

/// Returns the public profiles with these ids, by id.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn accounts(ctx: &RequestContext, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>> {
    let mut conn = ctx.read().await?;
    let found = batch::accounts(&mut conn, ids).await?;
    Ok(found.into_iter().map(|(id, account)| (id, as_seen(ctx, account))).collect())
}

/// Returns the labels that are wanted of each repository.
///
/// # Errors
/// `NotFound` if the caller may not read one of them.
pub async fn labels(
    ctx: &RequestContext,
    repositories: &[Arc<RepositoryAccess>],
    wanted: &Labels,
) -> Result<HashMap<RepositoryId, Windowed<Label>>> {
    let ids = readable(ctx, repositories)?;
    let mut conn = ctx.read().await?;
    Ok(batch::labels(&mut conn, &ids, wanted).await?)
}

/// Returns the organizations each of these accounts belongs to: of others than the caller those they show.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn organizations(
    ctx: &RequestContext,
    members: &[AccountId],
    window: Window,
) -> Result<HashMap<AccountId, Windowed<AccountRef>>> {
    let mut conn = ctx.read().await?;
    Ok(batch::organizations(&mut conn, ctx.account_id(), members, window).await?)
}

/// Returns the people with access to each repository. Those who may not see its collaborators see only whom everyone
/// knows of, and themselves.
///
/// # Errors
/// `NotFound` if the caller may not read one of them.
pub async fn people(
    ctx: &RequestContext,
    repositories: &[Arc<RepositoryAccess>],
    query: Option<&str>,
    window: Window,
) -> Result<HashMap<RepositoryId, Windowed<AccountRef>>> {
    readable(ctx, repositories)?;
    let nobody = AccountId(0);
    let mut found = HashMap::new();
    for may_see_all in [true, false] {
        let sees = |access: &&Arc<RepositoryAccess>| {
            ctx.may(access.as_ref(), Action::CollaboratorRead) == may_see_all
        };
        let ids: Vec<_> = repositories.iter().filter(sees).map(|access| access.repository.id).collect();
        if !ids.is_empty() {
            let only_known_to = (!may_see_all).then(|| ctx.account_id().unwrap_or(nobody));
            let wanted = batch::People { query: query.map(str::to_lowercase), only_known_to, window };
            let mut conn = ctx.read().await?;
            found.extend(batch::people(&mut conn, &ids, &wanted).await?);
        }
    }
    Ok(found)
}

/// Returns what the refs of each repository come to.
///
/// # Errors
/// `NotFound` if the caller may not read one of them.
pub async fn refs_summaries(
    ctx: &RequestContext,
    repositories: &[Arc<RepositoryAccess>],
) -> Result<HashMap<RepositoryId, RefsSummary>> {
    let ids = readable(ctx, repositories)?;
    let mut conn = ctx.read().await?;
    Ok(batch::refs_summaries(&mut conn, &ids).await?)
}

fn readable(ctx: &RequestContext, repositories: &[Arc<RepositoryAccess>]) -> Result<Vec<RepositoryId>> {
    let each = |access: &Arc<RepositoryAccess>| {
        ctx.permit(access.as_ref(), Action::RepositoryRead).map(|()| access.repository.id)
    };
    repositories.iter().map(each).collect()
}
