//! Suspension stops everything an agent could do, at once, until whoever may restores it.

use forge_testing::agents::secret;
use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{EXT, answer, invite, reads};

for_each_database! {
    async fn a10_a_suspended_agent_is_stopped_at_once_and_restored(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let open = format!("{EXT}/agent-bindings/{}/switch-session", agent.login);
        let session = alice.post(&open, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let path = format!("{EXT}/agents/{}/suspension", agent.login);
        let _ = alice.put(&path, &json!({ "reason": "went astray" })).await.expect(204);
        for client in [&agent.client, &switched] {
            assert_eq!(reads(client, &agent).await, 401);
        }
        let view = alice.get(&format!("{EXT}/agents/{}", agent.login)).await.expect(200).json();
        assert_eq!((&view["status"], &view["suspended_reason"]), (&json!("suspended"), &json!("went astray")));
        let _ = alice.post(&open, &json!({})).await.expect(409);
        let listed = alice.get(&format!("{EXT}/user/agents")).await.expect(200).json();
        assert_eq!(listed[0]["token_status"]["state"], "suspended");
        let _ = alice.delete(&path).await.expect(204);
        for client in [&agent.client, &switched] {
            assert_eq!(reads(client, &agent).await, 200);
        }
    }

    async fn a10_a_suspended_human_cannot_act_through_a_switch_session(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&client, &agent, &json!({})).await;
        let path = format!("{EXT}/agent-bindings/{}/switch-session", agent.login);
        let session = client.post(&path, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        assert_eq!(reads(&switched, &agent).await, 200);
        forge.suspend(&alice).await;
        assert_eq!(reads(&switched, &agent).await, 401);
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn what_an_administrator_suspended_its_human_does_not_restore(forge: TestForge) {
        let (alice, root) = (forge.human_client("alice").await, forge.site_admin("root").await);
        let root = forge.client_of(&root, None).await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agents/{}/suspension", agent.login);
        let _ = root.put(&path, &json!({ "reason": "abuse" })).await.expect(204);
        let _ = alice.put(&path, &json!({ "reason": "mine now" })).await.expect(204);
        let _ = alice.delete(&path).await.expect(403);
        assert_eq!(reads(&agent.client, &agent).await, 401);
        let _ = root.delete(&path).await.expect(204);
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn nobody_else_suspends_an_agent(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let (agent, other) = (forge.registered_agent("bot").await, forge.registered_agent("other").await);
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agents/{}/suspension", agent.login);
        let _ = bob.put(&path, &json!({})).await.expect(404);
        let _ = other.client.put(&path, &json!({})).await.expect(404);
        let _ = agent.client.put(&path, &json!({})).await.expect(403);
        let _ = forge.client().put(&path, &json!({})).await.expect(404);
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn a_suspended_agent_cannot_be_bound(forge: TestForge) {
        let (alice, root) = (forge.human_client("alice").await, forge.site_admin("root").await);
        let root = forge.client_of(&root, None).await;
        let agent = forge.registered_agent("bot").await;
        let made = invite(&alice, &json!({})).await;
        let path = format!("{EXT}/agents/{}/suspension", agent.login);
        let _ = root.put(&path, &json!({})).await.expect(204);
        assert_eq!(answer(&agent.client, &made).await, 401);
        let _ = root.delete(&path).await.expect(204);
        assert_eq!(answer(&agent.client, &made).await, 201);
    }
}
