//! What objects look like once decoded. Texts are UTF-8; bytes that are not become replacement characters.

use forge_types::{ObjectFormat, ObjectId};

use super::from_gix;
use crate::signature::signed_commit;
use crate::{Error, Result};

/// The four kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A point in history.
    Commit,
    /// A directory.
    Tree,
    /// The bytes of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// Returns Git's name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    pub(crate) fn from_gix(kind: gix::objs::Kind) -> Self {
        match kind {
            gix::objs::Kind::Commit => Self::Commit,
            gix::objs::Kind::Tree => Self::Tree,
            gix::objs::Kind::Blob => Self::Blob,
            gix::objs::Kind::Tag => Self::Tag,
        }
    }

    pub(crate) fn to_gix(self) -> gix::objs::Kind {
        match self {
            Self::Commit => gix::objs::Kind::Commit,
            Self::Tree => gix::objs::Kind::Tree,
            Self::Blob => gix::objs::Kind::Blob,
            Self::Tag => gix::objs::Kind::Tag,
        }
    }
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A directory.
    Tree,
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

impl EntryKind {
    /// Returns the mode as Git and GitHub's API write it.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Tree => "040000",
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Submodule => "160000",
        }
    }

    /// Returns what kind of object the entry names.
    pub fn object_kind(self) -> ObjectKind {
        match self {
            Self::Tree => ObjectKind::Tree,
            Self::File | Self::Executable | Self::Link => ObjectKind::Blob,
            Self::Submodule => ObjectKind::Commit,
        }
    }

    pub(crate) fn from_gix(kind: gix::objs::tree::EntryKind) -> Self {
        use gix::objs::tree::EntryKind as Gix;
        match kind {
            Gix::Tree => Self::Tree,
            Gix::Blob => Self::File,
            Gix::BlobExecutable => Self::Executable,
            Gix::Link => Self::Link,
            Gix::Commit => Self::Submodule,
        }
    }

    pub(crate) fn to_gix(self) -> gix::objs::tree::EntryKind {
        use gix::objs::tree::EntryKind as Gix;
        match self {
            Self::Tree => Gix::Tree,
            Self::File => Gix::Blob,
            Self::Executable => Gix::BlobExecutable,
            Self::Link => Gix::Link,
            Self::Submodule => Gix::Commit,
        }
    }
}

/// One entry of a tree. The name is bytes: Git asks for no encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The name within the directory.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// How far the clock of the place was from UTC, in seconds.
    pub offset: i32,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// The directory it records.
    pub tree_id: ObjectId,
    /// The commits it follows.
    pub parent_ids: Vec<ObjectId>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// What it says, as it is stored.
    pub message: String,
    /// The signature it carries, which nobody has verified.
    pub signed: Option<Signed>,
}

/// A signature and what it was made over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The signature, as it is stored.
    pub signature: String,
    /// The commit without it.
    pub payload: String,
}

/// The object that an id stands for once annotated tags are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// What the id itself names.
    pub kind: ObjectKind,
    /// The object behind all tags; the id itself if it is no tag.
    pub target_id: ObjectId,
    /// What that object is.
    pub target_kind: ObjectKind,
}

impl Commit {
    pub(crate) fn decode(id: ObjectId, data: &[u8], hash: gix::hash::Kind) -> Result<Self> {
        let broken = |cause: &dyn std::fmt::Display| Error::corrupt(format_args!("commit {id}"), cause);
        let commit = gix::objs::CommitRef::from_bytes(data, hash).map_err(|error| broken(&error))?;
        Ok(Self {
            id,
            tree_id: from_gix(&commit.tree()),
            parent_ids: commit.parents().map(|parent| from_gix(&parent)).collect(),
            author: signature(&commit.author().map_err(|error| broken(&error))?),
            committer: signature(&commit.committer().map_err(|error| broken(&error))?),
            message: String::from_utf8_lossy(commit.message).into_owned(),
            signed: Signed::find(data, id.format()),
        })
    }
}

impl Signed {
    fn find(data: &[u8], format: ObjectFormat) -> Option<Self> {
        let found = signed_commit(data, format)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Self { signature: text(found.signature.trim_ascii_end()), payload: text(&found.payload) })
    }
}

pub(super) fn signature(signature: &gix::actor::SignatureRef<'_>) -> Signature {
    // Old histories have dates that no parser agrees on; the seconds are what everyone reads.
    let offset = signature.time().map_or(0, |time| time.offset);
    Signature {
        name: String::from_utf8_lossy(signature.name).into_owned(),
        email: String::from_utf8_lossy(signature.email).into_owned(),
        seconds: signature.seconds(),
        offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_told_from_what_it_was_made_over() {
        let unsigned = "tree 1\nauthor A\ncommitter C\n\ngpgsig is a word here\n";
        assert_eq!(Signed::find(unsigned.as_bytes(), ObjectFormat::Sha1), None);
        let data =
            "tree 1\nauthor A\ncommitter C\ngpgsig -----BEGIN\n \n abc\n -----END\nencoding x\n\nwords\n";
        let found = Signed::find(data.as_bytes(), ObjectFormat::Sha1).unwrap();
        assert_eq!(found.signature, "-----BEGIN\n\nabc\n-----END");
        assert_eq!(found.payload, "tree 1\nauthor A\ncommitter C\nencoding x\n\nwords\n");
    }
}
