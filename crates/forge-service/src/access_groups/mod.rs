//! Access groups: what everybody in them, human or agent, has at most in the repositories of an organization, and what its
//! policies can name. A group gives nothing: roles, teams, collaboration and grants give.
//!
//! INVARIANT: everybody who acts in an organization's repositories is in at least one of its groups: in those where an owner
//! put them, else in `members` if they belong to the organization, else in `default`. Of several, the narrowest counts.

mod change;
mod members;

pub use change::{AccessGroupChanges, NewAccessGroup, create, delete, update};
pub use members::{add_member, list_members, remove_member};

use forge_store::Conn;
use forge_types::access_group::AccessGroup;
use forge_types::id::AccountId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Result};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;

/// Returns a page of the access groups of an organization, by name.
///
/// # Errors
/// What the decision says.
pub async fn list(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    page: PageRequest,
) -> Result<Page<AccessGroup>> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    Ok(forge_store::access_groups::list(&mut conn, found.organization.account.id, page).await?)
}

/// Returns the access group of this name.
///
/// # Errors
/// `NotFound` if there is none; what the decision says.
pub async fn find(
    ctx: &RequestContext,
    organization: OrganizationTarget<'_>,
    name: &str,
) -> Result<AccessGroup> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, organization, Action::OrganizationReadPolicies).await?;
    existing(&mut conn, found.organization.account.id, name).await
}

async fn existing(conn: &mut Conn, organization: AccountId, name: &str) -> Result<AccessGroup> {
    let found = forge_store::access_groups::find(conn, organization, name).await?;
    found.ok_or_else(Error::not_found)
}
