//! Ref names: what Git accepts, what this forge lets be created, and what kind of ref a name is.
//!
//! Two rules, on purpose. [`RefName::new`] is `git check-ref-format`, byte for byte: every name that is stored, shown or
//! deleted has passed it. [`RefName::check_creatable`] is stricter and holds for names that come into being: nothing that
//! looks like another ref, that a shell or a person misreads, or that differs from a stored name only in a way that is not
//! seen. INVARIANT: comparisons for permission use the full bytes of a name; [`RefName::fold`] is for finding collisions only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest name that is accepted, in bytes. Git's file refs end at 255 bytes per component; GitHub's at 255 in all
/// for a branch.
const MAX_LEN: usize = 1024;

/// The longest component that is accepted, in bytes: what a file name may have, less room for `.lock`.
const MAX_COMPONENT_LEN: usize = 250;

/// Prefixes under which only the forge itself keeps refs, or which have a meaning of their own in a working copy.
const INTERNAL: [&str; 9] = [
    "refs/forge/",
    "refs/keep-around/",
    "refs/replace/",
    "refs/remotes/",
    "refs/stash",
    "refs/bisect/",
    "refs/worktree/",
    "refs/rewritten/",
    "refs/original/",
];

/// A full ref name that `git check-ref-format` accepts, such as `refs/heads/main`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RefName(String);

/// Why a name is no ref name, or may not come into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRefName {
    reason: &'static str,
}

impl InvalidRefName {
    /// Returns what is wrong, as the end of a sentence that begins with the name.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for InvalidRefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid ref name: {}", self.reason)
    }
}

impl std::error::Error for InvalidRefName {}

/// What a ref is for, which decides who may see and move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefKind {
    /// `refs/heads/…`
    Branch,
    /// `refs/tags/…`
    Tag,
    /// `refs/notes/…`
    Note,
    /// `refs/pull/…`, written by the forge alone, shown on request.
    Pull,
    /// Names the forge keeps for itself, and names that mean something in a working copy only. Never shown, never pushed.
    Internal,
    /// Any other name under `refs/`.
    Other,
}

/// The one place that says which refs are whose:
///
/// | kind | shown to readers, fetched by name or id | part of a full clone, of forks and of packs that are copied | pushed |
/// | --- | --- | --- | --- |
/// | branch, tag, note, other | yes | yes | yes |
/// | pull request | yes, as on GitHub | no: `git clone` asks for none | no: by the forge alone |
/// | internal | no | no | no |
impl RefKind {
    /// Is a ref of this kind shown to whoever may read the repository?
    pub fn is_shown(self) -> bool {
        self != Self::Internal
    }

    /// Does a ref of this kind belong to the repository itself: to full clones, to forks, to the pack that is copied?
    pub fn is_own(self) -> bool {
        match self {
            Self::Branch | Self::Tag | Self::Note | Self::Other => true,
            Self::Pull | Self::Internal => false,
        }
    }

    /// May a client create, move or delete refs of this kind?
    pub fn is_writable_by_clients(self) -> bool {
        self.is_own()
    }
}

impl RefName {
    /// Checks a full name by the rules of `git check-ref-format`; it must begin with `refs/` and be UTF-8.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidRefName> {
        let name = name.into();
        check_format(&name)?;
        Ok(Self(name))
    }

    /// Checks the bytes of a full name, as they come from the wire.
    pub fn from_bytes(name: &[u8]) -> Result<Self, InvalidRefName> {
        let name = std::str::from_utf8(name).map_err(|_| InvalidRefName { reason: "it is not UTF-8" })?;
        Self::new(name)
    }

    /// Returns the ref of a branch from its short name.
    pub fn branch(short: &str) -> Result<Self, InvalidRefName> {
        Self::new(format!("refs/heads/{short}"))
    }

    /// Returns the ref of a tag from its short name.
    pub fn tag(short: &str) -> Result<Self, InvalidRefName> {
        Self::new(format!("refs/tags/{short}"))
    }

    /// Returns the full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what the ref is for.
    pub fn kind(&self) -> RefKind {
        let name = self.0.as_str();
        if name.starts_with("refs/heads/") {
            RefKind::Branch
        } else if name.starts_with("refs/tags/") {
            RefKind::Tag
        } else if name.starts_with("refs/notes/") {
            RefKind::Note
        } else if name.starts_with("refs/pull/") {
            RefKind::Pull
        } else if INTERNAL.iter().any(|prefix| is_at_or_below(name, prefix)) {
            RefKind::Internal
        } else {
            RefKind::Other
        }
    }

    /// Returns the name without `refs/heads/`, if this is a branch.
    pub fn branch_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/heads/")
    }

    /// Returns the name without `refs/tags/`, if this is a tag.
    pub fn tag_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/tags/")
    }

    /// Returns the name as people write it: short for branches and tags, full otherwise.
    pub fn short(&self) -> &str {
        self.branch_name().or_else(|| self.tag_name()).unwrap_or(&self.0)
    }

    /// Checks the stricter rules for a name that comes into being.
    pub fn check_creatable(&self) -> Result<(), InvalidRefName> {
        let refuse = |reason| Err(InvalidRefName { reason });
        if self.0.len() > MAX_LEN || self.0.split('/').any(|part| part.len() > MAX_COMPONENT_LEN) {
            return refuse("it is too long");
        }
        if self.0.nfc().ne(self.0.chars()) {
            return refuse("it is not in Unicode normalization form C");
        }
        if self.0.chars().any(is_unseen) {
            return refuse("it has an invisible or direction-changing character");
        }
        if self.0.split('/').any(|part| part.starts_with('-')) {
            return refuse("a part of it begins with `-`");
        }
        match self.branch_name().or_else(|| self.tag_name()) {
            Some("HEAD" | "@") => refuse("it would be mistaken for `HEAD`"),
            Some(short) if short == "refs" || short.starts_with("refs/") => {
                refuse("it would be mistaken for a full ref name")
            }
            Some(short) if looks_like_object_id(short) => refuse("it would be mistaken for an object id"),
            _ => Ok(()),
        }
    }

    /// Returns a key that is equal for names a case-insensitive file system takes for one another.
    pub fn fold(&self) -> String {
        // Lower first: the capital sharp s has no other way to the two letters that the small one is in capitals.
        let lower = self.0.nfkc().flat_map(char::to_lowercase);
        lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    }

    /// Returns the names that would be directories if this ref were a file, nearest first: none of them may be a ref.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.rmatch_indices('/').map(|(at, _)| &self.0[..at]).filter(|name| name.contains('/'))
    }
}

fn is_at_or_below(name: &str, prefix: &str) -> bool {
    let base = prefix.strip_suffix('/').unwrap_or(prefix);
    name.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn looks_like_object_id(short: &str) -> bool {
    matches!(short.len(), 40 | 64) && short.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Characters that are not seen, that change the direction of text, or that stand for another line or page.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_whitespace() && c != ' ')
}

/// The rules of git-check-ref-format(1), in its order, for a full name.
fn check_format(name: &str) -> Result<(), InvalidRefName> {
    let refuse = |reason| Err(InvalidRefName { reason });
    if !name.starts_with("refs/") {
        return refuse("it does not begin with `refs/`");
    }
    for component in name.split('/') {
        if component.is_empty() {
            return refuse("a part of it is empty");
        }
        if component.starts_with('.') {
            return refuse("a part of it begins with `.`");
        }
        if component.ends_with(".lock") {
            return refuse("a part of it ends with `.lock`");
        }
    }
    if name.contains("..") {
        return refuse("it contains `..`");
    }
    if name.bytes().any(|byte| byte < 0x20 || byte == 0x7f || b" ~^:?*[\\".contains(&byte)) {
        return refuse("it has a character that Git does not allow");
    }
    if name.ends_with('.') {
        return refuse("it ends with `.`");
    }
    if name.contains("@{") {
        return refuse("it contains `@{`");
    }
    Ok(())
}

impl AsRef<str> for RefName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RefName {
    type Err = InvalidRefName;

    fn from_str(name: &str) -> Result<Self, InvalidRefName> {
        Self::new(name)
    }
}

impl<'de> Deserialize<'de> for RefName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[path = "ref_name_tests.rs"]
mod tests;
