//! Accounts and their secrets.

use std::time::Duration;

use forge_service::agents::NewKey;
use forge_service::organizations::{self, NewOrganization};
use forge_service::people::{second_factor, setup};
use forge_service::proof::Shown;
use forge_service::{RequestContext, admin, registration_key};
use forge_types::{Error, ErrorKind, Result, Scopes};
use serde_json::Value;

pub(super) async fn create_user(
    ctx: &RequestContext,
    login: String,
    email: String,
    is_site_admin: bool,
    password: Option<String>,
) -> Result<String> {
    let created = admin::create_user(ctx, &admin::NewUser { login, email, is_site_admin, password }).await?;
    Ok(created.password_link.map_or_else(String::new, |link| format!("{link}\n")))
}

pub(super) async fn remove_app(ctx: &RequestContext, login: &str) -> Result<String> {
    second_factor::remove_for(ctx, login).await.map_err(|error| absent(error, login))?;
    Ok(String::new())
}

pub(super) async fn create_organization(ctx: &RequestContext, login: String, owner: &str) -> Result<String> {
    let new = NewOrganization { login, ..NewOrganization::default() };
    organizations::create_for(ctx, &new, owner).await?;
    Ok(String::new())
}

pub(super) async fn create_agent(
    ctx: &RequestContext,
    login: String,
    description: String,
    key: Option<Value>,
) -> Result<String> {
    let new = admin::NewAgent {
        login: admin::AgentLogin::Exact(login),
        description: Some(description),
        default_repository: None,
        standing_access: None,
        credential: None,
        key: key.map(|key| NewKey::read(&key, None)).transpose()?,
    };
    let created = admin::create_agent(ctx, &new, &Shown::nothing()).await?;
    let key = created.key.map_or_else(String::new, |key| format!("key: {}\n", key.id));
    Ok(format!("id: {}\ntoken: {}\n{key}", created.agent.account.id.0, created.secret.expose()))
}

pub(super) async fn create_token(
    ctx: &RequestContext,
    login: &str,
    scopes: &str,
    lifetime: Option<u64>,
) -> Result<String> {
    let scopes =
        Scopes::parse(scopes).map_err(|name| Error::malformed(format!("there is no scope `{name}`")))?;
    let lifetime = lifetime.map(Duration::from_secs);
    let created = admin::create_token(ctx, login, "forge admin token create", Some(scopes), lifetime).await;
    let (token, _) = created.map_err(|error| absent(error, login))?;
    Ok(format!("{}\n", token.expose()))
}

pub(super) async fn registration_key(ctx: &RequestContext, rotate: bool) -> Result<String> {
    let key = if rotate { registration_key::rotate(ctx).await? } else { registration_key::show(ctx).await? };
    Ok(format!("{}\n", key.expose()))
}

pub(super) async fn setup_link(ctx: &RequestContext) -> Result<String> {
    Ok(format!("{}\n", setup::create_link(ctx).await?))
}

/// The operator is told which account is missing; "not found" is for those who may not know.
fn absent(error: Error, login: &str) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("there is no account `{login}`")),
        _ => error,
    }
}
