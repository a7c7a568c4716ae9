//! Building the driver.

use std::path::{Path, PathBuf};

use crate::{Result, command};

/// Build scripts and procedural macros are built for the machine without these flags, because a target is named.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Counters for every edge, comparisons reported, memory watched; overflows and debug assertions end the program.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Zsanitizer=address -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks";

/// Builds the driver of all targets and returns it.
pub(super) fn driver(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/fuzz");
    let mut cargo = command::cargo();
    cargo.current_dir(root).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS);
    cargo.env("CARGO_TARGET_DIR", &folder);
    cargo.args(["build", "--release", "--locked", "--package", "forge-fuzz", "--features", "driver"]);
    command::run(cargo.args(["--bin", "forge-fuzz", "--target", TRIPLE]))?;
    Ok(folder.join(TRIPLE).join("release/forge-fuzz"))
}
