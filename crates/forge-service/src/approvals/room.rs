//! How much of what would change is shown: a person reads a page, not a book. What has no room is named.

use forge_git::objects::{Commit, Signature, Tag};

use crate::commits::{ChangedFile, FileComparison};

/// So many lines of all files are shown.
const LINES: usize = 4000;

/// So many bytes of all files.
const BYTES: usize = 1 << 20;

/// So many bytes of all messages of commits and tags, and of one.
const MESSAGES: usize = 256 << 10;
const MESSAGE: usize = 16 << 10;

/// So many bytes of a name or an address.
const NAME: usize = 512;

/// A commit as it is shown.
#[derive(Clone, Debug)]
pub struct ShownCommit {
    /// The commit; what has no room is cut off.
    pub commit: Commit,
    /// Was something cut off?
    pub is_cut: bool,
}

/// An annotated tag as it is shown.
#[derive(Clone, Debug)]
pub struct ShownTag {
    /// The tag; what has no room is cut off.
    pub tag: Tag,
    /// Was something cut off?
    pub is_cut: bool,
}

/// A file as it is shown.
#[derive(Clone, Debug)]
pub struct ShownFile {
    /// The file; of its hunks only what is shown is left.
    pub file: ChangedFile,
    /// Why not all of it is shown.
    pub hidden: Option<Hidden>,
}

/// Why a file is not shown whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// It is not text.
    Binary,
    /// It is too large to be compared.
    TooLarge,
    /// None of its lines has room: there are too many.
    TooManyLines,
    /// So many lines have no room.
    Lines(usize),
    /// Some of its bytes are no text.
    ReplacedBytes,
}

/// The room that is left.
#[derive(Debug)]
pub(super) struct Room {
    lines: usize,
    bytes: usize,
    messages: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { lines: LINES, bytes: BYTES, messages: MESSAGES }
    }
}

impl Room {
    pub(super) fn take_commit(&mut self, mut commit: Commit) -> ShownCommit {
        // What it was signed over is not shown.
        commit.signed = None;
        let is_cut = self.take_message(&mut commit.message)
            | cut_name(&mut commit.author)
            | cut_name(&mut commit.committer);
        ShownCommit { commit, is_cut }
    }

    pub(super) fn take_tag(&mut self, mut tag: Tag) -> ShownTag {
        tag.signed = None;
        let is_cut = self.take_message(&mut tag.message)
            | cut(&mut tag.name, NAME)
            | tag.tagger.as_mut().is_some_and(cut_name);
        ShownTag { tag, is_cut }
    }

    fn take_message(&mut self, message: &mut String) -> bool {
        let is_cut = cut(message, self.messages.min(MESSAGE));
        self.messages -= message.len();
        is_cut
    }

    pub(super) fn take_file(&mut self, mut file: ChangedFile) -> ShownFile {
        let hidden = self.hide(&mut file);
        ShownFile { file, hidden }
    }

    fn hide(&mut self, file: &mut ChangedFile) -> Option<Hidden> {
        match (file.comparison, &file.patch) {
            (FileComparison::Binary, _) => return Some(Hidden::Binary),
            (FileComparison::TooLarge, _) => return Some(Hidden::TooLarge),
            (FileComparison::Lines, None) => return Some(Hidden::TooManyLines),
            (FileComparison::Same, None) => {}
            (_, Some(patch)) => {
                let (shown, left_out) = self.take_lines(patch);
                if left_out > 0 {
                    file.patch = (!shown.is_empty()).then_some(shown);
                    return Some(Hidden::Lines(left_out));
                }
            }
        }
        file.has_replaced_bytes.then_some(Hidden::ReplacedBytes)
    }

    /// Returns what has room, and how many lines have none.
    fn take_lines(&mut self, patch: &str) -> (String, usize) {
        let (mut shown, mut left_out) = (Vec::new(), 0);
        for line in patch.split('\n') {
            if left_out > 0 || self.lines == 0 || self.bytes < line.len() {
                left_out += 1;
                continue;
            }
            self.lines -= 1;
            self.bytes -= line.len();
            shown.push(line);
        }
        (shown.join("\n"), left_out)
    }
}

fn cut_name(signature: &mut Signature) -> bool {
    cut(&mut signature.name, NAME) | cut(&mut signature.email, NAME)
}

/// Cuts a text to so many bytes; says whether anything was cut.
fn cut(text: &mut String, bytes: usize) -> bool {
    let is_cut = text.len() > bytes;
    if is_cut {
        let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    is_cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_counted() {
        let mut room = Room { lines: 2, bytes: 100, messages: 3 };
        assert_eq!(room.take_lines("@@\n+a\n+b\n+c"), ("@@\n+a".to_owned(), 2));
        assert_eq!(room.take_lines("+d"), (String::new(), 1));
        let mut message = "grüße".to_owned();
        assert!(room.take_message(&mut message));
        assert_eq!(message, "gr");
    }
}
