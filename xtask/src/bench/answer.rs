//! Checks what servers answer, while it streams by: packets whole, a flush at the end, the pack inside, the report good.

use crate::Result;

/// What is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Lines of text.
    Lines,
    /// Sections of lines, then a pack in side bands.
    Fetch,
    /// A report in side bands.
    Report,
}

/// Reads the packets of one answer.
pub(super) struct Scan {
    kind: Kind,
    header: Vec<u8>,
    left: usize,
    band: Option<u8>,
    is_banded: bool,
    line: Vec<u8>,
    lines: usize,
    first_lines: Vec<u8>,
    ends_in_flush: bool,
    /// The data of the first band: of a pack its first bytes, of a report all.
    data: Vec<u8>,
    data_bytes: u64,
    keep: bool,
    fault: Option<String>,
}

/// As much of the lines as a check looks at.
const FIRST_LINES: usize = 4096;
const PACK_HEADER: usize = 12;

impl Scan {
    /// Awaits the lines of an advertisement or of `ls-refs`.
    pub(super) fn lines() -> Self {
        Self::new(Kind::Lines)
    }

    /// Awaits the answer to a fetch of protocol version 2.
    pub(super) fn fetch() -> Self {
        Self::new(Kind::Fetch)
    }

    /// Awaits the answer to a fetch and keeps its pack.
    pub(super) fn fetch_and_keep() -> Self {
        Self { keep: true, ..Self::fetch() }
    }

    /// Awaits the report of a push.
    pub(super) fn report() -> Self {
        Self { keep: true, is_banded: true, ..Self::new(Kind::Report) }
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            header: Vec::with_capacity(4),
            left: 0,
            band: None,
            is_banded: false,
            line: Vec::new(),
            lines: 0,
            first_lines: Vec::new(),
            ends_in_flush: false,
            data: Vec::new(),
            data_bytes: 0,
            keep: false,
            fault: None,
        }
    }

    /// Reads on.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.fault.is_none() {
            let wanted = if self.left == 0 { 4 - self.header.len() } else { self.left };
            let (piece, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.left == 0 {
                self.header.extend_from_slice(piece);
                if self.header.len() == 4 {
                    self.begin_packet();
                }
            } else {
                self.payload(piece);
                self.left -= piece.len();
                if self.left == 0 {
                    self.end_packet();
                }
            }
        }
    }

    /// Returns whether bytes of the pack have come.
    pub(super) fn has_pack_bytes(&self) -> bool {
        self.data_bytes > 0
    }

    fn begin_packet(&mut self) {
        let length =
            std::str::from_utf8(&self.header).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
        self.ends_in_flush = length == Some(0);
        match length {
            Some(0..=2) => {}
            Some(length @ 4..) => {
                self.left = length - 4;
                self.band = None;
                self.line.clear();
            }
            _ => self.fault = Some(format!("`{}` is no packet length", self.header.escape_ascii())),
        }
        self.header.clear();
    }

    fn payload(&mut self, mut piece: &[u8]) {
        if !self.is_banded {
            self.line.extend_from_slice(piece);
            return;
        }
        let band = match self.band {
            Some(band) => band,
            None => {
                let band = piece[0];
                piece = &piece[1..];
                self.band = Some(band);
                band
            }
        };
        match band {
            1 => {
                self.data_bytes += piece.len() as u64;
                let room = if self.keep { piece.len() } else { PACK_HEADER.saturating_sub(self.data.len()) };
                self.data.extend_from_slice(&piece[..room.min(piece.len())]);
            }
            2 => {}
            _ => self.fault = Some(format!("the server says `{}`", piece.escape_ascii())),
        }
    }

    fn end_packet(&mut self) {
        if self.is_banded {
            return;
        }
        self.lines += 1;
        if self.line.starts_with(b"ERR ") {
            self.fault = Some(format!("the server says `{}`", self.line.escape_ascii()));
        }
        if self.first_lines.len() < FIRST_LINES {
            self.first_lines.extend_from_slice(&self.line);
            self.first_lines.push(b'\n');
        }
        self.is_banded = self.kind == Kind::Fetch && self.line == b"packfile\n";
    }

    fn end(&self) -> Result<()> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None if self.left > 0 || !self.header.is_empty() => Err("a packet is cut short".to_owned()),
            None if !self.ends_in_flush => Err("the answer does not end in a flush packet".to_owned()),
            None => Ok(()),
        }
    }

    /// Ends the answer, in which this text must stand; returns the number of lines.
    pub(super) fn finish_lines(&self, needed: &str) -> Result<usize> {
        self.end()?;
        match self.first_lines.windows(needed.len()).any(|window| window == needed.as_bytes()) {
            true => Ok(self.lines),
            false => Err(format!("`{needed}` is missing in `{}`", self.first_lines.escape_ascii())),
        }
    }

    /// Ends the answer to a fetch, which must hold a pack; returns the number of its objects.
    pub(super) fn finish_pack(&self) -> Result<u32> {
        self.end()?;
        let header = self.data.get(..PACK_HEADER).filter(|header| header.starts_with(b"PACK\0\0\0\x02"));
        let header = header.ok_or_else(|| {
            format!("there is no pack in the answer, but `{}`", self.first_lines.escape_ascii())
        })?;
        Ok(u32::from_be_bytes([header[8], header[9], header[10], header[11]]))
    }

    /// Returns the bytes of the pack that was kept.
    pub(super) fn into_pack(self) -> Vec<u8> {
        self.data
    }

    /// Ends the answer to a push, which must say that the pack and so many refs got in.
    pub(super) fn finish_report(&self, refs: usize) -> Result<()> {
        self.end()?;
        let mut inner = Self::lines();
        inner.feed(&self.data);
        inner.end().map_err(|error| format!("the report: {error}"))?;
        let text = String::from_utf8_lossy(&self.data);
        let accepted = text.matches("ok refs/").count();
        if !text.contains("unpack ok\n") || accepted != refs || text.contains("ng ") {
            let start: String = text.chars().take(400).collect();
            return Err(format!("{accepted} of {refs} refs got in: `{}`", start.escape_debug()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        [format!("{:04x}", payload.len() + 4).as_bytes(), payload].concat()
    }

    fn fed(mut scan: Scan, bytes: &[u8], step: usize) -> Scan {
        bytes.chunks(step).for_each(|piece| scan.feed(piece));
        scan
    }

    fn pack_answer() -> Vec<u8> {
        let bands: [&[u8]; 4] =
            [b"\x02counting", b"\x01PACK\0\0\0\x02\0\0", b"\x01\x01\x02and so on", b"\x01"];
        let mut out = packet(b"packfile\n");
        bands.iter().for_each(|band| out.extend(packet(band)));
        [out, b"0000".to_vec()].concat()
    }

    #[test]
    fn pack_is_found_however_the_answer_is_cut() {
        let answer = pack_answer();
        for step in 1..=answer.len() {
            let scan = fed(Scan::fetch_and_keep(), &answer, step);
            assert_eq!(scan.finish_pack(), Ok(0x0102));
            assert_eq!(scan.into_pack(), b"PACK\0\0\0\x02\0\0\x01\x02and so on");
        }
    }

    #[test]
    fn sections_before_the_pack_are_lines() {
        let answer =
            [packet(b"shallow-info\n"), packet(b"shallow 12\n"), b"0001".to_vec(), pack_answer()].concat();
        assert_eq!(fed(Scan::fetch(), &answer, 3).finish_pack(), Ok(0x0102));
    }

    #[test]
    fn answer_without_pack_or_flush_or_with_an_error_is_wrong() {
        let answer = pack_answer();
        let no_flush = &answer[..answer.len() - 4];
        let short = &answer[..answer.len() - 6];
        let unpacked = [packet(b"acknowledgments\n"), b"0000".to_vec()].concat();
        let fault = [packet(b"packfile\n"), packet(b"\x03out of memory"), b"0000".to_vec()].concat();
        let refused = [packet(b"ERR no such id"), b"0000".to_vec()].concat();
        for bytes in [no_flush, short, &unpacked, &fault, &refused, b"<html>", b""] {
            assert!(fed(Scan::fetch(), bytes, 5).finish_pack().is_err(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn lines_are_counted_and_searched() {
        let answer = [
            packet(b"# service=git-upload-pack\n"),
            b"0000".to_vec(),
            packet(b"version 2\n"),
            b"0000".to_vec(),
        ];
        let scan = fed(Scan::lines(), &answer.concat(), 4);
        assert_eq!(scan.finish_lines("version 2\n"), Ok(2));
        assert!(scan.finish_lines("version 1\n").is_err());
    }

    #[test]
    fn report_must_accept_the_pack_and_every_ref() {
        let report = |lines: &[&str]| {
            let inner: Vec<u8> = lines.iter().flat_map(|line| packet(line.as_bytes())).collect();
            let banded = [&b"\x01"[..], &inner, b"0000"].concat();
            fed(Scan::report(), &[packet(&banded), b"0000".to_vec()].concat(), 7)
        };
        assert_eq!(report(&["unpack ok\n", "ok refs/heads/a\n"]).finish_report(1), Ok(()));
        assert!(report(&["unpack ok\n", "ok refs/heads/a\n"]).finish_report(2).is_err());
        assert!(report(&["unpack ok\n", "ng refs/heads/a no\n"]).finish_report(1).is_err());
        assert!(report(&["unpack failed\n", "ok refs/heads/a\n"]).finish_report(1).is_err());
    }
}
