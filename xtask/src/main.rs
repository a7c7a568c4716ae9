//! Development commands, run as `cargo xtask COMMAND`.
//!
//! Kept small and quick to build: nothing of the product is a dependency. What judges the product itself
//! lives in `tests/` and `forge-testing`; this program prepares what those need and runs them.
//! Start at [`test`], the README's second command.

mod architecture;
mod bench;
mod command;
mod fuzz;
mod parts;
mod postgres;
mod schema;
mod soak;
mod soak_page;
mod steps;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--only PART]... [--fast] [-- RUNNER ARGUMENTS]
    Checks format, lints, licences and architecture, builds the release binary and runs every test.
    Installs what the tests need for themselves into .test-tools/ and starts a private PostgreSQL.
    PART is a step (format, architecture, deny, clippy, docs), a folder of tests/ (rest, git, clients, …)
    or a crate (forge-store, …).
    --fast runs the tests alone: no lints, no release build, no end-to-end clients.

cargo xtask bench git [--only ROW]... [--rounds N] [--servers a,b,c,d] [--quick] [--write]
    Measures our Git beside nginx with git http-backend in one run, and says which bars are reached. The repositories are
    made once, under target/bench/. --quick tries the benchmark itself on small ones; --write fills docs/benchmarks/git.md.

cargo xtask bench audit [--events N] [--rounds N] [--quick]
    Measures eight writers with the audit log sealed and not, and how long a million events take to verify.

cargo xtask bench authority [--agents N] [--quick]
    Measures requests that are authenticated and decided about, with 10,000 agents and as many task grants, beside one.

cargo xtask fuzz [--seconds N] [--keep] [--write] [TARGET]...
    Looks for inputs that break what reads strangers' bytes, N seconds of processor time (1200) for each target of fuzz/.
    --keep takes what was found worth keeping into fuzz/corpus/ instead; --write fills docs/soak.md.

cargo xtask soak [--minutes N] [--seed N] [--write]
    Runs the differential, crash and interoperability suites with large numbers, in rounds of other seeds for N minutes (60),
    but at least one. --write fills docs/soak.md.

cargo xtask tools               installs the test tools and prints the variables that name them
cargo xtask postgres            starts a private PostgreSQL, prints its variable, ends with its input (Ctrl-D)
cargo xtask architecture        checks which crate may name what (DESIGN: docs/architecture.md)
cargo xtask refresh-schema [--check]
                                writes the generated files (schema/, the sample configuration) anew";

/// A failure with words for the person at the terminal.
type Result<T, E = String> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    let outcome = match words.as_slice() {
        ["test", rest @ ..] => test::Options::parse(rest).and_then(|options| test::run(&root, &options)),
        ["bench", "git", rest @ ..] => {
            bench::Options::parse(rest).and_then(|options| bench::run(&root, &options))
        }
        ["bench", "authority", rest @ ..] => {
            bench::AuthorityOptions::parse(rest).and_then(|options| bench::run_authority(&root, &options))
        }
        ["bench", "audit", rest @ ..] => {
            bench::AuditOptions::parse(rest).and_then(|options| bench::run_audit(&root, &options))
        }
        ["fuzz", rest @ ..] => fuzz::Options::parse(rest).and_then(|options| fuzz::run(&root, &options)),
        ["soak", rest @ ..] => soak::Options::parse(rest).and_then(|options| soak::run(&root, &options)),
        ["tools"] => tools::print_variables(&root),
        ["postgres"] => postgres::serve(),
        ["architecture"] => architecture::check(&root),
        ["refresh-schema"] => schema::refresh(&root, schema::Mode::Write),
        ["refresh-schema", "--check"] => schema::refresh(&root, schema::Mode::Check),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the folder of the workspace's `Cargo.toml`, wherever the command was started.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}
