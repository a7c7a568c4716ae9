//! Git's requests over smart HTTP, as `git` 2.47 sends them, encoded once before they are measured.

/// What an update of a ref starts from when the ref is new.
const ABSENT: &str = "0000000000000000000000000000000000000000";
const AGENT: &str = "agent=git/2.47.3-bench";

/// What a fetch asks for.
#[derive(Clone, Copy, Default)]
pub(super) struct Fetch<'a> {
    pub(super) wants: &'a [String],
    pub(super) haves: &'a [String],
    pub(super) depth: Option<u32>,
    pub(super) filter: Option<&'a str>,
}

/// Returns the body that asks for objects, in protocol version 2.
pub(super) fn fetch(asked: Fetch<'_>) -> Vec<u8> {
    let mut out = command("fetch");
    for line in ["thin-pack", "no-progress", "include-tag", "ofs-delta"] {
        packet(&mut out, &format!("{line}\n"));
    }
    if let Some(depth) = asked.depth {
        packet(&mut out, &format!("deepen {depth}\n"));
    }
    if let Some(filter) = asked.filter {
        packet(&mut out, &format!("filter {filter}\n"));
    }
    for id in asked.wants {
        packet(&mut out, &format!("want {id}\n"));
    }
    for id in asked.haves {
        packet(&mut out, &format!("have {id}\n"));
    }
    packet(&mut out, "done\n");
    out.extend_from_slice(b"0000");
    out
}

/// Returns the body that asks for the refs below these prefixes, for all when there is none.
pub(super) fn ls_refs(prefixes: &[&str]) -> Vec<u8> {
    let mut out = command("ls-refs");
    for line in ["peel", "symrefs", "unborn"] {
        packet(&mut out, &format!("{line}\n"));
    }
    for prefix in prefixes {
        packet(&mut out, &format!("ref-prefix {prefix}\n"));
    }
    out.extend_from_slice(b"0000");
    out
}

/// Returns the body that creates these refs, without the pack that follows it.
pub(super) fn push<'a>(refs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, id) in refs {
        let capabilities = match out.is_empty() {
            true => format!("\0 report-status-v2 side-band-64k quiet object-format=sha1 {AGENT}"),
            false => String::new(),
        };
        packet(&mut out, &format!("{ABSENT} {id} {name}{capabilities}"));
    }
    out.extend_from_slice(b"0000");
    out
}

fn command(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    packet(&mut out, &format!("command={name}"));
    packet(&mut out, AGENT);
    packet(&mut out, "object-format=sha1");
    out.extend_from_slice(b"0001");
    out
}

fn packet(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
}

/// Returns the padded base64 of the bytes, as `Authorization: Basic` wants it.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        let number = number << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => out.push(char::from(DIGITS[(number >> (18 - 6 * digit)) as usize & 63])),
                false => out.push('='),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("a:~?", "YTp+Pw==")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn push_names_its_capabilities_once() {
        let body = push([("refs/heads/a", "1"), ("refs/heads/b", "2")]);
        let text = String::from_utf8(body).unwrap();
        assert_eq!(text.matches("report-status-v2").count(), 1);
        assert!(
            text.ends_with("003b{ABSENT} 2 refs/heads/b0000".replace("{ABSENT}", ABSENT).as_str()),
            "{text}"
        );
    }
}
