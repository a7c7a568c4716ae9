//! People as bodies name them.

use forge_service::objects::Identity;
use forge_types::{Error, FieldCode, Timestamp};
use serde::Deserialize;

/// An author, committer or tagger.
#[derive(Deserialize)]
pub(in crate::rest) struct IdentityBody {
    name: String,
    email: String,
    date: Option<String>,
}

impl IdentityBody {
    pub(in crate::rest) fn read(self) -> Result<Identity, Error> {
        let read = |date: String| {
            let invalid =
                || Error::invalid("Commit", "date", FieldCode::Invalid, "date is not an ISO 8601 time");
            Timestamp::parse_with_offset(&date).ok_or_else(invalid)
        };
        Ok(Identity { name: self.name, email: self.email, date: self.date.map(read).transpose()? })
    }

    /// Reads one that may be left out.
    pub(in crate::rest) fn read_optional(body: Option<Self>) -> Result<Option<Identity>, Error> {
        body.map(Self::read).transpose()
    }
}
