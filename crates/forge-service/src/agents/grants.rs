//! What an invitation gives: access to repositories and places in teams. Each is decided twice, both times as the
//! inviter: when the invitation is made and when it is accepted. `undo` takes back what accepting gave.

use forge_store::Tx;
use forge_store::agents::given;
use forge_types::account::AccountRef;
use forge_types::agent::{AgentInvite, RepositoryGrant, TeamGrant};
use forge_types::id::InviteId;
use forge_types::organization::{Team, TeamRole};
use forge_types::{Action, Error, Event, FieldCode, Permission, Result};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;
use crate::target::RepositoryTarget;
use crate::teams::TeamTarget;

/// Access to a repository, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryGrantRequest {
    /// `OWNER/NAME`.
    pub repo_full_name: String,
    /// What the agent is to have there.
    pub permission: Permission,
}

/// A place in a team, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamGrantRequest {
    /// The organization's login.
    pub org: String,
    /// The team's slug.
    pub team_slug: String,
    /// What the agent is to be there.
    pub role: TeamRole,
}

/// Returns what an invitation by the caller gives of `asked`.
///
/// # Errors
/// `NotFound` or `Forbidden` if the caller may not give one of them.
pub(super) async fn repositories(
    ctx: &RequestContext,
    tx: &mut Tx,
    asked: &[RepositoryGrantRequest],
) -> Result<Vec<RepositoryGrant>> {
    let mut grants: Vec<RepositoryGrant> = Vec::with_capacity(asked.len());
    for RepositoryGrantRequest { repo_full_name, permission } in asked {
        let Some((owner, name)) = repo_full_name.split_once('/') else {
            let message = "repo_full_name must be `OWNER/NAME`";
            return Err(Error::invalid("AgentInvite", "repo_full_name", FieldCode::Invalid, message));
        };
        let target = RepositoryTarget::Name(owner, name);
        let found = ctx.authorize(tx, target, Action::CollaboratorManage).await?;
        // By its id: a former name leads to the same one.
        if grants.iter().any(|grant| grant.repository_id == found.repository.id) {
            let message = "a repository is named twice";
            return Err(Error::invalid("AgentInvite", "repo_grants", FieldCode::Invalid, message));
        }
        grants.push(RepositoryGrant {
            repository_id: found.repository.id,
            repo_full_name: found.repository.full_name(),
            permission: *permission,
        });
    }
    Ok(grants)
}

/// Returns what an invitation by the caller gives of `asked`. Who is named and does not belong to the organization
/// joins it, which takes an owner.
///
/// # Errors
/// `NotFound` or `Forbidden` if the caller may not give one of them.
pub(super) async fn teams(
    ctx: &RequestContext,
    tx: &mut Tx,
    asked: &[TeamGrantRequest],
    agent_login: Option<&str>,
) -> Result<Vec<TeamGrant>> {
    let mut grants = Vec::with_capacity(asked.len());
    for TeamGrantRequest { org, team_slug, role } in asked {
        let target = TeamTarget::Slug(org, team_slug);
        let found = ctx.authorize(tx, target, Action::TeamManageMembers).await?;
        if let Some(login) = agent_login {
            let organization = found.team.organization_id;
            let named = forge_store::members::find_by_login(tx, organization, login).await?;
            if !matches!(named, Some((_, Some(_)))) {
                let target = OrganizationTarget::Id(organization);
                ctx.authorize(tx, target, Action::OrganizationManageMembers).await?;
            }
        }
        grants.push(TeamGrant {
            team_id: found.team.id,
            organization_id: found.team.organization_id,
            org: found.team.organization_login,
            team_slug: found.team.slug,
            role: *role,
        });
    }
    Ok(grants)
}

/// An invitation that is being accepted. What it gives and what stood before is kept with it, so that it can be undone.
pub(super) struct Giving<'a> {
    /// The agent's request.
    pub(super) ctx: &'a RequestContext,
    /// Whose rights decide.
    pub(super) inviter: &'a RequestContext,
    /// Who receives.
    pub(super) agent: &'a AccountRef,
    /// The invitation.
    pub(super) invite: &'a InviteId,
}

impl Giving<'_> {
    /// Gives the agent all that the invitation carries and the inviter may still give.
    ///
    /// # Errors
    /// What the decision about the inviter says.
    pub(super) async fn all(&self, tx: &mut Tx, invite: &AgentInvite) -> Result<()> {
        for grant in &invite.repository_grants {
            self.repository(tx, grant).await?;
        }
        for grant in &invite.team_grants {
            self.team(tx, grant).await?;
        }
        Ok(())
    }

    /// More than the grant says is never taken away.
    async fn repository(&self, tx: &mut Tx, grant: &RepositoryGrant) -> Result<()> {
        let target = RepositoryTarget::Id(grant.repository_id);
        let found = self.inviter.authorize(tx, target, Action::CollaboratorManage).await?;
        let (id, permission) = (found.repository.id, grant.permission);
        if found.repository.owner.id == self.agent.id {
            return Ok(());
        }
        let (by, now) = (self.inviter.account()?.id, self.ctx.now());
        if given::raise_permission(tx, self.invite, id, self.agent, permission, by, now).await? {
            let event = self.event("collaborator.set")?.repository(id);
            self.ctx.record(tx, event.with("permission", permission.role_name())).await?;
        }
        Ok(())
    }

    /// Puts the agent into the team, and into its organization.
    async fn team(&self, tx: &mut Tx, grant: &TeamGrant) -> Result<()> {
        let target = TeamTarget::Id(grant.team_id);
        let found = self.inviter.authorize(tx, target, Action::TeamManageMembers).await?;
        let team = &found.team;
        self.organization(tx, team).await?;
        if given::raise_role(tx, self.invite, team, self.agent.id, grant.role, self.ctx.now()).await? {
            let event = self.team_event("team.member_set", team)?;
            self.ctx.record(tx, event.with("role", grant.role.as_str())).await?;
        }
        Ok(())
    }

    async fn organization(&self, tx: &mut Tx, team: &Team) -> Result<()> {
        let organization = team.organization_id;
        if forge_store::members::find(tx, organization, self.agent.id).await?.is_some() {
            return Ok(());
        }
        let target = OrganizationTarget::Id(organization);
        self.inviter.authorize(tx, target, Action::OrganizationManageMembers).await?;
        if given::join_organization(tx, self.invite, organization, self.agent, self.ctx.now()).await? {
            let event = self.team_event("organization.member_added", team)?;
            self.ctx.record(tx, event.with("role", "member")).await?;
        }
        Ok(())
    }

    fn team_event(&self, name: &'static str, team: &Team) -> Result<Event> {
        Ok(self.event(name)?.organization(team.organization_id).with("team", team.slug.as_str()))
    }

    fn event(&self, name: &'static str) -> Result<Event> {
        Ok(Event::new(name)
            .subject(self.agent.id)
            .with("login", self.agent.login.as_str())
            .with("granted_by", self.inviter.account()?.login.as_str()))
    }
}
