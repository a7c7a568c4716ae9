//! Repositories: what the forge knows of one apart from its objects and refs.

use serde::{Deserialize, Serialize};

use crate::account::AccountRef;
use crate::id::RepositoryId;
use crate::{Permission, Timestamp};

/// Who may see a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everyone.
    Public,
    /// Everyone who is signed in.
    Internal,
    /// Those with a permission.
    Private,
}

impl Visibility {
    /// Returns the name in GitHub's API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Private => "private",
        }
    }

    /// Reads the name written by [`Self::as_str`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Public, Self::Internal, Self::Private]
            .into_iter()
            .find(|visibility| visibility.as_str() == name)
    }
}

/// The switches and texts an administrator of the repository sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "GitHub's repository has these switches")]
pub struct RepositorySettings {
    /// A sentence about the repository.
    pub description: Option<String>,
    /// Its home page.
    pub homepage: Option<String>,
    /// Words to find it by; kept in a table of their own.
    #[serde(skip)]
    pub topics: Vec<String>,
    /// Whether it has issues.
    pub has_issues: bool,
    /// Whether it has projects.
    pub has_projects: bool,
    /// Whether it has a wiki.
    pub has_wiki: bool,
    /// Whether it has discussions.
    pub has_discussions: bool,
    /// Whether others may create repositories from it.
    pub is_template: bool,
    /// Whether it may be forked.
    pub allow_forking: bool,
    /// Whether pull requests may be merged with a merge commit.
    pub allow_merge_commit: bool,
    /// Whether pull requests may be squashed.
    pub allow_squash_merge: bool,
    /// Whether pull requests may be rebased.
    pub allow_rebase_merge: bool,
    /// Whether pull requests may be merged once their requirements are met.
    pub allow_auto_merge: bool,
    /// Whether the branch of a merged pull request is deleted.
    pub delete_branch_on_merge: bool,
    /// Whether a pull request's branch may be brought up to date from its page.
    pub allow_update_branch: bool,
    /// Whether commits made on the web must be signed off.
    pub web_commit_signoff_required: bool,
    /// The title of a squash commit: `PR_TITLE` or `COMMIT_OR_PR_TITLE`.
    pub squash_merge_commit_title: String,
    /// The message of a squash commit: `PR_BODY`, `COMMIT_MESSAGES` or `BLANK`.
    pub squash_merge_commit_message: String,
    /// The title of a merge commit: `PR_TITLE` or `MERGE_MESSAGE`.
    pub merge_commit_title: String,
    /// The message of a merge commit: `PR_BODY`, `PR_TITLE` or `BLANK`.
    pub merge_commit_message: String,
    /// The key of the licence the repository was created with.
    pub license_key: Option<String>,
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self {
            description: None,
            homepage: None,
            topics: Vec::new(),
            has_issues: true,
            has_projects: true,
            has_wiki: true,
            has_discussions: false,
            is_template: false,
            allow_forking: true,
            allow_merge_commit: true,
            allow_squash_merge: true,
            allow_rebase_merge: true,
            allow_auto_merge: false,
            delete_branch_on_merge: false,
            allow_update_branch: false,
            web_commit_signoff_required: false,
            squash_merge_commit_title: "COMMIT_OR_PR_TITLE".to_owned(),
            squash_merge_commit_message: "COMMIT_MESSAGES".to_owned(),
            merge_commit_title: "MERGE_MESSAGE".to_owned(),
            merge_commit_message: "PR_TITLE".to_owned(),
            license_key: None,
        }
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The repository's id.
    pub id: RepositoryId,
    /// Who owns it.
    pub owner: AccountRef,
    /// Its name.
    pub name: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The branch that `HEAD` names, whether it exists or not.
    pub default_branch: String,
    /// What its administrators set.
    pub settings: RepositorySettings,
    /// The repository it was forked from.
    pub parent_id: Option<RepositoryId>,
    /// The repository that the whole network of forks began with; none if that is this one.
    pub source_id: Option<RepositoryId>,
    /// How many repositories were forked from it, of the whole network if that began with it.
    pub fork_count: i64,
    /// When it was archived; an archived repository is read-only.
    pub archived_at: Option<Timestamp>,
    /// The bytes of its packs.
    pub size_bytes: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub updated_at: Timestamp,
    /// When a ref last moved.
    pub pushed_at: Option<Timestamp>,
}

impl Repository {
    /// Returns `OWNER/NAME`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
    }

    /// Returns the repository that its network of forks began with.
    #[must_use]
    pub fn network_id(&self) -> RepositoryId {
        self.source_id.or(self.parent_id).unwrap_or(self.id)
    }

    /// Returns whether not everyone may see it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.visibility != Visibility::Public
    }
}

/// A repository together with what the caller may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryAccess {
    /// The repository.
    pub repository: Repository,
    /// The caller's permission from ownership, organization, teams and collaboration, before visibility.
    pub permission: Option<Permission>,
    /// The state of its refs and packs that was seen.
    pub git_state: GitState,
}

/// What was counted of a repository's refs and packs: when it is seen twice, neither changed in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GitState {
    /// How often its refs changed.
    pub ref_generation: i64,
    /// How often maintenance changed its packs.
    pub gc_epoch: i64,
    /// How often that sorted all of them anew: then objects that no ref reached may be gone.
    pub rebuilds: i64,
}

impl std::fmt::Display for GitState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.ref_generation, self.gc_epoch, self.rebuilds)
    }
}

impl std::str::FromStr for GitState {
    type Err = std::num::ParseIntError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.splitn(3, '.').map(str::parse);
        let mut next = || numbers.next().unwrap_or_else(|| "".parse());
        Ok(Self { ref_generation: next()?, gc_epoch: next()?, rebuilds: next()? })
    }
}
