//! People whom somebody else has authenticated: an embedding host, a proxy, an OpenID provider.
//!
//! INVARIANT: an account is found by provider and subject alone. A login or address that looks like that of an existing
//! account never links to it: whoever controls the provider would otherwise control every account here.

use std::sync::Arc;

use forge_auth::policy::{Means, Principal, Subject};
use forge_store::Tx;
use forge_types::account::{Account, AccountRef, AccountStatus};
use forge_types::{Error, Event, Result, name};

use super::accounts::{self, NewPerson};
use crate::app::App;
use crate::authenticate::anonymous;
use crate::context::{Caller, RequestContext, RequestInfo};

/// What a host says of the caller it has authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostIdentity {
    /// Who says it; subjects of different providers have nothing in common.
    pub provider: String,
    /// What the provider calls the person, for ever.
    pub subject: String,
    /// The login the person would like; another is made when it is taken or not allowed.
    pub login: String,
    /// The person's address.
    pub email: Option<String>,
    /// The groups the provider has the person in. No rule reads them.
    pub groups: Vec<String>,
    /// Whether the provider says that the person administers the forge; `None` leaves that to the forge.
    pub site_admin: Option<bool>,
}

/// Returns the caller that a host has authenticated, creating the account at the first visit.
///
/// # Errors
/// `Unauthenticated` if the account may not act.
pub async fn from_host(app: &Arc<App>, identity: &HostIdentity, info: RequestInfo) -> Result<Caller> {
    let ctx = anonymous(app, info);
    let account = find_or_create(&ctx, identity).await?;
    let principal = Principal::new(account.id, account.kind, account.is_site_admin, Means::Host);
    Ok(Caller {
        subject: Subject::Principal(principal),
        account: Some(AccountRef::from(&account)),
        ..Caller::anonymous()
    })
}

/// Returns the account of an identity, creating or updating it where the provider says something new.
pub(crate) async fn find_or_create(ctx: &RequestContext, identity: &HostIdentity) -> Result<Account> {
    if identity.provider.is_empty() || identity.subject.is_empty() {
        return Err(Error::bad_credentials());
    }
    let account = match find(ctx, identity).await? {
        Some(account) if is_current(&account, identity) => account,
        Some(account) => update(ctx, account, identity).await?,
        None => create(ctx, identity).await?,
    };
    if account.status != AccountStatus::Active {
        return Err(Error::bad_credentials());
    }
    Ok(account)
}

async fn find(ctx: &RequestContext, identity: &HostIdentity) -> Result<Option<Account>> {
    let mut conn = ctx.read().await?;
    Ok(forge_store::identities::find(&mut conn, &identity.provider, &identity.subject).await?)
}

fn is_current(account: &Account, identity: &HostIdentity) -> bool {
    identity.site_admin.is_none_or(|is_site_admin| is_site_admin == account.is_site_admin)
        && (identity.email.is_none() || identity.email == account.email)
}

async fn update(ctx: &RequestContext, mut account: Account, identity: &HostIdentity) -> Result<Account> {
    account.is_site_admin = identity.site_admin.unwrap_or(account.is_site_admin);
    account.email = identity.email.clone().or(account.email);
    account.updated_at = ctx.now();
    let mut tx = ctx.begin().await?;
    forge_store::accounts::update_profile(&mut tx, &account).await?;
    forge_store::accounts::update_site_admin(&mut tx, account.id, account.is_site_admin, ctx.now()).await?;
    let event = Event::new("account.updated")
        .subject(account.id)
        .with("provider", identity.provider.as_str())
        .with("is_site_admin", account.is_site_admin);
    ctx.record(&mut tx, event).await?;
    tx.commit().await?;
    Ok(account)
}

async fn create(ctx: &RequestContext, identity: &HostIdentity) -> Result<Account> {
    let mut tx = ctx.begin().await?;
    let person = NewPerson {
        login: free_login(&mut tx, &identity.login).await?,
        name: None,
        email: identity.email.clone(),
        is_site_admin: identity.site_admin.unwrap_or(false),
    };
    let account = accounts::create(ctx, &mut tx, &person).await?;
    let (provider, subject) = (&identity.provider, &identity.subject);
    let linked = forge_store::identities::insert(&mut tx, provider, subject, account.id, ctx.now()).await;
    match linked {
        Ok(()) => {
            let event = Event::new("identity.linked").subject(account.id).with("provider", provider.as_str());
            ctx.record(&mut tx, event).await?;
            tx.commit().await?;
            Ok(account)
        }
        // The same person's first two requests raced, and the other one won.
        Err(error) if error.is_duplicate() => {
            drop(tx);
            find(ctx, identity).await?.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the wished login if it is allowed and free, else the nearest that is.
async fn free_login(tx: &mut Tx, wish: &str) -> Result<String> {
    let base = sanitised(wish);
    for number in 1..1000_u32 {
        let candidate = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let is_free = name::check_login(&candidate).is_ok()
            && !forge_store::accounts::login_is_taken(tx, &candidate).await?;
        if is_free {
            return Ok(candidate);
        }
    }
    Err(Error::conflict("no login is free for this person"))
}

fn sanitised(wish: &str) -> String {
    let wish = wish.split('@').next().unwrap_or_default();
    let mut login = String::new();
    for character in wish.chars().take(name::MAX_LOGIN - 4) {
        match character {
            kept if kept.is_ascii_alphanumeric() => login.push(kept),
            _ if login.is_empty() || login.ends_with('-') => {}
            _ => login.push('-'),
        }
    }
    let login = login.trim_end_matches('-');
    if login.is_empty() { "user".to_owned() } else { login.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wished_logins_become_allowed_ones() {
        for (wish, login) in
            [("alice", "alice"), ("alice@example.com", "alice"), ("a..b_c", "a-b-c"), ("-é-", "user")]
        {
            assert_eq!(sanitised(wish), login, "{wish}");
        }
        assert!(name::check_login(&sanitised(&"x".repeat(90))).is_ok());
    }
}
