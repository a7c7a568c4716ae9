//! `docs/soak.md`: what ran long, and what came out. Each command that fills it owns a section.

use std::fs;
use std::path::Path;

use crate::Result;

const FILE: &str = "docs/soak.md";

const HEAD: &str = "# What ran long\n\nTests try a slice of these on every change; here is what came out when they were left to run.\n";

/// The sections, in their order.
const SECTIONS: [&str; 2] = ["fuzzing", "soak"];

/// Replaces the text of a section.
pub(crate) fn write(root: &Path, section: &str, text: &str) -> Result<()> {
    let file = root.join(FILE);
    let old = fs::read_to_string(&file).unwrap_or_default();
    fs::write(&file, replaced(&old, section, text)).map_err(|error| format!("{}: {error}", file.display()))
}

fn replaced(page: &str, section: &str, text: &str) -> String {
    let mut out = HEAD.to_owned();
    for name in SECTIONS {
        let heading = format!("\n## {}{}\n\n", name[..1].to_uppercase(), &name[1..]);
        let body = if name == section { Some(text.trim()) } else { body(page, &heading) };
        if let Some(body) = body {
            out.push_str(&heading);
            out.push_str(body);
            out.push('\n');
        }
    }
    out
}

fn body<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let rest = page.split_once(heading)?.1;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_is_replaced_and_the_others_stay() {
        let page = replaced("", "soak", "one\n");
        let page = replaced(&page, "fuzzing", "| two |\n");
        let page = replaced(&page, "soak", "three");
        assert_eq!(page, format!("{HEAD}\n## Fuzzing\n\n| two |\n\n## Soak\n\nthree\n"));
    }
}
