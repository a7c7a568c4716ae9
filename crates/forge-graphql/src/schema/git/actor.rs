//! Whom a commit or tag names. It is a claim: no account is shown as the one who made it.

use async_graphql::SimpleObject;
use forge_service::objects::Signature;
use forge_types::Timestamp;

use crate::schema::scalar::GitTimestamp;

/// Represents an actor in a Git commit (ie. an author or committer).
#[derive(SimpleObject)]
pub(crate) struct GitActor {
    /// The timestamp of the Git action (authoring or committing).
    date: Option<GitTimestamp>,
    /// The email in the Git commit.
    email: Option<String>,
    /// The name in the Git commit.
    name: Option<String>,
}

/// Returns the time of a signature; times that no clock shows are the first or the last one.
pub(super) fn time(signature: &Signature) -> Timestamp {
    Timestamp::from_seconds(signature.seconds.clamp(i64::MIN / 1_000_000, i64::MAX / 1_000_000))
}

impl From<&Signature> for GitActor {
    fn from(signature: &Signature) -> Self {
        Self {
            date: Some(GitTimestamp(time(signature).to_string_at(signature.offset))),
            email: Some(signature.email.clone()),
            name: Some(signature.name.clone()),
        }
    }
}
