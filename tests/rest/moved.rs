//! Former names: 301 for reading, 307 for writing, by number; and transfers.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{organization, repository};

for_each_database! {
    async fn a_former_name_leads_to_the_number(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let id = repository(&alice, "user", "before", "public").await["id"].clone();
        let renamed = alice.patch("/api/v3/repos/alice/before", &json!({ "name": "after" })).await.expect(200);
        assert_eq!(renamed.json()["full_name"], "alice/after");
        let to = |rest: &str| format!("https://forge.example/api/v3/repositories/{id}{rest}");
        let read = alice.get("/api/v3/repos/alice/Before?x=1").await.expect(301);
        assert_eq!(read.header("location"), Some(to("?x=1").as_str()));
        let head = alice.head("/api/v3/repos/alice/before").await.expect(301);
        assert_eq!(head.header("location"), Some(to("").as_str()));
        let below = alice.get("/api/v3/repos/alice/before/labels/good%20first%20issue").await.expect(301);
        assert_eq!(below.header("location"), Some(to("/labels/good%20first%20issue").as_str()));
        let deleted = alice.delete("/api/v3/repos/alice/before").await.expect(307);
        assert_eq!(deleted.header("location"), Some(to("").as_str()));
        let by_number = alice.get(&format!("/api/v3/repositories/{id}")).await.expect(200).json();
        assert_eq!(by_number["full_name"], "alice/after");
        alice.get(&format!("/api/v3/repositories/{id}/labels")).await.expect(200);
    }

    async fn a_former_name_tells_strangers_nothing(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "before", "private").await;
        alice.patch("/api/v3/repos/alice/before", &json!({ "name": "after" })).await.expect(200);
        let stranger = forge.human_client("mallory").await;
        let moved = stranger.get("/api/v3/repos/alice/before").await.expect(404);
        let absent = stranger.get("/api/v3/repos/alice/never").await.expect(404);
        assert_eq!(moved.body, absent.body);
    }

    async fn a_new_repository_ends_the_redirect_from_its_name(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "name", "public").await;
        alice.patch("/api/v3/repos/alice/name", &json!({ "name": "other" })).await.expect(200);
        let new = repository(&alice, "user", "name", "public").await;
        assert_eq!(alice.get("/api/v3/repos/alice/name").await.expect(200).json()["id"], new["id"]);
        alice.patch("/api/v3/repos/alice/other", &json!({ "name": "name" })).await.expect(422);
    }

    async fn a_repository_goes_to_an_organization_and_back(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        organization(&alice, "acme").await;
        let id = repository(&alice, "user", "tool", "private").await["id"].clone();
        let body = json!({ "new_owner": "acme" });
        let moved = alice.post("/api/v3/repos/alice/tool/transfer", &body).await.expect(202).json();
        assert_eq!(moved["full_name"], "acme/tool");
        alice.get("/api/v3/repos/alice/tool").await.expect(301);
        let back = json!({ "new_owner": "alice", "new_name": "tool2" });
        alice.post("/api/v3/repos/acme/tool/transfer", &back).await.expect(202);
        let found = alice.get("/api/v3/repos/alice/tool2").await.expect(200).json();
        assert_eq!(found["id"], id);
    }

    async fn nobody_is_given_a_repository_without_having_agreed(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        organization(&bob, "acme").await;
        repository(&alice, "user", "tool", "public").await;
        for (owner, status) in [("bob", 403), ("acme", 403), ("nobody", 422), ("alice", 422)] {
            let body = json!({ "new_owner": owner });
            alice.post("/api/v3/repos/alice/tool/transfer", &body).await.expect(status);
        }
        bob.post("/api/v3/repos/alice/tool/transfer", &json!({ "new_owner": "bob" })).await.expect(403);
    }
}
