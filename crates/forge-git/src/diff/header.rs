//! The lines before the hunks of a file. See "Generating patch text with -p" in git-diff(1).

use std::fmt::Write;

use forge_types::ObjectId;

use super::quote::{prefixed, quoted};
use super::{Change, Comparison, Side};

/// Writes the header of a file; of a type change there is one for each half, with one side absent.
pub(super) fn header(change: &Change, comparison: Comparison, digits: usize) -> String {
    let (old, new) = (change.before(), change.after());
    let (Some(first), Some(second)) = (old.or(new), new.or(old)) else { return String::new() };
    let (a, b) = (prefixed("a/", &first.path), prefixed("b/", &second.path));
    let mut text = format!("diff --git {a} {b}\n");
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{arguments}");
    };
    match (old, new) {
        (None, Some(new)) => line(format_args!("new file mode {}", new.kind.mode())),
        (Some(old), None) => line(format_args!("deleted file mode {}", old.kind.mode())),
        (Some(old), Some(new)) if old.kind != new.kind => {
            line(format_args!("old mode {}", old.kind.mode()));
            line(format_args!("new mode {}", new.kind.mode()));
        }
        _ => {}
    }
    let moved = match change {
        Change::Renamed { old, new, similarity } => Some(("rename", old, new, similarity)),
        Change::Copied { old, new, similarity } => Some(("copy", old, new, similarity)),
        _ => None,
    };
    if let Some((word, old, new, similarity)) = moved {
        line(format_args!("similarity index {similarity}%"));
        line(format_args!("{word} from {}", quoted(&old.path)));
        line(format_args!("{word} to {}", quoted(&new.path)));
    }
    if old.map(|side| side.id) != new.map(|side| side.id) {
        let id = |side: Option<&Side>| {
            let id = side.map_or_else(|| ObjectId::null(first.id.format()), |side| side.id).to_string();
            id[..digits.clamp(4, id.len())].to_owned()
        };
        let mode = match (old, new) {
            (Some(old), Some(new)) if old.kind == new.kind => format!(" {}", old.kind.mode()),
            _ => String::new(),
        };
        line(format_args!("index {}..{}{mode}", id(old), id(new)));
    }
    text + &names(old.map(|_| a), new.map(|_| b), comparison)
}

/// Returns the lines that name the two sides.
fn names(old: Option<String>, new: Option<String>, comparison: Comparison) -> String {
    let absent = || "/dev/null".to_owned();
    let (old, new) = (old.unwrap_or_else(absent), new.unwrap_or_else(absent));
    // A name with a space ends with a tab, so that patch(1) sees where.
    let end = |name: &str| if name.contains(' ') { "\t" } else { "" };
    match comparison {
        Comparison::Same => String::new(),
        Comparison::Lines => format!("--- {old}{}\n+++ {new}{}\n", end(&old), end(&new)),
        Comparison::Binary | Comparison::TooLarge => format!("Binary files {old} and {new} differ\n"),
    }
}
