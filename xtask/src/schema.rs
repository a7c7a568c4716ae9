//! Generated files that are committed: our GraphQL schema, our OpenAPI description, the sample configuration.
//!
//! The product writes them, in the test binary `generated` of `tests/`; this command only says whether it may write.

use std::path::Path;

use crate::{Result, command, tools};

/// Whether generated files are written or compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write each file anew.
    Write,
    /// Fail when a file is not what would be written.
    Check,
}

/// Writes or compares every generated file.
pub(crate) fn refresh(root: &Path, mode: Mode) -> Result<()> {
    let mut test = command::cargo();
    test.current_dir(root).args([
        "test",
        "--quiet",
        "--locked",
        "--package",
        "forge-tests",
        "--test",
        "generated",
    ]);
    for (name, value) in tools::install(root, tools::Need::Descriptions)?.variables {
        test.env(name, value);
    }
    match mode {
        Mode::Write => test.env("FORGE_WRITE_GENERATED", "1"),
        Mode::Check => test.env_remove("FORGE_WRITE_GENERATED"),
    };
    command::run(&mut test)
}
