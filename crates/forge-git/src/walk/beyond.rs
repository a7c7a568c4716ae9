//! Which objects lie beyond a pack that holds a whole history.
//!
//! Such a pack is closed: with an object it has all that the object reaches. So a walk that begins at newer tips ends wherever
//! it meets the pack, and costs as much as what is new.

use forge_types::ObjectId;

use super::missing::Missing;
use super::slots::SlotSet;
use crate::objects::{ObjectKind, from_gix, hash_kind};
use crate::packs::{Decoder, Pack, Slot};
use crate::{Error, Result};

/// Lists what `wants` reach and a closed pack does not have; `None` if that is more than `limit`.
pub(crate) fn find_beyond(
    decoder: &mut Decoder,
    closed: &Pack,
    wants: &[Slot],
    limit: usize,
) -> Result<Option<Missing>> {
    let len = decoder.set().len();
    let missing = Missing { objects: Vec::new(), set: SlotSet::new(len), known: SlotSet::new(len) };
    let mut search = Search { decoder, closed, missing, open: Vec::new() };
    for want in wants {
        search.see(*want);
    }
    let mut buffer = Vec::new();
    while let Some(slot) = search.open.pop() {
        if search.missing.objects.len() >= limit {
            return Ok(None);
        }
        search.missing.objects.push(slot);
        search.look_into(slot, &mut buffer)?;
    }
    Ok(Some(search.missing))
}

struct Search<'a> {
    decoder: &'a mut Decoder,
    closed: &'a Pack,
    missing: Missing,
    open: Vec<Slot>,
}

impl Search<'_> {
    /// Notes an object unless the closed pack has it.
    fn see(&mut self, slot: Slot) {
        let is_beyond = self.closed.position(self.decoder.set().id(slot)).is_none();
        if is_beyond && self.missing.set.insert(slot) {
            self.open.push(slot);
        }
    }

    fn see_named(&mut self, id: &gix::oid) -> Result<()> {
        let slot = match self.decoder.set().slot(id) {
            // Every client knows the empty directory; no pack needs to have it.
            None if from_gix(id) == ObjectId::empty_tree(self.decoder.set().format()) => return Ok(()),
            found => found.ok_or_else(|| Error::MissingObject(from_gix(id)))?,
        };
        self.see(slot);
        Ok(())
    }

    /// Notes what an object names.
    fn look_into(&mut self, slot: Slot, buffer: &mut Vec<u8>) -> Result<()> {
        let kind = self.decoder.header(slot)?.0;
        if kind == ObjectKind::Blob {
            return Ok(());
        }
        self.decoder.read_any_size(slot, buffer)?;
        let hash = hash_kind(self.decoder.set().format());
        let named = match kind {
            ObjectKind::Tree => named_by_tree(buffer, hash),
            ObjectKind::Commit => named_by_commit(buffer, hash),
            ObjectKind::Tag => {
                gix::objs::TagRefIter::from_bytes(buffer, hash).target_id().ok().map(|id| vec![id])
            }
            ObjectKind::Blob => Some(Vec::new()),
        };
        let id = from_gix(self.decoder.set().id(slot));
        let named = named.ok_or_else(|| Error::Corrupt(format!("object {id} does not read")))?;
        named.iter().try_for_each(|id| self.see_named(id))
    }
}

fn named_by_tree(data: &[u8], hash: gix::hash::Kind) -> Option<Vec<gix::ObjectId>> {
    let mut named = Vec::new();
    for entry in gix::objs::TreeRefIter::from_bytes(data, hash) {
        let entry = entry.ok()?;
        // The commit of a submodule lies elsewhere.
        if !entry.mode.is_commit() {
            named.push(entry.oid.to_owned());
        }
    }
    Some(named)
}

fn named_by_commit(data: &[u8], hash: gix::hash::Kind) -> Option<Vec<gix::ObjectId>> {
    let mut commit = gix::objs::CommitRefIter::from_bytes(data, hash);
    let tree = commit.tree_id().ok()?;
    Some(std::iter::once(tree).chain(commit.parent_ids()).collect())
}
