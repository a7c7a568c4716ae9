//! What is asked of the forge itself, with proofs of the key and the nonces that the forge has given.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use forge_auth::jose::SigningKey;
use forge_auth::{assertion, dpop};
use forge_types::{Timestamp, with_causes};
use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::Error;

/// How long an assertion lasts, in seconds.
const ASSERTION: i64 = 60;
const LARGEST: usize = 64 * 1024;

/// Signs, for one forge.
pub(crate) struct Signer {
    http: reqwest::Client,
    issuer: String,
    token_endpoint: String,
    key: SigningKey,
    nonces: Mutex<Nonces>,
}

/// The nonces that the next proofs repeat.
#[derive(Default)]
struct Nonces {
    of_token_endpoint: Option<String>,
    of_resources: Option<(String, Instant)>,
}

/// A token that the forge has given.
#[derive(Deserialize)]
pub(crate) struct Given {
    pub(crate) access_token: String,
    token_type: String,
    pub(crate) expires_in: Option<u64>,
}

/// Why the forge gives none (RFC 6749 §5.2).
#[derive(Deserialize)]
pub(crate) struct Refused {
    pub(crate) error: String,
    error_description: Option<String>,
    /// How many seconds to wait before asking again, in the device flow.
    pub(crate) interval: Option<u64>,
}

/// How asking for a token can fail.
pub(crate) enum Unobtained {
    Refused(Refused),
    Failed(Error),
}

impl From<Error> for Unobtained {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Unobtained {
    /// Says that there is no `what`, and why.
    pub(crate) fn said_of(self, what: &str) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Refused(refused) => {
                let why = refused.error_description.unwrap_or(refused.error);
                Error::because(format_args!("the forge gives no {what}"), why)
            }
        }
    }
}

/// What the forge has answered.
struct Answered {
    status: http::StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.issuer)
    }
}

impl Signer {
    pub(crate) fn new(http: reqwest::Client, forge: &Url, key: SigningKey) -> Result<Self, Error> {
        let issuer = forge.origin().ascii_serialization();
        if !matches!(forge.scheme(), "https" | "http") {
            return Err(Error::new(format!("`{forge}` is not the address of a forge")));
        }
        let token_endpoint = format!("{issuer}/login/oauth/access_token");
        Ok(Self { http, issuer, token_endpoint, key, nonces: Mutex::default() })
    }

    /// Returns the thumbprint of the key (RFC 7638).
    pub(crate) fn thumbprint(&self) -> String {
        self.key.public().thumbprint().to_string()
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

    /// Keeps the nonce that an answer brings, and returns whether it brings one.
    pub(crate) fn keep_nonce(&self, headers: &HeaderMap) -> bool {
        let Some(nonce) = nonce(headers) else { return false };
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.of_resources = Some((nonce, Instant::now()));
        true
    }

    /// Obtains the token that a form asks for. The first attempt may only bring the nonce that the second repeats.
    pub(crate) async fn obtain(
        &self,
        what: &str,
        form: impl Fn() -> Result<String, Error>,
    ) -> Result<Given, Unobtained> {
        for is_last in [false, true] {
            let answer = self.ask_for_token(form()?).await?;
            let brings_nonce = nonce(&answer.headers);
            let is_new = brings_nonce.is_some();
            if is_new {
                self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_token_endpoint = brings_nonce;
            }
            // GitHub's device flow refuses with 200.
            if let Ok(refused) = serde_json::from_slice::<Refused>(&answer.body) {
                if is_last || refused.error != "use_dpop_nonce" || !is_new {
                    return Err(Unobtained::Refused(refused));
                }
                continue;
            }
            let given: Given = answer.read(what)?;
            if given.token_type != "DPoP" {
                return Err(
                    Error::new(format!("the forge gave a {what} that is not bound to the key")).into()
                );
            }
            return Ok(given);
        }
        Err(Error::new(format!("the forge gives no {what}")).into())
    }

    /// Returns what the forge answers to a form that proves nothing.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, Error> {
        let request = self.http.post(format!("{}{path}", self.issuer));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
        self.send(request.header("accept", "application/json")).await?.read(what)
    }

    /// Returns what the forge shows the bearer of a token. The first attempt may only bring the nonce that the second repeats.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        token: &str,
    ) -> Result<T, Error> {
        let address = format!("{}{path}", self.issuer);
        let mut is_again = false;
        loop {
            let proof = self.proof("GET", &address, token)?;
            let request = self.http.get(&address).header("authorization", format!("DPoP {token}"));
            let answer = self.send(request.header("dpop", proof)).await?;
            let brings_nonce = self.keep_nonce(&answer.headers);
            if is_again || answer.status != http::StatusCode::UNAUTHORIZED || !brings_nonce {
                return answer.read(what);
            }
            is_again = true;
        }
    }

    /// Has the forge revoke a token, which takes nothing but the token.
    pub(crate) async fn revoke(&self, token: &str) -> Result<(), Error> {
        let request = self.http.post(format!("{}/api/v3/credentials/revoke", self.issuer));
        let body = json!({ "credentials": [token] }).to_string();
        let answer = self.send(request.header("content-type", "application/json").body(body)).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(Error::new(format!("the forge answers {} and has not revoked the token", answer.status)))
    }

    /// Returns the form with which an agent that has a key asks for a session (RFC 7523 §2.2).
    pub(crate) fn asking_for_session(&self, login: &str) -> Result<String, Error> {
        let now = now().as_seconds();
        let claims = json!({
            "iss": login, "sub": login, "aud": self.issuer,
            "jti": identifier()?, "iat": now, "exp": now + ASSERTION,
        });
        let signed = self.key.sign(&json!({ "typ": "client-authentication+jwt" }), &claims);
        let signed = signed.map_err(|error| Error::because("cannot sign", error))?;
        Ok(form(&[
            ("grant_type", "client_credentials"),
            ("client_assertion_type", assertion::TYPE),
            ("client_assertion", &signed),
        ]))
    }

    async fn ask_for_token(&self, form: String) -> Result<Answered, Error> {
        let nonce = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).of_token_endpoint.clone();
        let proof = self.sign(("POST", &self.token_endpoint), None, nonce.as_deref())?;
        let request = self
            .http
            .post(&self.token_endpoint)
            .header("dpop", proof)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answered, Error> {
        let cannot = |error: reqwest::Error| {
            Error::because("the forge cannot be asked", with_causes(&error.without_url()))
        };
        let mut answer = request.send().await.map_err(cannot)?;
        let (status, headers, mut body) = (answer.status(), answer.headers().clone(), Vec::new());
        while let Some(piece) = answer.chunk().await.map_err(cannot)? {
            if body.len() + piece.len() > LARGEST {
                return Err(Error::new("the forge answers too much"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answered { status, headers, body })
    }

    fn sign(&self, request: (&str, &str), token: Option<&str>, nonce: Option<&str>) -> Result<String, Error> {
        dpop::make(&self.key, request, &identifier()?, now(), token, nonce)
            .map_err(|error| Error::because("cannot sign", error))
    }
}

impl Answered {
    fn read<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        if !self.status.is_success() {
            return Err(Error::new(format!("the forge answers {} to the request for a {what}", self.status)));
        }
        let read = serde_json::from_slice(&self.body);
        read.map_err(|error| Error::because(format_args!("the forge's answer is no {what}"), error))
    }
}

/// Writes the fields of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escaped =
        fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    escaped.collect::<Vec<_>>().join("&")
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
