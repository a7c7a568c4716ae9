//! <https://docs.github.com/rest/issues/labels>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::repository;

for_each_database! {
    async fn an_existing_label_is_refused_with_the_code_that_clients_look_for(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "public").await;
        let refused = alice.post("/api/v3/repos/alice/tool/labels", &json!({ "name": "BUG" })).await.expect(422);
        assert_eq!(refused.json()["errors"], json!([{ "resource": "Label", "code": "already_exists", "field": "name" }]));
    }

    async fn a_label_is_created_changed_and_deleted(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "public").await;
        let path = "/api/v3/repos/alice/tool/labels";
        let body = json!({ "name": "needs: más/menos", "color": "#ABCDEF", "description": "?" });
        let created = alice.post(path, &body).await.expect(201).json();
        assert_eq!((&created["color"], &created["default"]), (&json!("abcdef"), &json!(false)));
        let encoded = "needs%3A%20m%C3%A1s%2Fmenos";
        assert_eq!(created["url"], format!("https://forge.example{path}/{encoded}"));
        assert_eq!(alice.get(&format!("{path}/{encoded}")).await.expect(200).json()["id"], created["id"]);
        let changed = alice.patch(&format!("{path}/{encoded}"), &json!({ "new_name": "more", "color": "000000" })).await;
        assert_eq!(changed.expect(200).json()["name"], "more");
        alice.patch(&format!("{path}/more"), &json!({ "new_name": "bug" })).await.expect(422);
        alice.delete(&format!("{path}/more")).await.expect(204);
        alice.get(&format!("{path}/more")).await.expect(404);
        alice.post(path, &json!({ "name": "x", "color": "red" })).await.expect(422);
        alice.post(path, &json!({ "color": "ffffff" })).await.expect(422);
    }

    async fn a_page_after_the_last_one_is_empty_for_those_who_may_read_and_absent_for_others(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "private").await;
        let id = alice.get("/api/v3/repos/alice/tool").await.expect(200).json()["id"].clone();
        for place in ["repos/alice/tool".to_owned(), format!("repositories/{id}")] {
            let path = format!("/api/v3/{place}/labels?per_page=5");
            let first = alice.get(&path).await.expect(200);
            assert_eq!(first.json().as_array().expect("a list").len(), 5);
            assert!(first.header("link").expect("a link").contains("rel=\"next\""));
            assert_eq!(alice.get(&format!("{path}&page=2")).await.expect(200).json().as_array().expect("a list").len(), 4);
            assert_eq!(alice.get(&format!("{path}&page=3")).await.expect(200).json(), json!([]));
            for page in [1, 3] {
                forge.client().get(&format!("{path}&page={page}")).await.expect(404);
            }
        }
    }

    async fn readers_cannot_change_labels(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        repository(&alice, "user", "tool", "public").await;
        bob.post("/api/v3/repos/alice/tool/labels", &json!({ "name": "x" })).await.expect(403);
        bob.delete("/api/v3/repos/alice/tool/labels/bug").await.expect(403);
        forge.client().delete("/api/v3/repos/alice/tool/labels/bug").await.expect(401);
        forge.client().get("/api/v3/repos/alice/tool/labels/bug").await.expect(200);
    }
}
