//! What a repository says of itself.

use async_graphql::{Context, ID, Object};
use forge_service::batch;
use forge_service::repositories;
use forge_types::account::AccountKind;
use forge_types::{Error, RefName, Result};

use super::license::License;
use super::{Found, Repository};
use crate::schema::account::Profile;
use crate::schema::enums::RepositoryVisibility;
use crate::schema::git::Ref;
use crate::schema::owner::RepositoryOwner;
use crate::schema::scalar::{DateTime, GitSshRemote, Uri};
use crate::schema::{Later, Nullable, forge, int, nullable};

#[derive(Clone)]
pub(super) struct Fields(pub(super) Found);

impl Fields {
    fn repository(&self) -> &forge_types::repository::Repository {
        &self.0.access.repository
    }

    /// Returns what the refs come to, with those of the others of its list.
    fn refs<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Option<batch::RefsSummary>>> {
        Box::pin(async move {
            let load = batch::refs_summaries(forge(ctx), self.0.cohort.members());
            let summaries = self.0.cohort.load("refs", &(), load).await?;
            Ok(summaries.get(&self.repository().id).cloned())
        })
    }

    fn default_branch<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Option<Ref>>> {
        Box::pin(async move {
            let has_default_branch = self.refs(ctx).await?.is_some_and(|refs| refs.has_default_branch);
            if !has_default_branch {
                return Ok(None);
            }
            let name = RefName::branch(&self.repository().default_branch).map_err(Error::internal)?;
            Ok(Some(Ref::new(Repository::of(&self.0), name)))
        })
    }

    /// Returns the repository it was forked from, if the caller may read it, with those of the others of its list.
    fn parent_repository<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Option<Repository>>> {
        Box::pin(async move {
            let Some(id) = self.repository().parent_id else { return Ok(None) };
            let load = async {
                let mut ids: Vec<_> =
                    self.0.cohort.members().iter().filter_map(|access| access.repository.parent_id).collect();
                ids.sort_unstable();
                ids.dedup();
                Ok(Repository::list(repositories::find_many(forge(ctx), &ids).await?))
            };
            let parents = self.0.cohort.load("parents", &(), load).await?;
            Ok(parents.iter().find(|parent| parent.found().access.repository.id == id).cloned())
        })
    }
}

#[Object]
impl Fields {
    /// Whether or not a pull request head branch that is behind its base branch can always be updated even if it is not required to be up to date before merging.
    async fn allow_update_branch(&self) -> bool {
        self.repository().settings.allow_update_branch
    }

    /// Identifies the date and time when the repository was archived.
    async fn archived_at(&self) -> Option<DateTime> {
        self.repository().archived_at.map(DateTime)
    }

    /// Whether or not Auto-merge can be enabled on pull requests in this repository.
    async fn auto_merge_allowed(&self) -> bool {
        self.repository().settings.allow_auto_merge
    }

    /// Identifies the date and time when the object was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.repository().created_at)
    }

    /// Identifies the primary key from the database.
    async fn database_id(&self) -> Option<i32> {
        Some(int(self.repository().id.0))
    }

    /// The Ref associated with the repository's default branch.
    async fn default_branch_ref(&self, ctx: &Context<'_>) -> Nullable<Ref> {
        nullable(self.default_branch(ctx).await)
    }

    /// Whether or not branches are automatically deleted when merged in this repository.
    async fn delete_branch_on_merge(&self) -> bool {
        self.repository().settings.delete_branch_on_merge
    }

    /// The description of the repository.
    async fn description(&self) -> Option<String> {
        self.repository().settings.description.clone()
    }

    /// The number of kilobytes this repository occupies on disk.
    async fn disk_usage(&self) -> Option<i32> {
        Some(int(self.repository().size_bytes / 1024))
    }

    /// Returns how many forks there are of this repository in the whole network.
    async fn fork_count(&self) -> i32 {
        i32::try_from(self.repository().fork_count).unwrap_or(i32::MAX)
    }

    /// Whether this repository allows forks.
    async fn forking_allowed(&self) -> bool {
        self.repository().settings.allow_forking
    }

    /// Indicates if the repository has the Discussions feature enabled.
    async fn has_discussions_enabled(&self) -> bool {
        self.repository().settings.has_discussions
    }

    /// Indicates if the repository has issues feature enabled.
    async fn has_issues_enabled(&self) -> bool {
        self.repository().settings.has_issues
    }

    /// Indicates if the repository has the Projects feature enabled.
    async fn has_projects_enabled(&self) -> bool {
        self.repository().settings.has_projects
    }

    /// Indicates if the repository has wiki feature enabled.
    async fn has_wiki_enabled(&self) -> bool {
        self.repository().settings.has_wiki
    }

    /// The repository's URL.
    async fn homepage_url(&self) -> Option<Uri> {
        self.repository().settings.homepage.clone().map(Uri)
    }

    /// The Node ID of the Repository object
    async fn id(&self) -> ID {
        self.0.node_id()
    }

    /// Indicates if the repository is unmaintained.
    async fn is_archived(&self) -> bool {
        self.repository().archived_at.is_some()
    }

    /// Returns whether or not this repository is empty.
    async fn is_empty(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(!self.refs(ctx).await?.is_some_and(|refs| refs.has_refs))
    }

    /// Identifies if the repository is a fork.
    async fn is_fork(&self) -> bool {
        self.repository().parent_id.is_some()
    }

    /// Indicates if a repository is either owned by an organization, or is a private fork of an organization repository.
    async fn is_in_organization(&self) -> bool {
        self.repository().owner.kind == AccountKind::Organization
    }

    /// Identifies if the repository is private or internal.
    async fn is_private(&self) -> bool {
        self.repository().is_private()
    }

    /// Identifies if the repository is a template that can be used to generate new repositories.
    async fn is_template(&self) -> bool {
        self.repository().settings.is_template
    }

    /// Is this repository a user configuration repository?
    async fn is_user_configuration_repository(&self) -> bool {
        let repository = self.repository();
        repository.owner.kind != AccountKind::Organization
            && repository.name.eq_ignore_ascii_case(&repository.owner.login)
    }

    /// The license associated with the repository
    async fn license_info(&self) -> Option<License> {
        self.repository().settings.license_key.as_deref().and_then(License::of)
    }

    /// Whether or not PRs are merged with a merge commit on this repository.
    async fn merge_commit_allowed(&self) -> bool {
        self.repository().settings.allow_merge_commit
    }

    /// The name of the repository.
    async fn name(&self) -> String {
        self.repository().name.clone()
    }

    /// The repository's name with owner.
    async fn name_with_owner(&self) -> String {
        self.repository().full_name()
    }

    /// The image used to represent this repository in Open Graph data.
    async fn open_graph_image_url(&self, ctx: &Context<'_>) -> Uri {
        self.owner_profile().avatar(ctx, None)
    }

    /// The User owner of the repository.
    async fn owner(&self) -> RepositoryOwner {
        self.owner_profile().into()
    }

    /// The repository parent, if this is a fork.
    async fn parent(&self, ctx: &Context<'_>) -> Nullable<Repository> {
        nullable(self.parent_repository(ctx).await)
    }

    /// Identifies the date and time when the repository was last pushed to.
    async fn pushed_at(&self) -> Option<DateTime> {
        self.repository().pushed_at.map(DateTime)
    }

    /// Whether or not rebase-merging is enabled on this repository.
    async fn rebase_merge_allowed(&self) -> bool {
        self.repository().settings.allow_rebase_merge
    }

    /// The HTTP path for this repository
    async fn resource_path(&self) -> Uri {
        Uri(self.0.path())
    }

    /// Whether or not squash-merging is enabled on this repository.
    async fn squash_merge_allowed(&self) -> bool {
        self.repository().settings.allow_squash_merge
    }

    /// The SSH URL to clone this repository
    async fn ssh_url(&self, ctx: &Context<'_>) -> GitSshRemote {
        let host = forge(ctx).settings().origin.host_str().unwrap_or_default();
        GitSshRemote(format!("git@{host}:{}.git", self.repository().full_name()))
    }

    /// Identifies the date and time when the object was last updated.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.repository().updated_at)
    }

    /// The HTTP URL for this repository
    async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.0.path())
    }

    /// Indicates the repository's visibility level.
    async fn visibility(&self) -> RepositoryVisibility {
        self.repository().visibility.into()
    }

    /// Whether contributors are required to sign off on web-based commits in this repository.
    async fn web_commit_signoff_required(&self) -> bool {
        self.repository().settings.web_commit_signoff_required
    }
}

impl Fields {
    fn owner_profile(&self) -> Profile {
        Profile::member(self.repository().owner.clone(), std::sync::Arc::clone(&self.0.owners))
    }
}
