//! Who is answered at all
//! (<https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql>).

use forge_testing::TestForge;
use forge_testing::for_each_database;
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::json;

const VIEWER: &str = "query UserCurrent{viewer{login}}";

for_each_database! {
    async fn the_viewer_is_whoever_the_token_belongs_to(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, Some("repo,read:org")).await;
        let answer = client.graphql(VIEWER, json!(null)).await.expect(200);
        assert_eq!(answer.json(), json!({ "data": { "viewer": { "login": "alice" } } }));
        assert_eq!(answer.header("x-oauth-scopes"), Some("repo, read:org"));
        assert_eq!(answer.header("x-ratelimit-resource"), Some("graphql"));
        assert!(answer.header("x-github-request-id").is_some());
    }

    async fn nobody_is_answered_without_a_credential(forge: TestForge) {
        for method in [Method::GET, Method::POST, Method::PUT] {
            let answer = forge.client().send_json(method, "/api/graphql", &json!({ "query": VIEWER })).await;
            let answer = answer.expect(401);
            assert_eq!(answer.json()["message"], "This endpoint requires you to be authenticated.");
            assert!(answer.header("www-authenticate").is_some());
        }
    }

    async fn a_credential_that_is_not_good_is_refused(forge: TestForge) {
        for value in ["token", "token nonsense", "Bearer fgep_000000000000000000000000000000aaaaaa", "Negotiate x"] {
            let client = forge.client().with_header(AUTHORIZATION, value);
            let answer = client.graphql(VIEWER, json!({})).await.expect(401);
            assert_eq!(answer.json()["message"], "Bad credentials", "{value}");
        }
    }

    async fn authentication_and_the_viewer_cost_one_statement(forge: TestForge) {
        let client = forge.human_client("alice").await;
        let before = forge.statements();
        client.graphql("{ viewer { login id name databaseId url } }", json!({})).await.expect(200);
        assert_eq!(forge.statements() - before, 1);
    }
}
