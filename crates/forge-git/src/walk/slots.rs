//! Sets and marks of slots.

use crate::packs::Slot;

/// A set of slots, one bit for each slot there is.
#[derive(Clone, Debug)]
pub(crate) struct SlotSet {
    words: Vec<u64>,
}

impl SlotSet {
    /// Returns an empty set of up to `len` slots.
    pub(crate) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Adds a slot; returns whether it is new.
    pub(crate) fn insert(&mut self, slot: Slot) -> bool {
        let (word, bit) = (slot.index() / 64, 1u64 << (slot.index() % 64));
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    pub(crate) fn contains(&self, slot: Slot) -> bool {
        self.words[slot.index() / 64] & (1 << (slot.index() % 64)) != 0
    }
}

/// Eight marks for each slot there is.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    bytes: Vec<u8>,
}

impl Marks {
    /// Returns no marks on any of `len` slots.
    pub(crate) fn new(len: usize) -> Self {
        Self { bytes: vec![0; len] }
    }

    pub(crate) fn has(&self, slot: Slot, mark: u8) -> bool {
        self.bytes[slot.index()] & mark != 0
    }

    /// Sets a mark; returns whether it is new.
    pub(crate) fn set(&mut self, slot: Slot, mark: u8) -> bool {
        let byte = &mut self.bytes[slot.index()];
        let is_new = *byte & mark != mark;
        *byte |= mark;
        is_new
    }

    /// Takes a mark away.
    pub(crate) fn clear(&mut self, slot: Slot, mark: u8) {
        self.bytes[slot.index()] &= !mark;
    }
}
