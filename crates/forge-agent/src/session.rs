//! What requests present: a session bound to the key, obtained by an assertion and a proof, or a task token that such a session
//! is exchanged for; renewed before it ends, with the nonces that the forge has given.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use forge_auth::jose::SigningKey;
use forge_auth::{assertion, dpop};
use forge_types::Timestamp;
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::Error;

/// How long before its end a session is renewed.
const MARGIN: Duration = Duration::from_secs(120);
/// How long an assertion lasts, in seconds.
const ASSERTION: i64 = 60;
const LARGEST: usize = 64 * 1024;

/// The sessions of one agent.
pub(crate) struct Sessions {
    http: reqwest::Client,
    issuer: String,
    token_endpoint: String,
    login: String,
    key: SigningKey,
    grant: Option<String>,
    /// Held while a session is obtained, so that one is.
    session: tokio::sync::Mutex<Option<Session>>,
    nonces: Mutex<Nonces>,
}

/// The nonces that the next proofs repeat.
#[derive(Default)]
struct Nonces {
    of_token_endpoint: Option<String>,
    of_resources: Option<(String, Instant)>,
}

struct Session {
    token: String,
    renewed_at: Instant,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    token_type: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.login)
    }
}

impl Sessions {
    pub(crate) fn new(
        http: reqwest::Client,
        forge: &Url,
        login: String,
        key: SigningKey,
        grant: Option<String>,
    ) -> Result<Self, Error> {
        let issuer = forge.origin().ascii_serialization();
        if !matches!(forge.scheme(), "https" | "http") {
            return Err(Error::new(format!("`{forge}` is not the address of a forge")));
        }
        let token_endpoint = format!("{issuer}/login/oauth/access_token");
        Ok(Self {
            http,
            issuer,
            token_endpoint,
            login,
            key,
            grant,
            session: tokio::sync::Mutex::default(),
            nonces: Mutex::default(),
        })
    }

    /// Returns a token that is good for a while.
    pub(crate) async fn current(&self) -> Result<String, Error> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| Instant::now() < session.renewed_at) {
            return Ok(session.token.clone());
        }
        let mut given = self.obtain("session", || self.asking_for_session()).await?;
        if let Some(grant) = &self.grant {
            let asking = exchange(&given.access_token, grant);
            given = self.obtain("task token", || Ok(asking.clone())).await?;
        }
        let lasts = Duration::from_secs(given.expires_in);
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

    /// Makes the proof of a request.
    pub(crate) fn proof(&self, method: &str, address: &str, token: &str) -> Result<String, Error> {
        let nonce = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_resources.clone();
        self.sign((method, address), Some(token), nonce.as_ref().map(|(nonce, _)| nonce.as_str()))
    }

    /// Returns how old the nonce is that the next proof repeats; none if none was given yet.
    pub(crate) fn nonce_age(&self) -> Option<Duration> {
        let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.of_resources.as_ref().map(|(_, came)| came.elapsed())
    }

    /// Keeps the nonce that an answer brings.
    pub(crate) fn keep_nonce(&self, headers: &HeaderMap) {
        if let Some(nonce) = nonce(headers) {
            self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_resources =
                Some((nonce, Instant::now()));
        }
    }

    /// Obtains what a form asks for. The first attempt may only bring the nonce that the second repeats.
    async fn obtain(&self, what: &str, form: impl Fn() -> Result<String, Error>) -> Result<Given, Error> {
        for is_last in [false, true] {
            let (status, headers, body) = self.ask(form()?).await?;
            let brings_nonce = nonce(&headers);
            let is_new = brings_nonce.is_some();
            if is_new {
                self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_token_endpoint = brings_nonce;
            }
            if status.is_success() {
                let given: Given = serde_json::from_slice(&body).map_err(|error| {
                    Error::because(format_args!("the forge's answer is no {what}"), error)
                })?;
                if given.token_type != "DPoP" {
                    return Err(Error::new(format!("the forge gave a {what} that is not bound to the key")));
                }
                return Ok(given);
            }
            let refused: Refused = serde_json::from_slice(&body)
                .map_err(|_| Error::new(format!("the forge answers {status} to the request for a {what}")))?;
            if is_last || refused.error != "use_dpop_nonce" || !is_new {
                let why = refused.error_description.unwrap_or(refused.error);
                return Err(Error::because(format_args!("the forge gives no {what}"), why));
            }
        }
        Err(Error::new(format!("the forge gives no {what}")))
    }

    /// Returns the form with which an agent that has a key asks for a session (RFC 7523 §2.2).
    fn asking_for_session(&self) -> Result<String, Error> {
        let now = now().as_seconds();
        let claims = json!({
            "iss": self.login, "sub": self.login, "aud": self.issuer,
            "jti": identifier()?, "iat": now, "exp": now + ASSERTION,
        });
        let signed = self.key.sign(&json!({ "typ": "client-authentication+jwt" }), &claims);
        let signed = signed.map_err(|error| Error::because("cannot sign", error))?;
        let kind = utf8_percent_encode(assertion::TYPE, NON_ALPHANUMERIC);
        Ok(format!("grant_type=client_credentials&client_assertion_type={kind}&client_assertion={signed}"))
    }

    async fn ask(&self, form: String) -> Result<(http::StatusCode, HeaderMap, Vec<u8>), Error> {
        let nonce = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_token_endpoint.clone();
        let proof = self.sign(("POST", &self.token_endpoint), None, nonce.as_deref())?;
        let request = self
            .http
            .post(&self.token_endpoint)
            .header("dpop", proof)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let cannot = |error: reqwest::Error| Error::because("the forge cannot be asked", error.without_url());
        let answer = request.send().await.map_err(cannot)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(cannot)?;
        if body.len() > LARGEST {
            return Err(Error::new("the forge answers too much"));
        }
        Ok((status, headers, body.to_vec()))
    }

    fn sign(&self, request: (&str, &str), token: Option<&str>, nonce: Option<&str>) -> Result<String, Error> {
        dpop::make(&self.key, request, &identifier()?, now(), token, nonce)
            .map_err(|error| Error::because("cannot sign", error))
    }
}

/// Returns the form that exchanges a session for a token for a grant (RFC 8693 §2.1).
fn exchange(session: &str, grant: &str) -> String {
    let details = json!([{ "type": "urn:forge:task-grant:1", "grant_id": grant }]).to_string();
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", session),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("authorization_details", details.as_str()),
    ];
    let escaped =
        fields.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    escaped.join("&")
}

fn nonce(headers: &HeaderMap) -> Option<String> {
    headers.get("dpop-nonce").and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Makes an identifier that was never used before.
fn identifier() -> Result<String, Error> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(|error| Error::because("there is no randomness", error))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, whose signatures say when they were made"
)]
fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
