//! What several targets need.

use std::future::Future;

use forge_git::wire::pkt::{Packet, Reader};
use forge_git::{Error, Result};
use forge_types::ObjectFormat;
use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, Chain};

/// Runs what reads from memory to its end.
pub(crate) fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("what is in memory need not be waited for")
}

/// Returns the bytes as they come in two pieces.
pub(crate) fn in_pieces(bytes: &[u8], at: usize) -> Chain<&[u8], &[u8]> {
    let (first, second) = bytes.split_at(at.min(bytes.len()));
    first.chain(second)
}

/// Takes the first byte, which chooses how the others are read.
pub(crate) fn choice(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}

pub(crate) fn format(choice: u8) -> ObjectFormat {
    if choice & 1 == 0 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 }
}

/// Whoever sends nonsense is told so: it is never a fault of the server.
pub(crate) fn expect_refusal(error: &Error) {
    assert!(matches!(error, Error::Protocol(_) | Error::TooLarge(_)), "{error:?}");
}

/// Reads every packet.
pub(crate) fn packets(bytes: &[u8], budget: usize) -> Result<Vec<Packet>> {
    let mut reader = Reader::new(bytes, budget);
    let mut packets = Vec::new();
    while let Some(packet) = now(reader.next())? {
        packets.push(packet);
    }
    Ok(packets)
}
