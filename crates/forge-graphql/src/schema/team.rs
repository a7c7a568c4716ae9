//! Teams.

use async_graphql::{Context, Enum, ID, Object};
use forge_service::organizations::{self, OrganizationTarget};
use forge_types::Result;
use forge_types::account::AccountRef;
use forge_types::node_id::NodeId;
use forge_types::organization::{self, Team as Record};

use super::account::{Organization, Profile};
use super::scalar::{DateTime, Uri};
use super::{Later, forge, int};

/// The possible team privacy values.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TeamPrivacy {
    /// A secret team can only be seen by its members.
    Secret,
    /// A visible team can be seen and @mentioned by every member of the organization.
    Visible,
}

/// A team that the caller may see.
#[derive(Clone)]
pub(crate) struct Team {
    pub(crate) team: Record,
}

impl Team {
    fn find_organization<'a>(&'a self, ctx: &'a Context<'_>) -> Later<'a, Result<Organization>> {
        Box::pin(async move {
            let target = OrganizationTarget::Id(self.team.organization_id);
            let found = organizations::find(forge(ctx), target).await?;
            Ok(Organization(Profile::single(AccountRef::from(&found.organization.account))))
        })
    }

    fn path(&self) -> String {
        format!("/orgs/{}/teams/{}", self.team.organization_login, self.team.slug)
    }
}

/// A team of users in an organization.
#[Object]
impl Team {
    /// The slug corresponding to the organization and team.
    async fn combined_slug(&self) -> String {
        format!("{}/{}", self.team.organization_login, self.team.slug)
    }

    /// Identifies the date and time when the object was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.team.created_at)
    }

    /// Identifies the primary key from the database.
    async fn database_id(&self) -> Option<i32> {
        Some(int(self.team.id.0))
    }

    /// The description of the team.
    async fn description(&self) -> Option<String> {
        self.team.description.clone()
    }

    /// The Node ID of the Team object
    pub(crate) async fn id(&self) -> ID {
        ID(NodeId::Team(self.team.id).to_string())
    }

    /// The name of the team.
    async fn name(&self) -> String {
        self.team.name.clone()
    }

    /// The organization that owns this team.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        self.find_organization(ctx).await
    }

    /// The level of privacy the team has.
    async fn privacy(&self) -> TeamPrivacy {
        match self.team.privacy {
            organization::TeamPrivacy::Secret => TeamPrivacy::Secret,
            organization::TeamPrivacy::Closed => TeamPrivacy::Visible,
        }
    }

    /// The HTTP path for this team
    async fn resource_path(&self) -> Uri {
        Uri(self.path())
    }

    /// The slug corresponding to the team.
    async fn slug(&self) -> String {
        self.team.slug.clone()
    }

    /// Identifies the date and time when the object was last updated.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.team.updated_at)
    }

    /// The HTTP URL for this team
    async fn url(&self, ctx: &Context<'_>) -> Uri {
        Uri::of(forge(ctx), &self.path())
    }
}
