//! Teams as targets of decisions.

use forge_auth::policy::{Resource, TeamFacts};
use forge_store::Conn;
use forge_store::teams::TeamRecord;
use forge_types::Result;
use forge_types::id::TeamId;

use crate::context::RequestContext;
use crate::target::{Facts, Ids, Target};

/// A team, by organization and slug or by id.
#[derive(Clone, Copy, Debug)]
pub enum TeamTarget<'a> {
    /// The organization's login and the team's slug.
    Slug(&'a str, &'a str),
    /// Its id.
    Id(TeamId),
}

impl Target for TeamTarget<'_> {
    type Found = TeamRecord;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<TeamRecord>> {
        let caller = ctx.membership_id();
        Ok(match self {
            Self::Slug(organization, slug) => {
                forge_store::teams::find_by_slug(conn, caller, organization, slug).await?
            }
            Self::Id(id) => forge_store::teams::find(conn, caller, id).await?,
        })
    }
}

impl Facts for TeamRecord {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Team(TeamFacts {
            id: self.team.id,
            organization_id: self.team.organization_id,
            privacy: self.team.privacy,
            organization_role: self.organization_role,
            role: self.role,
        })
    }

    fn ids(&self) -> Ids {
        Ids { organization_id: Some(self.team.organization_id), ..Ids::default() }
    }
}
