//! The list of what was run and how it ended, printed at the end.

use std::time::{Duration, Instant};

use crate::Result;

/// What has been run so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
    closing_lines: Vec<String>,
}

struct Step {
    name: String,
    outcome: Result<()>,
    took: Duration,
}

impl Steps {
    /// Runs one step and remembers how it ended; the steps after it run all the same.
    pub(crate) fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        eprintln!("\n── {name}");
        let started = Instant::now();
        let result = step();
        let took = started.elapsed();
        let (outcome, value) = match result {
            Ok(value) => (Ok(()), Some(value)),
            Err(message) => {
                eprintln!("error: {message}");
                (Err(message), None)
            }
        };
        self.done.push(Step { name: name.to_owned(), outcome, took });
        value
    }

    /// Notes a step that could not run because of an earlier one. It counts as failed.
    pub(crate) fn not_run(&mut self, name: &str, because: &str) {
        let outcome = Err(format!("not run: {because}"));
        self.done.push(Step { name: name.to_owned(), outcome, took: Duration::ZERO });
    }

    /// Keeps the lines with which a test runner ended, to be repeated last.
    pub(crate) fn keep_closing_lines(&mut self, lines: Vec<String>) {
        self.closing_lines.extend(lines);
    }

    /// Prints the summary, the test runners' closing lines last, and fails if any step failed.
    pub(crate) fn finish(self) -> Result<()> {
        eprintln!("\n── summary");
        for step in &self.done {
            let seconds = step.took.as_secs_f32();
            match &step.outcome {
                Ok(()) => eprintln!("  passed  {:<24} {seconds:>7.1} s", step.name),
                Err(message) => eprintln!("  FAILED  {:<24} {seconds:>7.1} s  {message}", step.name),
            }
        }
        for line in &self.closing_lines {
            eprintln!("{line}");
        }
        let failed: Vec<&str> =
            self.done.iter().filter(|step| step.outcome.is_err()).map(|step| step.name.as_str()).collect();
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_and_later_steps_still_run() {
        let mut steps = Steps::default();
        assert!(steps.run("first", || Err::<(), _>("broken".to_owned())).is_none());
        assert_eq!(steps.run("second", || Ok(2)), Some(2));
        assert_eq!(steps.finish(), Err("failed: first".to_owned()));
    }

    #[test]
    fn a_step_that_could_not_run_counts_as_failed() {
        let mut steps = Steps::default();
        steps.not_run("tests", "no tools");
        assert_eq!(steps.finish(), Err("failed: tests".to_owned()));
    }

    #[test]
    fn a_run_without_failures_passes() {
        let mut steps = Steps::default();
        steps.run("only", || Ok(()));
        assert_eq!(steps.finish(), Ok(()));
    }
}
