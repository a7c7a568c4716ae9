//! A commit made anew in another place: author, encoding and message stay byte for byte, the rest is new.

use forge_types::ObjectId;

use crate::objects::Signature;

/// Returns the bytes of a commit like `commit` with another tree, parents and committer. Signatures and other headers were
/// made over what it no longer is, and go.
pub(super) fn rewritten(
    commit: &[u8],
    tree_id: ObjectId,
    parent_ids: &[ObjectId],
    committer: &Signature,
) -> Vec<u8> {
    let end = commit.windows(2).position(|pair| pair == b"\n\n").map_or(commit.len(), |at| at + 1);
    let (header, message) = commit.split_at(end);
    let line =
        |word: &[u8]| header.split_inclusive(|byte| *byte == b'\n').find(|line| line.starts_with(word));
    let mut text = format!("tree {tree_id}\n").into_bytes();
    for parent in parent_ids {
        text.extend_from_slice(format!("parent {parent}\n").as_bytes());
    }
    text.extend_from_slice(line(b"author ").unwrap_or_default());
    text.extend_from_slice(format!("committer {}\n", committer.encode()).as_bytes());
    text.extend_from_slice(line(b"encoding ").unwrap_or_default());
    text.extend_from_slice(message);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_encoding_and_message_stay_and_signatures_go() {
        let id = |digit: &str| digit.repeat(40).parse::<ObjectId>().unwrap();
        let commit = b"tree 1\nparent 2\nauthor \xe4 <a> 1 +0000\ncommitter C <c> 2 +0000\ngpgsig -----\n x\n -----\nencoding latin1\n\n\xfc\n\nauthor x\n";
        let committer = Signature { name: "N".into(), email: "n@x".into(), seconds: 5, offset: 3600 };
        let expected = format!(
            "tree {}\nparent {}\nauthor \u{1} <a> 1 +0000\ncommitter N <n@x> 5 +0100\nencoding latin1\n\n\u{2}\n\nauthor x\n",
            id("a"),
            id("b")
        );
        let found = rewritten(commit, id("a"), &[id("b")], &committer);
        let found: Vec<u8> = found
            .iter()
            .map(|byte| match byte {
                0xe4 => 1,
                0xfc => 2,
                byte => *byte,
            })
            .collect();
        assert_eq!(String::from_utf8(found).unwrap(), expected);
    }
}
