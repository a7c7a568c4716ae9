//! Whose files are looked at: a ref change made under a grant that denies paths, or where a policy asks about paths, needs to
//! know which files it touches.

use forge_auth::policy::Touched;
use forge_git::diff::TouchLimits;
use forge_git::objects::Objects;
use forge_types::repository::RepositoryAccess;
use forge_types::{Error, ObjectId, Result};

use crate::context::RequestContext;

/// A push with more new commits or files than this cannot be told apart from one that touches everything.
const LIMITS: TouchLimits =
    TouchLimits { commits: 10_000, visited: 2_000_000, changes: 50_000, trees: 200_000 };

/// What has to be found about ref changes before they are decided about, and what is needed to find it.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: Option<Known>,
}

/// The commits that everybody sees already, and how often the repository had lost history when that was asked.
#[derive(Clone, Debug)]
struct Known {
    tips: Vec<ObjectId>,
    rewrites: i64,
}

impl Watch {
    /// Returns what the caller's changes of this repository need.
    ///
    /// # Errors
    /// `NotFound` if the repository is gone, `Unavailable` if the database is.
    pub async fn of(ctx: &RequestContext, found: &RepositoryAccess) -> Result<Self> {
        let is_asked = ctx.policies().watched_paths(found.repository.owner.id).next().is_some();
        if !is_asked && !denies_paths(ctx) {
            return Ok(Self::default());
        }
        let repository = found.repository.id;
        let mut conn = ctx.read().await?;
        // In this order: what is lost after the count was read makes it stale.
        let rewrites = forge_store::inventory::count_rewrites(&mut conn, repository).await?;
        let (tips, _) = forge_store::refs::list_tips(&mut conn, repository).await?;
        Ok(Self { known: Some(Known { tips, rewrites: rewrites.ok_or_else(Error::not_found)? }) })
    }

    /// Returns which files are touched by what `new` brings. Blocks.
    pub(super) fn touched(&self, objects: &mut Objects, new: ObjectId) -> Touched {
        let Some(known) = &self.known else { return Touched::Unknown };
        match objects.touched_paths(new, &known.tips, &LIMITS) {
            Ok(Some(paths)) => Touched::Paths(paths.into_iter().collect()),
            Ok(None) => Touched::Unknown,
            Err(error) => {
                tracing::warn!(%error, "which files a push touches could not be found");
                Touched::Unknown
            }
        }
    }

    /// Returns how often the repository had lost history when it was looked; none if nothing is looked for.
    pub(super) fn rewrites(&self) -> Option<i64> {
        self.known.as_ref().map(|known| known.rewrites)
    }
}

fn denies_paths(ctx: &RequestContext) -> bool {
    ctx.grants().iter().any(|grant| !grant.terms.constraints.paths_deny.is_empty())
}
