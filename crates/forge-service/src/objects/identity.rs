//! Who a commit or tag says made it.

use forge_git::objects::Signature;
use forge_types::{Error, FieldCode, Result, Timestamp};

use crate::accounts::commit_signature;
use crate::context::RequestContext;

/// A person that the caller names. It is a claim: who made the request stands in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// When, and how far the clock of the place was from UTC, in seconds; now when it is left out.
    pub date: Option<(Timestamp, i32)>,
}

impl Identity {
    fn signature(&self, ctx: &RequestContext) -> Result<Signature> {
        let is_plain = |text: &str| {
            !text.trim().is_empty() && !text.contains(|c: char| c == '<' || c == '>' || c.is_control())
        };
        for (field, text) in [("name", &self.name), ("email", &self.email)] {
            if !is_plain(text) {
                let message = format!("{field} is empty or has characters that cannot stand in a commit");
                return Err(Error::invalid("Commit", field, FieldCode::Invalid, message));
            }
        }
        let (date, offset) = self.date.unwrap_or((ctx.now(), 0));
        if date.as_seconds() < 0 {
            return Err(Error::invalid("Commit", "date", FieldCode::Invalid, "date lies before 1970"));
        }
        Ok(Signature {
            name: self.name.clone(),
            email: self.email.clone(),
            seconds: date.as_seconds(),
            offset,
        })
    }
}

/// Returns author and committer of a commit of the caller's: whoever is not named is the other one, or the caller.
pub(crate) async fn signatures(
    ctx: &RequestContext,
    author: Option<&Identity>,
    committer: Option<&Identity>,
) -> Result<(Signature, Signature)> {
    let author = author.map(|author| author.signature(ctx)).transpose()?;
    let committer = committer.map(|committer| committer.signature(ctx)).transpose()?;
    Ok(match (author, committer) {
        (Some(author), Some(committer)) => (author, committer),
        (Some(author), None) => (author.clone(), author),
        (None, Some(committer)) => (committer.clone(), committer),
        (None, None) => {
            let own = commit_signature(ctx).await?;
            (own.clone(), own)
        }
    })
}

/// Returns how one person signs: the named one, or the caller.
pub(crate) async fn signature(ctx: &RequestContext, named: Option<&Identity>) -> Result<Signature> {
    match named {
        Some(named) => named.signature(ctx),
        None => commit_signature(ctx).await,
    }
}
