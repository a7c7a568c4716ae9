//! What the tests of this folder begin with: people, an organization, repositories.

use forge_testing::{Client, TestForge};
use serde_json::{Value, json};

/// Returns a client of a new human, `alice`, whose token has the scopes that `gh` asks for.
pub(crate) async fn client(forge: &TestForge) -> Client {
    client_of(forge, "alice").await
}

/// Returns a client of a new human whose token has the scopes that `gh` asks for.
pub(crate) async fn client_of(forge: &TestForge, login: &str) -> Client {
    let human = forge.human(login).await;
    forge.client_of(&human, Some("repo,read:org,gist,admin:org")).await
}

/// Sends a query that must succeed and returns its data.
pub(crate) async fn data(client: &Client, query: &str, variables: Value) -> Value {
    let mut answer = client.graphql(query, variables).await.expect(200).json();
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"].take()
}

/// Sends a query that must fail and returns its errors.
pub(crate) async fn errors(client: &Client, query: &str, variables: Value) -> Value {
    let mut answer = client.graphql(query, variables).await.expect(200).json();
    assert!(answer["errors"].is_array(), "{answer}");
    answer["errors"].take()
}

/// Creates a repository as `gh repo create` does and returns its node id.
pub(crate) async fn repository(client: &Client, name: &str, visibility: &str) -> String {
    let input = json!({ "name": name, "visibility": visibility });
    create(client, input).await["id"].as_str().expect("an id").to_owned()
}

/// Creates a repository and returns what the mutation says of it.
pub(crate) async fn create(client: &Client, input: Value) -> Value {
    let query = "mutation RepositoryCreate($input: CreateRepositoryInput!) { createRepository(input: $input) { \
                 repository { id name owner { login } url } } }";
    data(client, query, json!({ "input": input })).await["createRepository"]["repository"].take()
}

/// Creates an organization that the client's human owns.
pub(crate) async fn organization(client: &Client, login: &str) {
    client.post("/api/ext/v1/user/orgs", &json!({ "login": login })).await.expect(201);
}
