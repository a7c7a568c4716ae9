//! What a human does with an agent of theirs, and what ends with the binding.

use forge_testing::agents::secret;
use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{EXT, answer, invite, reads};

for_each_database! {
    async fn a_human_gives_an_agent_another_name(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("/api/v3/agent-bindings/{}", agent.login);
        let view = alice.patch(&path, &json!({ "name": "The Bot" })).await.expect(200).json();
        assert_eq!(view["agent"]["name"], "The Bot");
        assert_eq!(view["agent"]["login"], agent.login);
        for body in [json!({ "name": "" }), json!({ "name": "a\nb" }), json!({ "name": null }), json!({})] {
            let _ = alice.patch(&path, &body).await.expect(422);
        }
        let _ = forge.human_client("bob").await.patch(&path, &json!({ "name": "Mine" })).await.expect(404);
        let _ = agent.client.patch(&path, &json!({ "name": "Me" })).await.expect(403);
    }

    async fn an_agent_is_edited_by_its_human_and_null_empties(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agents/{}", agent.login);
        let body = json!({ "description": "fixes", "standing_access": "read" });
        let view = alice.patch(&path, &body).await.expect(200).json();
        assert_eq!((&view["description"], &view["standing_access"]), (&json!("fixes"), &json!("read")));
        let view = alice.patch(&path, &json!({ "description": null })).await.expect(200).json();
        assert_eq!((&view["description"], &view["standing_access"]), (&json!(null), &json!("read")));
        let _ = alice.patch(&path, &json!({ "standing_access": "all" })).await.expect(422);
    }

    async fn unbinding_ends_switch_sessions_and_leaves_the_agent_its_own_token(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agent-bindings/{}", agent.login);
        let session = alice.post(&format!("{path}/switch-session"), &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        assert_eq!(reads(&switched, &agent).await, 200);
        let view = alice.delete(&path).await.expect(200).json();
        assert_eq!(view, json!({ "agent_login": agent.login, "revoked_switch_sessions": 1 }));
        assert_eq!(reads(&switched, &agent).await, 401);
        assert_eq!(reads(&agent.client, &agent).await, 200);
        assert_eq!(reads(&alice, &agent).await, 404);
        let _ = alice.delete(&path).await.expect(404);
        assert_eq!(answer(&agent.client, &invite(&alice, &json!({})).await).await, 201);
    }

    async fn recovery_ends_every_credential_and_shows_a_new_one_once(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agent-bindings/{}", agent.login);
        let session = alice.post(&format!("{path}/switch-session"), &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let reset = alice.post(&format!("{path}/reset-token"), &json!({})).await.expect(200);
        assert_eq!(reset.header("cache-control"), Some("no-store"));
        let view = reset.json();
        assert_eq!((&view["agent_login"], &view["token"]["name"]), (&json!(agent.login), &json!("reset")));
        assert_eq!(view["revoked_credentials"], 2);
        assert_eq!(reads(&agent.client, &agent).await, 401);
        assert_eq!(reads(&switched, &agent).await, 401);
        let recovered = forge.client().with_token(&secret(&view["token"]["token"]));
        assert_eq!(reads(&recovered, &agent).await, 200);
    }

    async fn a76_a_former_human_recovers_nothing(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agent-bindings/{}", agent.login);
        let _ = alice.delete(&path).await.expect(200);
        forge.bind(&bob, &agent, &json!({})).await;
        for action in ["reset-token", "switch-session"] {
            let _ = alice.post(&format!("{path}/{action}"), &json!({})).await.expect(404);
        }
        let _ = alice.delete(&path).await.expect(404);
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let _ = bob.post(&format!("{path}/reset-token"), &json!({})).await.expect(200);
    }

    async fn a76_administrators_who_are_not_bound_recover_nothing(forge: TestForge) {
        let (alice, owner) = (forge.human_client("alice").await, forge.human("owner").await);
        let root = forge.site_admin("root").await;
        let acme = forge.organization("acme", &[&owner]).await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let bot = forge.find_account(&agent.login).await;
        forge.member(&acme, &bot, forge_types::organization::OrganizationRole::Member).await;
        let path = format!("{EXT}/agent-bindings/{}", agent.login);
        let (owner, root) = (forge.client_of(&owner, None).await, forge.client_of(&root, None).await);
        for action in ["reset-token", "switch-session"] {
            let _ = owner.post(&format!("{path}/{action}"), &json!({})).await.expect(404);
            let _ = root.post(&format!("{path}/{action}"), &json!({})).await.expect(403);
            let _ = agent.client.post(&format!("{path}/{action}"), &json!({})).await.expect(403);
        }
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let _ = alice.post(&format!("{path}/reset-token"), &json!({})).await.expect(200);
    }

    async fn a1_one_agent_learns_nothing_of_another(forge: TestForge) {
        let (one, two) = (forge.registered_agent("one").await, forge.registered_agent("two").await);
        assert_eq!(reads(&one.client, &two).await, 404);
        assert_eq!(reads(&forge.client(), &two).await, 404);
        assert_eq!(reads(&two.client, &two).await, 200);
        let absent = one.client.get(&format!("{EXT}/agents/nobody")).await;
        let hidden = one.client.get(&format!("{EXT}/agents/{}", two.login)).await;
        assert_eq!((absent.status, absent.body), (hidden.status, hidden.body));
    }

    async fn an_authenticated_read_costs_two_statements(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        for path in ["user/agents", "agent-invites", &format!("agents/{}", agent.login), "audit-events"] {
            let before = forge.statements();
            let _ = alice.get(&format!("{EXT}/{path}")).await.expect(200);
            assert_eq!(forge.statements() - before, 2, "{path}");
        }
    }
}
