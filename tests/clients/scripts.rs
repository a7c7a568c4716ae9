//! The programs that tests run with Node.js and Python, beside the packages they import.

use std::path::{Path, PathBuf};

use forge_testing::tools;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/scripts");

/// Lays the programs out in a folder where Node.js finds the packages, and returns the path of one.
pub(crate) fn script(folder: &Path, name: &str) -> PathBuf {
    let scripts = folder.join("scripts");
    if !scripts.exists() {
        std::fs::create_dir(&scripts).expect("a folder for scripts");
        for source in std::fs::read_dir(SOURCES).expect("the scripts").map(|entry| entry.expect("an entry")) {
            std::fs::copy(source.path(), scripts.join(source.file_name())).expect("a copy of a script");
        }
        std::os::unix::fs::symlink(tools::node_modules(), scripts.join("node_modules")).expect("a link");
    }
    let script = scripts.join(name);
    assert!(script.is_file(), "there is no script `{name}`");
    script
}
