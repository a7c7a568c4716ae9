//! Telling about a token (RFC 7662): a client about those issued to it, an account about its own, a site administrator
//! about any. For anyone else a token is simply not active.

use forge_auth::messages::{Introspection, OAuthError, TokenToCheck};
use forge_auth::token::recognise as recognise_token;
use forge_store::credentials::Authentication;
use forge_types::grant::DETAILS_TYPE;
use forge_types::{Action, Result};
use serde_json::{Map, Value, json};

use super::clients::recognise;
use super::failure::Fault;
use super::issuer;
use crate::authenticate::{find, is_live};
use crate::context::RequestContext;
use crate::target::Site;

/// Returns what the token is, as far as whoever asks may know.
///
/// # Errors
/// `invalid_client` unless whoever asks proves who that is.
pub async fn introspect(ctx: &RequestContext, request: &TokenToCheck) -> Result<Introspection, OAuthError> {
    look(ctx, request).await.map_err(|Fault(error)| error)
}

async fn look(ctx: &RequestContext, request: &TokenToCheck) -> Result<Introspection, Fault> {
    let client_id = asking_client(ctx, request).await?;
    let nothing = Introspection::default();
    if recognise_token(&ctx.app().token_prefix, request.token.expose()).is_none() {
        return Ok(nothing);
    }
    let found = find(ctx.app(), &request.token).await?;
    let Some(found) = found.filter(|found| is_live(found, ctx.now())) else { return Ok(nothing) };
    let may_know = match &client_id {
        Some(client_id) => found.credential.client_id.as_ref() == Some(client_id),
        None => ctx.account_id() == Some(found.account.id) || ctx.may(&Site, Action::SiteAdminister),
    };
    Ok(if may_know { Introspection { active: Some(members(ctx, &found)) } } else { nothing })
}

/// A public client cannot prove who it is, so it cannot ask.
async fn asking_client(ctx: &RequestContext, request: &TokenToCheck) -> Result<Option<String>, Fault> {
    if ctx.account_id().is_some() {
        return Ok(None);
    }
    let client = recognise(ctx, &mut ctx.read().await?, &request.client).await?;
    if client.is_public { Err(OAuthError::invalid_client().into()) } else { Ok(Some(client.client_id)) }
}

fn members(ctx: &RequestContext, found: &Authentication) -> Map<String, Value> {
    let credential = &found.credential;
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("iss", issuer(ctx).into());
    add("sub", found.account.id.to_string().into());
    add("username", found.account.login.as_str().into());
    add("user_kind", found.account.kind.as_str().into());
    add("iat", credential.created_at.as_seconds().into());
    add("kind", credential.kind.as_str().into());
    if credential.kind.is_access_token() {
        add("token_type", if credential.cnf_jkt.is_some() { "DPoP" } else { "bearer" }.into());
    }
    if credential.is_bound() {
        let members = [("jkt", &credential.cnf_jkt), ("x5t#S256", &credential.cnf_x5t)];
        let confirmed = members.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        add("cnf", Value::from_iter(confirmed));
    }
    if let Some(expiry) = credential.expires_at {
        add("exp", expiry.as_seconds().into());
    }
    if let Some(scopes) = &credential.scopes {
        add("scope", scopes.to_string().into());
    }
    if let Some(runtime) = &credential.runtime {
        add("runtime", runtime.as_str().into());
    }
    if let Some(client_id) = &credential.client_id {
        add("client_id", client_id.as_str().into());
    }
    if let Some(audience) = &credential.audience {
        add("aud", audience.to_string().into());
    }
    if let Some(link) = found.chain.first() {
        add("grant_id", link.id.0.as_str().into());
        add("task", link.task.as_str().into());
        add("delegator", json!({ "sub": link.delegator.id.to_string(), "username": link.delegator.login }));
        add(
            "authorization_details",
            json!([{ "type": DETAILS_TYPE, "grant_id": link.id, "actions": link.terms.actions }]),
        );
    }
    if let Some(human) = &found.acting {
        add("act", json!({ "sub": human.id.to_string(), "username": human.login }));
    }
    members
}
