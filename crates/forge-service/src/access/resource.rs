//! What is asked about, found as for the deed itself.

use forge_auth::policy::{Resource, Signing, Touched};
use forge_store::Conn;
use forge_types::id::GrantId;
use forge_types::{Action, Error, FieldCode, RefName, Result};

use crate::agents::AgentTarget;
use crate::context::RequestContext;
use crate::grants::GrantTarget;
use crate::organizations::OrganizationTarget;
use crate::refs::{Step, action as ref_action, check_for_everyone, ref_resource};
use crate::target::{Facts, OwnAccount, RepositoryTarget, Site, Target};
use crate::teams::TeamTarget;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct ResourceQuestion {
    /// `repository`, `ref`, `organization`, `team`, `agent`, `task_grant`, `account` or `site`.
    pub kind: String,
    /// `OWNER/NAME`, a full ref name, a login, `ORGANIZATION/TEAM`, or an id.
    pub id: String,
    /// Of a ref: its repository, `OWNER/NAME`.
    pub repository: Option<String>,
    /// Of a ref: the files that the new commits would touch.
    pub paths: Option<Vec<String>>,
}

/// What was found.
pub(super) struct Seen {
    pub(super) resource: Resource,
    /// Why nobody may do this.
    pub(super) refused_to_everyone: Option<String>,
}

impl Seen {
    fn of(ctx: &RequestContext, found: Option<impl Facts>) -> Option<Self> {
        found.map(|found| Self { resource: found.resource(ctx), refused_to_everyone: None })
    }
}

impl ResourceQuestion {
    /// Loads it as the context's caller would; `None` if there is no such thing.
    ///
    /// # Errors
    /// `Invalid` if the question cannot be read.
    pub(super) async fn load(
        &self,
        ctx: &RequestContext,
        conn: &mut Conn,
        action: Action,
    ) -> Result<Option<Seen>> {
        if self.kind != "ref" && (self.repository.is_some() || self.paths.is_some()) {
            return Err(invalid("`repository` and `paths` are properties of a ref"));
        }
        Ok(match self.kind.as_str() {
            "repository" => Seen::of(ctx, named(&self.id)?.load(ctx, conn).await?),
            "ref" => self.load_ref(ctx, conn, action).await?,
            "organization" => Seen::of(ctx, OrganizationTarget::Login(&self.id).load(ctx, conn).await?),
            "team" => {
                let (organization, slug) = pair(&self.id)?;
                Seen::of(ctx, TeamTarget::Slug(organization, slug).load(ctx, conn).await?)
            }
            "agent" => Seen::of(ctx, AgentTarget(&self.id).load(ctx, conn).await?),
            "task_grant" => Seen::of(ctx, GrantTarget(&GrantId(self.id.clone())).load(ctx, conn).await?),
            "account" => Seen::of(ctx, OwnAccount.load(ctx, conn).await?),
            "site" => Seen::of(ctx, Site.load(ctx, conn).await?),
            _ => {
                let kinds = "repository, ref, organization, team, agent, task_grant, account and site";
                return Err(invalid(&format!("the type of a resource is one of {kinds}")));
            }
        })
    }

    async fn load_ref(&self, ctx: &RequestContext, conn: &mut Conn, action: Action) -> Result<Option<Seen>> {
        let repository = self.repository.as_deref().ok_or_else(|| invalid("a ref has a `repository`"))?;
        let name = RefName::new(&self.id).map_err(|error| invalid(&error.to_string()))?;
        let Some(found) = named(repository)?.load(ctx, conn).await? else { return Ok(None) };
        let touched = match &self.paths {
            None => Touched::nothing(),
            Some(paths) => Touched::Paths(paths.iter().map(|path| path.clone().into_bytes()).collect()),
        };
        let steps = [Step::Create, Step::Update, Step::Force, Step::Delete];
        let step = steps.into_iter().find(|step| ref_action(name.kind(), *step) == action);
        let refused_to_everyone = match step {
            Some(step) => check_for_everyone(&found, &name, step).err(),
            None => Some(format!("`{}` is not done to `{name}`", action.as_str())),
        };
        Ok(Some(Seen {
            resource: ref_resource(&found, &name, &touched, &Signing::Unsigned),
            refused_to_everyone,
        }))
    }
}

fn named(name: &str) -> Result<RepositoryTarget<'_>> {
    let (owner, name) = pair(name)?;
    Ok(RepositoryTarget::Name(owner, name))
}

fn pair(text: &str) -> Result<(&str, &str)> {
    let parts = text.split_once('/').filter(|(first, second)| !first.is_empty() && !second.is_empty());
    parts.ok_or_else(|| invalid(&format!("`{text}` is not `OWNER/NAME`")))
}

fn invalid(message: &str) -> Error {
    Error::invalid("Evaluation", "resource", FieldCode::Invalid, message)
}
