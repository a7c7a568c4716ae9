//! The audit log names the agent as the actor, with the human who acts beside it, and keeps no secret.

use forge_testing::agents::secret;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::{EXT, invite};

async fn events(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("{EXT}/audit-events?per_page=100{query}")).await.expect(200);
    answer.json().as_array().expect("a list").clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().expect("a name")).collect()
}

for_each_database! {
    async fn every_event_an_agent_causes_names_it_as_the_actor(forge: TestForge) {
        let alice = forge.human("alice").await;
        forge.repository(&alice, "tools", Visibility::Private).await;
        let client = forge.client_of(&alice, None).await;
        let agent = forge.registered_agent("bot").await;
        let grants = json!([{ "repo_full_name": "alice/tools", "permission": "write" }]);
        forge.bind(&client, &agent, &json!({ "repo_grants": grants })).await;
        let seen = events(&agent.client, "").await;
        let expected =
            ["agent.registered", "repository.created", "credential.created", "collaborator.set", "agent.bound"];
        assert_eq!(names(&seen), expected);
        for event in &seen {
            assert_eq!(event["actor"]["login"], agent.login);
            assert_eq!(event["actor"]["user_kind"], "agent");
            assert_eq!(event["acting"], Value::Null);
        }
    }

    async fn what_happens_in_a_switch_session_names_the_agent_and_the_human(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let own = format!("{EXT}/agent-bindings/{}", agent.login);
        let session = alice.post(&format!("{own}/switch-session"), &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let _ = switched.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(403);
        let _ = switched.post(&format!("{own}/refresh-session"), &json!({})).await.expect(200);
        let seen = events(&alice, "&action=agent.switch_renewed").await;
        assert_eq!(seen.len(), 1);
        assert_eq!((&seen[0]["actor"]["login"], &seen[0]["acting"]["login"]), (&json!(agent.login), &json!("alice")));
        assert_eq!(seen[0]["credential"]["kind"], "switch");
        let refused = events(&alice, "&decision=deny").await;
        assert_eq!(names(&refused), ["agent.invite"]);
        assert_eq!((&refused[0]["actor"]["login"], &refused[0]["acting"]["login"]), (&json!(agent.login), &json!("alice")));
    }

    async fn each_sees_only_what_they_and_their_agents_did(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let root = forge.site_admin("root").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        assert_eq!(names(&events(&bob, "").await), Vec::<&str>::new());
        assert!(names(&events(&alice, "").await).contains(&"agent.bound"));
        assert!(names(&events(&agent.client, "").await).contains(&"agent.bound"));
        assert!(!names(&events(&agent.client, "").await).contains(&"agent_invite.created"));
        assert!(names(&events(&forge.client_of(&root, None).await, "").await).contains(&"agent_invite.created"));
        let narrow = forge.client_of(&root, Some("repo")).await;
        assert_eq!(names(&events(&narrow, "").await), Vec::<&str>::new());
        let path = format!("{EXT}/audit-events");
        let _ = forge.client().get(&path).await.expect(401);
        let _ = bob.get(&format!("{path}?agent={}", agent.login)).await.expect(404);
        let _ = bob.get(&format!("{path}?repository={}/bot-home", agent.login)).await.expect(404);
    }

    async fn events_are_filtered_and_read_on_from_where_one_stopped(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let (one, two) = (forge.registered_agent("one").await, forge.registered_agent("two").await);
        for agent in [&one, &two] {
            forge.bind(&client, agent, &json!({})).await;
        }
        let of_one = events(&client, &format!("&agent={}", one.login)).await;
        assert!(of_one.iter().all(|event| event["actor"]["login"] == one.login));
        let by_name = events(&one.client, &format!("&repository={}/one-home", one.login)).await;
        assert_eq!(names(&by_name), ["repository.created"]);
        let by_id = events(&client, &format!("&repository={}", by_name[0]["repository_id"])).await;
        assert_eq!(by_id, by_name);
        assert_eq!(names(&events(&client, "&action=agent.bound").await), ["agent.bound", "agent.bound"]);
        let first = client.get(&format!("{EXT}/audit-events?per_page=1&action=agent.bound")).await.expect(200);
        let next = first.header("link").expect("more").split(['<', '>']).nth(1).expect("an address").to_owned();
        let next = next.strip_prefix("https://forge.example").expect("our origin");
        let second = client.get(next).await.expect(200);
        assert_eq!(second.json()[0]["actor"]["login"], two.login);
        assert_eq!(second.header("link"), None);
        assert_eq!(events(&client, "&task=task-1").await, Vec::<Value>::new());
        let _ = client.get(&format!("{EXT}/audit-events?after=x")).await.expect(422);
    }

    async fn no_secret_reaches_the_audit_log(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let root = forge.site_admin("root").await;
        let root = forge.client_of(&root, None).await;
        let agent = forge.registered_agent("bot").await;
        let made = invite(&alice, &json!({})).await;
        let body = json!({ "invite_token": made["invite_token"] });
        let _ = agent.client.post(&format!("{EXT}/agent-bindings/confirm"), &body).await.expect(201);
        let log = root.get(&format!("{EXT}/audit-events?per_page=100")).await.expect(200).text();
        let key = forge.registration_key().await;
        for value in [agent.token.expose(), key.expose(), made["invite_token"].as_str().expect("a secret")] {
            assert!(!log.contains(value));
        }
        assert!(log.contains(&agent.token.fingerprint()));
    }

    async fn a74_a_refused_binding_is_kept_as_a_refusal_of_the_agent(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        forge.collaborator(&tools, &bob, Some(forge_types::Permission::Admin)).await;
        let agent = forge.registered_agent("bot").await;
        let grants = json!([{ "repo_full_name": "alice/tools", "permission": "write" }]);
        let made = invite(&forge.client_of(&bob, None).await, &json!({ "repo_grants": grants })).await;
        forge.collaborator(&tools, &bob, Some(forge_types::Permission::Read)).await;
        assert_eq!(crate::answer(&agent.client, &made).await, 403);
        let refused = events(&agent.client, "&decision=deny").await;
        assert_eq!(names(&refused), ["collaborator.manage"]);
    }
}
