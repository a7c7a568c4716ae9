//! Objects that no check of git finds anything about. The rules here are narrower than git's: what they do not know is not
//! wrong, but for git to judge. See `fsck.<msg-id>` in git-fsck(1).

use forge_types::ObjectFormat;

use super::Object;
use crate::objects::{ObjectKind, hash_kind, identity_parts};

/// Is the object as every client writes it? `blob` reads a blob by the bytes of its id, wherever it is.
pub(super) fn is_clean(
    object: &Object,
    format: ObjectFormat,
    blob: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> bool {
    match object.kind {
        ObjectKind::Blob => true,
        ObjectKind::Tree => is_clean_tree(&object.data, format, blob),
        ObjectKind::Commit => is_clean_commit(&object.data, format),
        ObjectKind::Tag => is_clean_tag(&object.data, format),
    }
}

/// Names that a file system may take for `.git` or that git reads settings from.
fn is_plain_name(name: &[u8]) -> bool {
    let begins_with =
        |word: &[u8]| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let is_known = matches!(
        name,
        b".gitignore" | b".gitattributes" | b".github" | b".gitkeep" | b".gitlab" | b".gitlab-ci.yml"
    );
    let is_git = begins_with(b".git") || begins_with(b"git~") || begins_with(b"gi7");
    let has_odd_byte = name.iter().any(|byte| {
        // The last two begin the characters that HFS+ leaves out of names.
        matches!(byte, 0..=31 | b'/' | b'\\' | b':' | b'~' | 127 | 0xe2 | 0xef)
    });
    !name.is_empty()
        && name.len() <= 1000
        && name != b"."
        && name != b".."
        && (!is_git || is_known)
        && !has_odd_byte
}

/// Attributes are read by every client: git bounds the length of their lines.
fn is_plain_attributes(text: &[u8]) -> bool {
    text.len() <= 100_000 && text.split(|byte| *byte == b'\n').all(|line| line.len() < 2000)
}

fn is_clean_tree(data: &[u8], format: ObjectFormat, blob: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
    let mut names = std::collections::HashSet::new();
    let mut last: Option<Vec<u8>> = None;
    let mut rest = data;
    while !rest.is_empty() {
        let Some(space) = rest.iter().position(|byte| *byte == b' ') else { return false };
        let mode = &rest[..space];
        if !matches!(mode, b"40000" | b"100644" | b"100755" | b"120000" | b"160000") {
            return false;
        }
        let is_tree = mode == b"40000";
        rest = &rest[space + 1..];
        let Some(end) = rest.iter().position(|byte| *byte == 0) else { return false };
        let name = &rest[..end];
        let Some(id) = rest.get(end + 1..end + 1 + format.raw_len()) else { return false };
        rest = &rest[end + 1 + format.raw_len()..];
        if !is_plain_name(name) || id.iter().all(|byte| *byte == 0) || !names.insert(name) {
            return false;
        }
        // What git reads settings from must not be a link.
        let is_settings = name.starts_with(b".git") || name.eq_ignore_ascii_case(b".mailmap");
        if is_settings && mode == b"120000" {
            return false;
        }
        if name == b".gitattributes" && (is_tree || !blob(id).is_some_and(|text| is_plain_attributes(&text)))
        {
            return false;
        }
        let mut key = name.to_vec();
        if is_tree {
            key.push(b'/');
        }
        if last.as_ref().is_some_and(|last| *last >= key) {
            return false;
        }
        last = Some(key);
    }
    true
}

fn is_clean_commit(data: &[u8], format: ObjectFormat) -> bool {
    let Some(mut header) = header_of(data) else { return false };
    if !take_id(&mut header, b"tree ", format) {
        return false;
    }
    while header.starts_with(b"parent ") {
        if !take_id(&mut header, b"parent ", format) {
            return false;
        }
    }
    let authors = [&b"author "[..], b"committer "];
    if !authors.iter().all(|word| take_line(&mut header, word).is_some_and(is_clean_signature)) {
        return false;
    }
    // Further lines, such as signatures: a second author would be found among them.
    !header.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"author "))
        && gix::objs::CommitRef::from_bytes(data, hash_kind(format)).is_ok()
}

fn is_clean_tag(data: &[u8], format: ObjectFormat) -> bool {
    let Some(mut header) = header_of(data) else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_tag_name = |name: &[u8]| {
        // Dots only between other characters.
        name.split(|byte| *byte == b'.').all(|part| !part.is_empty() && part.iter().all(is_name))
            && !name.starts_with(b"-")
            && !name.ends_with(b".lock")
    };
    take_id(&mut header, b"object ", format)
        && take_line(&mut header, b"type ")
            .is_some_and(|kind| matches!(kind, b"commit" | b"tree" | b"blob" | b"tag"))
        && take_line(&mut header, b"tag ").is_some_and(is_tag_name)
        && take_line(&mut header, b"tagger ").is_some_and(is_clean_signature)
        && header.is_empty()
        && gix::objs::TagRef::from_bytes(data, hash_kind(format)).is_ok()
}

/// Returns the lines before the message, each with its line feed. No object has a zero byte.
fn header_of(data: &[u8]) -> Option<&[u8]> {
    let end = data.windows(2).position(|pair| pair == b"\n\n")?;
    (!data.contains(&0)).then_some(&data[..=end])
}

fn take_line<'a>(header: &mut &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let rest = header.strip_prefix(word)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    *header = &rest[end + 1..];
    Some(&rest[..end])
}

fn take_id(header: &mut &[u8], word: &[u8], format: ObjectFormat) -> bool {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    take_line(header, word).is_some_and(|hex| hex.len() == format.hex_len() && hex.iter().all(is_digit))
}

/// Has it a name, and a time that every git can represent?
fn is_clean_signature(line: &[u8]) -> bool {
    identity_parts(line)
        .is_some_and(|(name, seconds)| name.len() > 1 && !name.starts_with(b" ") && seconds.len() <= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_clean_name(name: &[u8], mode: &[u8]) -> bool {
        let data = [mode, b" ", name, b"\0", &[7; 20]].concat();
        let tree = Object { kind: ObjectKind::Tree, data };
        is_clean(&tree, ObjectFormat::Sha1, &mut |_| Some(b"* text\n".to_vec()))
    }

    #[test]
    fn ordinary_names_are_clean_and_those_that_mislead_are_for_git_to_judge() {
        for name in ["a", "Makefile", ".gitignore", ".gitattributes", ".github", "git", "\u{e4}\u{f6}", "x y"]
        {
            assert!(is_clean_name(name.as_bytes(), b"100644"), "{name}");
        }
        for name in [
            ".",
            "..",
            ".git",
            ".GIT",
            ".gitmodules",
            ".Gitmodules",
            "git~1",
            "GIT~1",
            "gi7eba~1",
            ".git ",
            ".git.",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            "a\\b",
            "a:b",
            ".gitfoo",
            "\u{feff}.git",
        ] {
            assert!(!is_clean_name(name.as_bytes(), b"100644"), "{name}");
        }
        assert!(is_clean_name(b"link", b"120000") && !is_clean_name(b".gitignore", b"120000"));
        for mode in [&b"040000"[..], b"100664", b"0", b"100600"] {
            assert!(!is_clean_name(b"a", mode), "{}", mode.escape_ascii());
        }
    }

    #[test]
    fn signatures_are_clean_as_every_client_writes_them() {
        for line in [&b"A <a@b> 1700000000 +0100"[..], b"A B <> 0 -0000"] {
            assert!(is_clean_signature(line), "{}", line.escape_ascii());
        }
        for line in [
            &b"<a@b> 1 +0000"[..],
            b"A<a@b> 1 +0000",
            b"A <a@b>1 +0000",
            b"A <a@b> 01 +0000",
            b"A <a@b> 1 +00000",
            b"A <a<b> 1 +0000",
            b"A <a@b> 99999999999 +0000",
            b"A > <a@b> 1 +0000",
            b"A <a@b> 1",
        ] {
            assert!(!is_clean_signature(line), "{}", line.escape_ascii());
        }
    }
}
