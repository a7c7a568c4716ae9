//! Which commits of a walk are wanted, by what they say of themselves.

use super::LogQuery;
use crate::Result;
use crate::objects::{ObjectKind, Objects};
use crate::packs::Slot;

/// Decides about one commit after another.
pub(super) struct Filter<'a> {
    query: &'a LogQuery,
    buffer: Vec<u8>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(query: &'a LogQuery) -> Self {
        Self { query, buffer: Vec::new() }
    }

    /// Is this time not after the last one?
    pub(super) fn is_old_enough(&self, time: i64) -> bool {
        self.query.until.is_none_or(|until| time <= until)
    }

    /// Is a commit of this time wanted?
    pub(super) fn wants(&mut self, objects: &mut Objects, slot: Slot, time: i64) -> Result<bool> {
        if !self.is_old_enough(time) {
            return Ok(false);
        }
        if self.query.authors.is_empty() && self.query.committers.is_empty() {
            return Ok(true);
        }
        if objects.read_slot(slot, &mut self.buffer)? != ObjectKind::Commit {
            return Ok(false);
        }
        let is_one_of = |word: &[u8], wanted: &[Vec<u8>]| {
            let person = person(&self.buffer, word);
            wanted.is_empty() || wanted.iter().any(|part| has(person, part))
        };
        Ok(is_one_of(b"author ", &self.query.authors) && is_one_of(b"committer ", &self.query.committers))
    }
}

/// Returns `Name <address>` of a line of the header.
fn person<'a>(commit: &'a [u8], word: &[u8]) -> &'a [u8] {
    let mut lines = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let line = lines.find_map(|line| line.strip_prefix(word)).unwrap_or_default();
    let end = line.iter().rposition(|byte| *byte == b'>').map_or(line.len(), |at| at + 1);
    &line[..end]
}

fn has(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_from_the_header_only() {
        let commit = b"tree 1\nauthor A <a@b> 1 +0000\ncommitter C <c> 2 +0000\n\nauthor X <x> 1 +0000\n";
        assert_eq!(person(commit, b"author "), b"A <a@b>");
        assert_eq!(person(commit, b"committer "), b"C <c>");
        assert_eq!(person(b"tree 1\n\nauthor X <x>\n", b"author "), b"");
        assert!(has(b"A <a@b>", b"a@") && has(b"", b"") && !has(b"A", b"AB"));
    }
}
