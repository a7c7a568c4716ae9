//! The files a repository can be created with: a README, ignore rules and a licence.

use forge_types::account::AccountRef;
use forge_types::{Result, Timestamp};
use time::OffsetDateTime;

use super::NewRepository;
use crate::git::NewFile;
use crate::templates::{gitignore_text, license_text};

/// The files a new repository is to begin with.
#[derive(Clone, Debug, Default)]
pub struct Starter {
    /// A README with name and description.
    pub readme: bool,
    /// The name of an ignore file.
    pub gitignore: Option<String>,
    /// The key of a licence.
    pub license: Option<String>,
}

impl Starter {
    /// Refuses templates the forge does not have; returns the key of the licence as it is to be kept.
    pub(super) fn check(&self) -> Result<Option<String>> {
        if let Some(name) = &self.gitignore {
            gitignore_text(name)?;
        }
        let license = self.license.as_ref().map(|key| license_text(key, 0, "")).transpose()?;
        Ok(license.map(|(license, _)| license.key.to_owned()))
    }
}

/// Returns the files of a new repository; none if it is to be empty.
pub(super) fn files(new: &NewRepository, owner: &AccountRef, now: Timestamp) -> Result<Vec<NewFile>> {
    let mut files = Vec::new();
    let mut add = |name: &str, content: String| {
        files.push(NewFile { name: name.to_owned(), content: content.into_bytes() });
    };
    if new.starter.readme {
        let description = new.settings.description.as_deref().map(str::trim).unwrap_or_default();
        let separator = if description.is_empty() { "" } else { "\n" };
        add("README.md", format!("# {}\n{separator}{description}{separator}", new.name));
    }
    if let Some(name) = &new.starter.gitignore {
        add(".gitignore", gitignore_text(name)?.to_owned());
    }
    if let Some(key) = &new.starter.license {
        let year = OffsetDateTime::from_unix_timestamp(now.as_seconds()).map_or(1970, OffsetDateTime::year);
        let holder = owner.name.as_deref().unwrap_or(&owner.login);
        add("LICENSE", license_text(key, year, holder)?.1);
    }
    Ok(files)
}
