//! Paths in the texts of git: quoted when they hold what would mislead. See `core.quotePath` in git-config(1).

use std::fmt::Write;

/// Returns a path as git writes it: in quotes, with escapes, if it has a control character, a quote, a backslash or a byte
/// that is not ASCII.
pub(super) fn quoted(path: &[u8]) -> String {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if path.iter().all(is_plain) {
        return path.iter().map(|byte| char::from(*byte)).collect();
    }
    let mut text = String::from("\"");
    for byte in path {
        match byte {
            7 => text.push_str("\\a"),
            8 => text.push_str("\\b"),
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            11 => text.push_str("\\v"),
            12 => text.push_str("\\f"),
            b'\r' => text.push_str("\\r"),
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            byte if is_plain(byte) => text.push(char::from(*byte)),
            // Writing to a string does not fail.
            byte => drop(write!(text, "\\{byte:03o}")),
        }
    }
    text.push('"');
    text
}

/// Returns a path below `a/` or `b/`.
pub(super) fn prefixed(prefix: &str, path: &[u8]) -> String {
    quoted(&[prefix.as_bytes(), path].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_quoted_as_by_git() {
        assert_eq!(quoted(b"a b/c"), "a b/c");
        assert_eq!(prefixed("a/", "\u{e4}\t\"\\\x01".as_bytes()), r#""a/\303\244\t\"\\\001""#);
    }
}
