//! The parts a run can be narrowed to: steps, folders of `tests/`, crates.

use std::fs;
use std::path::Path;

use crate::Result;

/// The folder of end-to-end tests, which alone need the release binary and the clients.
pub(crate) const END_TO_END: &str = "clients";

/// One thing that `--only` can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `cargo fmt --check`.
    Format,
    /// Which crate may name what.
    Architecture,
    /// Licences and sources of dependencies.
    Deny,
    /// Lints.
    Clippy,
    /// Examples in documentation comments.
    Docs,
    /// One folder of `tests/`.
    Folder(String),
    /// The tests inside one crate.
    Crate(String),
}

impl Part {
    /// Reads a part's name; an unknown name is an error that lists the known ones.
    pub(crate) fn parse(root: &Path, name: &str) -> Result<Self> {
        Ok(match name {
            "format" => Self::Format,
            "architecture" => Self::Architecture,
            "deny" => Self::Deny,
            "clippy" => Self::Clippy,
            "docs" => Self::Docs,
            _ if test_folders(root)?.iter().any(|folder| folder == name) => Self::Folder(name.to_owned()),
            _ if name == "xtask" || root.join("crates").join(name).is_dir() => Self::Crate(name.to_owned()),
            _ => {
                let folders = test_folders(root)?.join(", ");
                return Err(format!(
                    "unknown part `{name}`: format, architecture, deny, clippy, docs, {folders}, or a crate"
                ));
            }
        })
    }

    /// Returns whether running this part runs tests.
    pub(crate) fn has_tests(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::Crate(_))
    }
}

/// Returns the test binaries of `tests/Cargo.toml`, one per folder.
pub(crate) fn test_folders(root: &Path) -> Result<Vec<String>> {
    let manifest = root.join("tests/Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let table: toml::Table = text.parse().map_err(|error| format!("{}: {error}", manifest.display()))?;
    let tests = table.get("test").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    Ok(tests.iter().filter_map(|test| test.get("name")?.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_is_refused() {
        let error = Part::parse(&crate::workspace_root(), "nonsense").unwrap_err();
        assert!(error.contains("unknown part `nonsense`"), "{error}");
    }

    #[test]
    fn a_crate_is_a_part() {
        let part = Part::parse(&crate::workspace_root(), "forge-store");
        assert_eq!(part, Ok(Part::Crate("forge-store".to_owned())));
    }
}
