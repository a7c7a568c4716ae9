//! What a `Cargo.toml` may say.

use toml::{Table, Value};

use super::File;
use super::rules::{OWNED, ROOMS};

/// Checks one manifest.
pub(super) fn check(file: &File, findings: &mut Vec<String>) {
    let path = &file.path;
    let table: Table = match file.text.parse() {
        Ok(table) => table,
        Err(error) => return findings.push(format!("{path}: {error}")),
    };
    let name =
        table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str).unwrap_or("");
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return findings.push(format!("{path}: `{name}` has no row in xtask/src/architecture/rules.rs"));
    };
    if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
        findings.push(format!("{path}: does not take the lints of the workspace"));
    }
    for dependency in dependencies(&table) {
        let crate_name = dependency.name.as_str();
        if let Some(owned) = OWNED.iter().find(|owned| owned.covers(crate_name))
            && !owned.owners.contains(&name)
        {
            findings.push(format!("{path}: `{crate_name}` belongs to {} alone", owned.belongs_to));
        }
        let is_ours = ROOMS.iter().any(|room| room.name == crate_name);
        let for_tests = dependency.for_tests && crate_name == "forge-testing";
        if is_ours && !room.may_use.contains(&crate_name) && !for_tests {
            findings.push(format!("{path}: {name} may not depend on {crate_name}"));
        }
    }
}

struct Dependency {
    name: String,
    for_tests: bool,
}

/// Returns all dependencies: normal, build, development, and those of single platforms.
fn dependencies(table: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (section, value) in table {
        let Some(entries) = value.as_table() else { continue };
        match section.as_str() {
            "dependencies" | "build-dependencies" | "dev-dependencies" => {
                let for_tests = section == "dev-dependencies";
                found.extend(entries.iter().map(|entry| named(entry, for_tests)));
            }
            "target" => found.extend(entries.values().filter_map(Value::as_table).flat_map(dependencies)),
            _ => {}
        }
    }
    found
}

fn named((key, value): (&String, &Value), for_tests: bool) -> Dependency {
    let package = value.get("package").and_then(Value::as_str);
    Dependency { name: package.unwrap_or(key).to_owned(), for_tests }
}
