//! Finding repositories.

use forge_store::repositories::RepositorySearch;
use forge_types::Result;
use forge_types::page::{Page, PageRequest};
use forge_types::repository::RepositoryAccess;
use forge_types::repository_query::RepositoryOrder;

use super::RepositoryQuery;
use crate::context::RequestContext;

/// Returns the repositories that match and the caller may read; `order` is used where the query asks for none.
///
/// # Errors
/// Only faults of the forge.
pub async fn search(
    ctx: &RequestContext,
    query: &RepositoryQuery,
    order: RepositoryOrder,
    page: PageRequest,
) -> Result<Page<RepositoryAccess>> {
    let nothing = Page { items: Vec::new(), has_next: false, total: Some(0) };
    if query.is_unmatchable {
        return Ok(nothing);
    }
    let mut conn = ctx.read().await?;
    let owner = match &query.owner {
        None => None,
        Some(login) => match forge_store::accounts::find_by_login(&mut conn, login).await? {
            None => return Ok(nothing),
            Some(account) => Some(account.id),
        },
    };
    let wanted = RepositorySearch {
        owner,
        words: query.words.clone(),
        topics: query.topics.clone(),
        filter: query.filter,
    };
    let order = query.order.unwrap_or(order);
    Ok(forge_store::repositories::search(&mut conn, ctx.visible_to(), &wanted, order, page).await?)
}
