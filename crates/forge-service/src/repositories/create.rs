//! Creating repositories.

use forge_store::repositories::Lineage;
use forge_store::{Conn, Tx};
use forge_types::account::{AccountKind, AccountRef};
use forge_types::id::{AccountId, TeamId};
use forge_types::name::{check_repository_name, key};
use forge_types::organization::OrganizationRole;
use forge_types::repository::{GitState, RepositoryAccess, RepositorySettings, Visibility};
use forge_types::{Action, Error, Event, Permission, Result};

use super::delete::undo;
use super::settings::check_visibility;
use super::starter::files;
use super::{SettingsChanges, Starter, name_taken};
use crate::context::RequestContext;
use crate::git::{FirstTree, first_commit, first_files};
use crate::organizations::OrganizationTarget;
use crate::target::{OwnAccount, RepositoryTarget};
use crate::teams::TeamTarget;

/// Whose a new repository is to be.
#[derive(Clone, Copy, Debug)]
pub enum RepositoryOwner<'a> {
    /// The caller's.
    Own,
    /// That of the caller or organization of this login.
    Login(&'a str),
    /// That of the caller or organization with this id.
    Id(AccountId),
}

/// What a new repository is to be.
#[derive(Clone, Debug)]
pub struct NewRepository {
    /// Its name.
    pub name: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The branch that `HEAD` names; the forge's own choice when absent.
    pub default_branch: Option<String>,
    /// What differs from the usual settings.
    pub settings: SettingsChanges,
    /// The team that gets access, in an organization.
    pub team: Option<TeamId>,
    /// The files it begins with.
    pub starter: Starter,
}

impl NewRepository {
    /// Creates the description of a repository with the usual settings.
    #[must_use]
    pub fn new(name: impl Into<String>, visibility: Visibility) -> Self {
        Self {
            name: name.into(),
            visibility,
            default_branch: None,
            settings: SettingsChanges::default(),
            team: None,
            starter: Starter::default(),
        }
    }
}

/// Creates a repository of the caller's own or of an organization, with a first commit if it is to begin with files.
///
/// # Errors
/// `Invalid` if the name is taken or anything breaks a rule; what the decision says if the caller may not create here.
pub async fn create(
    ctx: &RequestContext,
    owner: RepositoryOwner<'_>,
    new: &NewRepository,
) -> Result<RepositoryAccess> {
    create_with(ctx, owner, new, None).await
}

/// Creates a repository with a first commit of `tree`, or of the files it is to begin with.
///
/// # Errors
/// As [`create`].
pub(super) async fn create_with(
    ctx: &RequestContext,
    owner: RepositoryOwner<'_>,
    new: &NewRepository,
    tree: Option<FirstTree>,
) -> Result<RepositoryAccess> {
    check_repository_name(&new.name)?;
    new.starter.check()?;
    let mut tx = ctx.begin().await?;
    let place = Place::find(ctx, &mut tx, owner, new.visibility).await?;
    let created = insert(ctx, &mut tx, &place.owner, ctx.account()?, new).await?;
    if let Some(team) = new.team {
        let found = ctx.authorize(&mut tx, TeamTarget::Id(team), Action::TeamManageRepositories).await?;
        let id = created.repository.id;
        let fits =
            forge_store::team_repositories::upsert(&mut tx, found.team.id, id, Permission::Write, ctx.now());
        if !fits.await? {
            return Err(Error::unprocessable("the team belongs to another organization"));
        }
    }
    let files = files(new, &place.owner, ctx.now())?;
    tx.commit().await?;
    match tree.or_else(|| (!files.is_empty()).then(|| first_files(files))) {
        Some(tree) => with_first_commit(ctx, created, tree).await,
        None => Ok(created),
    }
}

/// Commits the first files. Should that fail, the repository goes again: it was not made as it was asked for.
async fn with_first_commit(
    ctx: &RequestContext,
    created: RepositoryAccess,
    tree: FirstTree,
) -> Result<RepositoryAccess> {
    let target = RepositoryTarget::Id(created.repository.id);
    if let Err(error) = first_commit(ctx, &created, tree, "Initial commit").await {
        let mut tx = ctx.begin().await?;
        undo(ctx, &mut tx, &created.repository).await?;
        tx.commit().await?;
        return Err(error);
    }
    super::find(ctx, target).await
}

/// Where a repository is created, once the caller may.
pub(super) struct Place {
    pub(super) owner: AccountRef,
}

impl Place {
    /// Returns whose a new repository is to be, if the caller may create it there so that those may see it.
    pub(super) async fn find(
        ctx: &RequestContext,
        conn: &mut Conn,
        owner: RepositoryOwner<'_>,
        visibility: Visibility,
    ) -> Result<Self> {
        let place = Self::of(ctx, conn, owner).await?;
        let own = ctx.authorize(conn, OwnAccount, Action::RepositoryCreate).await?;
        if visibility != Visibility::Public {
            ctx.permit(&own, Action::RepositoryCreatePrivate)?;
        }
        Ok(place)
    }

    async fn of(ctx: &RequestContext, conn: &mut Conn, owner: RepositoryOwner<'_>) -> Result<Self> {
        let account = ctx.account()?;
        let target = match owner {
            RepositoryOwner::Own => return Ok(Self { owner: account.clone() }),
            RepositoryOwner::Login(login) if key(login) == key(&account.login) => {
                return Ok(Self { owner: account.clone() });
            }
            RepositoryOwner::Id(id) if id == account.id => return Ok(Self { owner: account.clone() }),
            RepositoryOwner::Login(login) => OrganizationTarget::Login(login),
            RepositoryOwner::Id(id) => OrganizationTarget::Id(id),
        };
        let found = ctx.authorize(conn, target, Action::OrganizationCreateRepository).await?;
        Ok(Self { owner: AccountRef::from(&found.organization.account) })
    }
}

/// Creates the repository `new` of `owner` on behalf of `creator`, in a transaction of the caller's, who has decided
/// that it may be. For use cases that create a repository beside something else.
///
/// # Errors
/// `Invalid` if the name is taken or anything breaks a rule.
pub async fn insert(
    ctx: &RequestContext,
    tx: &mut Tx,
    owner: &AccountRef,
    creator: &AccountRef,
    new: &NewRepository,
) -> Result<RepositoryAccess> {
    insert_with(ctx, tx, owner, creator, new, None).await
}

/// Creates a repository, or a fork of one, which has its id already.
///
/// # Errors
/// As [`insert`].
pub(super) async fn insert_with(
    ctx: &RequestContext,
    tx: &mut Tx,
    owner: &AccountRef,
    creator: &AccountRef,
    new: &NewRepository,
    lineage: Option<Lineage>,
) -> Result<RepositoryAccess> {
    check_repository_name(&new.name)?;
    check_visibility(owner.kind, new.visibility)?;
    let mut settings =
        RepositorySettings { license_key: new.starter.check()?, ..RepositorySettings::default() };
    new.settings.apply(&mut settings)?;
    let record = forge_store::repositories::NewRepository {
        owner,
        name: &new.name,
        visibility: new.visibility,
        default_branch: new.default_branch.as_deref().unwrap_or(&ctx.settings().default_branch),
        settings: &settings,
        created_by: creator.id,
        lineage,
    };
    let inserted = forge_store::repositories::insert(tx, &record, ctx.now()).await;
    let repository = match inserted {
        Err(error) if error.is_duplicate() => return Err(name_taken("Repository creation failed.")),
        other => other?,
    };
    forge_store::labels::insert_defaults(tx, repository.id, ctx.now()).await?;
    if owner.kind == AccountKind::Organization {
        give_creator_access(ctx, tx, owner, creator, repository.id).await?;
    }
    let event = Event::new("repository.created")
        .about(&repository)
        .with("name", repository.full_name())
        .with("visibility", repository.visibility.as_str());
    let event = match lineage {
        Some(lineage) => event.with("forked_from", lineage.parent_id.0),
        None => event,
    };
    ctx.record(tx, event).await?;
    Ok(RepositoryAccess { repository, permission: Some(Permission::Admin), git_state: GitState::default() })
}

/// Who creates a repository in an organization administers it, as on GitHub. Its owners do anyhow.
async fn give_creator_access(
    ctx: &RequestContext,
    tx: &mut Tx,
    organization: &AccountRef,
    creator: &AccountRef,
    repository: forge_types::id::RepositoryId,
) -> Result<()> {
    let member = forge_store::members::find(tx, organization.id, creator.id).await?;
    if member.is_none_or(|member| member.role != OrganizationRole::Admin) {
        let now = ctx.now();
        let by = creator.id;
        forge_store::collaborators::upsert(tx, repository, creator, Permission::Admin, by, now).await?;
    }
    Ok(())
}
