//! An agent asks a person for a task, by the device flow or the authorization endpoint (RFC 9396).
//!
//! The agent shows who it is when it asks and when it takes what it was given; the person sees which agent asks for what, and
//! by approving makes the grant, in the transaction that notes the approval. The client between them gets a task token of
//! the agent, and nothing of the person's.

use forge_auth::grant::GrantDetails;
use forge_auth::jose::Thumbprint;
use forge_auth::messages::{ExchangeRequest, OAuthCode, OAuthError, TaskRequest, TokenAnswer, Wanted};
use forge_auth::token::Secret;
use forge_store::{Conn, Tx};
use forge_types::account::AccountRef;
use forge_types::grant::GrantConstraints;
use forge_types::id::{AccountId, GrantId};
use forge_types::{Error, ErrorKind, Result, Timestamp};

use super::exchange::{exchange, own_token};
use super::failure::Fault;
use super::issuer;
use crate::context::RequestContext;
use crate::grants;

/// A task that is asked for, as it is kept until somebody decides.
pub(super) struct Asked {
    pub(super) agent_id: AccountId,
    pub(super) text: String,
    /// Whether asking is consent too. A token that is bound to a key is shown here without the key, so it is none.
    pub(super) is_consent: bool,
}

/// Finds out which agent asks, and whether what it asks for can be granted at all.
pub(super) async fn ask(ctx: &RequestContext, request: &TaskRequest) -> Result<Asked, Fault> {
    let subject = own_token(ctx, &request.subject_token).await?;
    let login = subject.account.login.as_str();
    let refuse = |error: Error| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, words(&error));
    if request.details.agent.is_some() {
        let named = request.details.agent_login().map_err(refuse)?;
        if !named.eq_ignore_ascii_case(login) {
            let message = format!("an agent asks for itself: `agent` must be `{login}` or left out");
            return Err(OAuthError::new(OAuthCode::InvalidAuthorizationDetails, message).into());
        }
    }
    let named = for_agent(&request.details, login);
    view(ctx, &subject.account, &named).map_err(refuse)?;
    let credential = &subject.credential;
    let is_consent = credential.cnf_jkt.is_none() && credential.cnf_x5t.is_none();
    Ok(Asked { agent_id: subject.account.id, text: request.text.clone(), is_consent })
}

/// Says what is wrong with the details in one line.
fn words(error: &Error) -> String {
    let ErrorKind::Invalid(fields) = error.kind() else { return error.message().to_owned() };
    let words: Vec<&str> = fields.iter().filter_map(|field| field.message.as_deref()).collect();
    words.join("; ")
}

fn for_agent(details: &GrantDetails, login: &str) -> GrantDetails {
    GrantDetails { agent: Some(login.to_owned()), ..details.clone() }
}

/// What a person is asked to grant.
#[derive(Clone, Debug)]
pub struct AskedTask {
    /// The agent that asks.
    pub agent: AccountRef,
    /// What the work is.
    pub task: String,
    /// On whose behalf, if not the person's own: `org:LOGIN`.
    pub delegator: Option<String>,
    /// On what.
    pub resources: Vec<String>,
    /// What it may do.
    pub actions: Vec<&'static str>,
    /// The bounds in words.
    pub bounds: Vec<String>,
    details: GrantDetails,
    is_consent: bool,
}

/// Loads a task that is asked for.
pub(super) async fn load(ctx: &RequestContext, conn: &mut Conn, asked: &Asked) -> Result<AskedTask> {
    let account = forge_store::accounts::find(conn, asked.agent_id).await?.ok_or_else(Error::not_found)?;
    let details: GrantDetails = serde_json::from_str(&asked.text).map_err(Error::internal)?;
    let details = for_agent(&details, &account.login);
    let task = view(ctx, &AccountRef::from(&account), &details)?;
    Ok(AskedTask { is_consent: asked.is_consent, ..task })
}

fn view(ctx: &RequestContext, agent: &AccountRef, details: &GrantDetails) -> Result<AskedTask> {
    details.check_frame(&issuer(ctx))?;
    details.named_delegator()?;
    details.named_resources()?;
    let (constraints, end) = details.bounds()?;
    Ok(AskedTask {
        agent: agent.clone(),
        task: details.task()?,
        delegator: details.delegator.clone(),
        resources: details.resources.clone(),
        actions: details.granted_actions()?.iter().map(|action| action.as_str()).collect(),
        bounds: bounds(&constraints, end),
        details: details.clone(),
        is_consent: false,
    })
}

fn bounds(constraints: &GrantConstraints, end: Option<Timestamp>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(prefix) = &constraints.branch_prefix {
        words.push(format!("only branches below refs/heads/{prefix}"));
    }
    for path in &constraints.paths_deny {
        words.push(format!("never touching {path}"));
    }
    for action in &constraints.requires_approval {
        words.push(format!("{action} waits for approval each time"));
    }
    if let Some(pushes) = constraints.budgets.pushes {
        words.push(format!("at most {pushes} pushes"));
    }
    if let Some(bytes) = constraints.budgets.bytes {
        words.push(format!("at most {bytes} bytes pushed"));
    }
    words.push(end.map_or_else(|| "for eight hours".to_owned(), |end| format!("until {end}")));
    words
}

/// Makes the grant that the caller approves.
pub(super) async fn grant(ctx: &RequestContext, tx: &mut Tx, task: &AskedTask) -> Result<GrantId> {
    Ok(grants::create_asked(ctx, tx, &task.details, task.is_consent).await?.id)
}

/// Gives the agent, which shows its own token once more, a token for what was granted.
pub(super) async fn give(
    ctx: &RequestContext,
    agent_id: AccountId,
    grant_id: &GrantId,
    subject_token: Option<&Secret>,
    key: Option<&Thumbprint>,
) -> Result<TokenAnswer, Fault> {
    check_agent(ctx, agent_id, subject_token).await?;
    let subject_token = subject_token.ok_or_else(OAuthError::invalid_grant)?.clone();
    let request = ExchangeRequest {
        subject_token,
        wanted: Wanted::Task,
        grant_id: Some(grant_id.clone()),
        resources: Vec::new(),
        lifetime: None,
    };
    exchange(ctx, &request, key).await
}

/// Refuses everybody but the agent that asked.
pub(super) async fn check_agent(
    ctx: &RequestContext,
    agent_id: AccountId,
    subject_token: Option<&Secret>,
) -> Result<(), Fault> {
    let token = subject_token.ok_or_else(|| {
        OAuthError::invalid_request("this is for a task: send the agent's own token as `subject_token`")
    })?;
    if own_token(ctx, token).await?.account.id == agent_id {
        return Ok(());
    }
    Err(OAuthError::invalid_grant().into())
}
