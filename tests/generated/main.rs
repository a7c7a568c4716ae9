//! Files that are made from something else and committed all the same, so that changes of them are read.
//!
//! Each is compared with what would be written now; `cargo xtask refresh-schema` sets `FORGE_WRITE_GENERATED`, and they
//! are written instead. The tests run with all others, so a stale file fails `cargo xtask test`.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod invariants;
mod rights;

use std::path::Path;

use forge_testing::{contract, tools};

/// Writes a file of the project, or says that it is not what would be written.
fn keep(root: &Path, name: &str, fresh: &str, is_write: bool) -> Result<(), String> {
    let path = root.join(name);
    if is_write {
        return std::fs::write(&path, fresh).map_err(|error| format!("{name}: {error}"));
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let Some(at) = first_difference(&committed, fresh) else { return Ok(()) };
    Err(format!("{name} is stale from line {at} on: run `cargo xtask refresh-schema`"))
}

fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let same = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
    Some(same + 1)
}

#[track_caller]
fn is_fresh(name: &str, fresh: &str) {
    let is_write = std::env::var_os("FORGE_WRITE_GENERATED").is_some();
    keep(tools::workspace(), name, fresh, is_write).unwrap();
}

#[test]
fn the_graphql_schema_is_that_of_the_program() {
    is_fresh("schema/forge.graphql", &forge_graphql::sdl());
}

#[test]
fn our_openapi_description_is_made_of_its_parts() {
    let fresh = contract::ours::assemble(&tools::workspace().join("schema/ext")).unwrap();
    is_fresh("schema/forge-ext.openapi.json", &fresh);
}

#[test]
fn the_sample_configuration_has_every_option_of_the_program() {
    is_fresh("docs/forge.example.toml", &forge_server::config::sample());
}

#[test]
fn the_rights_matrix_is_that_of_the_decision() {
    is_fresh("docs/rights-matrix.txt", &rights::matrix());
}

#[test]
fn a_stale_file_is_refused_and_written_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let keep = |fresh, is_write| keep(folder.path(), "made.txt", fresh, is_write);
    assert!(keep("a\nb\n", false).unwrap_err().contains("line 1 "), "it is absent");
    keep("a\nb\n", true).unwrap();
    keep("a\nb\n", false).unwrap();
    assert!(keep("a\nc\n", false).unwrap_err().contains("line 2 "));
}
