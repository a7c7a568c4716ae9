//! Registration of an agent by itself: with the registration key, with an invitation, or by anyone within quotas.

use std::time::Duration;

use forge_auth::token::{INVITE_LETTER, REGISTRATION_LETTER, Secret, recognise_letter};
use forge_store::Tx;
use forge_types::agent::{AgentInvite, InviteState, StandingAccess};
use forge_types::{Error, FieldCode, Result, name};

use super::create::{
    AgentLogin, AgentSpec, CreatedAgent, candidates, check_description, credential_kind, insert, taken,
};
use super::invites::find_by_token;
use super::keys::NewKey;
use crate::app::{AgentCredential, AgentRegistration};
use crate::context::RequestContext;
use crate::proof::Shown;
use crate::registration_key;
use crate::standing::Standing;
use crate::throttle::{self, Limit};

/// Leaves room for a hyphen and six digits.
const LONGEST_PREFIX: usize = 32;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What an agent says when it registers.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What its login is to start with.
    pub prefix_login: String,
    /// The name of the private repository it starts with.
    pub default_repo_name: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// What it wants to receive; what the forge is set to, if not said.
    pub credential: Option<AgentCredential>,
    /// The key it proves itself with.
    pub key: Option<NewKey>,
}

/// Why an agent may register.
enum Admission {
    /// It holds the registration key.
    Key,
    /// It holds an open invitation.
    Invite(AgentInvite),
    /// Anyone may.
    Open,
}

/// Registers an agent that presents `presented`.
///
/// # Errors
/// `Unauthenticated` if what the forge asks for is not presented, `Forbidden` if registration is closed, `RateLimited`
/// past a quota, `Invalid` for a field, `Conflict` if no login is free, `Unproved` if the key is not proved.
pub async fn register(
    ctx: &RequestContext,
    presented: Option<&Secret>,
    request: &Registration,
    shown: &Shown,
) -> Result<CreatedAgent> {
    check_presented(ctx, presented)?;
    check_prefix(&request.prefix_login)?;
    name::check_repository_name(&request.default_repo_name)?;
    check_description(request.description.as_deref())?;
    let credential = credential_kind(ctx, request.credential)?;
    if let Some(key) = &request.key {
        key.check(ctx, shown).await?;
    }
    let prefix = AgentLogin::Prefix(request.prefix_login.clone());
    for candidate in candidates(ctx, &prefix) {
        let mut tx = ctx.begin().await?;
        let admission = admit(ctx, &mut tx, presented).await?;
        let login = admission.login(request, candidate)?;
        let spec = AgentSpec {
            description: request.description.as_deref(),
            default_repository: Some(&request.default_repo_name),
            standing_access: StandingAccess::Full,
            credential,
            key: request.key.as_ref(),
            expires_unbound_at: admission.expiry(ctx),
            registers_itself: true,
        };
        // What is presented is held by itself: the key until the commit, the invite because it can be claimed once.
        let standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
        if let Some(created) = insert(ctx, &mut tx, standing, &login, &spec).await? {
            admission.settle(ctx, &mut tx, &created).await?;
            tx.commit().await?;
            return Ok(created);
        }
    }
    Err(taken(&prefix))
}

/// Checks what a login is to start with: lower-case letters, digits and hyphens, at most 32 characters.
pub(super) fn check_prefix(prefix: &str) -> Result<()> {
    let refuse = |message: &str| Err(Error::invalid("Agent", "prefix_login", FieldCode::Invalid, message));
    if prefix.is_empty() || prefix.len() > LONGEST_PREFIX {
        return refuse("prefix_login must have 1 to 32 characters");
    }
    if name::check_login(&format!("{prefix}-000000")).is_err() {
        return refuse("prefix_login may only contain letters, digits and single hyphens inside");
    }
    Ok(())
}

/// Refuses without a query what cannot be what the forge asks for.
fn check_presented(ctx: &RequestContext, presented: Option<&Secret>) -> Result<()> {
    let letter = presented.map(|secret| recognise_letter(&ctx.app().token_prefix, secret.expose()));
    let wanted = match ctx.settings().agent_registration {
        AgentRegistration::Closed => {
            return Err(Error::forbidden(
                "registration of agents is closed; an administrator of this forge can create one",
            ));
        }
        AgentRegistration::Open if letter.is_none() => return Ok(()),
        AgentRegistration::Open | AgentRegistration::Key => REGISTRATION_LETTER,
        AgentRegistration::Invite => INVITE_LETTER,
    };
    match letter {
        None => Err(Error::requires_authentication()),
        Some(letter) if letter == Some(wanted) => Ok(()),
        Some(_) => Err(Error::bad_credentials()),
    }
}

async fn admit(ctx: &RequestContext, tx: &mut Tx, presented: Option<&Secret>) -> Result<Admission> {
    match (ctx.settings().agent_registration, presented) {
        (AgentRegistration::Closed, _) => Err(Error::forbidden("registration of agents is closed")),
        (AgentRegistration::Open, None) => {
            draw_on_quotas(ctx, tx).await?;
            Ok(Admission::Open)
        }
        (AgentRegistration::Open | AgentRegistration::Key, Some(key)) => {
            let is_key = registration_key::matches(ctx, tx, key).await?;
            if is_key { Ok(Admission::Key) } else { Err(Error::bad_credentials()) }
        }
        (AgentRegistration::Invite, Some(token)) => {
            let invite = find_by_token(ctx, tx, token).await?;
            let is_good = |invite: &AgentInvite| {
                invite.state(ctx.now()) == InviteState::Pending && invite.registered_id.is_none()
            };
            invite.filter(is_good).map(Admission::Invite).ok_or_else(Error::bad_credentials)
        }
        (AgentRegistration::Key | AgentRegistration::Invite, None) => Err(Error::requires_authentication()),
    }
}

/// Counts an open registration against the address it comes from and against all of them.
async fn draw_on_quotas(ctx: &RequestContext, tx: &mut Tx) -> Result<()> {
    let quotas = ctx.settings().open_registration;
    let address = throttle::address(ctx);
    let limit = |name, attempts: u32| Limit { name, attempts: i64::from(attempts), window: HOUR };
    let by_address = limit("agent_registration_from", quotas.per_address_per_hour);
    throttle::count(ctx, tx, by_address, &address).await??;
    let in_all = limit("agent_registration", quotas.per_hour);
    throttle::count(ctx, tx, in_all, "all").await??;
    Ok(())
}

impl Admission {
    /// An invitation that names an agent lets exactly that one register.
    fn login(&self, request: &Registration, candidate: String) -> Result<String> {
        let Self::Invite(AgentInvite { agent_login: Some(login), .. }) = self else { return Ok(candidate) };
        if name::key(login) == name::key(&request.prefix_login) {
            return Ok(login.clone());
        }
        Err(Error::forbidden("this invite is for another agent: prefix_login must be the login it names"))
    }

    fn expiry(&self, ctx: &RequestContext) -> Option<forge_types::Timestamp> {
        match self {
            Self::Open => Some(ctx.now().plus(ctx.settings().open_registration.unbound_lifetime)),
            Self::Key | Self::Invite(_) => None,
        }
    }

    /// An invitation lets one agent register, and only that one may accept it afterwards.
    async fn settle(&self, ctx: &RequestContext, tx: &mut Tx, created: &CreatedAgent) -> Result<()> {
        let Self::Invite(invite) = self else { return Ok(()) };
        let agent = created.agent.account.id;
        let is_first =
            forge_store::agents::invites::claim_registration(tx, &invite.id, agent, ctx.now()).await?;
        if is_first { Ok(()) } else { Err(Error::bad_credentials()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a78_prefixes_that_would_make_misleading_or_broken_logins_are_refused() {
        for prefix in ["bot", "fix-bot", "a1", "Bot", &"a".repeat(32)] {
            assert!(check_prefix(prefix).is_ok(), "{prefix}");
        }
        for prefix in ["", "-a", "a-", "a--b", "а", "a b", "a/b", "..", "a\0", &"a".repeat(33)] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
    }
}
