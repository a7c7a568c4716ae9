//! The table of changed files of `git diff --stat --summary`, 72 columns wide as in mails.

use std::fmt::Write;

use super::lines::{PROBE, is_binary};
use super::quote::quoted;
use super::{Change, Comparison, PatchLimits, Side, TreeDiff};
use crate::Result;
use crate::objects::{EntryKind, Objects};

/// How many columns the table has.
const WIDTH: usize = 72;

/// One line of the table.
struct Row {
    name: String,
    /// Lines, or bytes of a binary file.
    added: u64,
    deleted: u64,
    is_binary: bool,
}

impl Row {
    fn lines(&self) -> u64 {
        if self.is_binary { 0 } else { self.added + self.deleted }
    }
}

impl Objects {
    /// Returns the table, its sum, and what came, went, moved or changed its mode.
    pub(super) fn stat(&mut self, diff: &TreeDiff, limits: &PatchLimits) -> Result<String> {
        let limits = PatchLimits { lines: 0, bytes: 0, ..*limits };
        let mut rows = Vec::with_capacity(diff.changes.len());
        for change in &diff.changes {
            rows.push(self.row(change, &limits)?);
        }
        let mut text = table(&rows);
        text.push_str(&sum(&rows));
        text.extend(diff.changes.iter().filter_map(summary));
        Ok(text)
    }

    fn row(&mut self, change: &Change, limits: &PatchLimits) -> Result<Row> {
        let patch = self.compare(change.before(), change.after(), limits)?;
        let name = match change {
            Change::Renamed { old, new, .. } | Change::Copied { old, new, .. } => moved(old, new),
            change => quoted(change.path()),
        };
        let is_binary = match (patch.comparison, change.before()) {
            (Comparison::Lines, _) => false,
            (Comparison::Binary | Comparison::TooLarge, _) => true,
            // What only moved was not read.
            (Comparison::Same, Some(old)) if old.kind != EntryKind::Submodule => {
                is_binary(&self.blob_start(old.id, PROBE)?.data)
            }
            (Comparison::Same, _) => false,
        };
        if patch.comparison == Comparison::Same {
            return Ok(Row { name, added: 0, deleted: 0, is_binary });
        }
        if !is_binary {
            return Ok(Row { name, added: patch.additions, deleted: patch.deletions, is_binary });
        }
        let mut size = |side: Option<&Side>| side.map_or(Ok(0), |side| self.side_size(side));
        let (added, deleted) = (size(change.after())?, size(change.before())?);
        Ok(Row { name, added, deleted, is_binary })
    }
}

/// How wide the columns are.
struct Columns {
    name: usize,
    number: usize,
    graph: usize,
    /// The most lines that a file changes.
    most: u64,
}

impl Columns {
    fn new(rows: &[Row]) -> Self {
        let most = rows.iter().map(Row::lines).max().unwrap_or(0);
        let bytes = |row: &Row| 14 + digits(row.added) + digits(row.deleted);
        let binary = rows.iter().filter(|row| row.is_binary).map(bytes).max().unwrap_or(0);
        let number = digits(most).max(if binary > 0 { 3 } else { 0 });
        let mut name = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let mut graph = if wanted.saturating_add(4) > binary { wanted } else { binary - 4 };
        let width = WIDTH.max(16 + 6 + number);
        if (name + number + 6).saturating_add(graph) > width {
            graph = graph.min((width * 3 / 8).saturating_sub(number + 6).max(6));
            if name > width - number - 6 - graph {
                name = width - number - 6 - graph;
            } else {
                graph = width - number - 6 - name;
            }
        }
        Self { name, number, graph, most }
    }

    /// Returns how many signs stand for so many lines.
    fn scaled(&self, lines: u64) -> u64 {
        if lines == 0 { 0 } else { 1 + lines * (self.graph as u64 - 1) / self.most }
    }

    /// Returns how many plus and minus signs a file gets.
    fn signs(&self, row: &Row) -> (u64, u64) {
        let (added, deleted) = (row.added, row.deleted);
        if self.graph as u64 > self.most {
            return (added, deleted);
        }
        let mut total = self.scaled(added + deleted);
        if total < 2 && added > 0 && deleted > 0 {
            total = 2;
        }
        if added < deleted {
            let added = self.scaled(added);
            (added, total - added)
        } else {
            let deleted = self.scaled(deleted);
            (total - deleted, deleted)
        }
    }
}

fn digits(number: u64) -> usize {
    number.to_string().len()
}

fn table(rows: &[Row]) -> String {
    let columns = Columns::new(rows);
    let mut text = String::new();
    for row in rows {
        let name = shortened(&row.name, columns.name);
        let start = format!(" {name:<width$} |", width = columns.name);
        // Writing to a string does not fail.
        let _ = match (row.is_binary, row.lines()) {
            (true, _) if row.added == 0 && row.deleted == 0 => {
                writeln!(text, "{start} {:>width$}", "Bin", width = columns.number)
            }
            (true, _) => {
                let (number, deleted, added) = (columns.number, row.deleted, row.added);
                writeln!(text, "{start} {:>number$} {deleted} -> {added} bytes", "Bin")
            }
            (false, 0) => writeln!(text, "{start} {:>width$}", 0, width = columns.number),
            (false, lines) => {
                let (added, deleted) = columns.signs(row);
                let signs = "+".repeat(usize::try_from(added).unwrap_or(0))
                    + &"-".repeat(usize::try_from(deleted).unwrap_or(0));
                writeln!(text, "{start} {lines:>width$} {signs}", width = columns.number)
            }
        };
    }
    text
}

/// Cuts a name at its front, at a slash if there is one.
fn shortened(name: &str, width: usize) -> String {
    if name.len() <= width {
        return name.to_owned();
    }
    let rest = &name[name.len() - width.saturating_sub(3)..];
    let rest = rest.find('/').map_or(rest, |slash| &rest[slash..]);
    format!("...{rest}")
}

fn sum(rows: &[Row]) -> String {
    let lines = rows.iter().filter(|row| !row.is_binary);
    let (added, deleted) =
        lines.fold((0, 0), |(added, deleted), row| (added + row.added, deleted + row.deleted));
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let files = rows.len() as u64;
    let mut text = format!(" {files} file{} changed", plural(files));
    if added > 0 || deleted == 0 {
        text.push_str(&format!(", {added} insertion{}(+)", plural(added)));
    }
    if deleted > 0 || added == 0 {
        text.push_str(&format!(", {deleted} deletion{}(-)", plural(deleted)));
    }
    text.push('\n');
    text
}

/// Returns the line of a change that is more than one of lines.
fn summary(change: &Change) -> Option<String> {
    let modes = |old: &Side, new: &Side| format!(" mode change {} => {}", old.kind.mode(), new.kind.mode());
    match change {
        Change::Added(new) => Some(format!(" create mode {} {}\n", new.kind.mode(), quoted(&new.path))),
        Change::Deleted(old) => Some(format!(" delete mode {} {}\n", old.kind.mode(), quoted(&old.path))),
        Change::Modified { old, new } | Change::TypeChanged { old, new } => {
            (old.kind != new.kind).then(|| format!("{} {}\n", modes(old, new), quoted(&new.path)))
        }
        Change::Renamed { old, new, similarity } | Change::Copied { old, new, similarity } => {
            let word = if matches!(change, Change::Renamed { .. }) { "rename" } else { "copy" };
            let mode = if old.kind == new.kind { String::new() } else { modes(old, new) + "\n" };
            Some(format!(" {word} {} ({similarity}%)\n{mode}", moved(old, new)))
        }
    }
}

/// Returns two paths with what they have in common written once: `a/{b => c}/d`.
fn moved(old: &Side, new: &Side) -> String {
    let (a, b) = (&old.path[..], &new.path[..]);
    let (quoted_a, quoted_b) = (quoted(a), quoted(b));
    if quoted_a.as_bytes() != a || quoted_b.as_bytes() != b {
        return format!("{quoted_a} => {quoted_b}");
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let prefix = a[..same].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    // The slash that ends the prefix may begin the suffix too.
    let start = prefix.saturating_sub(1);
    let same = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let suffix = a[a.len() - same..].iter().position(|byte| *byte == b'/').map_or(0, |at| same - at);
    if prefix + suffix == 0 {
        return format!("{quoted_a} => {quoted_b}");
    }
    let middle = |path: &str| path.get(prefix..path.len() - suffix).unwrap_or_default().to_owned();
    format!(
        "{}{{{} => {}}}{}",
        &quoted_a[..prefix],
        middle(&quoted_a),
        middle(&quoted_b),
        &quoted_a[quoted_a.len() - suffix..]
    )
}
