//! Workloads: who opens sessions of an agent with the word of an issuer, and who does not, however alike it looks.

mod bindings;
mod tokens;

use std::sync::atomic::{AtomicU64, Ordering};

use forge_auth::jose::SigningKey;
use forge_auth::token::Secret;
use forge_testing::agents::{TestAgent, secret};
use forge_testing::{Answer, Client, ORIGIN, TestForge};
use http::header::ACCEPT;
use serde_json::{Value, json};

use crate::grants::{EXT, TOKEN};

pub(crate) const ISSUER: &str = "https://runs.example";
pub(crate) const MAIN: &str = "repo:acme/app:ref:refs/heads/main";

/// Somebody who runs programs and says so, with a key of its own.
pub(crate) struct Issuer {
    key: SigningKey,
    made: AtomicU64,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::generate_p256().unwrap(), made: AtomicU64::new(0) }
    }

    pub(crate) fn jwks(&self) -> Value {
        let mut key = self.key.public().to_json();
        key["kid"] = "runs-1".into();
        json!({ "keys": [key] })
    }

    /// What it says of a run on `main`, which is what bindings here mean.
    pub(crate) fn claims(&self, forge: &TestForge) -> Value {
        let now = forge.now().as_seconds();
        let id = self.made.fetch_add(1, Ordering::Relaxed);
        json!({
            "iss": ISSUER, "sub": MAIN, "aud": ORIGIN, "jti": format!("run-{id}"), "iat": now, "nbf": now,
            "exp": now + 300, "event_name": "push", "repository": "acme/app",
        })
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key.sign(&json!({ "typ": "JWT", "kid": "runs-1" }), claims).unwrap()
    }
}

/// A human with an agent, and an issuer.
pub(crate) struct World {
    pub(crate) forge: TestForge,
    pub(crate) alice: Client,
    pub(crate) agent: TestAgent,
    pub(crate) issuer: Issuer,
}

impl World {
    pub(crate) async fn new(forge: TestForge) -> Self {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        Self { forge, alice, agent, issuer: Issuer::new() }
    }

    pub(crate) fn path(&self) -> String {
        format!("{EXT}/agents/{}/workload-bindings", self.agent.login)
    }

    /// What a binding is made with; `change` says what is different.
    pub(crate) fn details(&self, change: &Value) -> Value {
        let mut details = json!({ "issuer": ISSUER, "subject": MAIN, "jwks": self.issuer.jwks() });
        for (name, value) in change.as_object().unwrap() {
            details[name] = value.clone();
        }
        details
    }

    pub(crate) async fn bound(&self, change: &Value) -> Value {
        self.alice.post(&self.path(), &self.details(change)).await.expect(201).json()
    }

    /// Asks for a session with these claims, changed, signed by the issuer.
    pub(crate) async fn ask(&self, change: &Value) -> Answer {
        let mut claims = self.issuer.claims(&self.forge);
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        self.show(&self.issuer.sign(&claims)).await
    }

    /// Asks for a session with a token.
    pub(crate) async fn show(&self, token: &str) -> Answer {
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", self.agent.login.as_str()),
            ("assertion", token),
        ];
        self.submit(&fields).await
    }

    pub(crate) async fn submit(&self, fields: &[(&str, &str)]) -> Answer {
        let mut client = self.forge.client().with_header(ACCEPT, "application/json");
        client.submit(TOKEN, fields).await
    }

    /// Returns a session.
    pub(crate) async fn session(&self) -> Secret {
        secret(&self.ask(&json!({})).await.expect(200).json()["access_token"])
    }
}

/// Returns what an answer says that refuses a token: always the same.
pub(crate) fn refusal(answer: Answer) -> Value {
    let refusal = answer.expect(400).json();
    assert_eq!(refusal["error"], "invalid_grant", "{refusal}");
    refusal
}
