//! The Git data of a repository.

use async_graphql::{Context, Object};
use forge_service::target::RepositoryTarget;
use forge_service::{objects, repositories};
use forge_types::{Error, ErrorKind, Result};

use super::{Found, Repository};
use crate::schema::git::{GitObject, Ref};
use crate::schema::scalar::GitObjectId;
use crate::schema::{Later, Nullable, forge, nullable};

#[derive(Clone)]
pub(super) struct Code(pub(super) Found);

impl Code {
    fn target(&self) -> RepositoryTarget<'static> {
        RepositoryTarget::Id(self.0.access.repository.id)
    }

    fn find_object<'a>(
        &'a self,
        ctx: &'a Context<'_>,
        expression: Option<String>,
        oid: Option<GitObjectId>,
    ) -> Later<'a, Result<Option<GitObject>>> {
        Box::pin(async move {
            let expression = match (expression, oid) {
                (None, Some(GitObjectId(oid))) => oid,
                (Some(expression), None) => expression,
                _ => return Err(Error::malformed("object takes either an expression or an oid")),
            };
            let found = objects::find(forge(ctx), self.target(), &expression).await;
            optional(found.map(|(_, object)| GitObject::of(Repository::of(&self.0), object)))
        })
    }

    fn find_ref<'a>(&'a self, ctx: &'a Context<'_>, name: String) -> Later<'a, Result<Option<Ref>>> {
        Box::pin(async move {
            for name in [name.clone(), format!("refs/heads/{name}"), format!("refs/tags/{name}")] {
                let found = repositories::find_ref(forge(ctx), self.target(), &name).await;
                if let Some((_, found)) = optional(found)? {
                    return Ok(Some(Ref::new(Repository::of(&self.0), found.name)));
                }
            }
            Ok(None)
        })
    }
}

/// Returns nothing for what is not there.
fn optional<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[Object]
impl Code {
    /// A Git object in the repository
    async fn object(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A Git revision expression suitable for rev-parse")] expression: Option<String>,
        #[graphql(desc = "The Git object ID")] oid: Option<GitObjectId>,
    ) -> Nullable<GitObject> {
        nullable(self.find_object(ctx, expression, oid).await)
    }

    /// Fetch a given ref from the repository
    #[graphql(name = "ref")]
    async fn reference(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The ref to retrieve. Fully qualified matches are checked in order (`refs/heads/master`) before falling back onto checks for short name matches (`master`)."
        )]
        qualified_name: String,
    ) -> Nullable<Ref> {
        nullable(self.find_ref(ctx, qualified_name).await)
    }
}
