//! The bytes of files.

use forge_git::objects::ObjectKind;
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, ErrorKind, ObjectId, Result};

use super::opened::require_kind;
use super::{MAX_BLOB, make, parse, readable, refused};
use crate::context::RequestContext;
use crate::git::fault;
use crate::target::RepositoryTarget;

/// The bytes of a file.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its id.
    pub id: ObjectId,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Returns the bytes of a file by its id.
///
/// # Errors
/// `NotFound` if there is no such file that the caller may read; `Forbidden` if it is too large to show.
pub async fn blob(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    id: &str,
) -> Result<(RepositoryAccess, Blob)> {
    let id = parse(id)?;
    let opened = readable(ctx, target, id).await?;
    let data = opened.read(move |objects| {
        require_kind(objects, id, ObjectKind::Blob)?;
        if objects.blob_size(id).map_err(fault)? > MAX_BLOB {
            let message =
                "This API returns blobs of at most 100 MB; clone the repository to read larger ones";
            return Err(Error::new(ErrorKind::Forbidden, message));
        }
        objects.blob(id, MAX_BLOB).map_err(fault)
    });
    let data = data.await?;
    Ok((opened.access, Blob { id, data }))
}

/// Makes the bytes of a file an object.
///
/// # Errors
/// What the decision about pushing says; `Conflict` if the repository is empty.
pub async fn create_blob(
    ctx: &RequestContext,
    target: RepositoryTarget<'_>,
    data: Vec<u8>,
) -> Result<(RepositoryAccess, ObjectId)> {
    let opened = make::open(ctx, target).await?;
    let id = make::make(&opened, move |_, pack| pack.blob(&data).map_err(refused)).await?;
    Ok((opened.access, id))
}
