//! What a grant can say, and what a token for it opens on REST.

use forge_testing::{TestForge, for_each_database};
use forge_types::repository::Visibility;
use http::Method;
use serde_json::{Value, json};

use super::{EXT, PREFIX, World};

for_each_database! {
    async fn a_grant_shows_what_was_granted_with_what_was_left_out(forge: TestForge) {
        let world = World::new(forge).await;
        let grant = world.grant(&json!({})).await;
        assert!(grant["id"].as_str().unwrap().starts_with("tg_"));
        assert_eq!(grant["type"], "urn:forge:task-grant:1");
        assert_eq!(grant["state"], "active");
        assert_eq!(grant["agent"], format!("agent:{}", world.agent.login));
        assert_eq!(grant["delegator"], "user:alice");
        assert_eq!(grant["resources"], json!(["repo:alice/project"]));
        assert_eq!(grant["expires_at"], "2026-01-01T08:00:00Z");
        let seen = world.agent.client.get(&format!("{EXT}/task-grants?state=active")).await.expect(200).json();
        assert_eq!(seen.as_array().unwrap().len(), 1);
        let path = format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap());
        let _ = world.agent.client.get(&path).await.expect(200);
        let mallory = world.forge.human_client("mallory").await;
        let _ = mallory.get(&path).await.expect(404);
        let _ = mallory.delete(&path).await.expect(404);
        assert_eq!(mallory.get(&format!("{EXT}/task-grants")).await.expect(200).json(), json!([]));
        // The granted form can be asked for again as it is.
        let again = grant["authorization_details"][0].clone();
        let mut again = again.as_object().unwrap().clone();
        again.remove("grant_id");
        let _ = world.alice.post(&format!("{EXT}/task-grants"), &Value::Object(again)).await.expect(201);
    }

    async fn a33_i18_what_is_not_understood_or_not_enforced_is_refused(forge: TestForge) {
        let world = World::new(forge).await;
        let refused = [
            json!({ "unknown": 1 }),
            json!({ "actions": ["admin"] }),
            json!({ "actions": [] }),
            json!({ "resources": [] }),
            json!({ "resources": ["repo:alice/nothing"] }),
            json!({ "resources": ["org:acme"] }),
            json!({ "agent": "nobody" }),
            json!({ "agent": "alice" }),
            json!({ "task": "" }),
            json!({ "type": "payment" }),
            json!({ "delegator": "user:mallory" }),
            json!({ "delegator": "policy:x" }),
            json!({ "constraints": { "unknown": 1 } }),
            json!({ "constraints": { "network_allowlist": ["example.com"] } }),
            json!({ "constraints": { "budgets": { "open_prs": 1 } } }),
            json!({ "constraints": { "branch_prefix": "" } }),
            json!({ "constraints": { "branch_prefix": "/" } }),
            json!({ "constraints": { "branch_prefix": "agent" } }),
            json!({ "constraints": { "branch_prefix": "refs/heads/main" } }),
            json!({ "constraints": { "branch_prefix": "refs/heads/main/" } }),
            json!({ "constraints": { "expires_at": "2025-01-01T00:00:00Z" } }),
            json!({ "constraints": { "expires_at": "2027-01-01T00:00:00Z" } }),
        ];
        for change in refused {
            let answer = world.alice.post(&format!("{EXT}/task-grants"), &world.details(&change)).await;
            assert_eq!(answer.status, 422, "{change}: {}", answer.text());
        }
        let _ = world.alice.post(&format!("{EXT}/task-grants"), &world.details(&json!({}))).await.expect(201);
    }

    async fn a_task_token_is_nothing_outside_of_its_task_and_what_it_is_refused_the_agents_own_is_too(
        forge: TestForge
    ) {
        let world = World::new(forge).await;
        let patch = json!({ "standing_access": "read" });
        let _ = world.alice.patch(&format!("{EXT}/agents/{}", world.agent.login), &patch).await.expect(200);
        world.forge.repository(&world.human, "open", Visibility::Public).await;
        let (_, client) = world.tasked(&json!({})).await;
        let _ = client.get("/api/v3/user").await.expect(200);
        let _ = client.get("/api/v3/repos/alice/project").await.expect(200);
        assert_eq!(client.get("/api/v3/repos/alice/other").await.status, 404);
        assert_eq!(client.get("/api/v3/repos/alice/open").await.status, 403);
        let refused = [
            (Method::DELETE, "/api/v3/repos/alice/project".to_owned(), json!({})),
            (Method::DELETE, "/api/v3/repos/alice/other".to_owned(), json!({})),
            (Method::PATCH, "/api/v3/repos/alice/project".to_owned(), json!({ "default_branch": "x" })),
            (Method::PATCH, "/api/v3/repos/alice/project".to_owned(), json!({ "private": false })),
            (Method::POST, "/api/v3/repos/alice/project/transfer".to_owned(), json!({ "new_owner": "mallory" })),
            (Method::PUT, "/api/v3/repos/alice/project/collaborators/mallory".to_owned(), json!({})),
            (Method::POST, "/api/v3/repos/alice/project/labels".to_owned(), json!({ "name": "x", "color": "ffffff" })),
            (Method::POST, "/api/v3/user/repos".to_owned(), json!({ "name": "mine" })),
            (Method::POST, format!("{EXT}/user/tokens"), json!({ "name": "mine" })),
            (Method::PATCH, format!("{EXT}/agents/{}", world.agent.login), json!({ "standing_access": "full" })),
            (Method::POST, "/api/v3/user/keys".to_owned(), json!({ "title": "t", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X" })),
        ];
        for (method, path, body) in refused {
            for (who, client) in [("task", &client), ("standing", &world.agent.client)] {
                let answer = client.send_json(method.clone(), &path, &body).await;
                assert!(
                    matches!(answer.status.as_u16(), 403 | 404),
                    "{who} {method} {path}: {} {}",
                    answer.status,
                    answer.text()
                );
            }
        }
        // The lists hold what could be read one by one.
        let listed = client.get("/api/v3/user/repos").await.expect(200).json();
        assert!(listed.as_array().unwrap().iter().all(|one| one["full_name"] == "alice/project"), "{listed}");
        let found = client.get("/api/v3/search/repositories?q=o").await.expect(200).json();
        assert_eq!(found["total_count"], 1, "{found}");
        let named = client.get("/api/v3/users/alice/repos").await.expect(200).json();
        let names: Vec<&str> = named.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["project"]);
    }

    async fn a44_a45_a_grant_follows_the_repository_and_not_its_name(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, client) = world.tasked(&json!({})).await;
        let rename = json!({ "name": "renamed" });
        let _ = world.alice.patch("/api/v3/repos/alice/project", &rename).await.expect(200);
        world.forge.repository(&world.human, "project", Visibility::Private).await;
        let found = client.get("/api/v3/repos/alice/renamed").await.expect(200).json();
        assert_eq!(client.get("/api/v3/repos/alice/project").await.status, 404);
        let _ = client.get(&format!("/api/v3/repositories/{}", found["id"])).await.expect(200);
        let taker = world.alice.get("/api/v3/repos/alice/project").await.expect(200).json();
        assert_eq!(client.get(&format!("/api/v3/repositories/{}", taker["id"])).await.status, 404);
        let _ = world.alice.delete("/api/v3/repos/alice/renamed").await.expect(204);
        assert_eq!(client.get("/api/v3/repos/alice/renamed").await.status, 404);
    }

    async fn a77_a_switch_session_delegates_nothing(forge: TestForge) {
        let world = World::new(forge).await;
        let path = format!("{EXT}/agent-bindings/{}/switch-session", world.agent.login);
        let session = world.alice.post(&path, &json!({})).await.expect(200).json();
        let token = forge_testing::agents::secret(&session["token"]["token"]);
        let switched = world.forge.client().with_token(&token);
        let body = world.details(&json!({ "resources": ["repo:alice/project"] }));
        let _ = switched.post(&format!("{EXT}/task-grants"), &body).await.expect(403);
        let grant = world.grant(&json!({})).await;
        let refused = super::exchange(&world.forge, &token, &grant, &[]).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        let _ = super::exchange(&world.forge, &world.agent.token, &grant, &[]).await.expect(200);
        assert_eq!(grant["constraints"]["branch_prefix"], PREFIX);
    }

    async fn what_is_made_under_a_grant_is_read_under_that_grant_alone_until_a_ref_reaches_it(forge: TestForge) {
        let world = World::new(forge).await;
        let file = json!({ "message": "m", "content": "eA==" });
        let _ = world.alice.put("/api/v3/repos/alice/project/contents/x", &file).await.expect(201);
        let (_, maker) = world.tasked(&json!({})).await;
        let (_, other_task) = world.tasked(&json!({ "task": "other work" })).await;
        let blob = json!({ "content": "for this task", "encoding": "utf-8" });
        let made = maker.post("/api/v3/repos/alice/project/git/blobs", &blob).await.expect(201).json();
        let path = format!("/api/v3/repos/alice/project/git/blobs/{}", made["sha"].as_str().unwrap());
        let _ = maker.get(&path).await.expect(200);
        let _ = other_task.get(&path).await.expect(404);
        let _ = world.alice.get(&path).await.expect(404);
    }
}
