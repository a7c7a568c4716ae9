//! Bringing an agent into being: account, agent, private repository and first credential in one transaction.

use forge_auth::token::Secret;
use forge_store::Tx;
use forge_store::accounts::NewAccount;
use forge_store::agents::NewAgent as AgentRow;
use forge_types::account::{AccountKind, AccountRef};
use forge_types::agent::{Agent, StandingAccess};
use forge_types::agent_key::{AgentKey, KeyPurpose};
use forge_types::credential::{Credential, CredentialKind};
use forge_types::repository::{Repository, Visibility};
use forge_types::{Action, Error, Event, FieldCode, Result, Timestamp, name};

use super::keys::NewKey;
use super::register::check_prefix;
use crate::app::AgentCredential;
use crate::context::RequestContext;
use crate::credentials::{NewToken, issue};
use crate::proof::Shown;
use crate::repositories::{self, NewRepository};
use crate::standing::Standing;
use crate::target::Site;

/// How often another random login is tried.
const ATTEMPTS: usize = 10;
const LONGEST_DESCRIPTION: usize = 350;

/// What an agent is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentLogin {
    /// Exactly this.
    Exact(String),
    /// This, a hyphen and six random hexadecimal digits.
    Prefix(String),
}

/// What an administrator says of a new agent.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// What it is to be called.
    pub login: AgentLogin,
    /// A sentence about it.
    pub description: Option<String>,
    /// The name of a private repository it starts with.
    pub default_repository: Option<String>,
    /// What its standing token may do; everything the agent may, if not said.
    pub standing_access: Option<StandingAccess>,
    /// What it receives; what the forge is set to, if not said.
    pub credential: Option<AgentCredential>,
    /// The key it proves itself with.
    pub key: Option<NewKey>,
}

/// An agent that has just been created, with the only copy of its credential's value.
#[derive(Debug)]
pub struct CreatedAgent {
    /// The agent.
    pub agent: Agent,
    /// The value of its first credential.
    pub secret: Secret,
    /// That credential.
    pub credential: Credential,
    /// The repository it starts with.
    pub repository: Option<Repository>,
    /// Its key.
    pub key: Option<AgentKey>,
}

/// Creates an agent, also where registration is closed.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `Invalid` for a field; `Unproved` if the key is not proved.
pub async fn create(ctx: &RequestContext, new: &NewAgent, shown: &Shown) -> Result<CreatedAgent> {
    check(new)?;
    if let Some(key) = &new.key {
        ctx.authorize(&mut ctx.read().await?, Site, Action::SiteAdminister).await?;
        key.check(ctx, shown).await?;
    }
    let spec = AgentSpec {
        description: new.description.as_deref(),
        default_repository: new.default_repository.as_deref(),
        standing_access: new.standing_access.unwrap_or(StandingAccess::Full),
        credential: credential_kind(ctx, new.credential)?,
        key: new.key.as_ref(),
        expires_unbound_at: None,
        registers_itself: false,
    };
    for login in candidates(ctx, &new.login) {
        let mut tx = ctx.begin().await?;
        ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
        let standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
        if let Some(created) = insert(ctx, &mut tx, standing, &login, &spec).await? {
            tx.commit().await?;
            return Ok(created);
        }
    }
    Err(taken(&new.login))
}

fn check(new: &NewAgent) -> Result<()> {
    match &new.login {
        AgentLogin::Exact(login) => name::check_login(login)?,
        AgentLogin::Prefix(prefix) => check_prefix(prefix)?,
    }
    if let Some(repository) = &new.default_repository {
        name::check_repository_name(repository)?;
    }
    check_description(new.description.as_deref())
}

/// Refuses descriptions that are not a line.
pub(super) fn check_description(description: Option<&str>) -> Result<()> {
    let is_line =
        |text: &str| text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(char::is_control);
    if description.is_none_or(is_line) {
        return Ok(());
    }
    let message = "description must be one line of at most 350 characters";
    Err(Error::invalid("Agent", "description", FieldCode::Invalid, message))
}

/// Returns the kind of credential for what was asked for. A forge that is set to give out bootstrap secrets gives no
/// standing tokens.
pub(super) fn credential_kind(
    ctx: &RequestContext,
    asked: Option<AgentCredential>,
) -> Result<CredentialKind> {
    match (ctx.settings().agent_credential, asked) {
        (AgentCredential::Bootstrap, Some(AgentCredential::Token)) => {
            let message = "agents of this forge receive a bootstrap secret, not a standing token";
            Err(Error::invalid("Agent", "credential", FieldCode::Invalid, message))
        }
        (AgentCredential::Bootstrap, _) | (AgentCredential::Token, Some(AgentCredential::Bootstrap)) => {
            Ok(CredentialKind::Bootstrap)
        }
        (AgentCredential::Token, _) => Ok(CredentialKind::Personal),
    }
}

/// Returns the logins to try, one after the other.
pub(super) fn candidates(ctx: &RequestContext, login: &AgentLogin) -> Vec<String> {
    match login {
        AgentLogin::Exact(login) => vec![login.clone()],
        AgentLogin::Prefix(prefix) => {
            let prefix = name::key(prefix);
            (0..ATTEMPTS).map(|_| format!("{prefix}-{}", ctx.app().random_hex::<3>())).collect()
        }
    }
}

/// Returns the error for logins that are all taken.
pub(super) fn taken(login: &AgentLogin) -> Error {
    match login {
        AgentLogin::Exact(_) => {
            Error::invalid("Agent", "login", FieldCode::AlreadyExists, "login is already taken")
        }
        AgentLogin::Prefix(_) => Error::conflict("no login with this prefix is free, try again"),
    }
}

/// What an agent starts with.
pub(super) struct AgentSpec<'a> {
    pub(super) description: Option<&'a str>,
    pub(super) default_repository: Option<&'a str>,
    pub(super) standing_access: StandingAccess,
    pub(super) credential: CredentialKind,
    pub(super) key: Option<&'a NewKey>,
    pub(super) expires_unbound_at: Option<Timestamp>,
    /// Whether the agent itself is who does this, so that the audit log names it as the actor.
    pub(super) registers_itself: bool,
}

/// Inserts an agent called `login`; `None` if the login is taken, and then the transaction is of no further use.
pub(super) async fn insert(
    ctx: &RequestContext,
    tx: &mut Tx,
    standing: Standing,
    login: &str,
    spec: &AgentSpec<'_>,
) -> Result<Option<CreatedAgent>> {
    let account = NewAccount {
        kind: AccountKind::Agent,
        login,
        name: None,
        email: None,
        description: spec.description,
        is_site_admin: false,
        created_by: ctx.account_id(),
    };
    let account = match forge_store::accounts::insert(tx, &account, ctx.now()).await {
        Ok(account) => account,
        Err(error) if error.is_duplicate() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let row = AgentRow {
        account_id: account.id,
        standing_access: spec.standing_access,
        expires_unbound_at: spec.expires_unbound_at,
        registered_from: ctx.info().ip.as_deref(),
    };
    forge_store::agents::insert(tx, &row).await?;
    let itself = AccountRef::from(&account);
    let ctx = if spec.registers_itself { ctx.speaking_for(itself.clone()) } else { ctx.clone() };
    let name = if spec.registers_itself { "agent.registered" } else { "agent.created" };
    ctx.record(tx, Event::new(name).subject(account.id).with("login", login)).await?;
    let repository = match spec.default_repository {
        Some(name) => Some(default_repository(&ctx, tx, &itself, name).await?),
        None => None,
    };
    let token = NewToken::new(account.id, spec.credential, "agent");
    let standing = standing.with_new(account.id);
    let (secret, credential) = issue(&ctx, tx, &standing, token).await?;
    let key = match spec.key {
        Some(key) => Some(key.insert(&ctx, tx, account.id, KeyPurpose::Dpop).await?),
        None => None,
    };
    let agent = forge_store::agents::find(tx, account.id).await?.ok_or_else(Error::not_found)?;
    Ok(Some(CreatedAgent { agent, secret, credential, repository, key }))
}

/// Inserts the private repository that an agent starts with.
async fn default_repository(
    ctx: &RequestContext,
    tx: &mut Tx,
    owner: &AccountRef,
    name: &str,
) -> Result<Repository> {
    let new = NewRepository::new(name, Visibility::Private);
    Ok(repositories::insert(ctx, tx, owner, owner, &new).await?.repository)
}
