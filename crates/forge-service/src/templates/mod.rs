//! What new repositories can be started with: licences and `.gitignore` files.
//!
//! The texts of the licences are their publishers'; `[year]` and `[fullname]` stand where GitHub's have them. The ignore
//! files are the forge's own, under the names clients know.

mod license_list;

use forge_types::{Error, FieldCode, Result};

use license_list::LICENSES;

/// A licence.
#[derive(Debug)]
pub struct License {
    /// The name in addresses and requests.
    pub key: &'static str,
    /// The full name.
    pub name: &'static str,
    /// The identifier of SPDX.
    pub spdx_id: &'static str,
    /// Where it is explained.
    pub html_url: &'static str,
    /// What it means in a sentence.
    pub description: &'static str,
    /// What it allows.
    pub permissions: &'static [&'static str],
    /// On which conditions.
    pub conditions: &'static [&'static str],
    /// What it excludes.
    pub limitations: &'static [&'static str],
    /// Its text.
    pub body: &'static str,
    /// Whether it is one of the few to look at first.
    pub is_featured: bool,
}

/// Returns all licences, by name.
#[must_use]
pub const fn licenses() -> &'static [License] {
    LICENSES
}

/// Returns the licence with this key, in whatever case.
#[must_use]
pub fn license(key: &str) -> Option<&'static License> {
    LICENSES.iter().find(|license| license.key.eq_ignore_ascii_case(key))
}

/// Returns the text of a licence for a new repository.
///
/// # Errors
/// `Invalid` if the forge knows no such licence.
pub(crate) fn license_text(key: &str, year: i32, holder: &str) -> Result<(&'static License, String)> {
    let license = license(key).ok_or_else(|| {
        let message = format!("`{key}` is no licence this forge knows");
        Error::invalid("Repository", "license_template", FieldCode::Invalid, message)
    })?;
    let body = license.body.replace("[year]", &year.to_string()).replace("[fullname]", holder);
    Ok((license, body))
}

/// The ignore files, by name.
const GITIGNORES: &[(&str, &str)] = &[
    ("C", include_str!("gitignores/c.txt")),
    ("C++", include_str!("gitignores/cpp.txt")),
    ("CMake", include_str!("gitignores/cmake.txt")),
    ("Composer", include_str!("gitignores/composer.txt")),
    ("Dart", include_str!("gitignores/dart.txt")),
    ("Elixir", include_str!("gitignores/elixir.txt")),
    ("Erlang", include_str!("gitignores/erlang.txt")),
    ("Go", include_str!("gitignores/go.txt")),
    ("Gradle", include_str!("gitignores/gradle.txt")),
    ("Haskell", include_str!("gitignores/haskell.txt")),
    ("Java", include_str!("gitignores/java.txt")),
    ("Julia", include_str!("gitignores/julia.txt")),
    ("Kotlin", include_str!("gitignores/kotlin.txt")),
    ("Lua", include_str!("gitignores/lua.txt")),
    ("Maven", include_str!("gitignores/maven.txt")),
    ("Node", include_str!("gitignores/node.txt")),
    ("OCaml", include_str!("gitignores/ocaml.txt")),
    ("Objective-C", include_str!("gitignores/objective-c.txt")),
    ("Perl", include_str!("gitignores/perl.txt")),
    ("Python", include_str!("gitignores/python.txt")),
    ("R", include_str!("gitignores/r.txt")),
    ("Rails", include_str!("gitignores/rails.txt")),
    ("Ruby", include_str!("gitignores/ruby.txt")),
    ("Rust", include_str!("gitignores/rust.txt")),
    ("Scala", include_str!("gitignores/scala.txt")),
    ("Swift", include_str!("gitignores/swift.txt")),
    ("TeX", include_str!("gitignores/tex.txt")),
    ("Terraform", include_str!("gitignores/terraform.txt")),
    ("VisualStudio", include_str!("gitignores/visualstudio.txt")),
    ("Zig", include_str!("gitignores/zig.txt")),
];

/// Returns the names of all ignore files.
pub fn gitignores() -> impl Iterator<Item = &'static str> {
    GITIGNORES.iter().map(|(name, _)| *name)
}

/// Returns the ignore file of this name; the case counts, as on GitHub.
#[must_use]
pub fn gitignore(name: &str) -> Option<(&'static str, &'static str)> {
    GITIGNORES.iter().copied().find(|(known, _)| *known == name)
}

/// Returns the text of an ignore file for a new repository.
///
/// # Errors
/// `Invalid` if the forge knows no such file.
pub(crate) fn gitignore_text(name: &str) -> Result<&'static str> {
    gitignore(name).map(|(_, source)| source).ok_or_else(|| {
        let message = format!("`{name}` is no .gitignore template this forge knows");
        Error::invalid("Repository", "gitignore_template", FieldCode::Invalid, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_licence_has_a_text_and_a_unique_key() {
        let mut keys: Vec<&str> = licenses().iter().map(|license| license.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), licenses().len());
        assert!(licenses().iter().all(|license| license.body.len() > 500 && license.body.ends_with('\n')));
        assert!(licenses().is_sorted_by_key(|license| license.name));
    }

    #[test]
    fn year_and_holder_are_filled_in() {
        let (license, body) = license_text("MIT", 2026, "Ada").expect("a licence");
        assert_eq!(license.spdx_id, "MIT");
        assert!(body.contains("Copyright (c) 2026 Ada") && !body.contains('['), "{body}");
        assert!(license_text("proprietary", 2026, "Ada").is_err());
    }

    #[test]
    fn ignore_files_are_found_by_exact_name() {
        assert!(gitignore("Rust").is_some_and(|(_, source)| source.contains("target/")));
        assert!(gitignore("rust").is_none());
        assert!(gitignores().is_sorted());
    }
}
