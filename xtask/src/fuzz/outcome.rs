//! What came out of fuzzing a target: read from what libFuzzer says, kept, and shown on a page.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Result, command};

/// What came out of one run.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    executions: u64,
    cpu_seconds: f64,
    edges: u64,
    features: u64,
    inputs: u64,
    is_finding: bool,
}

impl Outcome {
    /// Reads the lines of the driver.
    pub(super) fn read(text: &str, cpu_seconds: f64) -> Result<Self> {
        let mut outcome =
            Self { executions: 0, cpu_seconds, edges: 0, features: 0, inputs: 0, is_finding: false };
        for line in text.lines() {
            // `#4096 pulse  cov: 983 ft: 3413 corp: 483/28Kb lim: 450 exec/s: 1325 rss: 180Mb`
            if let Some(rest) = line.strip_prefix('#') {
                let words: Vec<&str> = rest.split_ascii_whitespace().collect();
                let after = |name: &str| {
                    let at = words.iter().position(|word| *word == name)?;
                    words.get(at + 1)?.split('/').next()?.parse::<u64>().ok()
                };
                let first = words.first().and_then(|word| word.parse().ok());
                outcome.executions = first.unwrap_or(outcome.executions);
                outcome.edges = after("cov:").unwrap_or(outcome.edges);
                outcome.features = after("ft:").unwrap_or(outcome.features);
                outcome.inputs = after("corp:").unwrap_or(outcome.inputs);
            }
            if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
                outcome.executions = number.trim().parse().unwrap_or(outcome.executions);
            }
            outcome.is_finding |= line.starts_with("artifact_prefix=");
        }
        if outcome.executions == 0 {
            let last: Vec<&str> = text.lines().rev().take(3).collect();
            return Err(format!("the driver ran nothing: {}", last.join(" / ")));
        }
        Ok(outcome)
    }

    /// Fails if something was found.
    pub(super) fn check(&self, found: &Path) -> Result<()> {
        if !self.is_finding {
            return Ok(());
        }
        Err(format!(
            "an input breaks the target, see {}: mend it, and put the input into fuzz/corpus/",
            found.display()
        ))
    }

    /// Says it in a line.
    pub(super) fn summary(&self) -> String {
        let Self { executions, cpu_seconds, edges, features, inputs, is_finding } = self;
        let found = if *is_finding { "an input that breaks it" } else { "nothing" };
        format!(
            "{executions} executions in {cpu_seconds:.0} s, {edges} edges, {features} features, {inputs} inputs, found {found}"
        )
    }

    /// Keeps it for the page.
    pub(super) fn save(&self, file: &Path) -> Result<()> {
        let commit =
            command::output(Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]));
        let text = format!(
            "executions = {}\ncpu_seconds = {:.0}\nedges = {}\nfeatures = {}\ninputs = {}\nfinding = {}\ncommit = \"{}\"\n",
            self.executions,
            self.cpu_seconds,
            self.edges,
            self.features,
            self.inputs,
            self.is_finding,
            commit.unwrap_or_default(),
        );
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// Returns the line of the page for a target that was run.
pub(super) fn load(file: &Path, name: &str) -> Option<Vec<String>> {
    let table: toml::Table = fs::read_to_string(file).ok()?.parse().ok()?;
    let cell = |key: &str| table.get(key).map(|value| value.to_string().trim_matches('"').to_owned());
    let found = if table.get("finding")?.as_bool()? { "an input that breaks it" } else { "nothing" };
    let numbers = ["executions", "cpu_seconds", "edges", "features", "inputs", "commit"];
    let mut line = vec![name.to_owned(), found.to_owned()];
    line.extend(numbers.into_iter().filter_map(cell));
    Some(line)
}

/// Returns the section of the page.
pub(super) fn section(lines: &[Vec<String>]) -> String {
    let head = ["target", "found", "executions", "CPU seconds", "edges", "features", "inputs", "commit"];
    let head: Vec<String> = head.map(str::to_owned).to_vec();
    format!(
        "Written by `cargo xtask fuzz --write`: libFuzzer with the address sanitizer, overflow checks and debug assertions. \
         Edges and features as libFuzzer counts them over all code that is linked, inputs those that it found worth \
         keeping; the least of them that come by every edge are in `fuzz/corpus/`, and an ordinary test tries those.\n\n{}",
        crate::bench::aligned(&head, lines)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "#2\tINITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 40Mb\n\
        #900\tNEW    cov: 983 ft: 3413 corp: 483/28Kb lim: 450 exec/s: 13277 rss: 180Mb L: 55/424 MS: 4\n\
        stat::number_of_executed_units: 1234\n";

    #[test]
    fn numbers_are_read_from_what_the_driver_says() {
        let read = Outcome::read(SAID, 5.0).unwrap();
        let expected = Outcome {
            executions: 1234,
            cpu_seconds: 5.0,
            edges: 983,
            features: 3413,
            inputs: 483,
            is_finding: false,
        };
        assert_eq!(read, expected);
        assert!(read.check(Path::new("x")).is_ok());
    }

    #[test]
    fn finding_and_a_driver_that_does_nothing_are_failures() {
        let broken = format!("{SAID}artifact_prefix='found/'; Test unit written to found/crash-1\n");
        assert!(Outcome::read(&broken, 5.0).unwrap().check(Path::new("x")).is_err());
        assert!(Outcome::read("there is no target `x`\n", 0.1).is_err());
    }
}
