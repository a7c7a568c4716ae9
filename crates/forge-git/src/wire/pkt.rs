//! pkt-lines: four hex digits of length, then that many bytes; three special packets of length 0, 1 and 2.
//!
//! Strict on purpose: a length of 3, a length above 65520, anything but hex, and a stream that ends inside a packet are
//! errors, never guesses. See gitprotocol-common(5).

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Error, Result};

/// The longest packet, its length digits included.
pub const MAX_LEN: usize = 65520;

/// The longest data of one packet.
pub const MAX_DATA: usize = MAX_LEN - 4;

/// The packet that ends a section or a message.
pub const FLUSH: &[u8; 4] = b"0000";

/// The packet that separates parts of a version 2 message.
pub const DELIM: &[u8; 4] = b"0001";

/// One packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Bytes, possibly none.
    Data(Vec<u8>),
    /// `0000`
    Flush,
    /// `0001`
    Delim,
    /// `0002`
    ResponseEnd,
}

impl Packet {
    /// Returns the data without one line feed at its end, if this is a data packet.
    pub fn line(&self) -> Option<&[u8]> {
        match self {
            Self::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            Self::Flush | Self::Delim | Self::ResponseEnd => None,
        }
    }
}

/// Appends a data packet. Longer data than one packet holds is a mistake of the caller.
pub fn write(out: &mut Vec<u8>, data: &[u8]) {
    debug_assert!(data.len() <= MAX_DATA, "data of one packet is limited");
    out.extend_from_slice(format!("{:04x}", data.len() + 4).as_bytes());
    out.extend_from_slice(data);
}

/// Appends a data packet of a line: a line feed is added.
pub fn write_line(out: &mut Vec<u8>, line: &str) {
    debug_assert!(line.len() < MAX_DATA, "data of one packet is limited");
    out.extend_from_slice(format!("{:04x}{line}\n", line.len() + 5).as_bytes());
}

/// Reads packets from a stream, never a byte more than they have, and never more bytes in all than allowed.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    budget: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads from the stream, up to that many bytes.
    pub fn new(from: R, budget: usize) -> Self {
        Self { from, budget }
    }

    /// Returns the stream, positioned after the last packet.
    pub fn into_inner(self) -> R {
        self.from
    }

    /// Reads the next packet. `None` is the end of the stream, which is good only between packets.
    pub async fn next(&mut self) -> Result<Option<Packet>> {
        let mut prefix = [0u8; 4];
        match self.fill(&mut prefix).await? {
            0 => return Ok(None),
            4 => {}
            _ => return Err(cut_short()),
        }
        self.spend(prefix.len())?;
        let data_len = match parse_length(prefix)? {
            0 => return Ok(Some(Packet::Flush)),
            1 => return Ok(Some(Packet::Delim)),
            2 => return Ok(Some(Packet::ResponseEnd)),
            length => length - 4,
        };
        self.spend(data_len)?;
        let mut data = vec![0u8; data_len];
        if self.fill(&mut data).await? < data_len {
            return Err(cut_short());
        }
        Ok(Some(Packet::Data(data)))
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or_else(|| Error::TooLarge("the request is too large".into()))?;
        Ok(())
    }

    /// Fills the buffer as far as the stream reaches.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.from.read(&mut buffer[filled..]).await {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => return Err(Error::Protocol(format!("the request could not be read: {error}"))),
            }
        }
        Ok(filled)
    }
}

fn cut_short() -> Error {
    Error::protocol("the request ends inside a pkt-line")
}

/// Reads the four digits: 0, 1, 2, or 4 to 65520.
fn parse_length(prefix: [u8; 4]) -> Result<usize> {
    let mut length = 0usize;
    for digit in prefix {
        let value = char::from(digit)
            .to_digit(16)
            .ok_or_else(|| Error::Protocol(format!("bad pkt-line length `{}`", prefix.escape_ascii())))?;
        length = length * 16 + value as usize;
    }
    match length {
        0..=2 | 4..=MAX_LEN => Ok(length),
        _ => Err(Error::Protocol(format!("bad pkt-line length `{}`", prefix.escape_ascii()))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8], budget: usize) -> Result<Vec<Packet>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut reader = Reader::new(bytes, budget);
            let mut packets = Vec::new();
            while let Some(packet) = reader.next().await? {
                packets.push(packet);
            }
            Ok(packets)
        })
    }

    #[test]
    fn lengths_outside_the_protocol_are_refused() {
        for bytes in [&b"0003"[..], b"fff1", b"ffff", b"00g0", b"+004", b"-001", b"    ", b"0x10"] {
            assert!(matches!(read_all(bytes, 1 << 20), Err(Error::Protocol(_))), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn stream_that_ends_inside_a_packet_is_refused() {
        for bytes in [&b"0"[..], b"000", b"0005", b"0009abcd", b"0008abcd00"] {
            assert!(matches!(read_all(bytes, 1 << 20), Err(Error::Protocol(_))), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn bytes_over_the_budget_are_refused_before_they_are_read() {
        assert!(matches!(read_all(b"fff0", 1000), Err(Error::TooLarge(_))));
        assert!(matches!(read_all(&b"0000".repeat(1000), 1000), Err(Error::TooLarge(_))));
    }

    #[test]
    fn nothing_behind_the_last_packet_is_read() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut reader = Reader::new(&b"0009line\n0000PACK"[..], 100);
        runtime.block_on(async {
            assert_eq!(reader.next().await.unwrap().unwrap().line(), Some(&b"line"[..]));
            assert_eq!(reader.next().await.unwrap(), Some(Packet::Flush));
        });
        assert_eq!(reader.into_inner(), b"PACK");
    }

    fn packet() -> impl Strategy<Value = Packet> {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(Packet::Data),
            1 => Just(Packet::Data(vec![7; MAX_DATA])),
            1 => Just(Packet::Flush),
            1 => Just(Packet::Delim),
            1 => Just(Packet::ResponseEnd),
        ]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(packets in proptest::collection::vec(packet(), 0..20)) {
            let mut bytes = Vec::new();
            for packet in &packets {
                match packet {
                    Packet::Data(data) => write(&mut bytes, data),
                    Packet::Flush => bytes.extend_from_slice(FLUSH),
                    Packet::Delim => bytes.extend_from_slice(DELIM),
                    Packet::ResponseEnd => bytes.extend_from_slice(b"0002"),
                }
            }
            prop_assert_eq!(read_all(&bytes, 1 << 24).unwrap(), packets);
        }

        #[test]
        fn any_bytes_are_packets_or_a_clear_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            match read_all(&bytes, 1 << 16) {
                Ok(_) | Err(Error::Protocol(_) | Error::TooLarge(_)) => {}
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn digits_and_noise_are_packets_or_a_clear_error(text in "([0-9a-f]{4}|[ -~]{0,6}){0,20}") {
            let _ = read_all(text.as_bytes(), 1 << 16);
        }
    }
}
