//! New objects that no ref reaches yet.

use forge_git::PackInfo;
use forge_git::objects::{Objects, PackBuilder};
use forge_store::Tx;
use forge_store::pushes::PackContent;
use forge_types::repository::RepositoryAccess;
use forge_types::{Action, Error, Event, ObjectFormat, ObjectId, Result};
use serde_json::json;

use super::Opened;
use crate::context::RequestContext;
use crate::git::{self, keep, pack_row};
use crate::target::RepositoryTarget;

/// How many new objects an audit event names one by one.
const NAMED_IN_AUDIT: usize = 50;

/// Opens a repository for making objects in it.
pub(super) async fn open(ctx: &RequestContext, target: RepositoryTarget<'_>) -> Result<Opened> {
    let opened = Opened::open(ctx, target, Action::CodePush).await?;
    opened.require_content()?;
    Ok(opened)
}

/// Makes objects and notes whose they are; returns what `build` does.
pub(super) async fn make<T: Send + 'static>(
    opened: &Opened,
    build: impl FnOnce(&mut Objects, &mut PackBuilder) -> Result<T> + Send + 'static,
) -> Result<T> {
    let build = move |objects: &mut Objects| {
        let mut pack = PackBuilder::new(ObjectFormat::Sha1);
        let made = build(objects, &mut pack)?;
        Ok((pack, made))
    };
    let (pack, made) = opened.read(build).await?;
    let (ctx, id) = (opened.ctx().clone(), opened.access.repository.id);
    let mut ids: Vec<ObjectId> = pack.ids().collect();
    ids.sort_unstable();
    keep(opened.ctx(), id, Some(pack), async move |pack| {
        let pack = pack.ok_or_else(|| Error::internal("new objects have no pack"))?;
        let mut tx = ctx.begin().await?;
        // What was decided before the objects were made is decided again, in the transaction that relies on it.
        let found = ctx.authorize(&mut tx, RepositoryTarget::Id(id), Action::CodePush).await?;
        if !ctx.still_stands(&mut tx).await? {
            return Err(Error::bad_credentials());
        }
        note(&ctx, &mut tx, &found, &pack, &ids).await?;
        Ok((tx, made))
    })
    .await
}

async fn note(
    ctx: &RequestContext,
    tx: &mut Tx,
    found: &RepositoryAccess,
    pack: &PackInfo,
    ids: &[ObjectId],
) -> Result<()> {
    let repository = found.repository.id;
    forge_store::pushes::adopt_pack(tx, repository, pack_row(pack, PackContent::Any), ctx.now()).await?;
    forge_store::made_objects::insert(tx, repository, ctx.account()?.id, ctx.grant_id(), ids, ctx.now())
        .await?;
    git::ask_for_roll_up(tx, repository, ctx.now()).await?;
    let named: Vec<_> = ids.iter().take(NAMED_IN_AUDIT).collect();
    let event = Event::new("objects.created")
        .repository(repository)
        .with("count", ids.len())
        .with("objects", json!(named))
        .with("pack", pack.name.as_str());
    ctx.record(tx, event).await
}
