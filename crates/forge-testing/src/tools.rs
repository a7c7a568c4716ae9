//! Where the test tools are.
//!
//! `cargo xtask test` installs them and names them in variables; a test run by hand finds what an earlier
//! run installed. What is missing stops the test with words, it is never skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixtures;

const ADVICE: &str = "run the tests with `cargo xtask test`, which prepares it";

/// Returns the folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the workspace")
}

/// Returns the folder into which the tools are installed.
pub fn folder() -> PathBuf {
    std::env::var_os("FORGE_TEST_TOOLS").map_or_else(|| workspace().join(".test-tools"), PathBuf::from)
}

/// Returns the installed npm packages.
///
/// # Panics
/// When they are not installed.
pub fn node_modules() -> PathBuf {
    installed("FORGE_TEST_NODE_MODULES", "npm/node_modules")
}

/// Returns the GitHub CLI.
///
/// # Panics
/// When it is not installed.
pub fn gh() -> PathBuf {
    installed("FORGE_TEST_GH", "python/bin/gh")
}

/// Returns the Python with PyGithub, libgit2 and dulwich.
///
/// # Panics
/// When it is not installed.
pub fn python() -> PathBuf {
    installed("FORGE_TEST_PYTHON", "python/bin/python")
}

/// Returns every version of `git` on the search path.
///
/// # Panics
/// When there is none, or one does not say its version.
pub fn gits() -> Vec<PathBuf> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut found = BTreeMap::new();
    for program in std::env::split_paths(&search).map(|folder| folder.join("git")) {
        if program.is_file() {
            let version = fixtures::succeed(Command::new(&program).arg("version"));
            found.entry(version).or_insert(program);
        }
    }
    assert!(!found.is_empty(), "there is no git: {ADVICE}");
    found.into_values().collect()
}

/// Returns the class path of JGit's command line.
///
/// # Panics
/// When `FORGE_TEST_JGIT` does not name it.
pub fn jgit() -> String {
    let found = std::env::var("FORGE_TEST_JGIT").unwrap_or_default();
    assert!(!found.is_empty(), "FORGE_TEST_JGIT names no class path: {ADVICE}");
    found
}

/// Returns the program that uses go-git.
///
/// # Panics
/// When it is not built.
pub fn go_git() -> PathBuf {
    installed("FORGE_TEST_GO_GIT", "go/with-go-git")
}

/// Returns the browser.
///
/// # Panics
/// When `FORGE_TEST_CHROMIUM` does not name it.
pub fn chromium() -> PathBuf {
    named("FORGE_TEST_CHROMIUM")
}

/// Returns the release binary of the forge.
///
/// # Panics
/// When `FORGE_TEST_BINARY` does not name it.
pub fn forge_binary() -> PathBuf {
    named("FORGE_TEST_BINARY")
}

fn installed(variable: &str, place: &str) -> PathBuf {
    let found = std::env::var_os(variable).map_or_else(|| folder().join(place), PathBuf::from);
    assert!(found.exists(), "{} is missing: {ADVICE}", found.display());
    found
}

fn named(variable: &str) -> PathBuf {
    let found = std::env::var_os(variable).map(PathBuf::from).unwrap_or_default();
    assert!(found.is_file(), "{variable} does not name a program: {ADVICE}");
    found
}
