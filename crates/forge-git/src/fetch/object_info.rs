//! `object-info` of protocol version 2: how large objects are, without the objects. See gitprotocol-v2(5).

use forge_types::ObjectId;

use crate::objects::to_gix;
use crate::packs::{Decoder, PackSet};
use crate::wire::pkt;
use crate::{Error, Result};

/// A parsed `object-info` request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    wants_size: bool,
    ids: Vec<ObjectId>,
}

impl ObjectInfo {
    /// Reads the arguments; at most `limit` objects may be asked about.
    pub(super) fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>, limit: usize) -> Result<Self> {
        let mut parsed = Self::default();
        for argument in arguments {
            match argument.split_once(' ') {
                None if argument == "size" => parsed.wants_size = true,
                Some(("oid", id)) => parsed.ids.push(id.parse().map_err(|_| unexpected(argument))?),
                _ => return Err(unexpected(argument)),
            }
            if parsed.ids.len() > limit {
                return Err(Error::TooLarge(format!("at most {limit} objects can be asked about at once")));
            }
        }
        Ok(parsed)
    }

    /// Returns the objects that are asked about.
    pub fn ids(&self) -> &[ObjectId] {
        &self.ids
    }

    /// Writes the answer about objects that the caller may see. Blocks.
    pub(super) fn answer(&self, set: &PackSet) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        if self.wants_size {
            pkt::write_line(&mut out, "size");
        }
        let mut decoder = Decoder::new(set.clone());
        for id in &self.ids {
            let size = decoder.header(set.slot_of(&to_gix(*id))?)?.1;
            let line = if self.wants_size { format!("{id} {size}") } else { id.to_string() };
            pkt::write_line(&mut out, &line);
        }
        out.extend_from_slice(pkt::FLUSH);
        Ok(out)
    }
}

fn unexpected(argument: &str) -> Error {
    let shown: String = argument.chars().take(100).flat_map(char::escape_default).collect();
    Error::Protocol(format!("unexpected argument of object-info: `{shown}`"))
}
