//! Agents for tests, brought into being as agents are: by registering with the key.

use forge_auth::token::Secret;
use forge_service::{admin, registration_key};
use http::header::ACCEPT;
use serde_json::{Value, json};

use crate::client::Client;
use crate::forge::TestForge;

/// An agent that has registered.
pub struct TestAgent {
    /// Its login.
    pub login: String,
    /// Its own token.
    pub token: Secret,
    /// A client with that token.
    pub client: Client,
}

impl TestForge {
    /// Returns the key with which agents are registered.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn registration_key(&self) -> Secret {
        registration_key::show(&admin::console(self.app())).await.expect("a key")
    }

    /// Registers an agent whose login starts with `prefix` and that owns the private repository `PREFIX-home`.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn registered_agent(&self, prefix: &str) -> TestAgent {
        let key = self.registration_key().await;
        let body = json!({ "prefix_login": prefix, "default_repo_name": format!("{prefix}-home") });
        let answer = self.client().with_token(&key).post("/api/ext/v1/agents", &body).await.expect(201);
        let view = answer.json();
        let token = secret(&view["token"]);
        TestAgent { login: text(&view["login"]), client: self.client().with_token(&token), token }
    }

    /// Exchanges an agent's token for one for a grant.
    ///
    /// # Panics
    /// When the forge refuses.
    pub async fn task_token(&self, agent: &TestAgent, grant: &Value) -> Secret {
        let details = json!([{ "type": "urn:forge:task-grant:1", "grant_id": grant["id"] }]).to_string();
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", agent.token.expose()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("authorization_details", details.as_str()),
        ];
        let mut client = self.client().with_header(ACCEPT, "application/json");
        secret(&client.submit("/login/oauth/access_token", &fields).await.expect(200).json()["access_token"])
    }

    /// Binds an agent to the human of `client`, who invites it with these grants.
    ///
    /// # Panics
    /// When either of them is refused.
    pub async fn bind(&self, client: &Client, agent: &TestAgent, invite: &Value) {
        let invite = client.post("/api/ext/v1/agent-invites", invite).await.expect(201).json();
        let body = json!({ "invite_token": invite["invite_token"] });
        let _ = agent.client.post("/api/ext/v1/agent-bindings/confirm", &body).await.expect(201);
    }
}

/// Returns a value shown once.
///
/// # Panics
/// When it is no text.
pub fn secret(value: &Value) -> Secret {
    Secret::new(text(value))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
