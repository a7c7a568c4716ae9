//! Keys for tests, and the proofs that requests with them bring.

use std::sync::atomic::{AtomicU64, Ordering};

use forge_auth::dpop;
use forge_auth::jose::{Jwk, SigningKey};
use forge_auth::token::Secret;
use forge_service::proof::{self, Audience};
use http::Method;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;

use crate::client::{Answer, Client};
use crate::forge::{ORIGIN, TestForge};

/// The header with a proof.
pub const PROOF: HeaderName = HeaderName::from_static("dpop");

/// Somebody who holds a key.
pub struct Prover {
    key: SigningKey,
    made: AtomicU64,
}

impl Default for Prover {
    fn default() -> Self {
        Self::with(SigningKey::generate_p256().expect("randomness"))
    }
}

impl Prover {
    /// Returns somebody who holds `key`.
    pub fn with(key: SigningKey) -> Self {
        Self { key, made: AtomicU64::new(0) }
    }

    /// Returns the key, to sign other things.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Returns the public key.
    pub fn jwk(&self) -> Jwk {
        self.key.public()
    }

    /// Returns the thumbprint.
    pub fn thumbprint(&self) -> String {
        self.jwk().thumbprint().to_string()
    }

    /// Makes a proof for a request, with the nonce of the moment.
    ///
    /// # Panics
    /// When there is no randomness.
    pub fn proof(&self, forge: &TestForge, method: &str, path: &str, token: Option<&Secret>) -> String {
        let audience =
            if path == "/login/oauth/access_token" { Audience::TokenEndpoint } else { Audience::Resources };
        let nonce = proof::nonce(forge.app(), audience).expect("whole keys");
        let address = format!("{ORIGIN}{path}");
        self.proof_for(forge, (method, &address), token, nonce.as_deref())
    }

    /// Makes a proof for whatever address, with whatever nonce.
    ///
    /// # Panics
    /// When there is no randomness.
    pub fn proof_for(
        &self,
        forge: &TestForge,
        request: (&str, &str),
        token: Option<&Secret>,
        nonce: Option<&str>,
    ) -> String {
        let id = format!("{}-{}", self.thumbprint(), self.made.fetch_add(1, Ordering::Relaxed));
        let token = token.map(Secret::expose);
        dpop::make(&self.key, request, &id, forge.now(), token, nonce).expect("randomness")
    }

    /// Sends a request with a token bound to the key, and a proof.
    pub async fn send(
        &self,
        forge: &TestForge,
        token: &Secret,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let proof =
            self.proof(forge, method.as_str(), path.split('?').next().unwrap_or_default(), Some(token));
        let client = presenting(forge, token, &proof);
        match body {
            Some(body) => client.send_json(method, path, body).await,
            None => client.send(client.request(method, path)).await,
        }
    }
}

/// Returns a client that presents a token with one proof, whatever it asks for.
pub fn presenting(forge: &TestForge, token: &Secret, proof: &str) -> Client {
    let client = forge.client().with_header(AUTHORIZATION, &format!("DPoP {}", token.expose()));
    client.with_header(PROOF, proof)
}
