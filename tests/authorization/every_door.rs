//! Every door that a credential opens, tried with credentials that are no good: REST, our own API, GraphQL, Git both ways,
//! and the question who one is.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::{Answer, Client, TestForge, for_each_database};
use forge_types::account::{Account, AccountStatus};
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use http::header::AUTHORIZATION;
use serde_json::json;

const TOKENS: &str = "/api/ext/v1/user/tokens";

/// Returns what a client is answered at each door. The account owns the private repository `private`.
async fn knock(client: &Client, login: &str) -> Vec<(&'static str, Answer)> {
    let git = |service: &str| format!("/{login}/private.git/info/refs?service={service}");
    vec![
        ("REST", client.get("/api/v3/user").await),
        ("REST, private", client.get(&format!("/api/v3/repos/{login}/private")).await),
        ("our API", client.get(TOKENS).await),
        ("GraphQL", client.graphql("{ viewer { login } }", json!(null)).await),
        ("fetch", client.get(&git("git-upload-pack")).await),
        ("push", client.get(&git("git-receive-pack")).await),
    ]
}

async fn assert_open(client: &Client, login: &str) {
    for (door, answer) in knock(client, login).await {
        assert_eq!(answer.status, 200, "{door}: {}", answer.text());
    }
}

async fn assert_shut(client: &Client, login: &str, why: &str) {
    for (door, answer) in knock(client, login).await {
        assert_eq!(answer.status, 401, "{why}, {door}: {}", answer.text());
    }
}

async fn owner(forge: &TestForge, login: &str) -> Account {
    let account = forge.agent(login).await;
    forge.repository(&account, "private", Visibility::Private).await;
    account
}

async fn set_status(forge: &TestForge, account: &Account, status: AccountStatus) {
    let mut tx = forge.app().db().begin().await.expect("a transaction");
    let (id, now) = (account.id, forge.now());
    forge_store::accounts::update_status(&mut tx, id, status, None, now).await.expect("a changed status");
    tx.commit().await.expect("a commit");
}

for_each_database! {
    async fn a2_a_token_that_is_over_opens_no_door(forge: TestForge) {
        let builder = owner(&forge, "builder").await;
        let own = forge.client_of(&builder, None).await;
        let end = forge.now().plus(Duration::from_secs(60)).to_string();
        let made = own.post(TOKENS, &json!({ "name": "short", "expires_at": end })).await.expect(201).json();
        let short = forge.client().with_token(&Secret::new(made["token"].as_str().unwrap().to_owned()));
        forge.advance(Duration::from_secs(59));
        assert_open(&short, "builder").await;
        forge.advance(Duration::from_secs(1));
        assert_shut(&short, "builder", "over by nothing").await;
        forge.advance(Duration::from_secs(1));
        assert_shut(&short, "builder", "over by a second").await;
        assert_open(&own, "builder").await;
    }

    async fn a4_a5_what_is_no_access_token_opens_no_door(forge: TestForge) {
        let builder = owner(&forge, "builder").await;
        for kind in [CredentialKind::Bootstrap, CredentialKind::Refresh] {
            let client = forge.client().with_token(&forge.token(&builder, kind, None).await);
            assert_shut(&client, "builder", kind.as_str()).await;
        }
        let device = crate::devices::begin(&forge.client()).await;
        let human = forge.human_client("alice").await;
        let invite = human.post("/api/ext/v1/agent-invites", &json!({})).await.expect(201).json();
        let key = forge.registration_key().await;
        for (why, value) in [
            ("device code", device["device_code"].as_str().unwrap()),
            ("user code", device["user_code"].as_str().unwrap()),
            ("invite", invite["invite_token"].as_str().unwrap()),
            ("registration key", key.expose()),
            ("session cookie", &"s".repeat(43)),
        ] {
            let bearer = forge.client().with_token(&Secret::new(value.to_owned()));
            assert_shut(&bearer, "builder", why).await;
            let basic = format!("Basic {}", data_encoding::BASE64.encode(format!("builder:{value}").as_bytes()));
            assert_shut(&forge.client().with_header(AUTHORIZATION, &basic), "builder", why).await;
        }
        for kind in [CredentialKind::Personal, CredentialKind::Session, CredentialKind::OAuth] {
            assert_open(&forge.client().with_token(&forge.token(&builder, kind, None).await), "builder").await;
        }
    }

    async fn a7_a8_a_token_elsewhere_or_twice_opens_no_door(forge: TestForge) {
        let builder = owner(&forge, "builder").await;
        let token = forge.token(&builder, CredentialKind::Personal, None).await;
        let value = token.expose();
        let client = forge.client();
        for path in [
            format!("/api/v3/user?access_token={value}"), format!("{TOKENS}?token={value}"),
            format!("/builder/private.git/info/refs?service=git-upload-pack&access_token={value}"),
        ] {
            assert_eq!(client.get(&path).await.status, 401, "{path}");
        }
        let good = forge.client().with_token(&token);
        for second in [format!("Bearer {value}"), "Basic YTpi".to_owned(), format!("token {value}"), "Negotiate x".to_owned()] {
            for path in ["/api/v3/user", TOKENS, "/builder/private.git/info/refs?service=git-upload-pack"] {
                let mut request = good.request(http::Method::GET, path);
                request.headers_mut().append(AUTHORIZATION, second.parse().unwrap());
                assert_eq!(good.send(request).await.status, 400, "{second} {path}");
            }
            let mut request = good.request(http::Method::POST, "/api/graphql");
            request.headers_mut().append(AUTHORIZATION, second.parse().unwrap());
            *request.body_mut() = r#"{"query":"{viewer{login}}"}"#.into();
            assert_eq!(good.send(request).await.status, 400, "{second} GraphQL");
        }
        assert_open(&good, "builder").await;
    }

    async fn a10_the_suspended_and_the_deleted_find_no_door_open_whatever_they_hold(forge: TestForge) {
        let builder = owner(&forge, "builder").await;
        let mut held = Vec::new();
        for kind in [CredentialKind::Personal, CredentialKind::Session, CredentialKind::OAuth] {
            held.push(forge.client().with_token(&forge.token(&builder, kind, None).await));
        }
        let bootstrap = forge.token(&builder, CredentialKind::Bootstrap, None).await;
        let exchange = async || {
            let form = [("grant_type", "client_credentials"), ("client_id", "builder"), ("client_secret", bootstrap.expose())];
            forge.client().submit("/login/oauth/access_token", &form).await
        };
        for status in [AccountStatus::Suspended, AccountStatus::Deleted] {
            set_status(&forge, &builder, status).await;
            for client in &held {
                assert_shut(client, "builder", "an account that may not act").await;
            }
            assert_eq!(exchange().await.status, 401);
            set_status(&forge, &builder, AccountStatus::Active).await;
            for client in &held {
                assert_open(client, "builder").await;
            }
            exchange().await.expect(200);
        }
    }

    /// The human behind a switch session is gone, suspended, or no longer the agent's: the session is worth nothing, and the
    /// agent goes on with its own token.
    async fn a10_a_switch_session_needs_its_human(forge: TestForge) {
        let alice = forge.human("alice").await;
        let human = forge.client_of(&alice, None).await;
        let agent = forge.registered_agent("bot").await;
        let account = forge.find_account(&agent.login).await;
        forge.repository(&account, "private", Visibility::Private).await;
        forge.bind(&human, &agent, &json!({})).await;
        let own = format!("/api/ext/v1/agent-bindings/{}", agent.login);
        let session = human.post(&format!("{own}/switch-session"), &json!({})).await.expect(200).json();
        let token = Secret::new(session["token"]["token"].as_str().unwrap().to_owned());
        let switched = forge.client().with_token(&token);
        for status in [AccountStatus::Suspended, AccountStatus::Deleted] {
            assert_open(&switched, &agent.login).await;
            set_status(&forge, &alice, status).await;
            assert_shut(&switched, &agent.login, "the human may not act").await;
            let renewal = switched.post(&format!("{own}/refresh-session"), &json!({})).await;
            assert_eq!(renewal.status, 401);
            assert_open(&agent.client, &agent.login).await;
            set_status(&forge, &alice, AccountStatus::Active).await;
        }
        assert_open(&switched, &agent.login).await;
        human.delete(&own).await.expect(200);
        assert_shut(&switched, &agent.login, "the agent was unbound").await;
        // And it does not come back with another binding to the same human.
        forge.bind(&human, &agent, &json!({})).await;
        assert_shut(&switched, &agent.login, "the agent was unbound once").await;
        assert_open(&agent.client, &agent.login).await;
    }
}
