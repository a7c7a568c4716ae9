//! Agents through REST: registering, consenting to a human, being recovered, acted for and suspended.
//!
//! Tests named after an attack (`a73_…`) try it, and show beside it that the honest request succeeds.

mod audit;
mod confirm;
mod grants;
mod invites;
mod pages;
mod recovery;
mod registration;
mod suspension;
mod switch;
mod unbinding;
mod undoing;

use forge_testing::{Client, TestAgent};
use serde_json::{Value, json};

/// Everything below is under this prefix, unless a test says otherwise.
const EXT: &str = "/api/ext/v1";

/// Creates an invitation and returns it.
async fn invite(human: &Client, body: &Value) -> Value {
    human.post(&format!("{EXT}/agent-invites"), body).await.expect(201).json()
}

/// Lets the agent answer the invitation and returns the status.
async fn answer(agent: &Client, invite: &Value) -> u16 {
    let body = json!({ "invite_token": invite["invite_token"] });
    agent.post(&format!("{EXT}/agent-bindings/confirm"), &body).await.status.as_u16()
}

/// Returns the status of reading the agent as whoever the client is.
async fn reads(client: &Client, agent: &TestAgent) -> u16 {
    client.get(&format!("{EXT}/agents/{}", agent.login)).await.status.as_u16()
}
