//! What the operator does at the machine itself, and a site administrator anywhere: creating accounts and tokens.

mod tokens;
mod users;

pub use crate::agents::{AgentLogin, CreatedAgent, NewAgent, create as create_agent};
pub use tokens::create_token;
pub use users::{CreatedUser, NewUser, create_user};

use std::sync::Arc;

use forge_auth::policy::{Means, Principal, Subject};
use forge_auth::token::Secret;
use forge_types::Result;
use forge_types::account::AccountKind;
use forge_types::id::AccountId;
use url::Url;

use crate::app::App;
use crate::context::{Caller, RequestContext, RequestInfo, Surface};
use crate::people::setup;
use crate::registration_key;

/// No account has this id; the operator is none.
const OPERATOR: AccountId = AccountId(0);

/// Returns the context of a command given at the machine's own console, by somebody who can read the keys.
#[must_use]
pub fn console(app: &Arc<App>) -> RequestContext {
    operator(app, Surface::Console)
}

/// Returns the context of work that the forge does on its own.
#[must_use]
pub fn job(app: &Arc<App>) -> RequestContext {
    operator(app, Surface::Job)
}

fn operator(app: &Arc<App>, surface: Surface) -> RequestContext {
    let principal = Principal::new(OPERATOR, AccountKind::Human, true, Means::Console);
    let caller = Caller { subject: Subject::Principal(principal), ..Caller::anonymous() };
    let info =
        RequestInfo { id: app.new_request_id(), surface, ip: None, user_agent: None, certificate: None };
    RequestContext::new(Arc::clone(app), caller, info)
}

/// What a forge that starts for the first time has to tell its operator, once.
#[derive(Debug)]
pub struct FirstStart {
    /// The key with which agents are registered.
    pub registration_key: Secret,
    /// Where the first administrator is created; none if there is one already.
    pub setup_link: Option<Url>,
}

/// Prepares a forge for service; returns something only the first time.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn prepare(ctx: &RequestContext) -> Result<Option<FirstStart>> {
    let mut tx = ctx.begin().await?;
    let Some(registration_key) = registration_key::create_if_absent(ctx, &mut tx).await? else {
        return Ok(None);
    };
    let setup_link = if forge_store::accounts::site_admin_exists(&mut tx).await? {
        None
    } else {
        Some(setup::insert_link(ctx, &mut tx).await?)
    };
    tx.commit().await?;
    Ok(Some(FirstStart { registration_key, setup_link }))
}
