//! Tape archives in the "pax" format, as git writes them. See pax(1), "ustar Interchange Format" and "pax Header Block".

use std::io::Write;

use forge_types::ObjectId;

use super::failed;
use super::walk::{Archive, copy};
use crate::Result;
use crate::objects::{EntryKind, Objects, PathEntry};

const RECORD: usize = 512;

/// Tapes were written in blocks of twenty records.
const BLOCK: u64 = 20 * RECORD as u64;

/// A larger size does not fit into its field.
const MAX_SIZE: u64 = 0o777_7777_7777;

/// Writes a tape archive.
pub(super) struct Tar<'a> {
    sink: &'a mut dyn Write,
    seconds: i64,
    written: u64,
}

/// The fields of a header that differ.
struct Header<'a> {
    name: Vec<u8>,
    prefix: &'a [u8],
    link: &'a [u8],
    mode: u32,
    size: u64,
    kind: u8,
}

impl<'a> Tar<'a> {
    /// Begins an archive with the name of the commit.
    pub(super) fn new(sink: &'a mut dyn Write, commit_id: ObjectId, seconds: i64) -> Result<Self> {
        let mut tar = Self { sink, seconds, written: 0 };
        let mut text = Vec::new();
        push_record(&mut text, "comment", commit_id.to_string().as_bytes());
        tar.extended(b"pax_global_header".to_vec(), b'g', &text)?;
        Ok(tar)
    }

    /// Ends the archive: two empty records, and what is missing to a whole block.
    pub(super) fn finish(mut self) -> Result<()> {
        let mut rest = BLOCK - self.written % BLOCK;
        if rest < 2 * RECORD as u64 {
            rest += BLOCK;
        }
        self.zeros(rest)?;
        self.sink.flush().map_err(failed())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.sink.write_all(bytes).map_err(failed())
    }

    fn zeros(&mut self, mut count: u64) -> Result<()> {
        let zeros = [0; RECORD];
        while count > 0 {
            let now = count.min(RECORD as u64);
            self.bytes(&zeros[..now as usize])?;
            count -= now;
        }
        Ok(())
    }

    /// Fills the last record of a file.
    fn pad(&mut self) -> Result<()> {
        self.zeros(self.written.next_multiple_of(RECORD as u64) - self.written)
    }

    /// Writes records that say what does not fit into the header that follows.
    fn extended(&mut self, name: Vec<u8>, kind: u8, text: &[u8]) -> Result<()> {
        let header = Header { name, prefix: b"", link: b"", mode: 0o666, size: text.len() as u64, kind };
        self.header(&header)?;
        self.bytes(text)?;
        self.pad()
    }

    fn header(&mut self, header: &Header<'_>) -> Result<()> {
        let mut record = [0u8; RECORD];
        let mut put = |at: usize, bytes: &[u8]| record[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &header.name);
        put(100, format!("{:07o}", header.mode).as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, format!("{:011o}", if header.size > MAX_SIZE { 0 } else { header.size }).as_bytes());
        put(136, format!("{:011o}", self.seconds.clamp(0, MAX_SIZE as i64)).as_bytes());
        put(148, b"        ");
        put(156, &[header.kind]);
        put(157, header.link);
        put(257, b"ustar\x0000");
        put(265, b"root");
        put(297, b"root");
        put(329, b"0000000");
        put(337, b"0000000");
        put(345, header.prefix);
        let sum: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
        record[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
        self.bytes(&record)
    }

    fn entry(
        &mut self,
        path: &[u8],
        id: ObjectId,
        mode: u32,
        kind: u8,
        link: &[u8],
        size: u64,
    ) -> Result<()> {
        let mut more = Vec::new();
        let (mut prefix, mut name) = (&path[..0], path.to_vec());
        if path.len() > 100 {
            match split(path) {
                Some((start, rest)) => (prefix, name) = (start, rest.to_vec()),
                None => {
                    name = format!("{id}.data").into_bytes();
                    push_record(&mut more, "path", path);
                }
            }
        }
        let see = format!("see {id}.paxheader");
        let short_link = if link.len() > 100 { see.as_bytes() } else { link };
        if link.len() > 100 {
            push_record(&mut more, "linkpath", link);
        }
        if size > MAX_SIZE {
            push_record(&mut more, "size", size.to_string().as_bytes());
        }
        if !more.is_empty() {
            self.extended(format!("{id}.paxheader").into_bytes(), b'x', &more)?;
        }
        self.header(&Header { name, prefix, link: short_link, mode, size, kind })
    }
}

/// Splits a path at a slash so that both parts fit into their fields.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = path.strip_suffix(b"/").map_or(path.len(), <[u8]>::len).min(155);
    let at = path[..end].iter().rposition(|byte| *byte == b'/').filter(|at| *at > 0)?;
    (path.len() - at - 1 <= 100).then(|| (&path[..at], &path[at + 1..]))
}

/// Appends `<length> <key>=<value>`, where the length counts its own digits.
fn push_record(text: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    text.extend_from_slice(format!("{length} {key}=").as_bytes());
    text.extend_from_slice(value);
    text.push(b'\n');
}

impl Archive for Tar<'_> {
    fn directory(&mut self, path: &[u8], id: ObjectId) -> Result<()> {
        self.entry(path, id, 0o775, b'5', b"", 0)
    }

    fn link(&mut self, path: &[u8], id: ObjectId, target: &[u8]) -> Result<()> {
        self.entry(path, id, 0o777, b'2', target, 0)
    }

    fn file(&mut self, objects: &mut Objects, path: &[u8], file: &PathEntry, size: u64) -> Result<()> {
        let mode = if file.kind == EntryKind::Executable { 0o775 } else { 0o664 };
        self.entry(path, file.id, mode, b'0', b"", size)?;
        copy(objects, file.id, size, self.sink)?;
        self.written += size;
        self.pad()
    }
}
