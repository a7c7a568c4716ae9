//! What requests present: of an agent a session bound to the key, or a task token that such a session is exchanged for, obtained
//! and renewed before it ends; of a person the token that was given when they logged in.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::signer::{Signer, form};
use crate::{Error, Whose};

/// How long before its end a session is renewed.
const MARGIN: Duration = Duration::from_secs(120);

/// The sessions of one agent or person.
#[derive(Debug)]
pub(crate) struct Sessions {
    signer: Signer,
    whose: Whose,
    /// Held while a session is obtained, so that one is.
    session: tokio::sync::Mutex<Option<Session>>,
}

struct Session {
    token: String,
    renewed_at: Instant,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(signer: Signer, whose: Whose) -> Self {
        Self { signer, whose, session: tokio::sync::Mutex::default() }
    }

    /// Returns what signs requests.
    pub(crate) const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Finds out whether the forge takes what will be presented.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        let token = self.current().await?;
        if let Whose::Person { .. } = &self.whose {
            let _: serde_json::Value = self.signer.read("person", "/api/v3/user", &token).await?;
        }
        Ok(())
    }

    /// Returns a token that is good for a while.
    pub(crate) async fn current(&self) -> Result<String, Error> {
        let (login, grant) = match &self.whose {
            Whose::Person { token, .. } => return Ok(token.clone()),
            Whose::Agent { login, grant } => (login, grant),
        };
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| Instant::now() < session.renewed_at) {
            return Ok(session.token.clone());
        }
        let asking = || self.signer.asking_for_session(login);
        let given = self.signer.obtain("session", asking).await;
        let mut given = given.map_err(|error| error.said_of("session"))?;
        if let Some(grant) = grant {
            let asking = exchange(&given.access_token, grant);
            let exchanged = self.signer.obtain("task token", || Ok(asking.clone())).await;
            given = exchanged.map_err(|error| error.said_of("task token"))?;
        }
        let lasts = Duration::from_secs(given.expires_in.unwrap_or_default());
        let renewed_at = Instant::now() + lasts.saturating_sub(MARGIN.min(lasts / 2));
        *session = Some(Session { token: given.access_token.clone(), renewed_at });
        Ok(given.access_token)
    }

    /// Forgets a token that the forge did not take.
    pub(crate) async fn forget(&self, token: &str) {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|session| session.token == token) {
            *session = None;
        }
    }
}

/// Returns the form that exchanges a session for a token for a grant (RFC 8693 §2.1).
fn exchange(session: &str, grant: &str) -> String {
    let details = json!([{ "type": "urn:forge:task-grant:1", "grant_id": grant }]).to_string();
    form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", session),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("authorization_details", &details),
    ])
}
