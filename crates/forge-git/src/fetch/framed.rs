//! The bytes of a pack as the protocol carries them: in side-band packets, or bare for clients that know none.

use bytes::Bytes;

use super::request::Fetch;
use crate::wire::{Protocol, pkt, sideband};

/// Without side-band the pack is cut into pieces of this size.
const BARE: usize = 64 * 1024;

/// Collects bytes into pieces to be sent.
#[derive(Debug)]
pub(super) struct Framed {
    /// How many bytes of a pack one packet has; none without side-band.
    room: Option<usize>,
    piece: Vec<u8>,
}

impl Framed {
    /// Begins an answer with what comes before the pack.
    pub(super) fn new(fetch: &Fetch, lead: Vec<u8>) -> Self {
        let packet = match fetch.protocol() {
            Protocol::V2 => Some(pkt::MAX_LEN),
            Protocol::V0 | Protocol::V1 => fetch.options.side_band,
        };
        Self { room: packet.map(|len| len - 5), piece: lead }
    }

    /// Are there packets, which can carry words beside the pack?
    pub(super) fn has_side_band(&self) -> bool {
        self.room.is_some()
    }

    /// Adds bytes of the pack; whatever makes a full piece goes to `out`.
    pub(super) fn data<E>(
        &mut self,
        mut bytes: &[u8],
        mut out: impl FnMut(Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let now = bytes.len().min(self.room.unwrap_or(BARE));
            if self.room.is_some() {
                self.piece.extend_from_slice(format!("{:04x}", now + 5).as_bytes());
                self.piece.push(sideband::DATA);
            }
            self.piece.extend_from_slice(&bytes[..now]);
            bytes = &bytes[now..];
            if self.piece.len() >= BARE {
                out(std::mem::take(&mut self.piece).into())?;
            }
        }
        Ok(())
    }

    /// Adds words for people.
    pub(super) fn progress(&mut self, text: &[u8]) {
        if let Some(room) = self.room {
            for chunk in text.chunks(room) {
                self.piece.extend_from_slice(format!("{:04x}", chunk.len() + 5).as_bytes());
                self.piece.push(sideband::PROGRESS);
                self.piece.extend_from_slice(chunk);
            }
        }
    }

    /// Takes what is there.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.piece).into()
    }

    /// Ends the answer and returns what is left of it.
    pub(super) fn end(mut self) -> Bytes {
        if self.room.is_some() {
            self.piece.extend_from_slice(pkt::FLUSH);
        }
        self.piece.into()
    }
}
