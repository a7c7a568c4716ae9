//! Opened packs: the objects of a repository, read without an object database.
//!
//! A [`PackSet`] is a fixed list of opened packs. Packs are immutable, so that a set keeps working while maintenance removes
//! files behind it; nothing is rescanned, nothing is loose. Every object of a set has a [`Slot`], a dense number: visited sets
//! and marks of a walk are plain arrays of it.
//!
//! INVARIANT: the slot of an object is its place in the first pack of the set that has it. An object that lies in two packs
//! has one slot.

mod cache;
mod decode;
pub(crate) mod entry;
mod manifest;
mod pack;
mod set;

pub(crate) use cache::PackCache;
pub(crate) use decode::Decoder;
pub use manifest::{Manifest, Packs};
pub(crate) use pack::{Form, Pack, Stored};
pub use set::PackSet;
pub(crate) use set::Slot;
