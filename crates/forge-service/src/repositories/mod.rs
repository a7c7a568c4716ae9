//! Repositories: creating, reading and changing them. A file per use case; `settings` holds what may be set and its
//! rules, `query` the words of a search.

mod branches;
mod contents;
mod create;
mod delete;
mod fork;
mod list;
mod pushes;
mod query;
mod refs;
mod search;
mod settings;
mod starter;
mod template;
mod topics;
mod transfer;
mod update;

pub use branches::{Branch, NewMerge, find_branch, merge, rename_branch};
pub use contents::{
    BranchCommit, Content, ContentBody, ContentEntry, ContentKind, FileChange, FileCommit, FileContent,
    FileEdit, commit_on_branch, contents, delete_file, put_file, readme,
};
pub use create::{NewRepository, RepositoryOwner, create, insert};
pub use delete::{REMOVE_FILES, delete};
pub(crate) use delete::{remove, remove_files};
pub use fork::{NewFork, fork, forks, relatives};
pub use list::{list_of_account, list_of_owner, list_of_user, list_own};
pub use pushes::{ListedPush, PushCertificate, find_certificate, list_pushes};
pub use query::RepositoryQuery;
pub use refs::{RefUpdate, VisibleRef, create_ref, delete_ref, find_ref, list_refs, update_ref, update_refs};
pub use search::search;
pub use settings::SettingsChanges;
pub(crate) use settings::check_visibility;
pub use starter::Starter;
pub use template::create_from_template;
pub use topics::{replace_topics, topics};
pub use transfer::transfer;
pub use update::{RepositoryChanges, update};

use forge_types::id::RepositoryId;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, ErrorKind, Result};

use crate::context::RequestContext;
use crate::target::RepositoryTarget;

/// Returns a repository and what the caller may do there.
///
/// # Errors
/// `NotFound` if it does not exist or the caller may not read it.
pub async fn find(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<RepositoryAccess> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, target, Action::RepositoryRead).await
}

/// Returns the repository that was once called `OWNER/NAME` and no longer is, if the caller may read it.
///
/// # Errors
/// Only faults of the forge.
pub async fn find_moved(ctx: &RequestContext, owner: &str, name: &str) -> Result<Option<RepositoryId>> {
    match find(ctx, RepositoryTarget::Name(owner, name)).await {
        Ok(found) => {
            let is_present = crate::target::is_called(&found.repository, owner, name);
            Ok((!is_present).then_some(found.repository.id))
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns several repositories by id, by one statement; those the caller may not read are left out.
///
/// # Errors
/// Only faults of the forge.
pub async fn find_many(ctx: &RequestContext, ids: &[RepositoryId]) -> Result<Vec<RepositoryAccess>> {
    let mut conn = ctx.read().await?;
    let found = forge_store::repositories::find_many(&mut conn, ctx.rights_id(), ids).await?;
    Ok(found.into_iter().filter(|access| ctx.may(access, Action::RepositoryRead)).collect())
}

/// What GitHub says when a name is taken.
fn name_taken(message: &str) -> Error {
    let field = forge_types::FieldError {
        resource: "Repository",
        field: "name",
        code: forge_types::FieldCode::Custom,
        message: Some("name already exists on this account".to_owned()),
    };
    Error::new(ErrorKind::Invalid(vec![field]), message)
}
