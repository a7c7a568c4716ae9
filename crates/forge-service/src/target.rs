//! Targets: what a use case asks to act on, and how it is loaded together with the facts that decide.

use std::future::Future;

use forge_auth::policy::{RepositoryFacts, Resource};
use forge_store::Conn;
use forge_types::Result;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::name::key;
use forge_types::repository::{Repository, RepositoryAccess};

pub use crate::audit::Ids;
use crate::context::RequestContext;

/// Something that can be loaded and decided about.
pub trait Target: Send {
    /// What is loaded.
    type Found: Facts + Send;

    /// Loads it with the facts that decide, in one statement where the database is asked at all.
    fn load(
        self,
        ctx: &RequestContext,
        conn: &mut Conn,
    ) -> impl Future<Output = Result<Option<Self::Found>>> + Send;
}

/// Something that carries the facts that decide about it.
pub trait Facts {
    /// Returns the resource a decision is made about.
    fn resource(&self, ctx: &RequestContext) -> Resource;

    /// Returns what the audit log calls it.
    fn ids(&self) -> Ids;
}

/// The forge as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Site;

impl Target for Site {
    type Found = Self;

    async fn load(self, _: &RequestContext, _: &mut Conn) -> Result<Option<Self>> {
        Ok(Some(self))
    }
}

impl Facts for Site {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Site
    }

    fn ids(&self) -> Ids {
        Ids::default()
    }
}

/// The caller's own account.
#[derive(Clone, Copy, Debug)]
pub struct OwnAccount;

/// The caller's own account, once it is known to have one.
#[derive(Clone, Copy, Debug)]
pub struct OwnAccountFound {
    /// Its id.
    pub id: AccountId,
}

impl Target for OwnAccount {
    type Found = OwnAccountFound;

    async fn load(self, ctx: &RequestContext, _: &mut Conn) -> Result<Option<OwnAccountFound>> {
        Ok(Some(OwnAccountFound { id: ctx.account()?.id }))
    }
}

impl Facts for OwnAccountFound {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Account { id: self.id }
    }

    fn ids(&self) -> Ids {
        Ids::default()
    }
}

/// A repository, by name or by id.
#[derive(Clone, Copy, Debug)]
pub enum RepositoryTarget<'a> {
    /// `OWNER/NAME`, present or former.
    Name(&'a str, &'a str),
    /// `OWNER/NAME`, present only: for doors that send callers of a former name on to the new one.
    PresentName(&'a str, &'a str),
    /// Its id.
    Id(RepositoryId),
}

impl Target for RepositoryTarget<'_> {
    type Found = RepositoryAccess;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<RepositoryAccess>> {
        let caller = ctx.account_id();
        Ok(match self {
            Self::Name(owner, name) => {
                forge_store::repositories::find_by_name(conn, caller, owner, name).await?
            }
            Self::PresentName(owner, name) => {
                forge_store::repositories::find_by_name(conn, caller, owner, name)
                    .await?
                    .filter(|found| is_called(&found.repository, owner, name))
            }
            Self::Id(id) => forge_store::repositories::find(conn, caller, id).await?,
        })
    }
}

pub(crate) fn is_called(repository: &Repository, owner: &str, name: &str) -> bool {
    key(&repository.owner.login) == key(owner) && key(&repository.name) == key(name)
}

impl Facts for RepositoryAccess {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Repository(RepositoryFacts {
            owner_id: self.repository.owner.id,
            owner_kind: self.repository.owner.kind,
            visibility: self.repository.visibility,
            is_archived: self.repository.archived_at.is_some(),
            permission: self.permission,
        })
    }

    fn ids(&self) -> Ids {
        Ids { repository_id: Some(self.repository.id), ..Ids::default() }
    }
}
