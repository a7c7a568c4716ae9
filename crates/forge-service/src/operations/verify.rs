//! Is everything there that the database says is there, and nothing else?

use forge_git::Repository;
use forge_git::objects::Objects;
use forge_store::Conn;
use forge_types::id::RepositoryId;
use forge_types::{Action, Error, ObjectId, Result};
use serde::{Deserialize, Serialize};

use crate::context::RequestContext;
use crate::target::Site;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `OWNER/NAME` of the repository.
    pub repository: String,
    /// Its id, which names its directory.
    pub repository_id: i64,
    /// What is wrong, in a sentence.
    pub problem: String,
}

/// What one repository must have.
struct Expected {
    packs: Vec<String>,
    tips: Vec<ObjectId>,
}

/// Checks that every ref of every repository resolves, that every pack on the manifest is whole, and that no other pack
/// lies about. Reads every byte of every pack.
///
/// # Errors
/// `Forbidden` unless asked by an administrator; `Unavailable` if the database is.
pub async fn verify(ctx: &RequestContext) -> Result<Vec<Finding>> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAdminister).await?;
    let mut findings = Vec::new();
    let mut after = RepositoryId(0);
    loop {
        let batch = forge_store::inventory::list_repositories(&mut conn, after, 100).await?;
        let Some(last) = batch.last() else { return Ok(findings) };
        after = last.id;
        for entry in batch {
            let mut problems = examine(ctx, &mut conn, entry.id).await?;
            if !problems.is_empty() {
                // Packs may have been replaced in the middle of it.
                problems = examine(ctx, &mut conn, entry.id).await?;
            }
            findings.extend(problems.into_iter().map(|problem| Finding {
                repository: entry.full_name.clone(),
                repository_id: entry.id.0,
                problem,
            }));
        }
    }
}

async fn examine(ctx: &RequestContext, conn: &mut Conn, id: RepositoryId) -> Result<Vec<String>> {
    // Refs first: a push between the two reads adds a pack that is then expected, never one that is missing.
    let tips = forge_store::refs::list_object_ids(conn, id).await?;
    let packs = forge_store::inventory::list_packs(conn, id).await?;
    let directory = ctx.app().git.repository(id);
    let check = {
        let directory = directory.clone();
        move || (problems(&directory, &Expected { packs, tips }), unclaimed(&directory))
    };
    let (mut found, lying) = tokio::task::spawn_blocking(check).await.map_err(Error::internal)?;
    match lying {
        Err(error) => found.push(format!("its packs cannot be listed: {error}")),
        Ok(lying) => {
            // The manifest comes last: a pack without a claim is on it by now, or nobody is about to put it there.
            let known = forge_store::inventory::list_packs(conn, id).await?;
            let strays = lying.iter().filter(|name| !known.contains(name));
            found.extend(strays.map(|name| format!("the pack {name} is on no manifest")));
        }
    }
    Ok(found)
}

/// Returns the packs that lie in the directory and that nobody is about to put on the manifest or to remove.
fn unclaimed(directory: &Repository) -> forge_git::Result<Vec<String>> {
    let names = directory.pack_names()?;
    let claimed = directory.claimed_packs()?;
    Ok(names.into_iter().filter(|name| !claimed.contains(name)).collect())
}

fn problems(directory: &Repository, expected: &Expected) -> Vec<String> {
    let mut found = Vec::new();
    for name in &expected.packs {
        if let Err(error) = directory.verify_pack(name) {
            found.push(format!("the pack {name} is missing or damaged: {error}"));
        }
    }
    match Objects::open(directory) {
        Err(error) => found.push(format!("its objects cannot be read: {error}")),
        Ok(objects) => {
            let lost = expected.tips.iter().filter(|id| !objects.contains(**id));
            found.extend(lost.map(|id| format!("a ref points to {id}, which is missing")));
        }
    }
    found
}
