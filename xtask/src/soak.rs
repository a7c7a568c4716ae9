//! `cargo xtask soak`: the tests of which every change runs a slice, with large numbers and seeds of their own.
//!
//! Rounds of all suites follow one another, each with other seeds, as long as there is time for one more. Whatever fails is
//! printed with its seed, and the page says so.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bench::aligned;
use crate::command::{self, Stream};
use crate::postgres::{self, Cluster};
use crate::tools::{self, Need};
use crate::{Result, soak_page};

/// How long it goes on when nothing is said.
const MINUTES: u64 = 60;

/// Rounds take their seeds so far from one another that none is tried twice.
const APART: u64 = 100_000;

/// A suite, and how much of it a round is.
struct Suite {
    name: &'static str,
    words: &'static [&'static str],
    /// The variables that say how much, and what that comes to.
    numbers: &'static [(&'static str, u64)],
    what: &'static str,
}

const SUITES: [Suite; 3] = [
    Suite {
        name: "differential",
        words: &["--package", "forge-git", "--test", "differential", "--test", "intake"],
        numbers: &[("FORGE_CASES", 2000)],
        what: "2,000 cases each: fetches under right and under wrong clocks, packs with something wrong",
    },
    Suite {
        name: "crash",
        words: &["--package", "forge-tests", "--test", "crash"],
        numbers: &[("FORGE_CRASHES", 60), ("FORGE_IMAGES", 100)],
        what: "60 kills on each database, 100 power cuts",
    },
    Suite {
        name: "interoperability",
        words: &["--package", "forge-tests", "--test", "git", "interop", "libraries"],
        numbers: &[],
        what: "every git, libgit2, dulwich, isomorphic-git and JGit, on each database",
    },
];

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    minutes: u64,
    seed: Option<u64>,
    writes: bool,
}

impl Options {
    /// Reads the words after `cargo xtask soak`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { minutes: MINUTES, seed: None, writes: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|number| number.parse().ok());
                number.ok_or_else(|| format!("`{word}` needs a number"))
            };
            match *word {
                "--minutes" => options.minutes = number()?,
                "--seed" => options.seed = Some(number()?),
                "--write" => options.writes = true,
                other => return Err(format!("unknown option `{other}`; see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

/// What came out of a suite so far.
#[derive(Default)]
struct Outcome {
    rounds: u64,
    failed: Vec<u64>,
    tests: u64,
    took: Duration,
}

/// Runs rounds until there is no time for another.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let tools = tools::install(root, Need::Descriptions)?;
    let cluster = Cluster::start()?;
    let first = options.seed.unwrap_or_else(seed_of_the_day);
    let (began, limit) = (Instant::now(), Duration::from_secs(60 * options.minutes));
    let mut outcomes: [Outcome; SUITES.len()] = Default::default();
    let mut longest = Duration::ZERO;
    let mut round = 0;
    while round == 0 || began.elapsed() + longest <= limit {
        let (seed, round_began) = (first + round * APART, Instant::now());
        for (suite, outcome) in SUITES.iter().zip(&mut outcomes) {
            eprintln!("\n── {}, seed {seed}", suite.name);
            let mut runner = runner(root, suite, seed);
            runner.env(postgres::VARIABLE, cluster.url());
            runner.envs(tools.variables.iter().map(|(name, value)| (*name, value)));
            outcome.add(&mut runner, seed);
        }
        longest = longest.max(round_began.elapsed());
        round += 1;
    }
    let text = report(root, first, &outcomes);
    println!("{text}");
    if options.writes {
        soak_page::write(root, "soak", &text)?;
    }
    let failed: Vec<&str> = SUITES
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !outcome.failed.is_empty())
        .map(|(suite, _)| suite.name)
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn runner(root: &Path, suite: &Suite, seed: u64) -> Command {
    let mut runner = command::cargo();
    runner.current_dir(root).env("FORGE_SEED", seed.to_string());
    runner.envs(suite.numbers.iter().map(|(name, number)| (*name, number.to_string())));
    runner.args(["nextest", "run", "--locked", "--no-fail-fast", "--profile", "soak"]).args(suite.words);
    runner
}

impl Outcome {
    fn add(&mut self, runner: &mut Command, seed: u64) {
        let began = Instant::now();
        let (result, lines) = command::run_and_keep(runner, Stream::Error);
        self.rounds += 1;
        self.took += began.elapsed();
        self.tests += lines.iter().find_map(|line| tests_passed(line)).unwrap_or(0);
        if let Err(error) = result {
            eprintln!("error: {error}");
            self.failed.push(seed);
        }
    }
}

/// Reads `Summary [ 1.2s] 3 tests run: 3 passed, 0 skipped`.
fn tests_passed(line: &str) -> Option<u64> {
    let (_, rest) = line.trim_start().strip_prefix("Summary [")?.split_once("tests run: ")?;
    rest.split(' ').next()?.parse().ok()
}

/// Other seeds every time, so that more is tried in the course of time.
#[expect(clippy::disallowed_methods, reason = "a developer's tool has no request whose time it could take")]
fn seed_of_the_day() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() / 1000 * 1000
}

fn report(root: &Path, first: u64, outcomes: &[Outcome; SUITES.len()]) -> String {
    let head = ["suite", "a round", "rounds", "tests passed", "took", "failed at seeds"];
    let head = head.map(str::to_owned);
    let rows: Vec<Vec<String>> = SUITES
        .iter()
        .zip(outcomes)
        .map(|(suite, outcome)| {
            let failed: Vec<String> = outcome.failed.iter().map(u64::to_string).collect();
            vec![
                suite.name.to_owned(),
                suite.what.to_owned(),
                outcome.rounds.to_string(),
                outcome.tests.to_string(),
                format!("{} s", outcome.took.as_secs()),
                if failed.is_empty() { "none".to_owned() } else { failed.join(", ") },
            ]
        })
        .collect();
    let git = |words: &[&str]| command::output(Command::new("git").arg("-C").arg(root).args(words));
    format!(
        "Written by `cargo xtask soak --write` at commit {}, {}. The first round has seed {first}, each further one {APART} more; \
         `cargo xtask soak --seed N` begins at another.\n\n{}",
        git(&["describe", "--always", "--dirty", "--exclude=*"]).unwrap_or_default(),
        command::output(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])).unwrap_or_default(),
        aligned(&head, &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_bound_the_time_and_choose_the_seed() {
        let options = Options::parse(&["--minutes", "5", "--seed", "7", "--write"]).unwrap();
        assert_eq!(options, Options { minutes: 5, seed: Some(7), writes: true });
        assert!(Options::parse(&["--minutes"]).is_err() && Options::parse(&["--hours", "1"]).is_err());
    }

    #[test]
    fn number_of_tests_is_read_from_the_runners_summary() {
        assert_eq!(tests_passed("     Summary [ 165.187s] 136 tests run: 135 passed, 1 failed"), Some(135));
        assert_eq!(tests_passed("        PASS [   0.166s] (1/2) a"), None);
    }
}
