//! Commits and tags of which every byte is the caller's, and annotated tags.
//!
//! What a signature was made over must not be changed by a byte. INVARIANT: what is wrong is refused, not mended; `git fsck
//! --strict` finds nothing about what is added here.

use forge_types::ObjectId;

use super::{ObjectKind, PackBuilder, Signature};
use crate::{Error, Result};

/// A commit in its own bytes.
#[derive(Clone, Debug)]
pub struct ExactCommit<'a> {
    /// The directory it records.
    pub tree_id: ObjectId,
    /// The commits it follows.
    pub parent_ids: &'a [ObjectId],
    /// Who wrote the change: `Name <address> seconds zone`.
    pub author: &'a [u8],
    /// Who made the commit, in the same form.
    pub committer: &'a [u8],
    /// The armoured signature, if there is one; line feeds between its lines.
    pub signature: Option<&'a [u8]>,
    /// What it says. Nothing is added.
    pub message: &'a [u8],
}

/// What a new annotated tag says.
#[derive(Clone, Debug)]
pub struct TagDraft {
    /// What it stands for.
    pub target_id: ObjectId,
    /// What kind of object that is.
    pub target_kind: ObjectKind,
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// Who made it.
    pub tagger: Signature,
    /// What it says. A line feed at the end is added when there is none.
    pub message: String,
}

impl PackBuilder {
    /// Adds a commit as it is given. Whether its tree and parents exist is not looked at.
    pub fn exact_commit(&mut self, commit: &ExactCommit<'_>) -> Result<ObjectId> {
        if commit.message.contains(&0) {
            return Err(Error::protocol("a message cannot have a zero byte"));
        }
        let mut text = format!("tree {}\n", commit.tree_id).into_bytes();
        for parent in commit.parent_ids {
            text.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        for (word, line) in [("author", commit.author), ("committer", commit.committer)] {
            if !is_identity(line) {
                return Err(Error::Protocol(format!("the {word} is not `Name <address> seconds zone`")));
            }
            text.extend_from_slice(&[word.as_bytes(), b" ", line, b"\n"].concat());
        }
        if let Some(signature) = commit.signature {
            let word = match commit.tree_id {
                ObjectId::Sha1(_) => "gpgsig",
                ObjectId::Sha256(_) => "gpgsig-sha256",
            };
            push_header(&mut text, word, signature)?;
        }
        text.push(b'\n');
        text.extend_from_slice(commit.message);
        self.add(ObjectKind::Commit, &text)
    }

    /// Adds an annotated tag.
    pub fn tag(&mut self, draft: &TagDraft) -> Result<ObjectId> {
        if gix::validate::tag::name(draft.name.as_str().into()).is_err() {
            return Err(Error::Protocol(format!("`{}` is not allowed as the name of a tag", draft.name)));
        }
        let mut text = format!(
            "object {}\ntype {}\ntag {}\ntagger {}\n\n{}",
            draft.target_id,
            draft.target_kind.as_str(),
            draft.name,
            draft.tagger.encode(),
            draft.message.replace('\0', "")
        );
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.add(ObjectKind::Tag, text.as_bytes())
    }
}

/// Appends a header of several lines: each but the first begins with a space.
fn push_header(text: &mut Vec<u8>, word: &str, value: &[u8]) -> Result<()> {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    if value.is_empty() || value.contains(&0) {
        return Err(Error::protocol("the signature is empty or has a zero byte"));
    }
    text.extend_from_slice(word.as_bytes());
    for line in value.split(|byte| *byte == b'\n') {
        text.push(b' ');
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    Ok(())
}

/// Is it `Name <address> seconds zone`? See "fsck.<msg-id>" in git-fsck(1), from `badDate` to `missingSpaceBeforeEmail`.
fn is_identity(line: &[u8]) -> bool {
    identity_parts(line).is_some()
}

/// The same; returns the name, with the space behind it, and the seconds.
pub(crate) fn identity_parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = line.split_at(line.iter().position(|byte| *byte == b'<')?);
    let close = rest.iter().position(|byte| *byte == b'>')?;
    let (address, time) = (&rest[1..close], rest[close + 1..].strip_prefix(b" ")?);
    let space = time.iter().position(|byte| *byte == b' ')?;
    let (seconds, zone) = (&time[..space], &time[space + 1..]);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let is_plain = |text: &[u8]| !text.iter().any(|byte| matches!(byte, 0 | b'\n' | b'<' | b'>'));
    let is_good = name.ends_with(b" ")
        && is_plain(name)
        && is_plain(address)
        && is_number(seconds)
        && seconds.len() <= 18
        && (seconds == b"0" || seconds[0] != b'0')
        && matches!(zone, [b'+' | b'-', digits @ ..] if digits.len() == 4 && is_number(digits));
    is_good.then_some((name, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_those_that_fsck_accepts() {
        for line in [&b"A B <a@b> 1700000000 -0530"[..], b" <> 0 +0000", b"\xe4 <\xfc> 1 +0000"] {
            assert!(is_identity(line), "{}", line.escape_ascii());
        }
        for line in [
            &b"A <a> 1"[..],
            b"A<a> 1 +0000",
            b"A <a>1 +0000",
            b"A <a> 01 +0000",
            b"A <a> 1 0000",
            b"A <a> 1 +000",
            b"A <a<> 1 +0000",
            b"A > <a> 1 +0000",
            b"A <a> 1 +0000\nx",
            b"A <a> 99999999999999999999 +0000",
            b"",
        ] {
            assert!(!is_identity(line), "{}", line.escape_ascii());
        }
    }
}
