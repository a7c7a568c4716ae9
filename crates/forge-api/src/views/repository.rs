//! Repositories: in lists, and whole.

use forge_types::account::AccountKind;
use forge_types::repository::{Repository, RepositoryAccess, RepositorySettings};
use forge_types::{NodeId, Permission, Timestamp};
use serde::Serialize;

use super::account::SimpleUser;
use super::license::SimpleLicense;
use super::{LinkTable, Links};

const LINKS: &[(&str, &str)] = &[
    ("url", ""),
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// What the caller may do, permission by permission.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, clippy::struct_excessive_bools, reason = "the fields are GitHub's")]
pub struct Permissions {
    pub admin: bool,
    pub maintain: bool,
    pub push: bool,
    pub triage: bool,
    pub pull: bool,
}

impl Permissions {
    /// Creates the view of a permission; whoever sees a repository at all may pull.
    #[must_use]
    pub fn new(held: Option<Permission>) -> Self {
        let has = |permission| held >= Some(permission);
        Self {
            admin: has(Permission::Admin),
            maintain: has(Permission::Maintain),
            push: has(Permission::Write),
            triage: has(Permission::Triage),
            pull: true,
        }
    }
}

/// The addresses to clone from.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct CloneLinks {
    pub git_url: String,
    pub ssh_url: String,
    pub clone_url: String,
    pub svn_url: String,
    pub mirror_url: Option<String>,
}

/// The counts of a repository.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct Counts {
    pub forks: i64,
    pub forks_count: i64,
    pub stargazers_count: i64,
    pub watchers: i64,
    pub watchers_count: i64,
    pub open_issues: i64,
    pub open_issues_count: i64,
}

/// The switches of a repository.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, clippy::struct_excessive_bools, reason = "the fields are GitHub's")]
pub struct Switches {
    pub has_issues: bool,
    pub has_projects: bool,
    pub has_wiki: bool,
    pub has_pages: bool,
    pub has_downloads: bool,
    pub has_discussions: bool,
    pub is_template: bool,
    pub allow_forking: bool,
    pub web_commit_signoff_required: bool,
    pub archived: bool,
    pub disabled: bool,
}

/// What GitHub's `minimal-repository`, `repository` and `full-repository` have in common.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct RepositoryView {
    pub id: i64,
    pub node_id: NodeId,
    pub name: String,
    pub full_name: String,
    pub owner: SimpleUser,
    pub private: bool,
    pub html_url: String,
    pub description: Option<String>,
    pub fork: bool,
    #[serde(flatten)]
    pub links: LinkTable,
    #[serde(flatten)]
    pub clone: CloneLinks,
    pub homepage: Option<String>,
    pub language: Option<String>,
    #[serde(flatten)]
    pub counts: Counts,
    #[serde(flatten)]
    pub switches: Switches,
    pub size: i64,
    pub default_branch: String,
    pub topics: Vec<String>,
    pub visibility: &'static str,
    pub license: Option<SimpleLicense>,
    pub pushed_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
}

impl RepositoryView {
    /// Creates the view of a repository; `knows_caller` says whether to tell what the caller may do.
    #[must_use]
    pub fn new(links: &Links, access: &RepositoryAccess, knows_caller: bool) -> Self {
        let repository = &access.repository;
        let (settings, full_name) = (&repository.settings, repository.full_name());
        Self {
            id: repository.id.0,
            node_id: NodeId::Repository(repository.id),
            name: repository.name.clone(),
            owner: SimpleUser::new(links, &repository.owner),
            private: repository.is_private(),
            html_url: links.web(&full_name),
            description: settings.description.clone(),
            fork: repository.parent_id.is_some(),
            links: LinkTable::new(links.api(&format!("repos/{full_name}")), LINKS),
            clone: clone_links(links, &full_name),
            homepage: settings.homepage.clone(),
            language: None,
            counts: Counts {
                forks: repository.fork_count,
                forks_count: repository.fork_count,
                ..Counts::default()
            },
            switches: switches(repository),
            size: repository.size_bytes / 1024,
            default_branch: repository.default_branch.clone(),
            topics: settings.topics.clone(),
            visibility: repository.visibility.as_str(),
            license: settings.license_key.as_deref().and_then(|key| SimpleLicense::by_key(links, key)),
            pushed_at: repository.pushed_at.unwrap_or(repository.created_at),
            created_at: repository.created_at,
            updated_at: repository.updated_at,
            permissions: knows_caller.then(|| Permissions::new(access.permission)),
            full_name,
        }
    }
}

fn clone_links(links: &Links, full_name: &str) -> CloneLinks {
    CloneLinks {
        git_url: format!("git://{}/{full_name}.git", links.host()),
        ssh_url: format!("git@{}:{full_name}.git", links.host()),
        clone_url: links.web(&format!("{full_name}.git")),
        svn_url: links.web(full_name),
        mirror_url: None,
    }
}

fn switches(repository: &Repository) -> Switches {
    let settings = &repository.settings;
    Switches {
        has_issues: settings.has_issues,
        has_projects: settings.has_projects,
        has_wiki: settings.has_wiki,
        has_pages: false,
        has_downloads: false,
        has_discussions: settings.has_discussions,
        is_template: settings.is_template,
        allow_forking: settings.allow_forking,
        web_commit_signoff_required: settings.web_commit_signoff_required,
        archived: repository.archived_at.is_some(),
        disabled: false,
    }
}

/// How pull requests may be merged.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, clippy::struct_excessive_bools, reason = "the fields are GitHub's")]
pub struct MergeSettings {
    pub allow_merge_commit: bool,
    pub allow_squash_merge: bool,
    pub allow_rebase_merge: bool,
    pub allow_auto_merge: bool,
    pub allow_update_branch: bool,
    pub delete_branch_on_merge: bool,
    pub use_squash_pr_title_as_default: bool,
    pub squash_merge_commit_title: String,
    pub squash_merge_commit_message: String,
    pub merge_commit_title: String,
    pub merge_commit_message: String,
}

impl From<&RepositorySettings> for MergeSettings {
    fn from(settings: &RepositorySettings) -> Self {
        Self {
            allow_merge_commit: settings.allow_merge_commit,
            allow_squash_merge: settings.allow_squash_merge,
            allow_rebase_merge: settings.allow_rebase_merge,
            allow_auto_merge: settings.allow_auto_merge,
            allow_update_branch: settings.allow_update_branch,
            delete_branch_on_merge: settings.delete_branch_on_merge,
            use_squash_pr_title_as_default: settings.squash_merge_commit_title == "PR_TITLE",
            squash_merge_commit_title: settings.squash_merge_commit_title.clone(),
            squash_merge_commit_message: settings.squash_merge_commit_message.clone(),
            merge_commit_title: settings.merge_commit_title.clone(),
            merge_commit_message: settings.merge_commit_message.clone(),
        }
    }
}

/// GitHub's `full-repository`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct FullRepository {
    #[serde(flatten)]
    pub base: RepositoryView,
    /// Shown to those who may push, as on GitHub.
    #[serde(flatten)]
    pub merging: Option<MergeSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<SimpleUser>,
    /// What it was forked from, and what its network began with, if the caller may read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<RepositoryView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<RepositoryView>>,
    pub network_count: i64,
    pub subscribers_count: i64,
}

impl FullRepository {
    /// Creates the view of a repository; `knows_caller` says whether to tell what the caller may do.
    #[must_use]
    pub fn new(links: &Links, access: &RepositoryAccess, knows_caller: bool) -> Self {
        let base = RepositoryView::new(links, access, knows_caller);
        let may_push = access.permission >= Some(Permission::Write);
        let is_organization = access.repository.owner.kind == AccountKind::Organization;
        Self {
            merging: may_push.then(|| MergeSettings::from(&access.repository.settings)),
            organization: is_organization.then(|| base.owner.clone()),
            parent: None,
            source: None,
            network_count: access.repository.fork_count,
            subscribers_count: 0,
            base,
        }
    }

    /// Adds what the repository was forked from.
    #[must_use]
    pub fn with_relatives(
        mut self,
        links: &Links,
        parent: Option<&RepositoryAccess>,
        source: Option<&RepositoryAccess>,
        knows_caller: bool,
    ) -> Self {
        let view = |access| Box::new(RepositoryView::new(links, access, knows_caller));
        self.parent = parent.map(view);
        self.source = source.map(view);
        self.network_count = source.map_or(self.network_count, |source| source.repository.fork_count);
        self
    }
}

/// A repository as a team has access to it, or as a search finds it: with what lists of repositories carry besides.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct TeamRepositoryView {
    #[serde(flatten)]
    pub base: RepositoryView,
    pub role_name: &'static str,
}

/// GitHub's `repo-search-result-item`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct FoundRepository {
    #[serde(flatten)]
    pub base: RepositoryView,
    pub score: f64,
}
