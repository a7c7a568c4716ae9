//! Where the test tools are.
//!
//! `cargo xtask test` installs them and names them in variables; a test run by hand finds what an earlier
//! run installed. What is missing stops the test with words, it is never skipped.

use std::path::{Path, PathBuf};

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
