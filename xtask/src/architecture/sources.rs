//! What a Rust file may say.

use super::File;
use super::rules::{DOORS, OWNED};

/// Checks one source file. This checker itself is left out: it names everything.
pub(super) fn check(file: &File, findings: &mut Vec<String>) {
    let path = &file.path;
    if path.starts_with("xtask/src/architecture/") {
        return;
    }
    if !file.text.trim_start().starts_with("//!") {
        findings.push(format!("{path}: does not start with `//!`: what this room is for"));
    }
    let owner = owner(path);
    let code = without_comments(&file.text);
    for (name, next) in path_roots(&code) {
        if let Some(owned) = OWNED.iter().find(|owned| owned.covers(name))
            && !owned.owners.contains(&owner)
        {
            findings.push(format!("{path}: names `{name}`, which belongs to {} alone", owned.belongs_to));
        }
        if let Some(door) = DOORS.iter().find(|door| door.user == owner && door.room == name)
            && next != door.module
        {
            let module = door.module;
            findings.push(format!("{path}: names `{name}::{next}`; only `{name}::{module}` is for {owner}"));
        }
    }
    let writes_refs = !path.starts_with("crates/forge-store/src/refs") && writes_table(&code, "refs");
    if writes_refs {
        findings.push(format!("{path}: writes table `refs`, which forge-store/src/refs alone may"));
    }
    check_audit(path, &code, findings);
    findings.dedup();
}

/// The audit log is appended to by the store's `audit` alone, and nobody changes or removes what is in it. Tests of what
/// happens to somebody who does are left out.
fn check_audit(path: &str, code: &str, findings: &mut Vec<String>) {
    if path.starts_with("tests/audit/") {
        return;
    }
    for table in ["audit_events", "audit_seals", "audit_checkpoints"] {
        let erases = table == "audit_events" && path == "crates/forge-store/src/audit/erasure.rs";
        if changes_table(code, table) && !erases {
            findings.push(format!("{path}: changes table `{table}`, which is append-only"));
        } else if writes_table(code, table) && !path.starts_with("crates/forge-store/src/audit/") {
            findings.push(format!("{path}: writes table `{table}`, which forge-store/src/audit alone may"));
        }
    }
}

/// Returns the package that a path belongs to.
fn owner(path: &str) -> &str {
    let mut parts = path.split('/');
    match parts.next() {
        Some("crates") => parts.next().unwrap_or(""),
        Some("tests") => "forge-tests",
        _ => "xtask",
    }
}

fn without_comments(text: &str) -> String {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Returns every `name::next` whose `name` does not itself follow `::`.
fn path_roots(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let name = &before[before.rfind(|c: char| !is_word(c)).map_or(0, |i| i + last_char_len(before, i))..];
        let is_root = !before[..before.len() - name.len()].ends_with("::");
        if is_root && !name.is_empty() {
            let after = &code[at + 2..];
            found.push((name, &after[..after.find(|c: char| !is_word(c)).unwrap_or(after.len())]));
        }
    }
    found
}

fn last_char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns whether the text holds a statement that inserts into, updates or deletes from the table.
fn writes_table(code: &str, table: &str) -> bool {
    let inserts = |window: &[&str]| matches!(window, ["insert", "into", name] if is_table(name, table));
    changes_table(code, table) || any_three(code, inserts)
}

/// Returns whether the text holds a statement that updates or deletes from the table.
fn changes_table(code: &str, table: &str) -> bool {
    let changes = |window: &[&str]| match window {
        ["delete", "from", name] | ["update", name, "set" | "as"] => is_table(name, table),
        _ => false,
    };
    any_three(code, changes)
}

fn is_table(word: &str, table: &str) -> bool {
    word.trim_end_matches([',', ';', ')']) == table
}

/// Returns whether any three words in a row are what is looked for.
fn any_three(code: &str, is_it: impl Fn(&[&str]) -> bool) -> bool {
    let cleaned = code.to_lowercase().replace(['"', '\\', '('], " ");
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    words.windows(3).any(is_it)
}
