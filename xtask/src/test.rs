//! `cargo xtask test`: everything that must hold before a change is merged, in one command.
//!
//! Every step runs, also after a failed one, and the summary names each failure; the runner's own closing lines come last.

use std::path::Path;
use std::process::Command;

use crate::command::Stream;
use crate::parts::{END_TO_END, Part, test_folders};
use crate::postgres::{self, Cluster};
use crate::steps::Steps;
use crate::tools::{self, Need, Tools};
use crate::{Result, architecture, command, workspace_root};

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    only: Vec<Part>,
    fast: bool,
    runner_arguments: Vec<String>,
}

impl Options {
    /// Reads the words after `cargo xtask test`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let root = workspace_root();
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--fast" => options.fast = true,
                "--only" => {
                    let name = words.next().ok_or("`--only` needs a part")?;
                    options.only.push(Part::parse(&root, name)?);
                }
                "--" => {
                    options.runner_arguments = words.map(|word| (*word).to_owned()).collect();
                    break;
                }
                other => return Err(format!("unknown option `{other}`; see `cargo xtask help`")),
            }
        }
        Ok(options)
    }

    fn wants(&self, part: &Part) -> bool {
        if self.only.is_empty() { !self.fast } else { self.only.contains(part) }
    }

    fn wants_tests(&self) -> bool {
        self.only.is_empty() || self.only.iter().any(Part::has_tests)
    }

    fn wants_end_to_end(&self) -> bool {
        if self.only.is_empty() {
            !self.fast
        } else {
            self.only.contains(&Part::Folder(END_TO_END.to_owned()))
        }
    }
}

/// Runs the wanted steps and prints the summary.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    check_sources(&mut steps, root, options);
    if options.wants_tests() {
        prepare_and_test(&mut steps, root, options);
    }
    if options.wants(&Part::Docs) {
        let mut docs = command::cargo();
        docs.current_dir(root).args(["test", "--locked", "--workspace", "--doc", "--quiet"]);
        steps.run("documentation tests", || command::run(&mut docs));
    }
    steps.finish()
}

fn check_sources(steps: &mut Steps, root: &Path, options: &Options) {
    let cargo = |words: &[&str]| {
        let mut cargo = command::cargo();
        cargo.current_dir(root).args(words);
        cargo
    };
    if options.wants(&Part::Format) {
        steps.run("format", || command::run(&mut cargo(&["fmt", "--all", "--check"])));
    }
    if options.wants(&Part::Architecture) {
        steps.run("architecture", || architecture::check(root));
    }
    if options.wants(&Part::Deny) {
        steps.run("licences and sources", || {
            let mut deny = Command::new(tools::cargo_deny(root)?);
            deny.current_dir(root).args([
                "--locked",
                "--log-level",
                "warn",
                "check",
                "--hide-inclusion-graph",
            ]);
            command::run(deny.args(["bans", "licenses", "sources"]))
        });
    }
    if options.wants(&Part::Clippy) {
        let mut clippy =
            cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]);
        steps.run("lints", || command::run(&mut clippy));
    }
}

fn prepare_and_test(steps: &mut Steps, root: &Path, options: &Options) {
    let need = if options.wants_end_to_end() { Need::Clients } else { Need::Descriptions };
    let Some(mut tools) = steps.run("test tools", || tools::install(root, need)) else {
        return steps.not_run("tests", "the test tools are missing");
    };
    let Some(cluster) = steps.run("private PostgreSQL", Cluster::start) else {
        return steps.not_run("tests", "there is no PostgreSQL");
    };
    if need == Need::Clients {
        let built = steps.run("release binary", || {
            let words = ["build", "--release", "--locked", "--package", "forge-server", "--bin", "forge"];
            command::run(command::cargo().current_dir(root).args(words))
        });
        if built.is_none() {
            return steps.not_run("tests", "the release binary does not build");
        }
        tools.variables.push(("FORGE_TEST_BINARY", target_folder(root).join("release/forge")));
    }
    for selection in selections(root, options) {
        run_tests(steps, root, &selection, &tools, &cluster, &options.runner_arguments);
    }
}

/// One call of the test runner.
struct Selection {
    name: String,
    words: Vec<String>,
}

fn selections(root: &Path, options: &Options) -> Vec<Selection> {
    let selection = |name: &str, words: &[&str]| Selection {
        name: name.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    if !options.only.is_empty() {
        let parts = options.only.iter().filter_map(|part| match part {
            Part::Folder(name) => Some(selection(name, &["--package", "forge-tests", "--test", name])),
            Part::Crate(name) => Some(selection(name, &["--package", name])),
            Part::Format | Part::Architecture | Part::Deny | Part::Clippy | Part::Docs => None,
        });
        return parts.collect();
    }
    if !options.fast {
        return vec![selection("tests", &["--workspace"])];
    }
    let folders = test_folders(root).unwrap_or_default();
    let mut words = vec!["--package", "forge-tests"];
    for folder in folders.iter().filter(|folder| *folder != END_TO_END) {
        words.extend(["--test", folder]);
    }
    let crates = selection("tests of the crates", &["--workspace", "--exclude", "forge-tests"]);
    if folders.is_empty() { vec![crates] } else { vec![crates, selection("tests of the whole", &words)] }
}

fn run_tests(
    steps: &mut Steps,
    root: &Path,
    selection: &Selection,
    tools: &Tools,
    cluster: &Cluster,
    runner_arguments: &[String],
) {
    let has_nextest = command::exists("cargo-nextest");
    let mut runner = command::cargo();
    runner.current_dir(root).env(postgres::VARIABLE, cluster.url());
    runner.envs(tools.variables.iter().map(|(name, value)| (*name, value)));
    if has_nextest {
        runner.args(["nextest", "run", "--locked", "--no-fail-fast", "--no-tests=pass"]);
        if std::env::var_os("CI").is_some() {
            runner.args(["--profile", "ci"]);
        }
        runner.args(&selection.words).args(runner_arguments);
    } else {
        runner.args(["test", "--locked", "--no-fail-fast"]);
        if !selection.words.iter().any(|word| word == "--test") {
            runner.args(["--lib", "--bins", "--tests"]);
        }
        runner.args(&selection.words).arg("--").args(runner_arguments);
    }
    let mut closing_lines = Vec::new();
    steps.run(&selection.name, || {
        let stream = if has_nextest { Stream::Error } else { Stream::Output };
        let (result, lines) = command::run_and_keep(&mut runner, stream);
        closing_lines = closing(lines, has_nextest);
        result
    });
    steps.keep_closing_lines(closing_lines);
}

/// Returns the lines with which the runner sums up.
fn closing(lines: Vec<String>, nextest: bool) -> Vec<String> {
    if nextest {
        return lines.into_iter().skip_while(|line| !line.trim_start().starts_with("Summary [")).collect();
    }
    lines.into_iter().filter(|line| line.starts_with("test result:")).collect()
}

/// Returns where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_runs_by_default_and_fast_runs_the_tests_alone() {
        let everything = Options::parse(&[]).unwrap();
        assert!(everything.wants(&Part::Clippy) && everything.wants_tests() && everything.wants_end_to_end());
        let fast = Options::parse(&["--fast"]).unwrap();
        assert!(!fast.wants(&Part::Clippy) && fast.wants_tests() && !fast.wants_end_to_end());
    }

    #[test]
    fn only_names_what_runs() {
        let options = Options::parse(&["--only", "format", "--only", "forge-store"]).unwrap();
        assert!(options.wants(&Part::Format) && options.wants_tests());
        assert!(!options.wants(&Part::Clippy) && !options.wants_end_to_end());
    }

    #[test]
    fn an_unknown_option_is_refused_rather_than_ignored() {
        assert!(Options::parse(&["--quick"]).is_err());
        assert!(Options::parse(&["--only"]).is_err());
    }

    #[test]
    fn the_closing_lines_start_at_the_runners_summary() {
        let lines =
            ["PASS a", "     Summary [ 0.1s] 2 tests run: 1 passed, 1 failed", "FAIL b"].map(str::to_owned);
        assert_eq!(closing(lines.to_vec(), true), &lines[1..]);
        let lines = ["running 1 test", "test result: ok. 1 passed"].map(str::to_owned);
        assert_eq!(closing(lines.to_vec(), false), &lines[1..]);
    }
}
