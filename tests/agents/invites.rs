//! Who may invite, what an invitation shows, and how long it is good.

use std::time::Duration;

use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::{EXT, answer, invite};

for_each_database! {
    async fn an_invite_shows_its_secret_once_and_lists_what_it_gives(forge: TestForge) {
        let alice = forge.human("alice").await;
        forge.repository(&alice, "tools", Visibility::Private).await;
        let client = forge.client_of(&alice, Some("repo")).await;
        let body = json!({ "repo_grants": [{ "repo_full_name": "alice/tools", "permission": "push" }] });
        let answer = client.post(&format!("{EXT}/agent-invites"), &body).await.expect(201);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let made = answer.json();
        assert_eq!(made["repo_grants"], json!([{ "repo_full_name": "alice/tools", "permission": "write" }]));
        assert_eq!(made["team_grants"], json!([]));
        assert_eq!(made["expires_at"], "2026-01-04T00:00:00Z");
        let secret = made["invite_token"].as_str().expect("a secret");
        let listed = client.get(&format!("{EXT}/agent-invites")).await.expect(200);
        assert_eq!(listed.json()[0]["id"], made["id"]);
        assert_eq!(listed.json()[0]["state"], "pending");
        assert!(!listed.text().contains(secret), "the secret is shown once");
    }

    async fn both_vocabularies_of_permissions_are_understood(forge: TestForge) {
        let alice = forge.human("alice").await;
        forge.repository(&alice, "tools", Visibility::Private).await;
        let client = forge.client_of(&alice, None).await;
        for (said, meant) in
            [("pull", "read"), ("read", "read"), ("triage", "triage"), ("push", "write"), ("write", "write"),
             ("maintain", "maintain"), ("admin", "admin")]
        {
            let grants = json!([{ "repo_full_name": "alice/tools", "permission": said }]);
            let made = invite(&client, &json!({ "repo_grants": grants })).await;
            assert_eq!(made["repo_grants"][0]["permission"], meant);
        }
    }

    async fn who_may_not_give_it_cannot_offer_it_and_nothing_is_stored(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        forge.repository(&bob, "own", Visibility::Private).await;
        let client = forge.client_of(&bob, None).await;
        let body = json!({ "repo_grants": [
            { "repo_full_name": "bob/own", "permission": "read" },
            { "repo_full_name": "alice/tools", "permission": "read" },
        ] });
        let path = format!("{EXT}/agent-invites");
        let _ = client.post(&path, &body).await.expect(404);
        forge.collaborator(&tools, &bob, Some(Permission::Maintain)).await;
        let _ = client.post(&path, &body).await.expect(403);
        assert_eq!(client.get(&path).await.expect(200).json(), json!([]));
        forge.collaborator(&tools, &bob, Some(Permission::Admin)).await;
        let _ = client.post(&path, &body).await.expect(201);
    }

    async fn a75_an_agent_invites_nobody(forge: TestForge) {
        let agent = forge.registered_agent("bot").await;
        let _ = agent.client.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(403);
        let _ = forge.human_client("alice").await.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(201);
        let _ = forge.client().post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(401);
    }

    async fn a_token_without_the_scope_cannot_invite(forge: TestForge) {
        let alice = forge.human("alice").await;
        let narrow = forge.client_of(&alice, Some("gist")).await;
        let _ = narrow.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(403);
        let broad = forge.client_of(&alice, Some("repo")).await;
        let _ = broad.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(201);
    }

    async fn a_body_that_is_not_what_is_asked_for_is_refused(forge: TestForge) {
        let client = forge.human_client("alice").await;
        for body in [
            json!({ "repo_grants": [{ "repo_full_name": "tools", "permission": "read" }] }),
            json!({ "repo_grants": [{ "repo_full_name": "alice/tools", "permission": "owner" }] }),
            json!({ "team_grants": [{ "org": "acme", "team_slug": "core", "role": "admin" }] }),
            json!({ "expires_at": "tomorrow" }),
            json!({ "expires_at": "2026-01-04T00:00:01Z" }),
            json!({ "expires_at": "2026-01-01T00:00:00Z" }),
            json!({ "agent_login": "a b" }),
            json!({ "human_id": 1 }),
        ] {
            let _ = client.post(&format!("{EXT}/agent-invites"), &body).await.expect(422);
        }
        let _ = client.post(&format!("{EXT}/agent-invites"), &json!({ "expires_at": "2026-01-04T00:00:00Z" })).await.expect(201);
    }

    async fn a_withdrawn_invite_is_no_good(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let agent = forge.registered_agent("bot").await;
        let made = invite(&alice, &json!({})).await;
        let path = format!("{EXT}/agent-invites/{}", made["id"].as_str().expect("an id"));
        let _ = bob.delete(&path).await.expect(404);
        let _ = alice.delete(&path).await.expect(204);
        let _ = alice.delete(&path).await.expect(204);
        assert_eq!(alice.get(&path).await.expect(200).json()["state"], "withdrawn");
        assert_eq!(answer(&agent.client, &made).await, 422);
        let accepted = invite(&alice, &json!({})).await;
        assert_eq!(answer(&agent.client, &accepted).await, 201);
        let path = format!("{EXT}/agent-invites/{}", accepted["id"].as_str().expect("an id"));
        let _ = alice.delete(&path).await.expect(409);
        assert_eq!(alice.get(&path).await.expect(200).json()["state"], "accepted");
    }

    async fn a73_an_invite_that_is_over_is_no_good(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (late, punctual) = (forge.registered_agent("late").await, forge.registered_agent("punctual").await);
        let (first, second) = (invite(&alice, &json!({})).await, invite(&alice, &json!({})).await);
        forge.advance(Duration::from_secs(72 * 3600) - Duration::from_micros(1));
        assert_eq!(answer(&punctual.client, &first).await, 201);
        forge.advance(Duration::from_micros(1));
        assert_eq!(answer(&late.client, &second).await, 422);
    }

    async fn a5_an_invite_is_no_token(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let made = invite(&alice, &json!({})).await;
        let bearer = forge.client().with_token(&forge_testing::agents::secret(&made["invite_token"]));
        for path in ["/api/ext/v1/user/agents", "/api/ext/v1/agent-invites", "/api/v3/user/agents"] {
            let _ = bearer.get(path).await.expect(401);
            assert_ne!(alice.get(path).await.status, 401);
        }
    }

    async fn invites_are_listed_in_pages(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for _ in 0..3 {
            invite(&alice, &json!({})).await;
        }
        let first = alice.get(&format!("{EXT}/agent-invites?per_page=2")).await.expect(200);
        assert_eq!(first.json().as_array().map(Vec::len), Some(2));
        let link = first.header("link").expect("a next page");
        assert!(link.contains("https://forge.example/api/ext/v1/agent-invites?per_page=2&page=2"), "{link}");
        let last = alice.get(&format!("{EXT}/agent-invites?per_page=2&page=2")).await.expect(200);
        assert_eq!(last.json().as_array().map(Vec::len), Some(1));
        assert_ne!(last.json()[0]["id"], Value::Null);
    }
}
