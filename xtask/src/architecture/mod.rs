//! The architecture test: which crate may name what.
//!
//! Reads manifests and sources as text, so that a mistake is found before anything compiles. [`rules`] is the table;
//! `docs/architecture.md` says why it is so.

mod manifests;
mod rules;
mod sources;

use std::fs;
use std::path::Path;

use crate::Result;

/// One file of the project.
struct File {
    /// Relative to the workspace, with `/`.
    path: String,
    text: String,
}

/// Checks the project and fails with every finding.
pub(crate) fn check(root: &Path) -> Result<()> {
    let findings = findings(&load(root)?);
    if findings.is_empty() {
        eprintln!("architecture: nothing found");
        return Ok(());
    }
    Err(format!("the architecture is broken:\n  {}", findings.join("\n  ")))
}

fn findings(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        if file.path.ends_with("/Cargo.toml") {
            manifests::check(file, &mut findings);
        } else if file.path.ends_with(".rs") {
            sources::check(file, &mut findings);
        }
    }
    findings
}

/// Loads the manifests and sources of every member of the workspace.
fn load(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for member in ["crates", "tests", "xtask"] {
        collect(root, &root.join(member), &mut files)?;
    }
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    let broken = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(broken)? {
        let path = entry.map_err(broken)?.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                collect(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") || path.ends_with("Cargo.toml")
        {
            let text = fs::read_to_string(&path).map_err(broken)?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_in(path: &str, text: &str) -> Vec<String> {
        findings(&[File { path: path.to_owned(), text: text.to_owned() }])
    }

    fn manifest(name: &str, dependencies: &str) -> Vec<String> {
        let text = format!(
            "[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependencies}"
        );
        findings_in(&format!("crates/{name}/Cargo.toml"), &text)
    }

    fn source(path: &str, text: &str) -> Vec<String> {
        findings_in(path, &format!("//! A room.\n{text}"))
    }

    #[test]
    fn this_project_obeys() {
        assert_eq!(check(&crate::workspace_root()), Ok(()));
    }

    #[test]
    fn only_the_store_may_depend_on_sqlx() {
        assert_eq!(manifest("forge-store", "sqlx.workspace = true"), [""; 0]);
        assert_eq!(
            manifest("forge-service", "sqlx.workspace = true"),
            ["crates/forge-service/Cargo.toml: `sqlx` belongs to forge-store alone"]
        );
    }

    #[test]
    fn a_renamed_or_platform_dependency_is_seen_too() {
        let renamed = manifest("forge-api", "database = { package = \"sqlx\", version = \"0.9\" }");
        assert_eq!(renamed.len(), 1, "{renamed:?}");
        let platform = manifest("forge-api", "[target.'cfg(unix)'.dependencies]\ngix-pack = \"0.77\"");
        assert_eq!(platform.len(), 1, "{platform:?}");
    }

    #[test]
    fn only_edges_may_depend_on_axum() {
        assert_eq!(manifest("forge-graphql", "axum.workspace = true"), [""; 0]);
        assert_eq!(manifest("forge-service", "axum.workspace = true").len(), 1);
    }

    #[test]
    fn dependencies_point_one_way() {
        assert_eq!(manifest("forge-service", "forge-store.workspace = true"), [""; 0]);
        assert_eq!(
            manifest("forge-store", "forge-service.workspace = true"),
            ["crates/forge-store/Cargo.toml: forge-store may not depend on forge-service"]
        );
        assert_eq!(manifest("forge-web", "forge-store.workspace = true").len(), 1);
    }

    #[test]
    fn a_crate_without_a_rule_is_a_finding() {
        assert_eq!(manifest("forge-new", "").len(), 1);
    }

    #[test]
    fn a_crate_must_take_the_workspace_lints() {
        let text = "[package]\nname = \"forge-types\"\n";
        assert_eq!(findings_in("crates/forge-types/Cargo.toml", text).len(), 1);
    }

    #[test]
    fn sources_may_not_name_what_belongs_to_another_room() {
        assert_eq!(source("crates/forge-service/src/issues.rs", "use sqlx::Row;").len(), 1);
        assert_eq!(
            source("crates/forge-service/src/merge.rs", "fn f() { gix_pack::index::File::at(p) }").len(),
            1
        );
        assert_eq!(source("crates/forge-service/src/x.rs", "// as sqlx does\nlet my_sqlx = 1;"), [""; 0]);
        assert_eq!(source("crates/forge-store/src/db.rs", "use sqlx::Row;"), [""; 0]);
        assert_eq!(source("tests/rest/main.rs", "use axum::Router;").len(), 1);
    }

    #[test]
    fn edges_may_use_only_the_parts_of_a_room_that_are_theirs() {
        assert_eq!(source("crates/forge-api/src/oauth.rs", "use forge_auth::messages::Grant;"), [""; 0]);
        assert_eq!(source("crates/forge-api/src/git.rs", "use forge_git::wire;"), [""; 0]);
        assert_eq!(source("crates/forge-api/src/oauth.rs", "use forge_auth::policy::Policy;").len(), 1);
    }

    #[test]
    fn only_the_refs_module_may_write_refs() {
        let statement = "sql!(\"UPDATE  refs\n SET oid = $1\")";
        assert_eq!(source("crates/forge-store/src/refs/update.rs", statement), [""; 0]);
        assert_eq!(
            source("crates/forge-store/src/repositories.rs", statement),
            [
                "crates/forge-store/src/repositories.rs: writes table `refs`, which forge-store/src/refs alone may"
            ]
        );
        assert_eq!(source("crates/forge-store/src/x.rs", "\"insert into refs (name)\"").len(), 1);
        assert_eq!(source("crates/forge-store/src/x.rs", "\"DELETE FROM refs_history\""), [""; 0]);
        assert_eq!(source("crates/forge-store/src/x.rs", "\"SELECT name FROM refs\""), [""; 0]);
    }

    #[test]
    fn nobody_changes_what_is_in_the_audit_log() {
        let insert = "\"INSERT INTO audit_events (id)\"";
        let update = "\"UPDATE audit_events SET ip = NULL\"";
        let delete = "\"DELETE FROM audit_seals WHERE position = 1\"";
        assert_eq!(source("crates/forge-store/src/audit/events.rs", insert), [""; 0]);
        assert_eq!(source("crates/forge-store/src/jobs.rs", insert).len(), 1);
        assert_eq!(source("crates/forge-store/src/audit/erasure.rs", update), [""; 0]);
        assert_eq!(
            source("crates/forge-store/src/audit/events.rs", update),
            ["crates/forge-store/src/audit/events.rs: changes table `audit_events`, which is append-only"]
        );
        assert_eq!(source("crates/forge-store/src/audit/seals.rs", delete).len(), 1);
        assert_eq!(source("tests/rest/labels.rs", update).len(), 1);
    }

    #[test]
    fn a_module_without_a_first_comment_is_a_finding() {
        assert_eq!(findings_in("crates/forge-types/src/x.rs", "pub struct X;").len(), 1);
    }
}
