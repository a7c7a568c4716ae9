//! <https://docs.github.com/rest/collaborators/collaborators>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{names, organization, repository};

for_each_database! {
    async fn the_five_permissions_are_really_distinct(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        repository(&alice, "user", "tool", "private").await;
        let path = "/api/v3/repos/alice/tool/collaborators/bob";
        alice.get(path).await.expect(404);
        // For each: reads, lists collaborators (write), describes (maintain), renames (admin).
        for (permission, statuses, legacy) in [
            ("pull", [200, 403, 403, 403], "read"),
            ("triage", [200, 403, 403, 403], "read"),
            ("push", [200, 200, 403, 403], "write"),
            ("maintain", [200, 200, 200, 403], "write"),
            ("admin", [200, 200, 200, 200], "admin"),
        ] {
            alice.put(path, &json!({ "permission": permission })).await.expect(204);
            bob.get("/api/v3/repos/alice/tool").await.expect(statuses[0]);
            bob.get("/api/v3/repos/alice/tool/collaborators").await.expect(statuses[1]);
            let describe = json!({ "description": permission });
            bob.patch("/api/v3/repos/alice/tool", &describe).await.expect(statuses[2]);
            let publish = json!({ "visibility": "public" });
            bob.patch("/api/v3/repos/alice/tool", &publish).await.expect(statuses[3]);
            let seen = alice.get(&format!("{path}/permission")).await.expect(200).json();
            assert_eq!(seen["permission"], legacy);
        }
        alice.get(path).await.expect(204);
        alice.put(path, &json!({ "permission": "own" })).await.expect(422);
    }

    async fn who_is_removed_loses_sight_at_once_and_everyone_may_leave(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        repository(&alice, "user", "tool", "private").await;
        let path = "/api/v3/repos/alice/tool/collaborators/bob";
        alice.put(path, &json!({})).await.expect(204);
        alice.delete(path).await.expect(204);
        bob.get("/api/v3/repos/alice/tool").await.expect(404);
        alice.put(path, &json!({ "permission": "pull" })).await.expect(204);
        bob.delete("/api/v3/repos/alice/tool/collaborators/alice").await.expect(403);
        bob.delete(path).await.expect(204);
        bob.get("/api/v3/repos/alice/tool").await.expect(404);
    }

    async fn lists_say_whence_access_comes(forge: TestForge) {
        let olivia = forge.human_client("olivia").await;
        forge.human_client("max").await;
        forge.human_client("sam").await;
        organization(&olivia, "acme").await;
        olivia.put("/api/v3/orgs/acme/memberships/max", &json!({})).await.expect(200);
        repository(&olivia, "orgs/acme", "tool", "private").await;
        let path = "/api/v3/repos/acme/tool/collaborators";
        olivia.put(&format!("{path}/sam"), &json!({ "permission": "maintain" })).await.expect(204);
        let list = async |query: &str| {
            names(&olivia.get(&format!("{path}{query}")).await.expect(200).json(), "login")
        };
        assert_eq!(list("").await, ["max", "olivia", "sam"]);
        assert_eq!(list("?affiliation=direct").await, ["sam"]);
        assert_eq!(list("?affiliation=outside").await, ["sam"]);
        assert_eq!(list("?permission=pull").await, ["max"]);
        olivia.put(&format!("{path}/acme"), &json!({})).await.expect(422);
        olivia.put(&format!("{path}/nobody"), &json!({})).await.expect(404);
        assert_eq!(olivia.get("/api/v3/repos/acme/tool/invitations").await.expect(200).json(), json!([]));
    }
}
