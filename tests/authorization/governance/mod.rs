//! Access groups and the two modes of agents: what bounds everybody alike, and with whose rights an agent acts.

mod delegated;
mod groups;
mod taking;

use forge_testing::Client;
use serde_json::{Value, json};

const GROUPS: &str = "/api/ext/v1/orgs/acme/access-groups";

/// Makes a group and puts these into it.
async fn group(alice: &Client, name: &str, more: Value, members: &[&str]) -> Value {
    let mut body = json!({ "name": name });
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    let made = alice.post(GROUPS, &body).await.expect(201).json();
    for login in members {
        let _ = alice.put(&format!("{GROUPS}/{name}/members/{login}"), &json!({})).await.expect(204);
    }
    made
}
