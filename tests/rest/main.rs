//! REST v3 in process, on both databases. Every answer is checked against GitHub's description by the client itself;
//! what stands here is what the description does not say.

mod avatars;
mod collaborators;
mod commits;
mod contents;
mod emails;
mod git_data;
mod gitignore_and_licenses;
mod keys;
mod labels;
mod lists;
mod meta;
mod moved;
mod organizations;
mod outage;
mod ref_doors;
mod repositories;
mod search;
mod statements;
mod teams;
mod users;
mod world;

use forge_testing::{Client, TestForge};
use serde_json::{Value, json};

/// Creates an organization that `client` owns.
async fn organization(client: &Client, login: &str) {
    client.post("/api/ext/v1/user/orgs", &json!({ "login": login })).await.expect(201);
}

/// Creates a repository in `place`: `user`, or `orgs/LOGIN`.
async fn repository(client: &Client, place: &str, name: &str, visibility: &str) -> Value {
    let body = json!({ "name": name, "visibility": visibility });
    client.post(&format!("/api/v3/{place}/repos"), &body).await.expect(201).json()
}

/// Returns the names in a list, in its order.
fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[field].as_str().expect("a name").to_owned()).collect()
}

/// Returns how many statements `path` costs.
async fn statements(forge: &TestForge, client: &Client, path: &str) -> u64 {
    let before = forge.statements();
    client.get(path).await.expect(200);
    forge.statements() - before
}
