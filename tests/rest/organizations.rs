//! <https://docs.github.com/rest/orgs/orgs> and <https://docs.github.com/rest/orgs/members>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{names, organization};

for_each_database! {
    async fn who_creates_an_organization_owns_it(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let body = json!({ "login": "acme", "name": "Acme", "description": "Tools" });
        let created = alice.post("/api/ext/v1/user/orgs", &body).await.expect(201).json();
        assert_eq!((&created["login"], &created["name"]), (&json!("acme"), &json!("Acme")));
        assert_eq!(created["default_repository_permission"], "read");
        let membership = alice.get("/api/v3/user/memberships/orgs/acme").await.expect(200).json();
        assert_eq!((&membership["role"], &membership["state"]), (&json!("admin"), &json!("active")));
        for login in ["acme", "ACME", "alice", "admin", "a--b", ""] {
            alice.post("/api/ext/v1/user/orgs", &json!({ "login": login })).await.expect(422);
        }
        let all = forge.client().get("/api/v3/organizations").await.expect(200).json();
        assert_eq!(names(&all, "login"), ["acme"]);
        let as_user = forge.client().get("/api/v3/users/acme").await.expect(200).json();
        assert_eq!(as_user["type"], "Organization");
    }

    async fn only_owners_see_and_change_settings(forge: TestForge) {
        let owner = forge.human_client("olivia").await;
        let member = forge.human_client("max").await;
        organization(&owner, "acme").await;
        owner.put("/api/v3/orgs/acme/memberships/max", &json!({})).await.expect(200);
        let seen = member.get("/api/v3/orgs/acme").await.expect(200).json();
        assert!(seen.get("default_repository_permission").is_none());
        member.patch("/api/v3/orgs/acme", &json!({ "name": "Mine" })).await.expect(403);
        let body = json!({ "name": "Acme", "default_repository_permission": "write" });
        let changed = owner.patch("/api/v3/orgs/acme", &body).await.expect(200).json();
        assert_eq!(changed["default_repository_permission"], "write");
        owner.patch("/api/v3/orgs/acme", &json!({ "default_repository_permission": "own" })).await.expect(422);
    }

    async fn the_last_owner_stays(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        forge.human_client("bob").await;
        organization(&alice, "acme").await;
        alice.delete("/api/v3/orgs/acme/members/alice").await.expect(403);
        alice.put("/api/v3/orgs/acme/memberships/alice", &json!({ "role": "member" })).await.expect(403);
        alice.put("/api/v3/orgs/acme/memberships/bob", &json!({ "role": "admin" })).await.expect(200);
        alice.delete("/api/v3/orgs/acme/members/alice").await.expect(204);
        alice.get("/api/v3/user/memberships/orgs/acme").await.expect(404);
    }

    async fn membership_is_seen_by_members_and_where_it_is_shown(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        let stranger = forge.human_client("sam").await;
        organization(&alice, "acme").await;
        alice.put("/api/v3/orgs/acme/memberships/bob", &json!({})).await.expect(200);
        let listed = bob.get("/api/v3/orgs/acme/members").await.expect(200).json();
        assert_eq!(names(&listed, "login"), ["alice", "bob"]);
        let admins = bob.get("/api/v3/orgs/acme/members?role=admin").await.expect(200).json();
        assert_eq!(names(&admins, "login"), ["alice"]);
        assert_eq!(stranger.get("/api/v3/orgs/acme/members").await.expect(200).json(), json!([]));
        stranger.get("/api/v3/orgs/acme/members/bob").await.expect(404);
        bob.put("/api/v3/orgs/acme/public_members/bob", &json!({})).await.expect(204);
        stranger.get("/api/v3/orgs/acme/members/bob").await.expect(204);
        assert_eq!(names(&stranger.get("/api/v3/users/bob/orgs").await.expect(200).json(), "login"), ["acme"]);
        assert_eq!(stranger.get("/api/v3/users/alice/orgs").await.expect(200).json(), json!([]));
        bob.delete("/api/v3/orgs/acme/public_members/bob").await.expect(204);
        assert_eq!(stranger.get("/api/v3/orgs/acme/public_members").await.expect(200).json(), json!([]));
        alice.put("/api/v3/orgs/acme/public_members/bob", &json!({})).await.expect(403);
        bob.put("/api/v3/orgs/acme/memberships/sam", &json!({})).await.expect(403);
        bob.delete("/api/v3/orgs/acme/members/alice").await.expect(403);
        assert_eq!(names(&bob.get("/api/v3/user/orgs").await.expect(200).json(), "login"), ["acme"]);
    }

    async fn a_site_administrator_creates_an_organization_for_someone(forge: TestForge) {
        let admin = forge.site_admin("root1").await;
        let admin = forge.client_of(&admin, None).await;
        let alice = forge.human_client("alice").await;
        let body = json!({ "login": "acme", "admin": "alice", "profile_name": "Acme" });
        alice.post("/api/v3/admin/organizations", &body).await.expect(403);
        admin.post("/api/v3/admin/organizations", &body).await.expect(201);
        assert_eq!(alice.get("/api/v3/user/memberships/orgs/acme").await.expect(200).json()["role"], "admin");
        let nobody = json!({ "login": "other", "admin": "acme" });
        admin.post("/api/v3/admin/organizations", &nobody).await.expect(422);
    }
}
