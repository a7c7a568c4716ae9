//! What answers give away: caches, comparisons, names.

use forge_testing::{Database, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use http::header::IF_NONE_MATCH;
use serde_json::json;

const USER: &str = "/api/v3/user";

for_each_database! {
    async fn an_answer_for_one_caller_is_not_kept_for_another(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let answer = alice.get(USER).await.expect(200);
        let vary = answer.header("vary").unwrap().to_lowercase();
        assert!(vary.contains("authorization"), "{vary}");
        assert!(answer.header("cache-control").unwrap().contains("private"));
        let tag = answer.header("etag").unwrap().to_owned();
        let again = alice.with_header(IF_NONE_MATCH, &tag).get(USER).await;
        assert_eq!(again.status, 304, "the honest caller is spared the body");
        let other = bob.with_header(IF_NONE_MATCH, &tag).get(USER).await.expect(200);
        assert_eq!(other.json()["login"], "bob");
    }

    async fn reserved_and_misleading_repository_names_are_refused(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let too_long = "x".repeat(101);
        for name in ["..", ".", ".git", "x.git", "a/b", "a b%00", "", "аlice", "x.wiki", too_long.as_str()] {
            let answer = alice.post("/api/v3/user/repos", &json!({ "name": name })).await;
            let created = answer.json()["name"].as_str().map(str::to_owned);
            assert!(answer.status == 422 || created.as_deref().is_some_and(|created| created != name), "{name}");
        }
        alice.post("/api/v3/user/repos", &json!({ "name": "Honest" })).await.expect(201);
        alice.post("/api/v3/user/repos", &json!({ "name": "honest" })).await.expect(422);
    }
}

#[tokio::test]
async fn the_database_holds_no_token_that_could_be_compared() {
    let forge = TestForge::builder(Database::Sqlite).start().await;
    let alice = forge.human("alice").await;
    let token = forge.token(&alice, CredentialKind::Personal, None).await;
    forge.client().with_token(&token).get(USER).await.expect(200);
    let copy = forge.folder().join("copy.db");
    forge.app().db().copy_sqlite_to(&copy).await.unwrap();
    let bytes = std::fs::read(copy).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("alice") && holds(token.tail()), "the copy is the whole database");
    assert!(!holds(token.expose()) && !holds(&token.expose()[5..35]));
}
