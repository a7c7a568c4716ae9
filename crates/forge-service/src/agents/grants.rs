//! What an invitation gives: access to repositories and places in teams. Each is decided twice, both times as the
//! inviter: when the invitation is made and when it is accepted.

use forge_store::Tx;
use forge_types::account::AccountRef;
use forge_types::agent::{RepositoryGrant, TeamGrant};
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
    let mut grants = Vec::with_capacity(asked.len());
    for RepositoryGrantRequest { repo_full_name, permission } in asked {
        let Some((owner, name)) = repo_full_name.split_once('/') else {
            let message = "repo_full_name must be `OWNER/NAME`";
            return Err(Error::invalid("AgentInvite", "repo_full_name", FieldCode::Invalid, message));
        };
        let target = RepositoryTarget::Name(owner, name);
        let found = ctx.authorize(tx, target, Action::CollaboratorManage).await?;
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

/// Gives the agent what the grant says, if the inviter may still give it. More than that is never taken away.
///
/// # Errors
/// What the decision about the inviter says.
pub(super) async fn give_repository(
    inviter: &RequestContext,
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: &AccountRef,
    grant: &RepositoryGrant,
) -> Result<()> {
    let target = RepositoryTarget::Id(grant.repository_id);
    let found = inviter.authorize(tx, target, Action::CollaboratorManage).await?;
    let repository = &found.repository;
    if repository.owner.id == agent.id {
        return Ok(());
    }
    let by = inviter.account()?.id;
    let before =
        forge_store::collaborators::upsert(tx, repository.id, agent, grant.permission, by, ctx.now()).await?;
    if let Some(before) = before.filter(|before| *before > grant.permission) {
        forge_store::collaborators::upsert(tx, repository.id, agent, before, by, ctx.now()).await?;
    }
    let event = Event::new("collaborator.set")
        .repository(repository.id)
        .subject(agent.id)
        .with("permission", grant.permission.role_name())
        .with("granted_by", inviter.account()?.login.as_str());
    ctx.record(tx, event).await
}

/// Puts the agent into the team, and into its organization, if the inviter may still do both.
///
/// # Errors
/// What the decision about the inviter says.
pub(super) async fn give_team(
    inviter: &RequestContext,
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: &AccountRef,
    grant: &TeamGrant,
) -> Result<()> {
    let found = inviter.authorize(tx, TeamTarget::Id(grant.team_id), Action::TeamManageMembers).await?;
    let team = &found.team;
    join_organization(inviter, ctx, tx, agent, team).await?;
    let present = forge_store::team_members::find(tx, team.id, agent.id).await?;
    if present.is_none_or(|present| present.role < grant.role) {
        forge_store::team_members::upsert(tx, team, agent.id, grant.role, ctx.now()).await?;
    }
    let event = team_event("team.member_set", team, agent, inviter)?.with("role", grant.role.as_str());
    ctx.record(tx, event).await
}

async fn join_organization(
    inviter: &RequestContext,
    ctx: &RequestContext,
    tx: &mut Tx,
    agent: &AccountRef,
    team: &Team,
) -> Result<()> {
    let organization = team.organization_id;
    if forge_store::members::find(tx, organization, agent.id).await?.is_some() {
        return Ok(());
    }
    let target = OrganizationTarget::Id(organization);
    inviter.authorize(tx, target, Action::OrganizationManageMembers).await?;
    forge_store::members::insert_if_absent(tx, organization, agent, ctx.now()).await?;
    let event = team_event("organization.member_added", team, agent, inviter)?.with("role", "member");
    ctx.record(tx, event).await
}

fn team_event(
    name: &'static str,
    team: &Team,
    agent: &AccountRef,
    inviter: &RequestContext,
) -> Result<Event> {
    Ok(Event::new(name)
        .organization(team.organization_id)
        .subject(agent.id)
        .with("team", team.slug.as_str())
        .with("login", agent.login.as_str())
        .with("granted_by", inviter.account()?.login.as_str()))
}
