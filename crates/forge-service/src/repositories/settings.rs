//! What may be set in a repository, and the rules of each setting.

use forge_types::account::AccountKind;
use forge_types::repository::{RepositorySettings, Visibility};
use forge_types::{Error, FieldCode, Result};

/// The longest description, as on GitHub.
const MAX_DESCRIPTION: usize = 350;
/// The longest home page.
const MAX_HOMEPAGE: usize = 255;

/// Settings to be changed; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of `RepositorySettings`")]
pub struct SettingsChanges {
    pub description: Option<String>,
    pub homepage: Option<String>,
    pub has_issues: Option<bool>,
    pub has_projects: Option<bool>,
    pub has_wiki: Option<bool>,
    pub has_discussions: Option<bool>,
    pub is_template: Option<bool>,
    pub allow_forking: Option<bool>,
    pub allow_merge_commit: Option<bool>,
    pub allow_squash_merge: Option<bool>,
    pub allow_rebase_merge: Option<bool>,
    pub allow_auto_merge: Option<bool>,
    pub delete_branch_on_merge: Option<bool>,
    pub allow_update_branch: Option<bool>,
    pub web_commit_signoff_required: Option<bool>,
    pub squash_merge_commit_title: Option<String>,
    pub squash_merge_commit_message: Option<String>,
    pub merge_commit_title: Option<String>,
    pub merge_commit_message: Option<String>,
}

impl SettingsChanges {
    /// Writes the changes into `settings`; returns the names of those that differ from before.
    ///
    /// # Errors
    /// `Invalid` if a setting breaks its rule.
    pub(super) fn apply(&self, settings: &mut RepositorySettings) -> Result<Vec<&'static str>> {
        let before = settings.clone();
        set_text(&self.description, &mut settings.description, "description", MAX_DESCRIPTION)?;
        set_text(&self.homepage, &mut settings.homepage, "homepage", MAX_HOMEPAGE)?;
        check_homepage(settings)?;
        self.apply_switches(settings);
        self.apply_messages(settings)?;
        if !(settings.allow_merge_commit || settings.allow_squash_merge || settings.allow_rebase_merge) {
            return Err(invalid(
                "merge_commit",
                "Sorry, you need to allow at least one merge strategy. (no_merge_method)",
            ));
        }
        Ok(differences(&before, settings))
    }

    fn apply_switches(&self, settings: &mut RepositorySettings) {
        let switches = [
            (self.has_issues, &mut settings.has_issues),
            (self.has_projects, &mut settings.has_projects),
            (self.has_wiki, &mut settings.has_wiki),
            (self.has_discussions, &mut settings.has_discussions),
            (self.is_template, &mut settings.is_template),
            (self.allow_forking, &mut settings.allow_forking),
            (self.allow_merge_commit, &mut settings.allow_merge_commit),
            (self.allow_squash_merge, &mut settings.allow_squash_merge),
            (self.allow_rebase_merge, &mut settings.allow_rebase_merge),
            (self.allow_auto_merge, &mut settings.allow_auto_merge),
            (self.delete_branch_on_merge, &mut settings.delete_branch_on_merge),
            (self.allow_update_branch, &mut settings.allow_update_branch),
            (self.web_commit_signoff_required, &mut settings.web_commit_signoff_required),
        ];
        for (wanted, setting) in switches {
            *setting = wanted.unwrap_or(*setting);
        }
    }

    fn apply_messages(&self, settings: &mut RepositorySettings) -> Result<()> {
        let choices: [(&Option<String>, &mut String, &'static str, &[&str]); 4] = [
            (
                &self.squash_merge_commit_title,
                &mut settings.squash_merge_commit_title,
                "squash_merge_commit_title",
                &["PR_TITLE", "COMMIT_OR_PR_TITLE"],
            ),
            (
                &self.squash_merge_commit_message,
                &mut settings.squash_merge_commit_message,
                "squash_merge_commit_message",
                &["PR_BODY", "COMMIT_MESSAGES", "BLANK"],
            ),
            (
                &self.merge_commit_title,
                &mut settings.merge_commit_title,
                "merge_commit_title",
                &["PR_TITLE", "MERGE_MESSAGE"],
            ),
            (
                &self.merge_commit_message,
                &mut settings.merge_commit_message,
                "merge_commit_message",
                &["PR_BODY", "PR_TITLE", "BLANK"],
            ),
        ];
        for (wanted, setting, field, allowed) in choices {
            let Some(wanted) = wanted else { continue };
            if !allowed.contains(&wanted.as_str()) {
                return Err(invalid(field, &format!("`{wanted}` is none of {}", allowed.join(", "))));
            }
            setting.clone_from(wanted);
        }
        Ok(())
    }
}

/// Internal means "within the organizations of this forge"; a person's own repository is private or public.
pub(crate) fn check_visibility(owner: AccountKind, visibility: Visibility) -> Result<()> {
    if visibility == Visibility::Internal && owner != AccountKind::Organization {
        let message = "Only organization-owned repositories can have internal visibility";
        return Err(invalid("visibility", message));
    }
    Ok(())
}

/// Sets a text; an empty one removes it.
fn set_text(
    wanted: &Option<String>,
    setting: &mut Option<String>,
    field: &'static str,
    max: usize,
) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let wanted = wanted.trim();
    if wanted.chars().count() > max {
        return Err(invalid(field, &format!("{field} is too long (maximum is {max} characters)")));
    }
    if wanted.chars().any(char::is_control) {
        return Err(invalid(field, &format!("{field} control characters are not allowed")));
    }
    *setting = (!wanted.is_empty()).then(|| wanted.to_owned());
    Ok(())
}

/// A home page is shown as a link, so it must be one that a browser can safely follow.
fn check_homepage(settings: &RepositorySettings) -> Result<()> {
    let Some(homepage) = &settings.homepage else { return Ok(()) };
    let is_web = url::Url::parse(homepage).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_web { Ok(()) } else { Err(invalid("homepage", "homepage must be an http or https address")) }
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::invalid("Repository", field, FieldCode::Invalid, message)
}

/// Returns the names of the settings that differ, for the audit log.
fn differences(before: &RepositorySettings, after: &RepositorySettings) -> Vec<&'static str> {
    macro_rules! changed {
        ($($field:ident),* $(,)?) => {
            [$((stringify!($field), before.$field != after.$field)),*]
        };
    }
    let fields = changed!(
        description,
        homepage,
        has_issues,
        has_projects,
        has_wiki,
        has_discussions,
        is_template,
        allow_forking,
        allow_merge_commit,
        allow_squash_merge,
        allow_rebase_merge,
        allow_auto_merge,
        delete_branch_on_merge,
        allow_update_branch,
        web_commit_signoff_required,
        squash_merge_commit_title,
        squash_merge_commit_message,
        merge_commit_title,
        merge_commit_message,
    );
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_break_a_rule_are_refused() {
        let refused = |changes: SettingsChanges| changes.apply(&mut RepositorySettings::default()).is_err();
        let text = |text: &str| Some(text.to_owned());
        assert!(refused(SettingsChanges { description: Some("x".repeat(351)), ..Default::default() }));
        assert!(refused(SettingsChanges { description: text("two\nlines"), ..Default::default() }));
        assert!(refused(SettingsChanges { homepage: text("javascript:alert(1)"), ..Default::default() }));
        assert!(refused(SettingsChanges { merge_commit_title: text("ANY"), ..Default::default() }));
        assert!(refused(SettingsChanges {
            allow_merge_commit: Some(false),
            allow_squash_merge: Some(false),
            allow_rebase_merge: Some(false),
            ..Default::default()
        }));
    }

    #[test]
    fn only_what_differs_is_named() {
        let mut settings = RepositorySettings::default();
        let changes = SettingsChanges {
            description: Some(" A forge ".to_owned()),
            has_wiki: Some(true),
            ..Default::default()
        };
        assert_eq!(changes.apply(&mut settings).expect("valid settings"), ["description"]);
        assert_eq!(settings.description.as_deref(), Some("A forge"));
    }
}
