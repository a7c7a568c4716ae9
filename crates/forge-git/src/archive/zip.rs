//! Zip files. See APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.
//!
//! Sizes and checksum follow each deflated file, so that nothing has to be held back; what is larger than four gigabytes is said in
//! the 64-bit records. The list of entries at the end is the one thing that is kept in memory, bounded by their number.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use forge_types::ObjectId;

use super::failed;
use super::walk::{Archive, copy};
use crate::Result;
use crate::objects::{EntryKind, Objects, PathEntry};

/// Fields with this value are in the 64-bit records instead.
const ELSEWHERE: u32 = u32::MAX;

/// Files that are or may become this large get 64-bit sizes.
const LARGE: u64 = 0xf000_0000;

/// The flag of a name in UTF-8.
const UTF8: u16 = 1 << 11;

/// The flag of a file whose sizes and checksum follow it.
const FOLLOWS: u16 = 1 << 3;

/// Writes a zip file.
pub(super) struct Zip<'a> {
    sink: Counting<'a>,
    commit_id: ObjectId,
    seconds: i64,
    /// The list of entries as it will stand at the end.
    list: Vec<u8>,
    count: u64,
}

/// What is known of a file once it is written.
struct Written {
    offset: u64,
    crc: u32,
    size: u64,
    packed: u64,
    is_deflated: bool,
}

impl<'a> Zip<'a> {
    pub(super) fn new(sink: &'a mut dyn Write, commit_id: ObjectId, seconds: i64) -> Self {
        let sink = Counting { sink, crc: None, count: 0 };
        Self { sink, commit_id, seconds, list: Vec::new(), count: 0 }
    }

    /// Ends the file with the list of its entries; the comment is the name of the commit.
    pub(super) fn finish(mut self) -> Result<()> {
        let (start, size) = (self.sink.count, self.list.len() as u64);
        let list = std::mem::take(&mut self.list);
        self.put(&list)?;
        let mut end = Vec::new();
        if start >= u64::from(ELSEWHERE) || size >= u64::from(ELSEWHERE) || self.count >= 0xffff {
            end.extend_from_slice(b"PK\x06\x06");
            end.extend_from_slice(&44u64.to_le_bytes());
            end.extend_from_slice(&[45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [self.count, self.count, size, start] {
                end.extend_from_slice(&number.to_le_bytes());
            }
            end.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            end.extend_from_slice(&(start + size).to_le_bytes());
            end.extend_from_slice(&1u32.to_le_bytes());
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        let comment = self.commit_id.to_string();
        end.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&short(size).to_le_bytes());
        end.extend_from_slice(&short(start).to_le_bytes());
        end.extend_from_slice(&u16::try_from(comment.len()).unwrap_or(0).to_le_bytes());
        end.extend_from_slice(comment.as_bytes());
        self.put(&end)?;
        self.sink.flush().map_err(failed())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes).map_err(failed())
    }

    /// Writes an entry whose bytes are known, as it is.
    fn stored(&mut self, path: &[u8], mode: u32, data: &[u8]) -> Result<()> {
        let mut crc = Crc::new();
        crc.update(data);
        let size = data.len() as u64;
        let file =
            Written { offset: self.sink.count, crc: crc.sum(), size, packed: size, is_deflated: false };
        let mut header = b"PK\x03\x04".to_vec();
        self.common(&mut header, &file);
        header.extend_from_slice(&file.crc.to_le_bytes());
        header.extend_from_slice(&short(size).to_le_bytes());
        header.extend_from_slice(&short(size).to_le_bytes());
        let extra = self.time_extra();
        name_lengths(&mut header, path, &extra);
        self.put(&[&header, path, &extra, data].concat())?;
        self.list(path, mode, &file);
        Ok(())
    }

    /// Writes an entry deflated; `write` writes its bytes. Sizes and checksum follow.
    fn deflated(
        &mut self,
        path: &[u8],
        mode: u32,
        size: u64,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let mut file = Written { offset: self.sink.count, crc: 0, size, packed: 0, is_deflated: true };
        let mut header = b"PK\x03\x04".to_vec();
        self.common(&mut header, &file);
        header.extend_from_slice(&[0; 12]);
        let extra = self.local_extra(size);
        name_lengths(&mut header, path, &extra);
        self.put(&[&header, path, &extra].concat())?;
        let begin = self.sink.count;
        let mut encoder = DeflateEncoder::new(&mut self.sink, Compression::default());
        let mut plain = Counting { sink: &mut encoder, crc: Some(Crc::new()), count: 0 };
        write(&mut plain)?;
        file.crc = plain.sum();
        encoder.finish().map_err(failed())?;
        file.packed = self.sink.count - begin;
        let mut tail = b"PK\x07\x08".to_vec();
        tail.extend_from_slice(&file.crc.to_le_bytes());
        for number in [file.packed, size] {
            match size >= LARGE {
                true => tail.extend_from_slice(&number.to_le_bytes()),
                false => tail.extend_from_slice(&short(number).to_le_bytes()),
            }
        }
        self.put(&tail)?;
        self.list(path, mode, &file);
        Ok(())
    }

    /// Appends an entry to the list.
    fn list(&mut self, path: &[u8], mode: u32, file: &Written) {
        let mut entry = b"PK\x01\x02\x2d\x03".to_vec();
        self.common(&mut entry, file);
        entry.extend_from_slice(&file.crc.to_le_bytes());
        let is_large = file.size >= LARGE || file.offset >= LARGE;
        let mut extra = self.time_extra();
        if is_large {
            extra.extend_from_slice(&[1, 0, 24, 0]);
            for number in [file.size, file.packed, file.offset] {
                extra.extend_from_slice(&number.to_le_bytes());
            }
        }
        for number in [file.packed, file.size] {
            entry.extend_from_slice(&if is_large { ELSEWHERE } else { short(number) }.to_le_bytes());
        }
        name_lengths(&mut entry, path, &extra);
        entry.extend_from_slice(&[0; 6]);
        entry.extend_from_slice(
            &(mode << 16 | u32::from(mode & 0o040_000 != 0 && mode & 0o100_000 == 0) << 4).to_le_bytes(),
        );
        entry.extend_from_slice(&if is_large { ELSEWHERE } else { short(file.offset) }.to_le_bytes());
        entry.extend_from_slice(path);
        entry.extend_from_slice(&extra);
        self.list.extend_from_slice(&entry);
        self.count += 1;
    }

    /// Appends what both headers have: version, flags, method, time, date.
    fn common(&self, header: &mut Vec<u8>, file: &Written) {
        let version: u16 = if file.size >= LARGE { 45 } else { 20 };
        let (date, time) = dos_time(self.seconds);
        let (flags, method) = if file.is_deflated { (UTF8 | FOLLOWS, 8) } else { (UTF8, 0) };
        for number in [version, flags, method, time, date] {
            header.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn time_extra(&self) -> Vec<u8> {
        let seconds = i32::try_from(self.seconds).unwrap_or(i32::MAX);
        [b"UT\x05\0\x01", &seconds.to_le_bytes()[..]].concat()
    }

    /// A large file says in its header that its sizes have 64 bits.
    fn local_extra(&self, size: u64) -> Vec<u8> {
        let mut extra = self.time_extra();
        if size >= LARGE {
            extra.extend_from_slice(&[1, 0, 16, 0]);
            extra.extend_from_slice(&[0; 16]);
        }
        extra
    }
}

fn name_lengths(header: &mut Vec<u8>, path: &[u8], extra: &[u8]) {
    for length in [path.len(), extra.len()] {
        header.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    }
}

/// Returns a number as 32 bits, or what says that it is elsewhere.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(ELSEWHERE)
}

/// Returns date and time as DOS has them, in UTC: from 1980 on, in steps of two seconds.
fn dos_time(seconds: i64) -> (u16, u16) {
    let seconds = seconds.clamp(315_532_800, 4_354_819_198);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (mut year, mut day) = (1970, days);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while day >= 365 + i64::from(is_leap(year)) {
        day -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let date = ((year - 1980) << 9) | (month << 5) | (day + 1);
    let time = ((second / 3600) << 11) | ((second / 60 % 60) << 5) | (second % 60 / 2);
    (u16::try_from(date).unwrap_or(0), u16::try_from(time).unwrap_or(0))
}

impl Archive for Zip<'_> {
    fn directory(&mut self, path: &[u8], _id: ObjectId) -> Result<()> {
        self.stored(path, 0o040_755, b"")
    }

    fn link(&mut self, path: &[u8], _id: ObjectId, target: &[u8]) -> Result<()> {
        self.stored(path, 0o120_777, target)
    }

    fn file(&mut self, objects: &mut Objects, path: &[u8], file: &PathEntry, size: u64) -> Result<()> {
        let mode = if file.kind == EntryKind::Executable { 0o100_755 } else { 0o100_644 };
        match size {
            // Some programs want the sizes of what is not deflated before it.
            0 => self.stored(path, mode, b""),
            size => self.deflated(path, mode, size, |sink| copy(objects, file.id, size, sink)),
        }
    }
}

/// Counts what passes, and sums it up if asked.
struct Counting<'a> {
    sink: &'a mut dyn Write,
    crc: Option<Crc>,
    count: u64,
}

impl Counting<'_> {
    fn sum(&self) -> u32 {
        self.crc.as_ref().map_or(0, Crc::sum)
    }
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.sink.write(bytes)?;
        if let Some(crc) = &mut self.crc {
            crc.update(&bytes[..count]);
        }
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_dos() {
        assert_eq!(dos_time(0), (1 << 5 | 1, 0));
        assert_eq!(dos_time(1_677_628_800), (43 << 9 | 3 << 5 | 1, 0), "2023-03-01");
        // 2024-02-29 23:59:58 UTC
        assert_eq!(dos_time(1_709_251_198), (44 << 9 | 2 << 5 | 29, 23 << 11 | 59 << 5 | 29));
    }
}
