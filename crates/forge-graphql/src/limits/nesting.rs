//! How deep brackets nest, found without recursion, because the parser recurses.

/// The deepest nesting of brackets that is parsed. Introspection by GraphiQL nests 14 deep.
const MAX_NESTING: usize = 60;

/// Returns whether the brackets of `query` nest too deep for the parser.
pub(crate) fn is_too_deep_to_parse(query: &str) -> bool {
    let mut depth = 0_usize;
    // A block string without end is, to the parser, an empty string and whatever follows; there is none after it.
    let mut has_block_strings = true;
    let mut rest = query.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > MAX_NESTING {
                    return true;
                }
                after
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'#' => after_line(after),
            b'"' => match after.strip_prefix(b"\"\"").filter(|_| has_block_strings).map(after_block_string) {
                Some(Some(after)) => after,
                Some(None) => {
                    has_block_strings = false;
                    &after[1..]
                }
                None => after_string(after),
            },
            _ => after,
        };
    }
    false
}

fn after_line(rest: &[u8]) -> &[u8] {
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    end.map_or(&[], |end| &rest[end..])
}

/// A string ends at its quote or, being malformed, with its line.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'\\', b'\n' | b'\r', ..] => return &rest[1..],
            [b'\\', _, after @ ..] => rest = after,
            [b'"', after @ ..] => return after,
            [b'\n' | b'\r', ..] | [] => return rest,
            [_, after @ ..] => rest = after,
        }
    }
}

/// Returns what follows a block string; `None` if it has no end.
fn after_block_string(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        rest = match rest {
            [b'\\', b'"', b'"', b'"', after @ ..] => after,
            [b'"', b'"', b'"', after @ ..] => return Some(after),
            [_, after @ ..] => after,
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_is_found_whatever_the_brackets() {
        for (open, close) in [("{a", "}"), ("[", "]"), ("(", ")"), ("{a(b:[", "])}")] {
            let text = format!("{}{}", open.repeat(100), close.repeat(100));
            assert!(is_too_deep_to_parse(&text), "{open}");
        }
        assert!(!is_too_deep_to_parse(&"{a{b{c}}}".repeat(1000)));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let brackets = "{".repeat(100);
        for text in [
            format!("{{ a(b: \"{brackets}\") }}"),
            format!("{{ a(b: \"\\\"{brackets}\") }}"),
            format!("{{ a(b: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") }}"),
            format!("# {brackets}\n{{ a }}"),
        ] {
            assert!(!is_too_deep_to_parse(&text), "{text}");
        }
    }

    #[test]
    fn a_string_cannot_hide_what_follows_it() {
        let brackets = "{".repeat(100);
        for before in
            ["\"\"", "\"\\\\\"", "\"unfinished\n", "\"\"\"\"\"\"", "\"\"\"\\a\"\"\"", "# x\r", "[\"\"\" x\""]
        {
            assert!(is_too_deep_to_parse(&format!("{before}{brackets}")), "{before}");
        }
    }
}
