//! Creating people.

use forge_types::account::Account;
use forge_types::{Action, Event, Result};
use url::Url;

use crate::context::RequestContext;
use crate::people::accounts::NewPerson;
use crate::people::{accounts, links, password};
use crate::standing::Standing;
use crate::target::Site;

/// What a new user is made of.
#[derive(Clone)]
pub struct NewUser {
    /// The login.
    pub login: String,
    /// The address.
    pub email: String,
    /// Whether the user administers the forge.
    pub is_site_admin: bool,
    /// The password; without one, a one-time link is made for choosing it.
    pub password: Option<String>,
}

/// A user that has just been created.
#[derive(Clone, Debug)]
pub struct CreatedUser {
    /// The account.
    pub account: Account,
    /// Where the user chooses a password, when none was given.
    pub password_link: Option<Url>,
}

/// Creates a user.
///
/// # Errors
/// `Forbidden` unless the caller administers the forge; `Invalid` for a field.
pub async fn create_user(ctx: &RequestContext, new: &NewUser) -> Result<CreatedUser> {
    let person = NewPerson {
        login: new.login.clone(),
        name: None,
        email: Some(new.email.clone()),
        is_site_admin: new.is_site_admin,
    };
    let hash = match &new.password {
        None => None,
        Some(chosen) => {
            accounts::check(&person)?;
            password::check(chosen, &new.login)?;
            Some(password::hash(ctx.app(), chosen).await?)
        }
    };
    let mut tx = ctx.begin().await?;
    ctx.authorize(&mut tx, Site, Action::SiteAdminister).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let account = accounts::create(ctx, &mut tx, &person).await?;
    let password_link = match hash {
        Some(hash) => {
            forge_store::passwords::upsert(&mut tx, account.id, &hash, ctx.now()).await?;
            ctx.record(&mut tx, Event::new("password.set").subject(account.id)).await?;
            None
        }
        None => Some(links::create(ctx, &mut tx, &account).await?),
    };
    tx.commit().await?;
    Ok(CreatedUser { account, password_link })
}
