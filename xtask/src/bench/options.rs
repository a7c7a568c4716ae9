//! What the command line of `cargo xtask bench git` asked for.

use crate::Result;

/// More rounds would need more pushes than were made beforehand.
const MOST_ROUNDS: usize = 5;
const SERVERS: [char; 4] = ['a', 'b', 'c', 'd'];

/// What to measure, and how thoroughly.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    only: Vec<String>,
    rounds: Option<usize>,
    servers: Vec<char>,
    quick: bool,
    write: bool,
}

impl Options {
    /// Reads the words after `cargo xtask bench git`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options =
            Self { only: Vec::new(), rounds: None, servers: SERVERS.to_vec(), quick: false, write: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            match *word {
                "--only" => options.only.push((*value()?).to_owned()),
                "--rounds" => options.rounds = Some(rounds(value()?)?),
                "--servers" => options.servers = servers(value()?)?,
                "--quick" => options.quick = true,
                "--write" => options.write = true,
                other => return Err(format!("unknown option `{other}`; see `cargo xtask help`")),
            }
        }
        if options.quick && options.write {
            return Err("`--write` is for whole measurements, not for `--quick`".to_owned());
        }
        Ok(options)
    }

    pub(super) fn only(&self) -> &[String] {
        &self.only
    }

    pub(super) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 })
    }

    pub(super) fn wants(&self, server: char) -> bool {
        self.servers.contains(&server)
    }

    pub(super) fn is_quick(&self) -> bool {
        self.quick
    }

    pub(super) fn writes(&self) -> bool {
        self.write
    }
}

fn rounds(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(rounds @ 1..=MOST_ROUNDS) => Ok(rounds),
        _ => Err(format!("`{text}` is not a number of rounds from 1 to {MOST_ROUNDS}")),
    }
}

fn servers(text: &str) -> Result<Vec<char>> {
    let one = |part: &str| match part.trim().chars().next() {
        Some(letter) if part.trim().len() == 1 && SERVERS.contains(&letter) => Ok(letter),
        _ => Err(format!("`{part}` is no server: a (SQLite), b (PostgreSQL), c (stock), d (subprocess)")),
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_narrow_a_run() {
        let options = Options::parse(&["--only", "depth1", "--rounds", "5", "--servers", "a,c"]).unwrap();
        assert_eq!((options.only(), options.rounds()), (&["depth1".to_owned()][..], 5));
        assert_eq!(SERVERS.map(|server| options.wants(server)), [true, false, true, false]);
        assert_eq!(Options::parse(&[]).unwrap().rounds(), 3);
    }

    #[test]
    fn nonsense_is_refused() {
        for words in [
            &["--rounds", "6"][..],
            &["--rounds", "0"],
            &["--rounds"],
            &["--servers", "a,e"],
            &["--servers", ""],
            &["--quick", "--write"],
            &["all"],
        ] {
            assert!(Options::parse(words).is_err(), "{words:?}");
        }
    }
}
