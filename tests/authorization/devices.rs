//! The device grant, refresh tokens, and what the token endpoints tell strangers.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::{Answer, Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use http::header::ACCEPT;
use serde_json::{Value, json};

/// The client id that gh has built in.
const GH: &str = "178c6fc778ccc68e1d6a";
const TOKENS: &str = "/api/ext/v1/user/tokens";
const APPROVE: &str = "/api/ext/v1/oauth/device/approve";
const TOKEN_ENDPOINT: &str = "/login/oauth/access_token";

/// Asks for a device code as gh does and returns the answer.
pub(crate) async fn begin(client: &Client) -> Value {
    begin_with(client, "repo read:org gist").await
}

async fn begin_with(client: &Client, scope: &str) -> Value {
    let mut client = client.clone().with_header(ACCEPT, "application/json");
    let form = [("client_id", GH), ("scope", scope)];
    client.submit("/login/device/code", &form).await.expect(200).json()
}

/// Asks whether a person has decided.
async fn poll(client: &Client, device: &Value) -> Value {
    let code = device["device_code"].as_str().expect("a device code");
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    token(client, &[("client_id", GH), ("device_code", code), ("grant_type", grant)]).await.json()
}

async fn token(client: &Client, form: &[(&str, &str)]) -> Answer {
    client.clone().with_header(ACCEPT, "application/json").submit(TOKEN_ENDPOINT, form).await
}

async fn refresh(client: &Client, value: &str) -> Value {
    token(client, &[("client_id", GH), ("grant_type", "refresh_token"), ("refresh_token", value)])
        .await
        .json()
}

async fn approve(client: &Client, user_code: &str) -> Answer {
    client.post(APPROVE, &json!({ "user_code": user_code })).await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

/// Returns an access token and a refresh token that a person approved.
async fn approved_pair(forge: &TestForge, person: &Client) -> (String, String) {
    let device = begin_with(&forge.client(), "repo read:org offline_access").await;
    approve(person, text(&device, "user_code")).await.expect(200);
    let answer = poll(&forge.client(), &device).await;
    (text(&answer, "access_token").to_owned(), text(&answer, "refresh_token").to_owned())
}

async fn opens(forge: &TestForge, token: &str) -> bool {
    forge.client().with_token(&Secret::new(token.to_owned())).get(TOKENS).await.status == 200
}

for_each_database! {
    async fn guessing_user_codes_is_stopped_after_five_and_an_honest_person_is_not(forge: TestForge) {
        let (mallory, alice) = (forge.human_client("mallory").await, forge.human_client("alice").await);
        let alice = alice.at([198, 51, 100, 4].into());
        let device = begin(&forge.client()).await;
        for attempt in 0..5 {
            approve(&mallory, &format!("BCDF-GHJ{}", ["K", "L", "M", "N", "P"][attempt])).await.expect(422);
        }
        let locked = approve(&mallory, text(&device, "user_code")).await;
        assert_eq!(locked.status, 429, "even the right code is not tried any more: {}", locked.text());
        assert_eq!(poll(&forge.client(), &device).await["error"], "authorization_pending");
        let typed = text(&device, "user_code").to_lowercase().replace('-', " ");
        approve(&alice, &typed).await.expect(200);
        let answer = poll(&forge.client(), &device).await;
        assert!(opens(&forge, text(&answer, "access_token")).await);
        assert_eq!(poll(&forge.client(), &device).await["error"], "invalid_grant", "it is given once");
    }

    async fn guessing_device_codes_gives_nothing(forge: TestForge) {
        let device = begin(&forge.client()).await;
        let mut guessed = device.clone();
        guessed["device_code"] = json!("A".repeat(43));
        assert_ne!(poll(&forge.client(), &guessed).await["error"], "authorization_pending");
        assert_eq!(poll(&forge.client(), &device).await["error"], "authorization_pending");
    }

    async fn an_agent_cannot_approve_a_device_and_a_human_can(forge: TestForge) {
        let agent = forge.agent("builder").await;
        let agent = forge.client_of(&agent, None).await;
        let device = begin(&forge.client()).await;
        approve(&agent, text(&device, "user_code")).await.expect(403);
        assert_eq!(poll(&forge.client(), &device).await["error"], "authorization_pending");
        let alice = forge.human_client("alice").await;
        approve(&alice, text(&device, "user_code")).await.expect(200);
        assert!(poll(&forge.client(), &device).await["access_token"].is_string());
    }

    async fn a_device_code_is_over_after_a_quarter_of_an_hour(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let device = begin(&forge.client()).await;
        forge.advance(Duration::from_secs(900));
        approve(&alice, text(&device, "user_code")).await.expect(422);
        assert_eq!(poll(&forge.client(), &device).await["error"], "expired_token");
    }

    async fn asking_too_often_slows_the_device_down(forge: TestForge) {
        let device = begin(&forge.client()).await;
        assert_eq!(device["interval"], 5);
        assert_eq!(poll(&forge.client(), &device).await["error"], "authorization_pending");
        assert_eq!(poll(&forge.client(), &device).await["error"], "slow_down");
        forge.advance(Duration::from_secs(10));
        assert_eq!(poll(&forge.client(), &device).await["error"], "authorization_pending");
    }

    async fn a_refresh_token_that_is_used_twice_ends_its_family(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (_, first) = approved_pair(&forge, &alice).await;
        let renewed = refresh(&forge.client(), &first).await;
        assert!(opens(&forge, text(&renewed, "access_token")).await);
        assert_eq!(refresh(&forge.client(), &first).await["error"], "invalid_grant");
        assert!(!opens(&forge, text(&renewed, "access_token")).await, "nobody can tell who the thief was");
        assert_eq!(refresh(&forge.client(), text(&renewed, "refresh_token")).await["error"], "invalid_grant");
    }

    async fn two_uses_of_a_refresh_token_at_once_do_not_both_succeed(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (_, first) = approved_pair(&forge, &alice).await;
        let client = forge.client();
        let answers: [Value; 2] = tokio::join!(refresh(&client, &first), refresh(&client, &first)).into();
        let given: Vec<&str> = answers.iter().filter_map(|answer| answer["access_token"].as_str()).collect();
        assert!(given.len() <= 1, "{answers:?}");
        for token in given {
            assert!(!opens(&forge, token).await, "the family ended");
        }
    }

    async fn introspection_tells_strangers_nothing(forge: TestForge) {
        let (alice, bob) = (forge.human_client("alice").await, forge.human_client("bob").await);
        let (access, _) = approved_pair(&forge, &alice).await;
        let form = [("token", access.as_str())];
        let endpoint = "/login/oauth/introspect";
        assert!(forge.client().submit(endpoint, &form).await.status.is_client_error());
        let public = [("token", access.as_str()), ("client_id", GH)];
        let public = forge.client().with_header(ACCEPT, "application/json").submit(endpoint, &public).await.json();
        assert_eq!((&public["error"], &public["active"]), (&json!("invalid_client"), &Value::Null), "{public}");
        let other = bob.clone().submit(endpoint, &form).await.expect(200);
        assert_eq!(other.json(), json!({ "active": false }));
        let unknown = bob.clone().submit(endpoint, &[("token", "fgep_unknown")]).await.expect(200);
        assert_eq!(unknown.json(), json!({ "active": false }));
        let own = alice.clone().submit(endpoint, &form).await.expect(200);
        assert_eq!((&own.json()["active"], &own.json()["username"]), (&json!(true), &json!("alice")));
    }

    async fn revocation_tells_strangers_nothing_and_ends_what_its_holder_names(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let revoke = async |value: &str| {
            forge.client().submit("/login/oauth/revoke", &[("token", value)]).await
        };
        let unknown = revoke("fgep_unknown").await;
        let known = revoke(token.expose()).await;
        assert_eq!((unknown.status, &unknown.body), (known.status, &known.body));
        assert_eq!(known.status, 200);
        assert!(!opens(&forge, token.expose()).await);
    }
}
