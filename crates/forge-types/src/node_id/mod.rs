//! Node ids: the opaque strings by which GraphQL and REST name one object, whatever its type.
//!
//! The form is GitHub's: a prefix that says the type, an underscore, and the unpadded base64url of a MessagePack array
//! that starts with 0. Clients must not look inside (two prefixes are looked at all the same, see
//! <https://docs.github.com/graphql/guides/using-global-node-ids>); the forge does, so that no table of ids is needed.
//! INVARIANT: decoding what was encoded gives the same id, and everything else is refused.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::ObjectId;
use crate::id::{AccountId, LabelId, PublicKeyId, RepositoryId, TeamId};

mod pack;

use pack::{Reader, Writer};

/// What a Git object in a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectNodeKind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
    /// A blob.
    Blob,
    /// An annotated tag.
    Tag,
}

/// The identity of one object of the API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeId {
    /// A human or an agent.
    User(AccountId),
    /// An organization.
    Organization(AccountId),
    /// A team.
    Team(TeamId),
    /// A repository.
    Repository(RepositoryId),
    /// A label.
    Label(LabelId),
    /// An SSH public key.
    PublicKey(PublicKeyId),
    /// A licence, by its key.
    License(String),
    /// A topic.
    Topic(String),
    /// A ref of a repository, by its full name.
    Ref(RepositoryId, String),
    /// A Git object of a repository.
    Object(ObjectNodeKind, RepositoryId, ObjectId),
}

impl ObjectNodeKind {
    const ALL: [Self; 4] = [Self::Commit, Self::Tree, Self::Blob, Self::Tag];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Commit => "C",
            Self::Tree => "TR",
            Self::Blob => "B",
            Self::Tag => "TA",
        }
    }
}

impl NodeId {
    /// Returns the id of an account, whatever its kind.
    #[must_use]
    pub const fn account(id: AccountId, kind: crate::AccountKind) -> Self {
        match kind {
            crate::AccountKind::Human | crate::AccountKind::Agent => Self::User(id),
            crate::AccountKind::Organization => Self::Organization(id),
        }
    }

    /// Returns the characters before the underscore.
    #[must_use]
    pub const fn prefix(&self) -> &'static str {
        match self {
            Self::User(_) => "U",
            Self::Organization(_) => "O",
            Self::Team(_) => "T",
            Self::Repository(_) => "R",
            Self::Label(_) => "LA",
            Self::PublicKey(_) => "PK",
            Self::License(_) => "L",
            Self::Topic(_) => "TO",
            Self::Ref(..) => "REF",
            Self::Object(kind, ..) => kind.prefix(),
        }
    }

    /// Reads an id; `None` if the forge never wrote it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_once('_')?;
        let bytes = BASE64URL_NOPAD.decode(rest.as_bytes()).ok()?;
        let mut reader = Reader::new(&bytes)?;
        let id = Self::read(prefix, &mut reader)?;
        (reader.is_at_end() && id.to_string() == text).then_some(id)
    }

    fn read(prefix: &str, reader: &mut Reader<'_>) -> Option<Self> {
        Some(match prefix {
            "U" => Self::User(AccountId(reader.integer()?)),
            "O" => Self::Organization(AccountId(reader.integer()?)),
            "T" => Self::Team(TeamId(reader.integer()?)),
            "R" => Self::Repository(RepositoryId(reader.integer()?)),
            "LA" => Self::Label(LabelId(reader.integer()?)),
            "PK" => Self::PublicKey(PublicKeyId(reader.integer()?)),
            "L" => Self::License(reader.text()?),
            "TO" => Self::Topic(reader.text()?),
            "REF" => Self::Ref(RepositoryId(reader.integer()?), reader.text()?),
            other => {
                let kind = ObjectNodeKind::ALL.into_iter().find(|kind| kind.prefix() == other)?;
                Self::Object(kind, RepositoryId(reader.integer()?), reader.text()?.parse().ok()?)
            }
        })
    }

    fn content(&self) -> Vec<u8> {
        match self {
            Self::User(id) | Self::Organization(id) => Writer::array(1).integer(id.0).finish(),
            Self::Team(id) => Writer::array(1).integer(id.0).finish(),
            Self::Repository(id) => Writer::array(1).integer(id.0).finish(),
            Self::Label(id) => Writer::array(1).integer(id.0).finish(),
            Self::PublicKey(id) => Writer::array(1).integer(id.0).finish(),
            Self::License(key) | Self::Topic(key) => Writer::array(1).text(key).finish(),
            Self::Ref(repository, name) => Writer::array(2).integer(repository.0).text(name).finish(),
            Self::Object(_, repository, id) => {
                Writer::array(2).integer(repository.0).text(&id.to_string()).finish()
            }
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.prefix(), BASE64URL_NOPAD.encode(&self.content()))
    }
}

impl serde::Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_node() -> impl Strategy<Value = NodeId> {
        let id = 0..=i64::MAX;
        prop_oneof![
            id.clone().prop_map(|id| NodeId::User(AccountId(id))),
            id.clone().prop_map(|id| NodeId::Organization(AccountId(id))),
            id.clone().prop_map(|id| NodeId::Team(TeamId(id))),
            id.clone().prop_map(|id| NodeId::Repository(RepositoryId(id))),
            id.clone().prop_map(|id| NodeId::Label(LabelId(id))),
            id.clone().prop_map(|id| NodeId::PublicKey(PublicKeyId(id))),
            "[a-z0-9.-]{0,40}".prop_map(NodeId::License),
            "[a-z0-9-]{1,50}".prop_map(NodeId::Topic),
            (id.clone(), "\\PC{0,300}").prop_map(|(id, name)| NodeId::Ref(RepositoryId(id), name)),
            (id, "[0-9a-f]{40}").prop_map(|(id, hex)| {
                let object = hex.parse().expect("hex digits");
                NodeId::Object(ObjectNodeKind::Commit, RepositoryId(id), object)
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(node in any_node()) {
            prop_assert_eq!(NodeId::parse(&node.to_string()), Some(node));
        }

        #[test]
        fn any_text_is_refused_or_written_again_as_it_was(text in "[A-Z]{1,3}_[A-Za-z0-9_-]{0,24}") {
            if let Some(node) = NodeId::parse(&text) {
                prop_assert_eq!(node.to_string(), text);
            }
        }
    }

    #[test]
    fn the_form_is_githubs() {
        assert_eq!(NodeId::Repository(RepositoryId(1)).to_string(), "R_kgDOAAAAAQ");
    }

    #[test]
    fn ids_of_other_forges_and_types_are_refused() {
        for text in ["", "R_", "R", "MDQ6VXNlcjE=", "X_kgDOAAAAAQ", "R_kgDOAAAAAQ==", "R_kgAB"] {
            assert_eq!(NodeId::parse(text), None, "{text}");
        }
    }
}
