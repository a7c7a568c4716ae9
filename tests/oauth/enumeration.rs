//! Whether answers, or the work behind them, tell which accounts, agents, codes and invites exist.
//!
//! Time cannot be tested without a machine to oneself, so what takes time is counted: passwords that are looked at, which
//! take most of it, and statements. The words are compared byte by byte.

use forge_testing::agents::secret;
use forge_testing::for_each_database;
use forge_testing::{Answer, Client, TestForge};
use forge_types::credential::CredentialKind;
use serde_json::json;

use crate::support::{Device, PASSWORD, call, csrf, decide, person, sign_in, signed_in};

const EXT: &str = "/api/ext/v1";

/// What an answer cost: passwords looked at, and statements.
type Cost = (u64, u64);

fn spent(forge: &TestForge) -> Cost {
    (forge.app().password_work(), forge.statements())
}

async fn cost_of(forge: &TestForge, request: impl Future<Output = Answer>) -> (Answer, Cost) {
    let before = spent(forge);
    let answer = request.await;
    let after = spent(forge);
    (answer, (after.0 - before.0, after.1 - before.1))
}

/// What is seen of an answer: everything but what differs between any two.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let differs = ["x-github-request-id", "x-ratelimit-used", "x-ratelimit-remaining", "etag", "set-cookie"];
    let headers = answer.headers.iter().filter(|(name, _)| !differs.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
    (answer.status.as_u16(), headers.collect(), answer.text())
}

#[track_caller]
fn assert_alike(all: &[(&str, (Answer, Cost))]) {
    let [(first, (answer, cost)), rest @ ..] = all else { panic!("nothing to compare") };
    for (name, (other, other_cost)) in rest {
        assert_eq!(seen(answer), seen(other), "{first} and {name} look different");
        assert_eq!(cost, other_cost, "{first} and {name} cost different work");
    }
}

/// Signs in with a wrong password; what the person typed and the browser's form are not what is compared.
async fn wrong_password(forge: &TestForge, login: &str) -> (Answer, Cost) {
    let mut browser = forge.client();
    let token = csrf(&browser.visit("/login").await);
    let fields = [("csrf", token.as_str()), ("login", login), ("password", "not the password")];
    let (mut answer, cost) = cost_of(forge, browser.submit("/login", &fields)).await;
    answer.headers.remove("content-length");
    answer.body = answer.text().replace(&token, "FORM").replace(&format!("\"{login}\""), "LOGIN").into();
    (answer, cost)
}

async fn post(forge: &TestForge, client: &Client, path: &str) -> (Answer, Cost) {
    cost_of(forge, client.post(path, &json!({}))).await
}

for_each_database! {
    async fn a79_signing_in_costs_the_same_whether_or_not_the_login_exists(forge: TestForge) {
        person(&forge, "alice").await;
        let suspended = person(&forge, "suspended").await;
        forge.suspend(&suspended).await;
        forge.human("passwordless").await;
        forge.agent("robot").await;
        let mut all = Vec::new();
        for login in ["alice", "nobody", "suspended", "passwordless", "robot"] {
            all.push((login, wrong_password(&forge, login).await));
        }
        assert_alike(&all);
        assert_eq!(all[0].1.1.0, 1, "each takes one look at a password");
        let before = spent(&forge).0;
        sign_in(&mut forge.client(), "alice", PASSWORD).await.expect(303);
        assert_eq!(spent(&forge).0 - before, 1, "and so does the right one");
        // Whoever knows the password of a suspended account learns no more than anybody.
        let refused = sign_in(&mut forge.client(), "suspended", PASSWORD).await.expect(422);
        assert!(refused.text().contains("ogin or password is wrong"), "{}", refused.text());
    }

    async fn a79_passwords_too_long_to_be_one_are_not_looked_at_for_anyone(forge: TestForge) {
        person(&forge, "alice").await;
        let before = spent(&forge).0;
        for login in ["alice", "nobody"] {
            sign_in(&mut forge.client(), login, &"x".repeat(1025)).await.expect(422);
        }
        assert_eq!(spent(&forge).0, before);
        sign_in(&mut forge.client(), "alice", PASSWORD).await.expect(303);
    }

    async fn a79_agents_of_others_and_logins_that_are_none_look_the_same(forge: TestForge) {
        let (alice, mallory) = (forge.human_client("alice").await, forge.human_client("mallory").await);
        forge.human("somebody").await;
        let agent = forge.registered_agent("bot").await;
        let lonely = forge.registered_agent("lonely").await;
        forge.bind(&alice, &agent, &json!({})).await;
        for action in ["reset-token", "switch-session", "refresh-session"] {
            let mut all = Vec::new();
            for login in [agent.login.as_str(), &lonely.login, "somebody", "nobody"] {
                all.push((login, post(&forge, &mallory, &format!("{EXT}/agent-bindings/{login}/{action}")).await));
            }
            // A refused change is recorded, and only there is something to record where there is an agent.
            for (login, (answer, _)) in &all {
                assert_eq!(seen(answer), seen(&all[0].1.0), "{login}");
            }
            assert_eq!(all[0].1.0.status, 404);
        }
        alice.post(&format!("{EXT}/agent-bindings/{}/reset-token", agent.login), &json!({})).await.expect(200);
    }

    async fn a79_a_device_code_that_is_wrong_over_or_decided_is_said_to_be_wrong(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let decided = Device::begin(&forge, "repo").await;
        decide(&mut browser, &decided.user_code, "decline").await.expect(200);
        let over = Device::begin(&forge, "repo").await;
        forge.advance(std::time::Duration::from_secs(900));
        let client = forge.client_of(&forge.find_account("alice").await, None).await;
        let mut all = Vec::new();
        for (name, code) in [("over", over.user_code.as_str()), ("decided", &decided.user_code), ("unknown", "BCDF-GHJK")] {
            let body = json!({ "user_code": code });
            let request = client.post("/api/ext/v1/oauth/device/approve", &body);
            all.push((name, cost_of(&forge, request).await));
        }
        assert_eq!(all[0].1.0.status, 422);
        assert_alike(&all);
        let live = Device::begin(&forge, "repo").await;
        client.post("/api/ext/v1/oauth/device/approve", &json!({ "user_code": live.user_code })).await.expect(200);
    }

    async fn a79_an_invite_that_is_unknown_over_withdrawn_or_anothers_looks_the_same(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (agent, other) = (forge.registered_agent("bot").await, forge.registered_agent("other").await);
        let invite = async |body: serde_json::Value| {
            alice.post(&format!("{EXT}/agent-invites"), &body).await.expect(201).json()
        };
        let over = invite(json!({ "expires_at": "2026-01-01T01:00:00Z" })).await;
        let withdrawn = invite(json!({})).await;
        let path = format!("{EXT}/agent-invites/{}", withdrawn["id"].as_str().expect("an id"));
        alice.delete(&path).await.expect(204);
        let anothers = invite(json!({ "agent_login": other.login })).await;
        forge.advance(std::time::Duration::from_secs(3600));
        let unknown = invite(json!({})).await["invite_token"].as_str().expect("a secret").to_owned();
        let mut altered = unknown.clone();
        altered.replace_range(6..7, if &unknown[6..7] == "a" { "b" } else { "a" });
        let mut all = Vec::new();
        for (name, token) in [
            ("over", over["invite_token"].clone()), ("withdrawn", withdrawn["invite_token"].clone()),
            ("another's", anothers["invite_token"].clone()), ("malformed", json!(altered)),
        ] {
            let body = json!({ "invite_token": token });
            let path = format!("{EXT}/agent-bindings/confirm");
            let request = agent.client.post(&path, &body);
            all.push((name, cost_of(&forge, request).await));
        }
        let malformed = all.pop().expect("the last");
        assert_alike(&all);
        assert_eq!(seen(&malformed.1.0), seen(&all[0].1.0), "what cannot be an invite is only cheaper");
        assert_eq!(all[0].1.0.status, 422);
        let body = json!({ "invite_token": anothers["invite_token"] });
        other.client.post(&format!("{EXT}/agent-bindings/confirm"), &body).await.expect(201);
    }

    async fn a79_the_token_endpoint_tells_no_agents_and_no_clients(forge: TestForge) {
        let robot = forge.agent("robot").await;
        forge.human("alice").await;
        let bootstrap = forge.token(&robot, CredentialKind::Bootstrap, None).await;
        let stale = forge.token(&robot, CredentialKind::Bootstrap, None).await;
        call(&forge.client(), "/login/oauth/revoke", &[("token", stale.expose())]).await.expect(200);
        let mut all = Vec::new();
        let caller = forge.client();
        for login in ["robot", "alice", "nobody"] {
            let fields = [("grant_type", "client_credentials"), ("client_id", login), ("client_secret", stale.expose())];
            all.push((login, cost_of(&forge, call(&caller, "/login/oauth/access_token", &fields)).await));
        }
        assert_alike(&all);
        let (client, _) = crate::support::register(&forge, "Server", true, crate::support::REDIRECT).await;
        let mut all = Vec::new();
        for id in [client.client_id.as_str(), "nobody"] {
            let fields = [("client_id", id), ("client_secret", "wrong"), ("token", "x")];
            all.push((id, cost_of(&forge, call(&caller, "/login/oauth/introspect", &fields)).await));
        }
        assert_alike(&all);
        let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", bootstrap.expose())];
        call(&caller, "/login/oauth/access_token", &fields).await.expect(200);
    }

    /// A token that is unknown, over, revoked, or whose account is suspended: one answer, at one price.
    async fn a79_a_token_that_is_no_good_does_not_say_why(forge: TestForge) {
        let (alice, mallory) = (forge.human("alice").await, forge.human("mallory").await);
        let live = forge.client_of(&alice, None).await;
        let body = json!({ "name": "short", "expires_at": "2026-01-01T01:00:00Z" });
        let over = secret(&live.post(&format!("{EXT}/user/tokens"), &body).await.expect(201).json()["token"]);
        let revoked = forge.token(&alice, CredentialKind::Personal, None).await;
        call(&forge.client(), "/login/oauth/revoke", &[("token", revoked.expose())]).await.expect(200);
        let suspended = forge.token(&mallory, CredentialKind::Personal, None).await;
        forge.suspend(&mallory).await;
        let unknown = forge_auth::token::mint(forge.app().token_prefix(), CredentialKind::Personal, |bytes| bytes.fill(7));
        forge.advance(std::time::Duration::from_secs(3600));
        let mut all = Vec::new();
        for (name, token) in [("over", over), ("revoked", revoked), ("suspended", suspended), ("unknown", unknown)] {
            let client = forge.client().with_token(&token);
            all.push((name, cost_of(&forge, client.get("/api/v3/user")).await));
        }
        assert_alike(&all);
        assert_eq!(all[0].1.0.status, 401);
        live.get("/api/v3/user").await.expect(200);
    }
}
