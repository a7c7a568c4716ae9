//! The agent's consent: who can give it, how often, and who wins when two try at once.

use forge_testing::agents::secret;
use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use forge_types::repository::Visibility;
use serde_json::json;

use crate::{EXT, answer, invite, reads};

for_each_database! {
    async fn an_agent_that_confirms_is_bound_and_has_what_the_invite_carries(forge: TestForge) {
        let alice = forge.human("alice").await;
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        let client = forge.client_of(&alice, Some("repo")).await;
        let grants = json!([{ "repo_full_name": "alice/tools", "permission": "push" }]);
        let made = invite(&client, &json!({ "repo_grants": grants })).await;
        assert_eq!(reads(&client, &agent).await, 404);
        let body = json!({ "invite_token": made["invite_token"] });
        let view = agent.client.post("/api/v3/agent-bindings/confirm", &body).await.expect(201).json();
        assert_eq!(view["human_user_id"], json!(alice.id));
        assert_eq!(view["human_login"], "alice");
        assert_eq!(view["agent_login"], agent.login);
        assert_eq!(view["bound_at"], "2026-01-01T00:00:00Z");
        assert_eq!(forge.permission(&tools, &agent.login).await, Some(Permission::Write));
        let listed = client.get("/api/v3/user/agents").await.expect(200).json();
        assert_eq!(listed[0]["agent"]["login"], agent.login);
        assert_eq!(listed[0]["agent"]["owner"]["login"], "alice");
        assert_eq!(listed[0]["token_status"]["state"], "active");
        let repositories = json!([
            { "repo_full_name": "alice/tools", "permission": "write" },
            { "repo_full_name": format!("{}/bot-home", agent.login), "permission": "admin" },
        ]);
        assert_eq!(listed[0]["access_summary"]["repos"], repositories);
    }

    async fn a73_a_human_cannot_confirm(forge: TestForge) {
        let (alice, mallory) = (forge.human_client("alice").await, forge.human_client("mallory").await);
        let agent = forge.registered_agent("bot").await;
        let made = invite(&alice, &json!({})).await;
        assert_eq!(answer(&alice, &made).await, 403);
        assert_eq!(answer(&mallory, &made).await, 403);
        assert_eq!(answer(&mallory, &json!({ "invite_token": "fgev_unknown" })).await, 403);
        assert_eq!(answer(&forge.client(), &made).await, 401);
        assert_eq!(answer(&agent.client, &made).await, 201);
    }

    async fn a73_a_switch_session_cannot_confirm(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("{EXT}/agent-bindings/{}/switch-session", agent.login);
        let session = alice.post(&path, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        assert_eq!(reads(&switched, &agent).await, 200);
        let made = invite(&forge.human_client("bob").await, &json!({})).await;
        assert_eq!(answer(&switched, &made).await, 403);
        let _ = alice.delete(&format!("{EXT}/agent-bindings/{}", agent.login)).await.expect(200);
        assert_eq!(answer(&agent.client, &made).await, 201);
    }

    async fn a73_an_invite_is_good_once_and_an_agent_has_one_human(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let (first, second) = (forge.registered_agent("first").await, forge.registered_agent("second").await);
        let made = invite(&alice, &json!({})).await;
        assert_eq!(answer(&first.client, &made).await, 201);
        assert_eq!(answer(&first.client, &made).await, 409);
        assert_eq!(answer(&second.client, &made).await, 409);
        let of_bob = invite(&bob, &json!({})).await;
        assert_eq!(answer(&first.client, &of_bob).await, 409);
        assert_eq!(answer(&second.client, &of_bob).await, 201);
        for unknown in ["fgev_unknown", "", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(answer(&second.client, &json!({ "invite_token": unknown })).await, 422);
        }
    }

    async fn a73_of_two_agents_that_race_for_one_invite_one_wins(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for round in 0..5 {
            let made = invite(&alice, &json!({})).await;
            let (one, two) = (forge.registered_agent(&format!("one{round}")).await, forge.registered_agent(&format!("two{round}")).await);
            let (first, second) = tokio::join!(answer(&one.client, &made), answer(&two.client, &made));
            let mut statuses = [first, second];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409]);
        }
        let listed = alice.get(&format!("{EXT}/user/agents")).await.expect(200).json();
        assert_eq!(listed.as_array().map(Vec::len), Some(5));
    }

    async fn a73_of_two_humans_that_race_for_one_agent_one_wins(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        for round in 0..5 {
            let agent = forge.registered_agent(&format!("bot{round}")).await;
            let (of_alice, of_bob) = (invite(&alice, &json!({})).await, invite(&bob, &json!({})).await);
            let (first, second) =
                tokio::join!(answer(&agent.client, &of_alice), answer(&agent.client, &of_bob));
            let mut statuses = [first, second];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409]);
            let owners = [reads(&alice, &agent).await, reads(&bob, &agent).await];
            assert_eq!(owners.iter().filter(|status| **status == 200).count(), 1);
        }
    }

    // Whoever steals an invitation cannot use it for an agent of their own when it names the one it is for.
    async fn a72_an_invite_that_names_an_agent_is_good_for_that_one_alone(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (thief, honest) = (forge.registered_agent("thief").await, forge.registered_agent("honest").await);
        let made = invite(&alice, &json!({ "agent_login": honest.login })).await;
        assert_eq!(answer(&thief.client, &made).await, 422);
        assert_eq!(answer(&honest.client, &made).await, 201);
    }

    async fn a_suspended_human_binds_nobody(forge: TestForge) {
        let alice = forge.human("alice").await;
        let agent = forge.registered_agent("bot").await;
        let made = invite(&forge.client_of(&alice, None).await, &json!({})).await;
        forge.suspend(&alice).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        forge.restore(&alice).await;
        assert_eq!(answer(&agent.client, &made).await, 201);
    }
}
