//! Checking the chain: that no event was changed, dropped, inserted, moved or cut off. Pure: it is given links in order, from
//! the database or from an export, and checkpoints from wherever somebody kept them.
//!
//! Every link is checked against the hash that the log holds before it, so that one change is one finding and the rest of
//! the log is still examined. What the whole log says is then compared with what was signed at the time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use forge_auth::signing::PublicKey;
use serde::{Deserialize, Serialize};

use super::checkpoint::Published;
use super::seal::{beginning, link};

/// Findings that are told one by one; the rest are counted.
const TOLD: usize = 100;

/// One event in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place.
    pub position: i64,
    /// The hash that the log holds for this place.
    pub hash: Vec<u8>,
    /// What the event itself says.
    pub event: Examined,
}

/// What became of looking at one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Its number in the database.
    pub id: i64,
    /// SHA-256 of its content as it is now.
    pub content_hash: [u8; 32],
    /// What is wrong with it.
    pub problem: Option<String>,
    /// Whether its personal fields were erased.
    pub is_erased: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The chain.
    pub chain: Option<String>,
    /// The first place that was seen.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// How many events were checked in their places.
    pub sealed: u64,
    /// How many have no place yet.
    pub unsealed: u64,
    /// Of how many the personal fields were erased.
    pub erased: u64,
    /// How many good checkpoints agree with the log.
    pub checkpoints: u64,
    /// Through which place a checkpoint vouches for the log.
    pub vouched: i64,
    /// What is no fault and should be known.
    pub notes: Vec<String>,
    /// What is wrong, in sentences; no more than a hundred.
    pub findings: Vec<String>,
    /// How many things are wrong.
    pub finding_count: u64,
}

impl Report {
    /// Returns the report for a person, without the findings.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = match &self.chain {
            Some(chain) => {
                writeln!(
                    text,
                    "chain {chain}: {} events, positions {} to {}",
                    self.sealed, self.first, self.last
                )
            }
            None => writeln!(text, "no event is sealed yet"),
        };
        let _ = writeln!(text, "unsealed tail: {} events", self.unsealed);
        let _ = match self.checkpoints {
            0 => writeln!(text, "checkpoints: none"),
            count => writeln!(text, "checkpoints: {count} agree, the last at position {}", self.vouched),
        };
        if self.erased > 0 {
            let _ = writeln!(text, "personal fields erased: {} events", self.erased);
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }
}

/// A chain that is being checked.
#[derive(Debug, Default)]
pub struct Chain {
    report: Report,
    before: Option<Vec<u8>>,
    checkpoints: BTreeMap<i64, Vec<Published>>,
    has_checkpoints: bool,
}

impl Chain {
    /// Starts with checkpoints and the keys they must be signed with.
    #[must_use]
    pub fn new(checkpoints: Vec<Published>, keys: &[PublicKey]) -> Self {
        let mut chain = Self { has_checkpoints: !checkpoints.is_empty(), ..Self::default() };
        for checkpoint in checkpoints {
            if checkpoint.is_signed_by(keys) {
                chain.checkpoints.entry(checkpoint.position).or_default().push(checkpoint);
            } else {
                let (position, key) = (checkpoint.position, &checkpoint.key_id);
                chain.find(format!("the checkpoint at position {position} is not signed by the key `{key}`"));
            }
        }
        chain
    }

    /// Says which chain the log claims to be.
    pub fn name(&mut self, chain: &str) {
        match &self.report.chain {
            None => self.report.chain = Some(chain.to_owned()),
            Some(known) if known == chain => {}
            Some(known) => {
                let words = format!("an event says that it is of the chain `{chain}`, not of `{known}`");
                self.find(words);
            }
        }
    }

    /// Adds what cannot be read.
    pub fn find(&mut self, problem: String) {
        self.report.finding_count += 1;
        if self.report.findings.len() < TOLD {
            self.report.findings.push(problem);
        }
    }

    /// Adds something that should be known.
    pub fn note(&mut self, note: impl Into<String>) {
        self.report.notes.push(note.into());
    }

    /// Checks the next event.
    pub fn link(&mut self, link: &Link) {
        let position = link.position;
        if self.report.sealed == 0 {
            self.begin(link);
        } else if position != self.report.last + 1 {
            self.jump(position);
        }
        self.report.sealed += 1;
        self.report.last = position;
        self.examine(&link.event, &format!("the event at position {position}"));
        self.check_hash(link);
        self.before = Some(link.hash.clone());
        for checkpoint in self.checkpoints.remove(&position).unwrap_or_default() {
            self.compare(&checkpoint, link);
        }
    }

    /// Checks an event that has no place yet.
    pub fn unsealed(&mut self, event: &Examined) {
        self.report.unsealed += 1;
        self.examine(event, &format!("the unsealed event {}", event.id));
    }

    /// Ends: checkpoints beyond the end tell what was cut off.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let (first, last) = (self.report.first, self.report.last);
        for (position, checkpoints) in std::mem::take(&mut self.checkpoints) {
            if position > last {
                for _ in checkpoints {
                    self.find(format!(
                        "the log ends at position {last}, but a checkpoint was signed at position {position}: \
                         what came after was cut off"
                    ));
                }
            } else if position >= first {
                self.find(format!(
                    "there is no event at position {position}, at which a checkpoint was signed"
                ));
            }
        }
        if !self.has_checkpoints {
            self.note("no checkpoint was given: whoever could write the log could also have written it anew");
        } else if self.report.vouched < last {
            let since = self.report.vouched + 1;
            self.note(format!("no checkpoint vouches for positions {since} to {last} yet"));
        }
        self.report
    }

    fn begin(&mut self, link: &Link) {
        self.report.first = link.position;
        self.report.last = link.position;
        if link.position == 1 {
            self.before = self.report.chain.as_ref().map(|chain| beginning(chain).to_vec());
            return;
        }
        let before = self.checkpoints.get(&(link.position - 1)).and_then(|all| all.first());
        self.before = before.and_then(|one| data_encoding::HEXLOWER.decode(one.hash.as_bytes()).ok());
        let position = link.position;
        self.note(format!("the log begins at position {position}; what came before was not looked at"));
    }

    fn jump(&mut self, position: i64) {
        let expected = self.report.last + 1;
        // What is missing or out of order is said once; the next link is then taken as it is.
        self.before = None;
        if position <= self.report.last {
            self.find(format!("position {position} comes after position {}", self.report.last));
        } else if position == expected + 1 {
            self.find(format!("the event at position {expected} is missing"));
        } else {
            self.find(format!("the events at positions {expected} to {} are missing", position - 1));
        }
    }

    fn examine(&mut self, event: &Examined, what: &str) {
        if event.is_erased {
            self.report.erased += 1;
        }
        if let Some(problem) = &event.problem {
            self.find(format!("{what} {problem}"));
        }
    }

    fn check_hash(&mut self, found: &Link) {
        let Some(before) = &self.before else { return };
        if link(before, &found.event.content_hash).as_slice() != found.hash {
            self.find(format!("the chain does not hold at position {}", found.position));
        }
    }

    fn compare(&mut self, checkpoint: &Published, link: &Link) {
        let position = link.position;
        if self.report.chain.as_ref().is_some_and(|chain| *chain != checkpoint.chain) {
            let words =
                format!("the checkpoint at position {position} is of the chain `{}`", checkpoint.chain);
            return self.find(words);
        }
        if checkpoint.hash != data_encoding::HEXLOWER.encode(&link.hash) {
            return self.find(format!("the log at position {position} is not what was signed there"));
        }
        self.report.checkpoints += 1;
        self.report.vouched = self.report.vouched.max(position);
    }
}
