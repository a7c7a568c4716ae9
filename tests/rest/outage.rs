//! A database that goes away and comes back: clear refusals meanwhile, and nothing lost that was acknowledged.

use forge_testing::{Database, TestForge};
use serde_json::json;

use crate::repository;

#[tokio::test]
async fn a_database_that_is_away_refuses_clearly_and_loses_nothing() {
    let forge = TestForge::builder(Database::Postgres).start().await;
    let alice = forge.human_client("alice").await;
    repository(&alice, "user", "tool", "private").await;
    let labels = "/api/v3/repos/alice/tool/labels";
    alice.post(labels, &json!({ "name": "before", "color": "ffffff" })).await.expect(201);

    forge.database().scratch().take_away().await;
    for answer in [
        alice.get("/api/v3/user").await,
        alice.get(labels).await,
        alice.post(labels, &json!({ "name": "meanwhile", "color": "ffffff" })).await,
        alice.post("/api/graphql", &json!({ "query": "{ viewer { login } }" })).await,
        alice.get("/alice/tool.git/info/refs?service=git-upload-pack").await,
    ] {
        let answer = answer.expect(503);
        assert!(answer.header("retry-after").is_some(), "{}", answer.text());
        for secret in ["postgres", "sql", "forge_"] {
            assert!(!answer.text().to_lowercase().contains(secret), "{}", answer.text());
        }
    }

    forge.database().scratch().bring_back().await;
    alice.get(&format!("{labels}/before")).await.expect(200);
    alice.get(&format!("{labels}/meanwhile")).await.expect(404);
    alice.post(labels, &json!({ "name": "after", "color": "ffffff" })).await.expect(201);
}
