//! A minimal HTTP/1.1 client: requests are bytes made beforehand, answers are read to their end and handed on as they come.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No honest answer of these servers takes longer between two bytes.
const PATIENCE: Duration = Duration::from_secs(180);
const BUFFER: usize = 256 * 1024;
const LONGEST_HEAD: usize = 64 * 1024;

/// A connection that is kept alive, and opened again when the server closes it.
pub(super) struct Connection {
    address: SocketAddr,
    open: Option<Reader<TcpStream>>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let mut connection = Self { address, open: None };
        connection.open = Some(connection.dial()?);
        Ok(connection)
    }

    fn dial(&self) -> Result<Reader<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Reader::new(stream))
    }

    /// Sends the parts of a request and reads the whole answer, whose body goes to `body` piece by piece.
    pub(super) fn exchange(&mut self, parts: &[&[u8]], body: &mut dyn FnMut(&[u8])) -> Result<Answer> {
        self.exchange_with(parts, &mut std::io::empty(), body)
    }

    /// The same, with what `rest` holds behind the parts.
    pub(super) fn exchange_with(
        &mut self,
        parts: &[&[u8]],
        rest: &mut dyn Read,
        body: &mut dyn FnMut(&[u8]),
    ) -> Result<Answer> {
        let mut reader = match self.open.take() {
            Some(reader) => reader,
            None => self.dial()?,
        };
        for part in parts {
            reader.source.write_all(part)?;
        }
        std::io::copy(rest, &mut reader.source)?;
        let answer = reader.answer(body)?;
        if answer.keeps_alive {
            self.open = Some(reader);
        }
        Ok(answer)
    }
}

/// What an answer's head said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body_bytes: u64,
    keeps_alive: bool,
}

/// Where a body ends.
enum Framing {
    Length(u64),
    Chunked,
    UntilClosed,
}

/// Reads answers from a stream of bytes.
struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Reader<R> {
    fn new(source: R) -> Self {
        Self { source, buffer: vec![0; BUFFER], start: 0, end: 0 }
    }

    fn answer(&mut self, body: &mut dyn FnMut(&[u8])) -> Result<Answer> {
        let (status, framing, keeps_alive) = loop {
            let head = self.head()?;
            // Whatever precedes the answer itself, as `100 Continue` does, has no body.
            if !(100..200).contains(&head.0) {
                break head;
            }
        };
        let body_bytes = match framing {
            _ if matches!(status, 204 | 304) => 0,
            Framing::Length(length) => self.exactly(length, body)?,
            Framing::Chunked => self.chunks(body)?,
            Framing::UntilClosed => self.rest(body)?,
        };
        Ok(Answer { status, body_bytes, keeps_alive })
    }

    fn head(&mut self) -> Result<(u16, Framing, bool)> {
        let status_line = self.line()?;
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| broken(format!("not an HTTP/1.1 answer: `{status_line}`")))?;
        let (mut length, mut is_chunked, mut keeps_alive) = (None, false, true);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken(format!("header `{line}`")))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    length = Some(value.parse().map_err(|_| broken(format!("content length `{value}`")))?);
                }
                "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => keeps_alive = !value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        Ok(match (is_chunked, length) {
            (true, _) => (status, Framing::Chunked, keeps_alive),
            (false, Some(length)) => (status, Framing::Length(length), keeps_alive),
            (false, None) => (status, Framing::UntilClosed, false),
        })
    }

    fn chunks(&mut self, body: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut total = 0;
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16).map_err(|_| broken(format!("chunk size `{line}`")))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(total);
            }
            total += self.exactly(size, body)?;
            if !self.line()?.is_empty() {
                return Err(broken("a chunk is longer than it says".to_owned()));
            }
        }
    }

    fn exactly(&mut self, length: u64, body: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut left = length;
        while left > 0 {
            if self.start == self.end && !self.fill()? {
                return Err(cut_short());
            }
            let available = self.end - self.start;
            let count = usize::try_from(left).map_or(available, |left| left.min(available));
            body(&self.buffer[self.start..self.start + count]);
            self.start += count;
            left -= count as u64;
        }
        Ok(length)
    }

    fn rest(&mut self, body: &mut dyn FnMut(&[u8])) -> Result<u64> {
        let mut total = 0;
        while self.start < self.end || self.fill()? {
            body(&self.buffer[self.start..self.end]);
            total += (self.end - self.start) as u64;
            self.start = self.end;
        }
        Ok(total)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        loop {
            if self.start == self.end && !self.fill()? {
                return Err(cut_short());
            }
            let unread = &self.buffer[self.start..self.end];
            match unread.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    line.extend_from_slice(&unread[..at]);
                    self.start += at + 1;
                    let line = line.strip_suffix(b"\r").unwrap_or(&line);
                    return Ok(String::from_utf8_lossy(line).into_owned());
                }
                None => line.extend_from_slice(unread),
            }
            self.start = self.end;
            if line.len() > LONGEST_HEAD {
                return Err(broken("a line does not end".to_owned()));
            }
        }
    }

    fn fill(&mut self) -> Result<bool> {
        self.start = 0;
        self.end = self.source.read(&mut self.buffer)?;
        Ok(self.end > 0)
    }
}

fn broken(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

fn cut_short() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "the answer is cut short")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most so many bytes at once, as a network may.
    struct Dripping<'a>(&'a [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, into: &mut [u8]) -> Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: &[u8], step: usize) -> Result<(Answer, Vec<u8>)> {
        let mut body = Vec::new();
        let answer = Reader::new(Dripping(bytes, step)).answer(&mut |piece| body.extend_from_slice(piece))?;
        Ok((answer, body))
    }

    #[test]
    fn body_of_a_said_length_ends_there_and_the_next_answer_follows() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n";
        for step in 1..bytes.len() {
            let mut reader = Reader::new(Dripping(bytes, step));
            let mut body = Vec::new();
            let first = reader.answer(&mut |piece| body.extend_from_slice(piece)).unwrap();
            assert_eq!((first.status, first.body_bytes, first.keeps_alive), (200, 5, true));
            assert_eq!(body, b"hello");
            assert_eq!(reader.answer(&mut |_| panic!("no body")).unwrap().status, 204);
        }
    }

    #[test]
    fn chunks_are_joined_however_they_arrive() {
        let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4;x=y\r\nPACK\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n";
        for step in [1, 2, 3, 7, bytes.len()] {
            let (answer, body) = read(bytes, step).unwrap();
            assert_eq!((answer.body_bytes, body.as_slice()), (14, &b"PACK0123456789"[..]));
        }
    }

    #[test]
    fn answer_cut_short_is_an_error_and_never_a_short_body() {
        let length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        let head = b"HTTP/1.1 200 OK\r\nContent-Le";
        for bytes in [&length[..], chunked, head] {
            assert_eq!(read(bytes, 4096).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        let long_chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n";
        for bytes in [&b"SSH-2.0\r\n"[..], b"HTTP/1.1 abc\r\n\r\n", long_chunk] {
            assert_eq!(read(bytes, 4096).unwrap_err().kind(), ErrorKind::InvalidData);
        }
    }

    #[test]
    fn connection_that_ends_is_not_used_again() {
        let (answer, body) = read(b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\nsorry", 3).unwrap();
        assert_eq!((answer.status, answer.keeps_alive, body.as_slice()), (500, false, &b"sorry"[..]));
        let (answer, _) =
            read(b"HTTP/1.1 200 X\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", 3).unwrap();
        assert!(!answer.keeps_alive);
    }

    #[test]
    fn interim_answer_is_passed_over() {
        let (answer, _) =
            read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 5).unwrap();
        assert_eq!(answer.status, 200);
    }
}
