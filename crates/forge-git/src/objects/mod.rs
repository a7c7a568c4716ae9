//! Objects: reading them from packs, and writing new ones as a pack.
//!
//! What is asked of many of them is in rooms of its own, on [`Objects`]: [`crate::history`], [`crate::diff`],
//! [`crate::merge`], [`crate::archive`]. `Source` shows a reader to gix's algorithms, within bounds.
//!
//! Everything here blocks and belongs on the blocking pool. Reading by id says nothing about who may read: whether an object
//! is reachable from what a caller sees is asked of [`crate::fetch`] or decided above this crate.

mod ancestry;
mod blob;
mod edit;
mod exact;
mod listing;
mod model;
mod naming;
mod pack_builder;
pub(crate) mod platform;
mod reader;
mod source;

pub use blob::BlobStart;
pub use edit::TreeEdit;
pub(crate) use exact::identity_parts;
pub use exact::{ExactCommit, TagDraft};
pub use listing::{Listing, ListingLimits, PathEntry};
pub use model::{Commit, EntryKind, ObjectKind, Peeled, Signature, Signed, TreeEntry};
pub use naming::Tag;
pub use pack_builder::{CommitDraft, PackBuilder};
pub use reader::Objects;
pub(crate) use source::Source;

use forge_types::{ObjectFormat, ObjectId};

pub(crate) fn hash_kind(format: ObjectFormat) -> gix::hash::Kind {
    match format {
        ObjectFormat::Sha1 => gix::hash::Kind::Sha1,
        ObjectFormat::Sha256 => gix::hash::Kind::Sha256,
    }
}

pub(crate) fn to_gix(id: ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

pub(crate) fn from_gix(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("both know the same two lengths")
}
