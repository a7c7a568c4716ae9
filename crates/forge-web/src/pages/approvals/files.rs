//! Files that differ: what they are, how many lines, and why something of them cannot be shown.

use forge_service::approvals::{Hidden, ShownFile, ShownFiles};
use forge_service::commits::{ChangedFile, EntryKind, FileComparison, FileSide};
use maud::{Markup, html};

use crate::inert::{inert, inert_text};

/// Renders the numbers, a list to jump from, and each file. `place` tells the refs of a page apart.
pub(super) fn render(files: &ShownFiles, place: usize) -> Markup {
    let rest = files.count - files.files.len();
    html! {
        @if files.count == 0 { p.muted { "No file differs." } } @else {
            p {
                strong { (files.count) @if files.is_cut { " or more" } @if files.count == 1 { " file" } @else { " files" } }
                ", " (counts(files.stats.additions, files.stats.deletions))
                @if files.is_cut { " in those that were counted" }
            }
            @if rest > 0 || files.is_cut {
                p.warning { "More files differ than are shown here: " (rest) @if files.is_cut { " or more" } " are left out." }
            }
            details open[files.files.len() <= 30] {
                summary { "List of files" }
                ul { @for (at, shown) in files.files.iter().enumerate() { (entry(shown, place, at)) } }
            }
            @for (at, shown) in files.files.iter().enumerate() { (file(shown, place, at)) }
        }
    }
}

fn entry(shown: &ShownFile, place: usize, at: usize) -> Markup {
    let file = &shown.file;
    html! {
        li {
            a href=(format!("#file-{place}-{at}")) { code { (inert(&file.path)) } }
            " " (counts(file.additions, file.deletions))
            @if let Some(note) = note(file) { " " span.muted[is_plain(file)].mark[!is_plain(file)] { (note) } }
            @if shown.hidden.is_some() { " " span.mark { "not shown whole" } }
        }
    }
}

fn counts(additions: u64, deletions: u64) -> Markup {
    html! { span.muted { "+" (additions) " −" (deletions) } }
}

fn file(shown: &ShownFile, place: usize, at: usize) -> Markup {
    let file = &shown.file;
    html! {
        details.file id=(format!("file-{place}-{at}")) open {
            summary {
                @if let Some(previous) = &file.previous_path { code { (inert(previous)) } " → " }
                code { (inert(&file.path)) }
                " " (counts(file.additions, file.deletions))
                @if let Some(note) = note(file) { " " span.muted[is_plain(file)].mark[!is_plain(file)] { (note) } }
            }
            @if let Some(hidden) = shown.hidden { (not_shown(file, hidden)) }
            @else if file.patch.is_none() { p.muted { (why_no_lines(file)) } }
            @if is_submodule(file) { p.warning { "A submodule is a commit of another repository, whose files are not shown here." } }
            @if let Some(patch) = &file.patch {
                pre.diff tabindex="0" role="region" aria-label={ "Lines of " (inert_text(&file.path)) } { @for line in patch.split('\n') { (diff_line(line)) "\n" } }
            }
        }
    }
}

/// Is it a plain file, before and after?
fn is_plain(file: &ChangedFile) -> bool {
    [file.before, file.after].into_iter().flatten().all(|side| side.kind == EntryKind::File)
}

fn is_submodule(file: &ChangedFile) -> bool {
    [file.before, file.after].into_iter().flatten().any(|side| side.kind == EntryKind::Submodule)
}

/// Says what a file is and how its mode changes; nothing about a plain file that stays one.
fn note(file: &ChangedFile) -> Option<String> {
    let mode = |side: FileSide| side.kind.mode();
    match (file.before, file.after) {
        (None, Some(new)) => Some(format!("new {}, mode {}", kind(new), mode(new))),
        (Some(old), None) => Some(format!("{} removed, mode {}", kind(old), mode(old))),
        (Some(old), Some(new)) if old.kind != new.kind => {
            Some(format!("{} → {}, mode {} → {}", kind(old), kind(new), mode(old), mode(new)))
        }
        (Some(_), Some(new)) if new.kind != EntryKind::File => {
            Some(format!("{}, mode {}", kind(new), mode(new)))
        }
        _ => None,
    }
}

fn kind(side: FileSide) -> String {
    match side.kind {
        EntryKind::Tree => "directory".to_owned(),
        EntryKind::File => "file".to_owned(),
        EntryKind::Executable => "executable file".to_owned(),
        EntryKind::Link => "symbolic link".to_owned(),
        EntryKind::Submodule => format!("submodule at commit {}", side.id),
    }
}

/// Says exactly why a file that is shown whole has no lines.
fn why_no_lines(file: &ChangedFile) -> &'static str {
    let (Some(old), Some(new)) = (file.before, file.after) else {
        return if file.after.is_some() { "It is empty." } else { "It was empty." };
    };
    match (file.comparison, file.previous_path.is_some(), old.kind != new.kind) {
        (FileComparison::Same, true, true) => "Only its name and its mode change; its bytes stay the same.",
        (FileComparison::Same, true, false) => "Only its name changes; its bytes stay the same.",
        (FileComparison::Same, false, _) => "Only its mode changes; its bytes stay the same.",
        _ => "No line differs.",
    }
}

/// Says why something of a file is not shown.
pub(super) fn reason(file: &ChangedFile, hidden: Hidden) -> String {
    match hidden {
        Hidden::Binary => "it is binary".to_owned(),
        Hidden::TooLarge => "it is too large to be compared here".to_owned(),
        Hidden::TooManyLines => {
            format!("{} changed lines are too many", file.additions + file.deletions)
        }
        Hidden::Lines(count) => {
            format!("{count} lines of this file are not shown: there are too many on this page")
        }
        Hidden::ReplacedBytes => {
            "some of its bytes are no text in UTF-8, and stand here as \u{fffd}".to_owned()
        }
    }
}

fn not_shown(file: &ChangedFile, hidden: Hidden) -> Markup {
    html! {
        div.warning {
            p { strong { @if file.patch.is_some() { "Not shown whole: " } @else { "Not shown: " } } (reason(file, hidden)) "." }
            (sides(file))
        }
    }
}

/// Names the objects by which what is not shown can be looked at elsewhere.
pub(super) fn sides(file: &ChangedFile) -> Markup {
    html! {
        ul {
            @for (when, side) in [("before", file.before), ("after", file.after)] {
                li {
                    (when) ": "
                    @match side {
                        Some(side) => {
                            @if let Some(size) = side.size { (size) @if size == 1 { " byte, object " } @else { " bytes, object " } }
                            code { (side.id) }
                        },
                        None => "nothing",
                    }
                }
            }
        }
    }
}

fn diff_line(line: &str) -> Markup {
    html! {
        @match line.as_bytes().first() {
            Some(b'+') => ins { (inert(line)) },
            Some(b'-') => del { (inert(line)) },
            Some(b'@') => span.muted { (inert(line)) },
            _ => (inert(line)),
        }
    }
}
