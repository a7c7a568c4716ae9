//! Which objects an object names, and what an annotated tag says.

use forge_types::ObjectId;

use super::{ObjectKind, Objects, Signature, from_gix, hash_kind};
use crate::objects::model;
use crate::signature::signed_text;
use crate::{Error, Result};

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: ObjectId,
    /// What it stands for.
    pub target_id: ObjectId,
    /// What kind of object that is.
    pub target_kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Who made it; old tags do not say.
    pub tagger: Option<Signature>,
    /// What it says, without the signature.
    pub message: String,
    /// The signature it carries, which nobody has verified.
    pub signed: Option<model::Signed>,
}

impl Objects {
    /// Returns the objects that an object names: tree and parents of a commit, entries of a tree without submodules, the target
    /// of a tag.
    pub fn named_by(&mut self, id: ObjectId) -> Result<Vec<ObjectId>> {
        let (kind, data) = self.read(id)?;
        let broken = |cause: &dyn std::fmt::Display| {
            Error::corrupt(format_args!("{} {id}", kind.as_str()), cause.to_string())
        };
        let hash = hash_kind(id.format());
        let mut named = Vec::new();
        match kind {
            ObjectKind::Blob => {}
            ObjectKind::Commit => {
                let commit = gix::objs::CommitRef::from_bytes(&data, hash).map_err(|error| broken(&error))?;
                named.push(from_gix(&commit.tree()));
                named.extend(commit.parents().map(|parent| from_gix(&parent)));
            }
            ObjectKind::Tree => {
                for entry in gix::objs::TreeRefIter::from_bytes(&data, hash) {
                    let entry = entry.map_err(|error| broken(&error))?;
                    named.extend((!entry.mode.is_commit()).then(|| from_gix(entry.oid)));
                }
            }
            ObjectKind::Tag => {
                let tag = gix::objs::TagRefIter::from_bytes(&data, hash);
                named.push(from_gix(&tag.target_id().map_err(|error| broken(&error))?));
            }
        }
        Ok(named)
    }

    /// Reads an annotated tag.
    pub fn tag(&mut self, id: ObjectId) -> Result<Tag> {
        let data = self.read_as(id, ObjectKind::Tag)?;
        let broken = |cause: &dyn std::fmt::Display| Error::corrupt(format_args!("tag {id}"), cause);
        let tag =
            gix::objs::TagRef::from_bytes(&data, hash_kind(id.format())).map_err(|error| broken(&error))?;
        let tagger = tag.tagger().map_err(|error| broken(&error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let start = data.windows(2).position(|pair| pair == b"\n\n").map_or(data.len(), |at| at + 2);
        let signed = signed_text(&data);
        let end = signed.as_ref().map_or(data.len(), |signed| signed.payload.len());
        Ok(Tag {
            id,
            target_id: from_gix(&tag.target()),
            target_kind: ObjectKind::from_gix(tag.target_kind),
            name: text(tag.name),
            tagger: tagger.as_ref().map(model::signature),
            message: text(&data[start.min(end)..end]),
            signed: signed.map(|signed| model::Signed {
                signature: text(signed.signature.trim_ascii_end()),
                payload: text(&signed.payload),
            }),
        })
    }
}
