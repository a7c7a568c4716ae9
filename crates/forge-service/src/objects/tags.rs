//! Annotated tags as objects. The ref that makes one known is made apart.

use forge_git::objects::{ObjectKind, Tag, TagDraft};
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, RefName, Result};

use super::identity::signature;
use super::opened::require_kind;
use super::trees::unless_unavailable;
use super::{Identity, make, parse, readable, refused};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// What a new annotated tag is to say.
#[derive(Clone, Debug)]
pub struct NewTag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The message.
    pub message: String,
    /// What it stands for.
    pub object: String,
    /// What kind of object that is.
    pub kind: ObjectKind,
    /// Who makes it: the caller when left out.
    pub tagger: Option<Identity>,
}

/// Returns an annotated tag by its id.
///
/// # Errors
/// `NotFound` if there is no such tag that the caller may read.
pub async fn tag(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    id: &str,
) -> Result<(RepositoryAccess, Tag)> {
    let id = parse(id)?;
    let opened = readable(ctx, target, id).await?;
    let tag = opened.read(move |objects| {
        require_kind(objects, id, ObjectKind::Tag)?;
        objects.tag(id).map_err(fault)
    });
    let tag = tag.await?;
    Ok((opened.access, tag))
}

/// Makes an annotated tag. No ref moves.
///
/// # Errors
/// `Invalid` if the name is none, or the object none of that kind that the caller may read; `Conflict` if the repository is
/// empty; what the decision about pushing says.
pub async fn create_tag(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    new: NewTag,
) -> Result<(RepositoryAccess, Tag)> {
    let mut opened = make::open(ctx, target).await?;
    let name = RefName::new(format!("refs/tags/{}", new.name))
        .map_err(|error| Error::unprocessable(error.to_string()))?;
    name.check_creatable().map_err(|error| Error::unprocessable(error.to_string()))?;
    let target_id = parse(&new.object)?;
    let tagger = signature(ctx, new.tagger.as_ref()).await?;
    let absent = Error::unprocessable("object does not exist");
    opened.check(&[target_id]).await.map_err(|error| unless_unavailable(error, absent))?;
    let id = make::make(&opened, move |objects, pack| {
        let found = objects.header(target_id).map_err(refused)?.0;
        if found != new.kind {
            let message = format!("`{target_id}` is a {}, not a {}", found.as_str(), new.kind.as_str());
            return Err(Error::unprocessable(message));
        }
        let draft =
            TagDraft { target_id, target_kind: new.kind, name: new.name, tagger, message: new.message };
        pack.tag(&draft).map_err(refused)
    });
    let id = id.await?;
    opened.look_again();
    let tag = opened.read(move |objects| objects.tag(id).map_err(fault)).await?;
    Ok((opened.access, tag))
}
