//! What requests about repositories carry. Switches of features the forge does not have can be off, not on.

use forge_service::repositories::{NewRepository, RepositoryChanges, SettingsChanges, Starter};
use forge_types::id::TeamId;
use forge_types::repository::Visibility;
use forge_types::{Error, FieldCode, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The settings that creating and changing share.
#[derive(Default, Deserialize)]
pub(super) struct SettingsBody {
    description: Option<String>,
    homepage: Option<String>,
    private: Option<bool>,
    visibility: Option<String>,
    has_issues: Option<bool>,
    has_projects: Option<bool>,
    has_wiki: Option<bool>,
    has_discussions: Option<bool>,
    is_template: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_merge_commit: Option<bool>,
    allow_rebase_merge: Option<bool>,
    allow_auto_merge: Option<bool>,
    delete_branch_on_merge: Option<bool>,
    allow_update_branch: Option<bool>,
    allow_forking: Option<bool>,
    web_commit_signoff_required: Option<bool>,
    use_squash_pr_title_as_default: Option<bool>,
    squash_merge_commit_title: Option<String>,
    squash_merge_commit_message: Option<String>,
    merge_commit_title: Option<String>,
    merge_commit_message: Option<String>,
}

impl SettingsBody {
    fn visibility(&self) -> Result<Option<Visibility>> {
        let Some(name) = &self.visibility else {
            return Ok(self.private.map(|is_private| match is_private {
                true => Visibility::Private,
                false => Visibility::Public,
            }));
        };
        let message = || format!("`{name}` is none of public, internal and private");
        let invalid = || Error::invalid("Repository", "visibility", FieldCode::Invalid, message());
        Visibility::parse(name).map(Some).ok_or_else(invalid)
    }

    fn changes(self) -> SettingsChanges {
        let title = self.use_squash_pr_title_as_default.map(|uses_title| {
            if uses_title { "PR_TITLE".to_owned() } else { "COMMIT_OR_PR_TITLE".to_owned() }
        });
        SettingsChanges {
            description: self.description,
            homepage: self.homepage,
            has_issues: self.has_issues,
            has_projects: self.has_projects,
            has_wiki: self.has_wiki,
            has_discussions: self.has_discussions,
            is_template: self.is_template,
            allow_forking: self.allow_forking,
            allow_merge_commit: self.allow_merge_commit,
            allow_squash_merge: self.allow_squash_merge,
            allow_rebase_merge: self.allow_rebase_merge,
            allow_auto_merge: self.allow_auto_merge,
            delete_branch_on_merge: self.delete_branch_on_merge,
            allow_update_branch: self.allow_update_branch,
            web_commit_signoff_required: self.web_commit_signoff_required,
            squash_merge_commit_title: self.squash_merge_commit_title.or(title),
            squash_merge_commit_message: self.squash_merge_commit_message,
            merge_commit_title: self.merge_commit_title,
            merge_commit_message: self.merge_commit_message,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct CreateBody {
    name: String,
    team_id: Option<i64>,
    auto_init: Option<bool>,
    gitignore_template: Option<String>,
    license_template: Option<String>,
    #[serde(flatten)]
    settings: SettingsBody,
}

impl CreateBody {
    pub(super) fn read(self) -> Result<NewRepository> {
        let visibility = self.settings.visibility()?.unwrap_or(Visibility::Public);
        let mut new = NewRepository::new(self.name, visibility);
        new.team = self.team_id.map(TeamId);
        new.starter = Starter {
            readme: self.auto_init.unwrap_or(false),
            gitignore: self.gitignore_template.filter(|name| !name.is_empty()),
            license: self.license_template.filter(|key| !key.is_empty()),
        };
        new.settings = self.settings.changes();
        Ok(new)
    }
}

#[derive(Deserialize)]
struct Feature {
    status: String,
}

#[derive(Deserialize)]
pub(super) struct UpdateBody {
    name: Option<String>,
    default_branch: Option<String>,
    archived: Option<bool>,
    security_and_analysis: Option<BTreeMap<String, Feature>>,
    #[serde(flatten)]
    settings: SettingsBody,
}

impl UpdateBody {
    pub(super) fn read(self) -> Result<RepositoryChanges> {
        let features = self.security_and_analysis.iter().flatten();
        if let Some((name, _)) = features.into_iter().find(|(_, feature)| feature.status == "enabled") {
            let message = format!("`{name}` is not available on this forge");
            return Err(Error::invalid("Repository", "security_and_analysis", FieldCode::Invalid, message));
        }
        Ok(RepositoryChanges {
            name: self.name,
            visibility: self.settings.visibility()?,
            default_branch: self.default_branch,
            is_archived: self.archived,
            settings: self.settings.changes(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct TransferBody {
    pub(super) new_owner: String,
    pub(super) new_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct TemplateBody {
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) include_all_branches: bool,
    name: String,
    description: Option<String>,
    #[serde(default)]
    private: bool,
}

impl TemplateBody {
    pub(super) fn new_repository(&self) -> NewRepository {
        let visibility = if self.private { Visibility::Private } else { Visibility::Public };
        let mut new = NewRepository::new(self.name.clone(), visibility);
        new.settings.description.clone_from(&self.description);
        new
    }
}
