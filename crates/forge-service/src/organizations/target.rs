//! Organizations as targets of decisions.

use forge_auth::policy::{OrganizationFacts, Resource};
use forge_store::Conn;
use forge_store::organizations::OrganizationRecord;
use forge_types::Result;
use forge_types::id::AccountId;

use crate::context::RequestContext;
use crate::target::{Facts, Ids, Target};

/// An organization, by login or by id.
#[derive(Clone, Copy, Debug)]
pub enum OrganizationTarget<'a> {
    /// Its login.
    Login(&'a str),
    /// Its id.
    Id(AccountId),
}

impl Target for OrganizationTarget<'_> {
    type Found = OrganizationRecord;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<OrganizationRecord>> {
        let caller = ctx.membership_id();
        Ok(match self {
            Self::Login(login) => forge_store::organizations::find_by_login(conn, caller, login).await?,
            Self::Id(id) => forge_store::organizations::find(conn, caller, id).await?,
        })
    }
}

impl Facts for OrganizationRecord {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Organization(OrganizationFacts {
            id: self.organization.account.id,
            role: self.role,
            members_can_create_repositories: self.organization.members_can_create_repositories,
        })
    }

    fn ids(&self) -> Ids {
        Ids { organization_id: Some(self.organization.account.id), ..Ids::default() }
    }
}
