//! Targets: what a use case asks to act on, and how it is loaded together with the facts that decide.

use std::future::Future;

use forge_auth::policy::{ProfileFacts, RepositoryFacts, Resource};
use forge_store::Conn;
use forge_store::refs::StoredRef;
use forge_store::repositories::RepositoryPlace;
use forge_types::account::Account;
use forge_types::id::{AccountId, RepositoryId};
use forge_types::label::Label;
use forge_types::name::key;
use forge_types::page::PageRequest;
use forge_types::repository::{Repository, RepositoryAccess};
use forge_types::{RefName, Result};

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

/// An account as others see it: what its profile shows.
impl Facts for Account {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Profile(ProfileFacts { kind: self.kind, is_email_public: self.is_email_public })
    }

    fn ids(&self) -> Ids {
        Ids { subject_id: Some(self.id), ..Ids::default() }
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
        let caller = ctx.rights_id();
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

impl<'a> RepositoryTarget<'a> {
    /// Returns where the store finds it.
    fn place(self) -> RepositoryPlace<'a> {
        match self {
            Self::Name(owner, name) | Self::PresentName(owner, name) => RepositoryPlace::Name(owner, name),
            Self::Id(id) => RepositoryPlace::Id(id),
        }
    }

    /// Returns whether a repository that was found there is the one that was asked for.
    fn is_it(self, found: &RepositoryAccess) -> bool {
        match self {
            Self::PresentName(owner, name) => is_called(&found.repository, owner, name),
            Self::Name(..) | Self::Id(_) => true,
        }
    }
}

/// A repository with something that lies in it, loaded together; who may read the repository may read that.
#[derive(Debug)]
pub(crate) struct With<T> {
    /// The repository.
    pub(crate) access: RepositoryAccess,
    /// What lies in it.
    pub(crate) part: T,
}

impl<T> With<T> {
    fn of(target: RepositoryTarget<'_>, found: Option<(RepositoryAccess, T)>) -> Option<Self> {
        let (access, part) = found.filter(|(access, _)| target.is_it(access))?;
        Some(Self { access, part })
    }
}

impl<T> Facts for With<T> {
    fn resource(&self, ctx: &RequestContext) -> Resource {
        self.access.resource(ctx)
    }

    fn ids(&self) -> Ids {
        self.access.ids()
    }
}

/// A page of the labels of a repository, and how many it has.
pub(crate) struct LabelsTarget<'a>(pub(crate) RepositoryTarget<'a>, pub(crate) PageRequest);

impl Target for LabelsTarget<'_> {
    type Found = With<(Vec<Label>, i64)>;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<Self::Found>> {
        let Self(target, page) = self;
        let found = forge_store::repositories::find_with_labels(conn, ctx.rights_id(), target.place(), page);
        match found.await? {
            // A page after the last one has no row that would bring the repository along.
            None if page.offset() > 0 => {
                let Some(access) = target.load(ctx, conn).await? else { return Ok(None) };
                let total = forge_store::labels::count(conn, access.repository.id, None).await?;
                Ok(Some(With { access, part: (Vec::new(), total) }))
            }
            found => Ok(With::of(target, found.map(|(access, labels, total)| (access, (labels, total))))),
        }
    }
}

/// A label of a repository, by its name.
pub(crate) struct LabelTarget<'a>(pub(crate) RepositoryTarget<'a>, pub(crate) &'a str);

impl Target for LabelTarget<'_> {
    type Found = With<Option<Label>>;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<Self::Found>> {
        let Self(target, name) = self;
        let found = forge_store::repositories::find_with_label(conn, ctx.rights_id(), target.place(), name);
        Ok(With::of(target, found.await?))
    }
}

/// A ref of a repository.
pub(crate) struct RefTarget<'a>(pub(crate) RepositoryTarget<'a>, pub(crate) &'a RefName);

impl Target for RefTarget<'_> {
    type Found = With<Option<StoredRef>>;

    async fn load(self, ctx: &RequestContext, conn: &mut Conn) -> Result<Option<Self::Found>> {
        let Self(target, name) = self;
        let found = forge_store::repositories::find_with_ref(conn, ctx.rights_id(), target.place(), name);
        Ok(With::of(target, found.await?))
    }
}

pub(crate) fn is_called(repository: &Repository, owner: &str, name: &str) -> bool {
    key(&repository.owner.login) == key(owner) && key(&repository.name) == key(name)
}

/// Returns the facts that decide about a repository.
pub(crate) fn repository_facts(found: &RepositoryAccess) -> RepositoryFacts {
    RepositoryFacts {
        id: found.repository.id,
        owner_id: found.repository.owner.id,
        owner_kind: found.repository.owner.kind,
        full_name: format!("{}/{}", found.repository.owner.login, found.repository.name),
        visibility: found.repository.visibility,
        is_archived: found.repository.archived_at.is_some(),
        allows_forking: found.repository.settings.allow_forking,
        permission: found.permission,
    }
}

impl Facts for RepositoryAccess {
    fn resource(&self, _: &RequestContext) -> Resource {
        Resource::Repository(repository_facts(self))
    }

    fn ids(&self) -> Ids {
        Ids { repository_id: Some(self.repository.id), ..Ids::default() }
    }
}
