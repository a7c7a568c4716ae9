//! Comparing lines, and writing what differs as hunks.

use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, Hunk, InternedInput, diff_with_slider_heuristics};

/// How many equal lines are shown around a change.
const CONTEXT: u32 = 3;

/// How much of a line is shown behind the numbers of a hunk.
const FUNCTION: usize = 80;

/// A zero byte among the first ones makes a file binary.
pub(super) const PROBE: usize = 8000;

/// Is a file not text?
pub(crate) fn is_binary(data: &[u8]) -> bool {
    data[..data.len().min(PROBE)].contains(&0)
}

/// Two texts and what differs between them.
pub(super) struct Compared<'a> {
    input: InternedInput<&'a [u8]>,
    diff: Diff,
}

/// Hunks as text.
#[derive(Debug, Default)]
pub(super) struct Hunks {
    pub(super) text: Vec<u8>,
    pub(super) is_truncated: bool,
}

impl<'a> Compared<'a> {
    pub(super) fn new(old: &'a [u8], new: &'a [u8]) -> Self {
        let input = InternedInput::new(
            gix::diff::blob::sources::byte_lines(old),
            gix::diff::blob::sources::byte_lines(new),
        );
        let diff = diff_with_slider_heuristics(Algorithm::Myers, &input);
        Self { input, diff }
    }

    /// Returns how many lines were added.
    pub(super) fn additions(&self) -> u64 {
        self.diff.count_additions().into()
    }

    /// Returns how many lines were deleted.
    pub(super) fn deletions(&self) -> u64 {
        self.diff.count_removals().into()
    }

    /// Writes the hunks, as long as there is room for whole lines.
    pub(super) fn hunks(&self, max_lines: usize, max_bytes: usize) -> Hunks {
        let mut writer = Writer { hunks: Hunks::default(), lines: max_lines, bytes: max_bytes };
        let mut function: Option<&[u8]> = None;
        let mut searched = 0;
        let changes: Vec<Hunk> = self.diff.hunks().collect();
        for group in changes.chunk_by(|one, next| next.before.start - one.before.end <= 2 * CONTEXT) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            let lead = CONTEXT.min(first.before.start);
            let tail = CONTEXT.min(self.len_before() - last.before.end);
            let before = first.before.start - lead..last.before.end + tail;
            let after = first.after.start - lead..last.after.end + tail;
            function = self.function_before(searched..before.start).or(function);
            searched = before.start;
            writer.line(&header(&before, &after, function));
            self.write_group(&mut writer, group, before);
            if writer.hunks.is_truncated {
                break;
            }
        }
        writer.hunks
    }

    fn len_before(&self) -> u32 {
        u32::try_from(self.input.before.len()).unwrap_or(u32::MAX)
    }

    fn write_group(&self, writer: &mut Writer, group: &[Hunk], before: Range<u32>) {
        let mut at = before.start;
        for change in group {
            writer.lines(b' ', at..change.before.start, |line| self.before(line));
            writer.lines(b'-', change.before.clone(), |line| self.before(line));
            writer.lines(b'+', change.after.clone(), |line| self.after(line));
            at = change.before.end;
        }
        writer.lines(b' ', at..before.end, |line| self.before(line));
    }

    fn before(&self, line: u32) -> &'a [u8] {
        self.input.interner[self.input.before[line as usize]]
    }

    fn after(&self, line: u32) -> &'a [u8] {
        self.input.interner[self.input.after[line as usize]]
    }

    /// Returns the last line that looks like the head of a function.
    fn function_before(&self, lines: Range<u32>) -> Option<&'a [u8]> {
        let is_head = |line: &&[u8]| {
            line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte))
        };
        lines.rev().map(|line| self.before(line)).find(is_head)
    }
}

fn header(before: &Range<u32>, after: &Range<u32>, function: Option<&[u8]>) -> Vec<u8> {
    let range = |lines: &Range<u32>| match lines.end - lines.start {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    };
    let mut text = format!("@@ -{} +{} @@", range(before), range(after)).into_bytes();
    if let Some(line) = function {
        text.push(b' ');
        text.extend_from_slice(line[..line.len().min(FUNCTION)].trim_ascii_end());
    }
    text.push(b'\n');
    text
}

struct Writer {
    hunks: Hunks,
    lines: usize,
    bytes: usize,
}

impl Writer {
    fn line(&mut self, line: &[u8]) {
        let is_full = self.lines == 0 || self.bytes < line.len();
        if is_full || self.hunks.is_truncated {
            self.hunks.is_truncated = true;
            return;
        }
        self.lines -= 1;
        self.bytes -= line.len();
        self.hunks.text.extend_from_slice(line);
    }

    fn lines<'t>(&mut self, sign: u8, lines: Range<u32>, text: impl Fn(u32) -> &'t [u8]) {
        for line in lines {
            if self.hunks.is_truncated {
                return;
            }
            let text = text(line);
            let end: &[u8] = if text.ends_with(b"\n") { b"" } else { b"\n\\ No newline at end of file\n" };
            self.line(&[&[sign], text, end].concat());
        }
    }
}
