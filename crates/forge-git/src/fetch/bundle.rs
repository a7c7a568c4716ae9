//! A full clone as a bundle, and where clients find it: gitformat-bundle(5), and `bundle-uri` in gitprotocol-v2(5).
//!
//! A bundle is a header with refs, and a pack. The pack is the same copy that a full clone is sent ([`super::copy`]): the stored
//! pack of what the visible refs reach, and what came since. So it holds as long as that pack's mark does.

use std::sync::Arc;

use bytes::Bytes;

use super::copy::Copy;
use crate::objects::to_gix;
use crate::packs::{Decoder, PackSet};
use crate::walk::find_beyond;
use crate::wire::{RefSnapshot, pkt};
use crate::{Error, Result};

/// With more objects than this beside the stored pack it is not worth it.
const BEYOND: usize = 50_000;

/// How many bytes are sent at a time.
const PIECE: usize = 64 * 1024;

/// Returns the answer to the command `bundle-uri`: one bundle, or none. The address is relative to that of the repository, so
/// that it is at the same host and takes the same password.
pub fn bundle_uri(address: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(address) = address {
        for line in ["bundle.version=1", "bundle.mode=all", &format!("bundle.all.uri={address}")] {
            pkt::write_line(&mut out, line);
        }
    }
    out.extend_from_slice(pkt::FLUSH);
    out
}

/// A bundle to be sent.
pub(super) struct Bundle {
    header: String,
    copy: Copy,
}

impl Bundle {
    /// Opens the stored pack; `None` if there is none that holds.
    pub(super) fn open(set: &PackSet, snapshot: &RefSnapshot) -> Result<Option<Self>> {
        let Some(closure) = set.closure().cloned() else { return Ok(None) };
        let mut header = String::from("# v2 git bundle\n");
        let mut tips = Vec::new();
        for entry in snapshot.refs().iter().filter(|entry| entry.name.kind().is_own()) {
            header.push_str(&format!("{} {}\n", entry.id, entry.name));
            tips.push(set.slot_of(&to_gix(entry.id))?);
        }
        header.push('\n');
        let mut decoder = Decoder::new(set.clone());
        let Some(beyond) = find_beyond(&mut decoder, &closure, &tips, BEYOND)? else { return Ok(None) };
        Ok(Copy::open(Arc::clone(&closure), decoder, beyond).map(|copy| Self { header, copy }))
    }

    /// Writes it all, in pieces of some size, to `sink`.
    pub(super) fn write(&mut self, sink: &mut dyn FnMut(Bytes) -> Result<(), Error>) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.header).into_bytes();
        self.copy.write(&mut |bytes| {
            waiting.extend_from_slice(bytes);
            if waiting.len() >= PIECE { sink(std::mem::take(&mut waiting).into()) } else { Ok(()) }
        })?;
        sink(waiting.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_one_bundle_or_none() {
        assert_eq!(bundle_uri(None), b"0000");
        let text = String::from_utf8(bundle_uri(Some("info/bundle"))).unwrap();
        assert_eq!(text, "0015bundle.version=1\n0014bundle.mode=all\n001fbundle.all.uri=info/bundle\n0000");
    }
}
