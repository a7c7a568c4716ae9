//! `schema/extensions.toml`: where this forge differs from GitHub's published descriptions, each with a reason.

use std::path::Path;

use toml::{Table, Value};

/// The deviations that are allowed.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    /// `METHOD /path` below `/api/v3` that GitHub does not have.
    pub rest_routes: Vec<String>,
    /// `METHOD /path STATUS` that GitHub's description leaves out.
    pub rest_statuses: Vec<String>,
    /// `Type`, `Type.field`, `Type.field(argument)` or `Enum.VALUE` that GitHub does not have.
    pub graphql: Vec<String>,
}

impl Extensions {
    /// Reads the project's list.
    ///
    /// # Panics
    /// When the file is missing or not as described in it.
    pub fn of_this_project() -> Self {
        let path = crate::tools::workspace().join("schema/extensions.toml");
        Self::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&std::fs::read_to_string(path).map_err(|error| error.to_string())?)
    }

    /// Reads a list. Each entry needs a name and a reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut found = Self::default();
        for (section, entries) in &table {
            let list = match section.as_str() {
                "rest_route" => &mut found.rest_routes,
                "rest_status" => &mut found.rest_statuses,
                "graphql" => &mut found.graphql,
                other => return Err(format!("unknown section `{other}`")),
            };
            for entry in entries.as_array().ok_or_else(|| format!("`{section}` is not a list of tables"))? {
                list.push(
                    name(entry).ok_or_else(|| format!("an entry of `{section}` lacks `name` or `reason`"))?,
                );
            }
        }
        Ok(found)
    }
}

fn name(entry: &Value) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("reason")?;
    text("name").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_needs_a_reason() {
        assert!(Extensions::parse("[[graphql]]\nname = \"Repository.x\"").is_err());
        let read = Extensions::parse("[[graphql]]\nname = \"Repository.x\"\nreason = \"ours\"").unwrap();
        assert_eq!(read.graphql, ["Repository.x"]);
    }

    #[test]
    fn an_unknown_section_is_refused() {
        assert!(Extensions::parse("[[rests]]\nname = \"x\"\nreason = \"y\"").is_err());
    }

    #[test]
    fn the_projects_list_can_be_read() {
        Extensions::of_this_project();
    }
}
