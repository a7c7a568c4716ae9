//! Invitations: what a human offers an agent. Nothing is given before the agent accepts; the secret is shown once.

use std::collections::BTreeSet;

use forge_auth::token::{INVITE_LETTER, Secret, mint_lettered, recognise_letter};
use forge_store::Conn;
use forge_types::agent::{AgentInvite, INVITE_LIFETIME};
use forge_types::id::InviteId;
use forge_types::page::{Page, PageRequest};
use forge_types::{Action, Error, Event, FieldCode, Result, Timestamp, name};

use super::grants::{self, RepositoryGrantRequest, TeamGrantRequest};
use crate::app::key_fault;
use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::OwnAccount;

/// What the keyed hash of an invitation's secret is for.
pub(crate) const PURPOSE: &str = "agent invite";
const MOST_GRANTS: usize = 50;

/// What a human offers.
#[derive(Clone, Debug, Default)]
pub struct InviteRequest {
    /// Repositories the agent gets access to.
    pub repositories: Vec<RepositoryGrantRequest>,
    /// Teams the agent joins.
    pub teams: Vec<TeamGrantRequest>,
    /// The only agent that may accept.
    pub agent_login: Option<String>,
    /// When it can no longer be accepted; as late as possible, if not said.
    pub expires_at: Option<Timestamp>,
}

/// Creates an invitation. Its secret is in the answer and nowhere else.
///
/// # Errors
/// `Forbidden` or `NotFound` if the caller may not give what it carries, and then nothing is stored; `Invalid` for a
/// field.
pub async fn invite(ctx: &RequestContext, request: &InviteRequest) -> Result<(Secret, AgentInvite)> {
    check(request)?;
    let now = ctx.now();
    let expires_at = expiry(request.expires_at, now)?;
    let app = ctx.app();
    let secret = mint_lettered(&app.token_prefix, INVITE_LETTER, |buffer| app.random.fill(buffer));
    let hash = app.keys.hash_for(PURPOSE, secret.expose().as_bytes()).map_err(key_fault)?;
    let mut tx = ctx.begin().await?;
    let human = ctx.authorize(&mut tx, OwnAccount, Action::AgentInvite).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let invite = AgentInvite {
        id: InviteId(app.random_id(InviteId::PREFIX)),
        human_id: human.id,
        agent_login: request.agent_login.clone(),
        repository_grants: grants::repositories(ctx, &mut tx, &request.repositories).await?,
        team_grants: grants::teams(ctx, &mut tx, &request.teams, request.agent_login.as_deref()).await?,
        created_at: now,
        expires_at,
        consumed_at: None,
        consumed_by: None,
        registered_id: None,
        withdrawn_at: None,
    };
    forge_store::agents::invites::insert(&mut tx, &invite, &hash).await?;
    ctx.record(&mut tx, event("agent_invite.created", &invite)).await?;
    tx.commit().await?;
    Ok((secret, invite))
}

fn check(request: &InviteRequest) -> Result<()> {
    let refuse =
        |field, message: &str| Err(Error::invalid("AgentInvite", field, FieldCode::Invalid, message));
    if request.repositories.len() > MOST_GRANTS || request.teams.len() > MOST_GRANTS {
        return refuse("repo_grants", "an invite carries at most 50 repositories and 50 teams");
    }
    let teams: BTreeSet<(String, String)> =
        request.teams.iter().map(|grant| (name::key(&grant.org), name::key(&grant.team_slug))).collect();
    if teams.len() < request.teams.len() {
        return refuse("team_grants", "a team is named twice");
    }
    if let Some(login) = &request.agent_login
        && name::check_login(login).is_err()
    {
        return refuse("agent_login", "agent_login is not a login");
    }
    Ok(())
}

fn expiry(asked: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let latest = now.plus(INVITE_LIFETIME);
    match asked {
        None => Ok(latest),
        Some(asked) if asked > now && asked <= latest => Ok(asked),
        Some(_) => {
            let message = "expires_at must be in the future and at most 72 hours away";
            Err(Error::invalid("AgentInvite", "expires_at", FieldCode::Invalid, message))
        }
    }
}

fn event(name: &'static str, invite: &AgentInvite) -> Event {
    let repositories: Vec<String> = invite
        .repository_grants
        .iter()
        .map(|grant| format!("{}:{}", grant.repo_full_name, grant.permission.role_name()))
        .collect();
    let teams: Vec<String> = invite
        .team_grants
        .iter()
        .map(|grant| format!("{}/{}:{}", grant.org, grant.team_slug, grant.role.as_str()))
        .collect();
    let mut event = Event::new(name)
        .with("invite_id", invite.id.0.as_str())
        .with("repositories", repositories)
        .with("teams", teams)
        .with("expires_at", invite.expires_at.to_string());
    if let Some(login) = &invite.agent_login {
        event = event.with("agent_login", login.as_str());
    }
    event
}

/// Returns a page of the caller's invitations, newest first, without their secrets.
///
/// # Errors
/// `Unauthenticated` when anonymous; `Forbidden` for an agent.
pub async fn list_invites(ctx: &RequestContext, page: PageRequest) -> Result<Page<AgentInvite>> {
    let mut conn = ctx.read().await?;
    let human = ctx.authorize(&mut conn, OwnAccount, Action::AgentInviteRead).await?;
    Ok(forge_store::agents::invites::list(&mut conn, human.id, page).await?)
}

/// Returns one of the caller's invitations, without its secret.
///
/// # Errors
/// `NotFound` if the caller has no such invitation.
pub async fn find_invite(ctx: &RequestContext, id: &InviteId) -> Result<AgentInvite> {
    let mut conn = ctx.read().await?;
    let human = ctx.authorize(&mut conn, OwnAccount, Action::AgentInviteRead).await?;
    forge_store::agents::invites::find(&mut conn, human.id, id).await?.ok_or_else(Error::not_found)
}

/// Withdraws one of the caller's invitations. Withdrawing one that was withdrawn changes nothing.
///
/// # Errors
/// `NotFound` if the caller has no such invitation; `Conflict` if it was accepted.
pub async fn withdraw_invite(ctx: &RequestContext, id: &InviteId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let human = ctx.authorize(&mut tx, OwnAccount, Action::AgentInviteWithdraw).await?;
    let found = forge_store::agents::invites::find(&mut tx, human.id, id).await?;
    let invite = found.ok_or_else(Error::not_found)?;
    if invite.withdrawn_at.is_some() {
        return Ok(());
    }
    if !forge_store::agents::invites::withdraw(&mut tx, human.id, id, ctx.now()).await? {
        return Err(Error::conflict("the invite was accepted; unbind the agent instead"));
    }
    ctx.record(&mut tx, event("agent_invite.withdrawn", &invite)).await?;
    Ok(tx.commit().await?)
}

/// Returns the invitation that `token` is the secret of, whatever its state. A malformed secret costs no query.
pub(super) async fn find_by_token(
    ctx: &RequestContext,
    conn: &mut Conn,
    token: &Secret,
) -> Result<Option<AgentInvite>> {
    let app = ctx.app();
    if recognise_letter(&app.token_prefix, token.expose()) != Some(INVITE_LETTER) {
        return Ok(None);
    }
    for hash in app.keys.candidate_hashes(PURPOSE, token.expose().as_bytes()).map_err(key_fault)? {
        if let Some(found) = forge_store::agents::invites::find_by_hash(conn, &hash).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
