//! Logging a person in on this machine: a code that the person approves in a browser, and a token bound to a key that never leaves
//! the machine (RFC 8628, with the thumbprint of RFC 9449 §10 in the request for the code).

use std::time::{Duration, Instant};

use forge_auth::jose::SigningKey;
use serde::Deserialize;
use url::Url;

use crate::signer::{Signer, Unobtained, form};
use crate::{Error, client};

/// The client that this program is, as the forge knows it.
const CLIENT: &str = "forge-cli";
/// What is asked for unless something else is said: what `gh auth login` asks for.
pub const SCOPES: &str = "repo read:org gist";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How much longer to wait after asking too often, in seconds (RFC 8628 §3.5).
const SLOWER: u64 = 5;

/// A code that waits for its person.
#[derive(Debug)]
pub struct Code {
    signer: Signer,
    asked: Asked,
}

#[derive(Deserialize)]
struct Asked {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: u64,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("verification_uri", &self.verification_uri).finish_non_exhaustive()
    }
}

/// Who has logged in, and what with.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The person's login.
    pub login: String,
    /// The token. It is worth nothing without the key.
    pub token: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

/// Asks for a code with which a person lets this key act as them.
///
/// # Errors
/// If the forge cannot be asked, or refuses.
pub async fn ask(forge: &Url, key: SigningKey, scopes: &str) -> Result<Code, Error> {
    let http = client::build().map_err(|error| Error::because("cannot start", error))?;
    let signer = Signer::new(http, forge, key)?;
    let thumbprint = signer.thumbprint();
    let fields = [("client_id", CLIENT), ("scope", scopes), ("dpop_jkt", &thumbprint)];
    let asked = signer.post_form("code", "/login/device/code", &fields).await?;
    Ok(Code { signer, asked })
}

impl Code {
    /// Returns what the person types.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.asked.user_code
    }

    /// Returns the page on which they type it.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.asked.verification_uri
    }

    /// Waits until the person has decided.
    ///
    /// # Errors
    /// If they declined, the code is over, or the forge cannot be asked.
    pub async fn wait(self) -> Result<LoggedIn, Error> {
        let ends = Instant::now() + Duration::from_secs(self.asked.expires_in);
        let mut interval = self.asked.interval.max(1);
        let asking = form(&[
            ("client_id", CLIENT),
            ("grant_type", DEVICE_GRANT),
            ("device_code", &self.asked.device_code),
        ]);
        while Instant::now() < ends {
            tokio::time::sleep(Duration::from_secs(interval)).await;
            match self.signer.obtain("token", || Ok(asking.clone())).await {
                Ok(given) => return self.introduced(given.access_token).await,
                Err(Unobtained::Refused(refused)) if refused.error == "authorization_pending" => {}
                Err(Unobtained::Refused(refused)) if refused.error == "slow_down" => {
                    interval = refused.interval.unwrap_or(interval + SLOWER);
                }
                Err(error) => return Err(error.said_of("token")),
            }
        }
        Err(Error::new("nobody has approved the code in time"))
    }

    async fn introduced(&self, token: String) -> Result<LoggedIn, Error> {
        let account: Account = self.signer.read("person", "/api/v3/user", &token).await?;
        Ok(LoggedIn { login: account.login, token })
    }
}

/// Returns whose the token is; an error says why it is not good any more.
///
/// # Errors
/// If the forge cannot be asked, or does not take the token.
pub async fn whose(forge: &Url, key: SigningKey, token: &str) -> Result<String, Error> {
    let http = client::build().map_err(|error| Error::because("cannot start", error))?;
    let account: Account = Signer::new(http, forge, key)?.read("person", "/api/v3/user", token).await?;
    Ok(account.login)
}

/// Revokes the token.
///
/// # Errors
/// If the forge cannot be asked, or does not say that it has.
pub async fn revoke(forge: &Url, key: SigningKey, token: &str) -> Result<(), Error> {
    let http = client::build().map_err(|error| Error::because("cannot start", error))?;
    Signer::new(http, forge, key)?.revoke(token).await
}
