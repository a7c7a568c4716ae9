//! Switch sessions: short, renewable for four hours, revocable alone, and never a way to lasting rights.

use std::time::Duration;

use forge_testing::agents::secret;
use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

use crate::{EXT, answer, invite, reads};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";
const OTHER_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJNzKsU0b0lTNcyXnz8q+jR5YS1Wwi3Klrhv8sob2O/Z";

async fn open(human: &Client, login: &str) -> Value {
    human.post(&format!("{EXT}/agent-bindings/{login}/switch-session"), &json!({})).await.expect(200).json()
}

fn client(forge: &TestForge, session: &Value) -> Client {
    forge.client().with_token(&secret(&session["token"]["token"]))
}

for_each_database! {
    async fn a_switch_session_acts_as_the_agent_for_fifteen_minutes(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("/api/v3/agent-bindings/{}/switch-session", agent.login);
        let answer = alice.post(&path, &json!({})).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let session = answer.json();
        assert_eq!(session["agent_login"], agent.login);
        assert_eq!(session["user"]["login"], agent.login);
        assert_eq!(session["token"]["name"], "agent-switch-session");
        assert_eq!(session["token"]["expires_at"], "2026-01-01T00:15:00Z");
        assert_eq!(session["token"]["renewable_until"], "2026-01-01T04:00:00Z");
        let switched = client(&forge, &session);
        forge.advance(Duration::from_secs(15 * 60) - Duration::from_micros(1));
        assert_eq!(reads(&switched, &agent).await, 200);
        forge.advance(Duration::from_micros(1));
        assert_eq!(reads(&switched, &agent).await, 401);
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn a_switch_session_is_renewed_for_four_hours_and_no_longer(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let mut session = open(&alice, &agent.login).await;
        let path = format!("{EXT}/agent-bindings/{}/refresh-session", agent.login);
        for _ in 0..17 {
            forge.advance(Duration::from_secs(14 * 60));
            let old = client(&forge, &session);
            session = old.post(&path, &json!({})).await.expect(200).json();
            let _ = old.post(&path, &json!({})).await.expect(401);
            assert_eq!(reads(&client(&forge, &session), &agent).await, 200);
        }
        assert_eq!(session["token"]["expires_at"], "2026-01-01T04:00:00Z");
        forge.advance(Duration::from_secs(2 * 60));
        let _ = client(&forge, &session).post(&path, &json!({})).await.expect(401);
    }

    async fn only_a_switch_session_renews_itself(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (agent, other) = (forge.registered_agent("bot").await, forge.registered_agent("other").await);
        forge.bind(&alice, &agent, &json!({})).await;
        let path = |login: &str| format!("{EXT}/agent-bindings/{login}/refresh-session");
        let _ = agent.client.post(&path(&agent.login), &json!({})).await.expect(403);
        let _ = alice.post(&path(&agent.login), &json!({})).await.expect(403);
        let switched = client(&forge, &open(&alice, &agent.login).await);
        let _ = switched.post(&path(&other.login), &json!({})).await.expect(404);
        let _ = switched.post(&path(&agent.login), &json!({})).await.expect(200);
    }

    /// Whatever lasts, gives somebody access or says who the agent is. Each door is tried with the agent's own token, or by
    /// the human, too: it is the session that is refused.
    async fn a77_a_switch_session_mints_confirms_approves_and_delegates_nothing(forge: TestForge) {
        let alice = forge.human("alice").await;
        let human = forge.client_of(&alice, None).await;
        forge.human("mallory").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&human, &agent, &json!({})).await;
        let switched = client(&forge, &open(&human, &agent.login).await);
        let own = format!("{EXT}/agent-bindings/{}", agent.login);
        let repository = format!("/api/v3/repos/{}/bot-home", agent.login);
        let key = json!({ "title": "lasting", "key": KEY });
        let keys = agent.client.post("/api/v3/user/keys", &key).await.expect(201).json();
        let signing = agent.client.post("/api/v3/user/ssh_signing_keys", &key).await.expect(201).json();
        let tokens = agent.client.post(&format!("{EXT}/user/tokens"), &json!({ "name": "x" })).await.expect(201).json();
        let _ = agent.client.patch("/api/v3/user", &json!({ "name": "Bot" })).await.expect(200);
        let _ = agent.client.put(&format!("{repository}/collaborators/mallory"), &json!({})).await.expect(204);
        let other = json!({ "title": "other", "key": OTHER_KEY });
        let nothing = json!({});
        for (method, path, body) in [
            ("POST", format!("{EXT}/user/tokens"), json!({ "name": "lasting" })),
            ("DELETE", format!("{EXT}/user/tokens/{}", tokens["id"]), nothing.clone()),
            ("DELETE", format!("{EXT}/user/tokens"), json!({ "token": agent.token.expose() })),
            ("POST", "/api/v3/user/keys".to_owned(), other.clone()),
            ("DELETE", format!("/api/v3/user/keys/{}", keys["id"]), nothing.clone()),
            ("POST", "/api/v3/user/ssh_signing_keys".to_owned(), other),
            ("DELETE", format!("/api/v3/user/ssh_signing_keys/{}", signing["id"]), nothing.clone()),
            ("PATCH", "/api/v3/user".to_owned(), json!({ "email": "mallory@forge.example" })),
            ("PATCH", "/api/v3/user".to_owned(), json!({ "name": "Mallory" })),
            ("PATCH", "/api/v3/user".to_owned(), json!({ "bio": "trust me" })),
            ("PATCH", format!("{EXT}/agents/{}", agent.login), json!({ "name": "x" })),
            ("PATCH", format!("{EXT}/agents/{}", agent.login), json!({ "standing_access": "full" })),
            ("PATCH", own.clone(), json!({ "name": "x" })),
            ("DELETE", own.clone(), nothing.clone()),
            ("POST", format!("{own}/reset-token"), nothing.clone()),
            ("POST", format!("{own}/switch-session"), nothing.clone()),
            ("PUT", format!("{EXT}/agents/{}/suspension", agent.login), nothing.clone()),
            ("DELETE", format!("{EXT}/agents/{}/suspension", agent.login), nothing.clone()),
            ("POST", format!("{EXT}/agent-invites"), nothing.clone()),
            ("POST", format!("{EXT}/oauth/device/approve"), json!({ "user_code": "BCDF-GHJK" })),
            ("POST", format!("{EXT}/user/orgs"), json!({ "login": "acme" })),
            ("POST", format!("{EXT}/admin/agents"), json!({ "login": "other" })),
            ("PUT", format!("{repository}/collaborators/mallory"), json!({ "permission": "admin" })),
            ("DELETE", format!("{repository}/collaborators/mallory"), nothing.clone()),
            ("POST", format!("{repository}/transfer"), json!({ "new_owner": "alice" })),
        ] {
            let answer = switched.send_json(method.parse().expect("a method"), &path, &body).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
        }
        assert_eq!(answer(&switched, &invite(&human, &json!({})).await).await, 403);
        let profile = agent.client.get("/api/v3/user").await.expect(200).json();
        assert_eq!((&profile["name"], &profile["email"]), (&json!("Bot"), &json!(null)));
        // What the agent may do, the session may: that is what it is for.
        assert_eq!(reads(&switched, &agent).await, 200);
        let _ = switched.post(&format!("{repository}/labels"), &json!({ "name": "mine", "color": "ffffff" })).await.expect(201);
        let _ = switched.post("/api/v3/user/repos", &json!({ "name": "another" })).await.expect(201);
    }

    /// The session rests on the token it was opened with: it ends when that is revoked, and renewing it does not lead past
    /// the token's own end.
    async fn a_switch_session_does_not_outlive_the_token_that_opened_it(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let tokens = format!("{EXT}/user/tokens");
        let renew = format!("{EXT}/agent-bindings/{}/refresh-session", agent.login);
        let short = json!({ "name": "short", "expires_at": "2026-01-01T00:10:00Z" });
        let short = alice.post(&tokens, &short).await.expect(201).json();
        let session = open(&forge.client().with_token(&secret(&short["token"])), &agent.login).await;
        assert_eq!(session["token"]["expires_at"], "2026-01-01T00:10:00Z");
        let renewed = client(&forge, &session).post(&renew, &json!({})).await.expect(200).json();
        assert_eq!(renewed["token"]["expires_at"], "2026-01-01T00:10:00Z", "renewing leads no further");
        let long = alice.post(&tokens, &json!({ "name": "long" })).await.expect(201).json();
        let session = open(&forge.client().with_token(&secret(&long["token"])), &agent.login).await;
        let renewed = client(&forge, &session).post(&renew, &json!({})).await.expect(200).json();
        let other = client(&forge, &open(&alice, &agent.login).await);
        assert_eq!(reads(&client(&forge, &renewed), &agent).await, 200);
        let _ = alice.delete(&format!("{tokens}/{}", long["id"])).await.expect(204);
        assert_eq!(reads(&client(&forge, &renewed), &agent).await, 401);
        assert_eq!(reads(&other, &agent).await, 200, "one that was opened with another token goes on");
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn a77_a_switch_session_creates_no_token(forge: TestForge) {
        use forge_service::credentials::{TokenRequest, create};
        use forge_service::{RequestInfo, Surface, authenticate};
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let session = open(&alice, &agent.login).await;
        let request = TokenRequest { name: "lasting".to_owned(), ..TokenRequest::default() };
        for (token, may) in [(secret(&session["token"]["token"]), false), (agent.token.clone(), true)] {
            let info = RequestInfo {
                id: forge.app().new_request_id(),
                surface: Surface::Rest,
                ip: None,
                user_agent: None,
            certificate: None,
            };
            let ctx = authenticate::with_token(forge.app(), &token, info).await.expect("a live token");
            let mut tries = ctx.tries();
            let made = loop {
                let made = create(&ctx, &request).await;
                if !tries.again().await {
                    break made;
                }
            };
            assert_eq!(made.is_ok(), may);
        }
    }

    async fn a_switch_session_is_limited_to_what_the_calling_token_is_limited_to(forge: TestForge) {
        let alice = forge.human("alice").await;
        let agent = forge.registered_agent("bot").await;
        let client_of_alice = forge.client_of(&alice, Some("repo")).await;
        forge.bind(&client_of_alice, &agent, &json!({})).await;
        let switched = client(&forge, &open(&client_of_alice, &agent.login).await);
        let seen = switched.get(&format!("{EXT}/agents/{}", agent.login)).await.expect(200);
        assert_eq!(seen.header("x-oauth-scopes"), Some("repo"));
    }

    async fn a_switch_session_is_ended_alone(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let (one, two) = (open(&alice, &agent.login).await, open(&alice, &agent.login).await);
        let path = format!("{EXT}/agent-bindings/{}/switch-session", agent.login);
        let listed = alice.get(&path).await.expect(200);
        assert_eq!(listed.json().as_array().map(Vec::len), Some(2));
        assert!(!listed.text().contains(one["token"]["token"].as_str().expect("a value")));
        let _ = bob.delete(&path).await.expect(404);
        let _ = agent.client.delete(&path).await.expect(403);
        let view = alice.delete(&format!("{path}/{}", one["token"]["id"])).await.expect(200).json();
        assert_eq!(view["revoked_switch_sessions"], 1);
        assert_eq!(reads(&client(&forge, &one), &agent).await, 401);
        let second = client(&forge, &two);
        assert_eq!(reads(&second, &agent).await, 200);
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let _ = second.delete(&path).await.expect(200);
        assert_eq!(reads(&second, &agent).await, 401);
    }
}
