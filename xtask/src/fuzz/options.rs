//! What the command line of `cargo xtask fuzz` asks for.

use super::TARGETS;
use crate::Result;

/// How long a target runs when nothing is said: what it takes to believe that nothing is found.
const SECONDS: u64 = 1200;

/// The options of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    keeps: bool,
    writes: bool,
    targets: Vec<(&'static str, usize)>,
}

impl Options {
    /// Reads the words after `cargo xtask fuzz`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { seconds: SECONDS, keeps: false, writes: false, targets: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--seconds" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    options.seconds = number.ok_or("`--seconds` needs a number")?;
                }
                "--keep" => options.keeps = true,
                "--write" => options.writes = true,
                name => options.targets.push(find(name)?),
            }
        }
        Ok(options)
    }

    /// Returns the chosen targets; all of them if none was named.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let chosen = if self.targets.is_empty() { TARGETS.to_vec() } else { self.targets.clone() };
        chosen.into_iter()
    }

    /// Returns the seconds of processor time that each target is given.
    pub(super) fn seconds(&self) -> u64 {
        self.seconds
    }

    /// Are the inputs found so far to be committed, instead of more to be looked for?
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Is the page to be written?
    pub(super) fn writes(&self) -> bool {
        self.writes
    }
}

fn find(name: &str) -> Result<(&'static str, usize)> {
    let known = || TARGETS.map(|(name, _)| name).join(", ");
    let found = TARGETS.iter().find(|(target, _)| *target == name).copied();
    found.ok_or_else(|| format!("unknown target or option `{name}`: {}", known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_all_unless_some_are_named() {
        let all = Options::parse(&[]).unwrap();
        assert_eq!((all.targets().count(), all.seconds()), (TARGETS.len(), SECONDS));
        let some = Options::parse(&["--seconds", "5", "pack", "--write"]).unwrap();
        assert_eq!((some.targets().count(), some.seconds(), some.writes()), (1, 5, true));
        assert!(Options::parse(&["packs"]).is_err() && Options::parse(&["--seconds"]).is_err());
    }

    #[test]
    fn every_target_of_the_crate_is_known() {
        let source = std::fs::read_to_string(crate::workspace_root().join("fuzz/src/lib.rs")).unwrap();
        for (name, max_len) in TARGETS {
            assert!(source.contains(&format!("target(\"{name}\", ")), "{name}");
            assert!(source.contains(&format!(", {max_len})")), "{name}");
        }
        assert_eq!(source.matches("    target(\"").count(), TARGETS.len());
    }
}
