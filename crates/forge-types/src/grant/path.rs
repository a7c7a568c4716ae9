//! Paths that a grant denies.
//!
//! A pattern is written as in a `.gitignore` that lists whole paths: `*` and `?` stay within one part, `**` is any number
//! of parts. It denies more than it names, because there are more ways to reach a file than to write it: names that a file
//! system may take for the same are the same, and whoever replaces a directory on the way to what is denied, by a link, a
//! submodule or a file, has touched what is denied.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The longest pattern.
const MAX_LEN: usize = 512;

/// The most `**` in one pattern: each multiplies the ways a path can match.
const MAX_DEEP: usize = 3;

/// A pattern for paths in a repository, such as `.github/workflows/**`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PathPattern(String);

/// Why a text is no path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPathPattern(&'static str);

impl fmt::Display for InvalidPathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidPathPattern {}

impl PathPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// What is wrong, as a sentence about `paths_deny`.
    pub fn new(text: &str) -> Result<Self, InvalidPathPattern> {
        let refuse = |reason| Err(InvalidPathPattern(reason));
        if text.is_empty() || text.len() > MAX_LEN {
            return refuse("a path in paths_deny has 1 to 512 bytes");
        }
        if text.starts_with('/') || text.ends_with('/') || text.split('/').any(str::is_empty) {
            return refuse(
                "a path in paths_deny has no empty part; write `dir/**` for all below a directory",
            );
        }
        if text.split('/').any(|part| matches!(part, "." | "..") || (part.contains("**") && part != "**")) {
            return refuse("a path in paths_deny has no `.` or `..`, and `**` is a part of its own");
        }
        if text.split('/').filter(|part| *part == "**").count() > MAX_DEEP {
            return refuse("a path in paths_deny has at most three `**`");
        }
        if text.contains(['\\', '[', ']', '!']) || text.chars().any(char::is_control) {
            return refuse("a path in paths_deny knows `*`, `?` and `**` only");
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a change of the file, link or submodule at `path` touches what the pattern denies.
    #[must_use]
    pub fn is_touched_by(&self, path: &[u8]) -> bool {
        let path = fold(&String::from_utf8_lossy(path));
        let pattern = fold(&self.0);
        let path: Vec<&str> = path.split('/').collect();
        let pattern: Vec<&str> = pattern.split('/').collect();
        touches(&pattern, &path)
    }
}

/// Does the path match the pattern, or is it a place on the way to something that would? Below `**` everything is on the
/// way, so there only the whole pattern counts.
fn touches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((&"**", rest)), Some(_)) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        (Some((part, rest)), Some((name, below))) => {
            is_named(part.as_bytes(), name.as_bytes()) && touches(rest, below)
        }
    }
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => path.is_empty(),
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        (Some(_), None) => false,
        (Some((part, rest)), Some((name, below))) => {
            is_named(part.as_bytes(), name.as_bytes()) && matches(rest, below)
        }
    }
}

/// Matches one part; `*` is any number of bytes, `?` one character.
fn is_named(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                in_name += character(name, in_name);
            }
            Some(byte) if *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Returns how many bytes the character at `at` has.
fn character(name: &[u8], at: usize) -> usize {
    1 + name[at + 1..].iter().take_while(|byte| **byte & 0xC0 == 0x80).count()
}

/// Equal for names that a file system that ignores case or form, or trailing dots and spaces, takes for one another.
fn fold(text: &str) -> String {
    let folded: String = text
        .nfkc()
        .filter(|c| !is_ignored(*c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect();
    let parts: Vec<&str> = folded.split('/').map(trimmed).collect();
    parts.join("/")
}

fn trimmed(part: &str) -> &str {
    let trimmed = part.trim_end_matches(['.', ' ']);
    if trimmed.is_empty() { part } else { trimmed }
}

/// Characters that some file systems leave out when they compare names.
const fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}')
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
