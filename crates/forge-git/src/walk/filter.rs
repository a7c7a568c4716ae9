//! What a partial clone leaves out. See `--filter` in git-rev-list(1).

use crate::objects::ObjectKind;
use crate::{Error, Result};

/// Conditions that an object must all meet to be sent. What the client asks for by name is sent whatever they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    blobs_below: Option<u64>,
    depth_below: Option<u32>,
    kind: Option<ObjectKind>,
}

/// How deep `combine:` may nest.
const NESTING: usize = 4;

impl Filter {
    /// Reads a filter as it stands in a request. `sparse:oid` is not offered: it reads an object by name.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut filter = Self::default();
        filter.add(text, NESTING)?;
        Ok(filter)
    }

    fn add(&mut self, text: &str, nesting: usize) -> Result<()> {
        let refuse = || {
            let shown: String = text.chars().take(100).flat_map(char::escape_default).collect();
            Error::Protocol(format!("filter `{shown}` is not offered"))
        };
        if text == "blob:none" {
            self.limit_blobs(0);
        } else if let Some(size) = text.strip_prefix("blob:limit=") {
            self.limit_blobs(size_in_bytes(size).ok_or_else(refuse)?);
        } else if let Some(depth) = text.strip_prefix("tree:") {
            let depth: u32 = depth.parse().map_err(|_| refuse())?;
            self.depth_below = Some(self.depth_below.map_or(depth, |other| other.min(depth)));
        } else if let Some(kind) = text.strip_prefix("object:type=") {
            let kind = [ObjectKind::Commit, ObjectKind::Tree, ObjectKind::Blob, ObjectKind::Tag]
                .into_iter()
                .find(|known| known.as_str() == kind)
                .ok_or_else(refuse)?;
            if self.kind.is_some_and(|other| other != kind) {
                return Err(refuse());
            }
            self.kind = Some(kind);
        } else if let Some(parts) = text.strip_prefix("combine:").filter(|_| nesting > 0) {
            for part in parts.split('+') {
                self.add(&percent_decoded(part).ok_or_else(refuse)?, nesting - 1)?;
            }
        } else {
            return Err(refuse());
        }
        Ok(())
    }

    fn limit_blobs(&mut self, below: u64) {
        self.blobs_below = Some(self.blobs_below.map_or(below, |other| other.min(below)));
    }

    /// Is nothing left out?
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Does `depth`, 0 for what a commit points to, admit an object?
    pub(crate) fn admits_depth(&self, depth: u32) -> bool {
        self.depth_below.is_none_or(|below| depth < below)
    }

    /// Is an object of this kind ever sent?
    pub(crate) fn admits_kind(&self, kind: ObjectKind) -> bool {
        self.kind.is_none_or(|only| only == kind)
            && !(kind == ObjectKind::Blob && self.blobs_below == Some(0))
    }

    /// Returns the size from which on blobs are left out, if that is to be asked at all.
    pub(crate) fn blobs_below(&self) -> Option<u64> {
        self.blobs_below
    }

    /// Does the depth of a tree matter, so that one must be entered again from nearer to the root?
    pub(crate) fn counts_depth(&self) -> bool {
        self.depth_below.is_some()
    }
}

/// Reads `12`, `12k`, `12m` or `12g`.
fn size_in_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 10),
        b'm' => (&text[..text.len() - 1], 20),
        b'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_git_writes_them() {
        let none = Filter::parse("blob:none").unwrap();
        assert!(!none.admits_kind(ObjectKind::Blob) && none.admits_kind(ObjectKind::Tree));
        assert_eq!(Filter::parse("blob:limit=2k").unwrap().blobs_below(), Some(2048));
        let tree = Filter::parse("tree:1").unwrap();
        assert!(tree.admits_depth(0) && !tree.admits_depth(1));
        let both = Filter::parse("combine:blob:none+tree:3").unwrap();
        assert!(!both.admits_kind(ObjectKind::Blob) && !both.admits_depth(3) && both.admits_depth(2));
        let nested = Filter::parse("combine:combine:tree%3a2%2bblob%3Alimit=5+tree:4").unwrap();
        assert!(!nested.admits_depth(2) && nested.blobs_below() == Some(5));
        assert!(!Filter::parse("object:type=tag").unwrap().admits_kind(ObjectKind::Commit));
    }

    #[test]
    fn what_is_not_offered_or_does_not_read_is_refused() {
        for text in [
            "",
            "sparse:oid=HEAD",
            "sparse:path=x",
            "blob:limit=",
            "blob:limit=99999999999g",
            "tree:-1",
            "tree:x",
            "object:type=all",
            "combine:",
            "combine:blob:none+%",
            "combine:object:type=tag+object:type=blob",
            "combine:combine:combine:combine:combine:blob:none",
        ] {
            assert!(matches!(Filter::parse(text), Err(Error::Protocol(_))), "{text}");
        }
    }
}
