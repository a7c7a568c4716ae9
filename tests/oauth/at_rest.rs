//! What the database holds of secrets: nothing that opens anything.

use forge_auth::token::Secret;
use forge_service::admin;
use forge_testing::database::OnDatabase as _;
use forge_testing::{Database, TestForge};
use serde_json::json;

use crate::support::{
    Device, REDIRECT, VERIFIER, code, csrf, decide, exchange, opens, register, signed_in, text,
};

/// Whoever steals the database can neither act as anybody nor finish what somebody has begun.
#[tokio::test]
async fn df8_no_token_or_code_is_in_the_database() {
    let forge = TestForge::on(Database::Sqlite).await;
    let mut browser = signed_in(&forge, "alice").await;
    let (client, secret) = register(&forge, "App", false, REDIRECT).await;
    assert!(secret.is_none());
    let device = Device::begin(&forge, "repo").await;
    decide(&mut browser, &device.user_code, "approve").await.expect(200);
    let token = text(&device.poll(&forge).await, "access_token");
    let unused = code(&mut browser, &client.client_id, REDIRECT).await;
    let used = code(&mut browser, &client.client_id, REDIRECT).await;
    let pair = exchange(&forge, &client.client_id, &used, VERIFIER).await.expect(200).json();
    assert!(opens(&forge, &token).await);

    let copy = forge.folder().join("copy.db");
    forge.app().db().copy_sqlite_to(&copy).await.expect("a copy");
    let bytes = std::fs::read(&copy).expect("readable");
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(
        holds("GitHub CLI") && holds(&Secret::new(token.clone()).fingerprint()),
        "the copy has what it should"
    );
    let secrets =
        [token, unused, used, text(&pair, "access_token"), text(&pair, "refresh_token"), device.device_code];
    for secret in secrets.iter().chain([&device.user_code, &device.user_code.replace('-', "")]) {
        assert!(!holds(secret), "{secret}");
    }
    assert!(!holds(crate::support::PASSWORD));
}

/// The same for all that is no token: invites, keys, cookies, links and the secrets of clients and agents.
#[tokio::test]
async fn a81_no_other_secret_is_in_the_database_or_the_log_in_it() {
    let forge = TestForge::on(Database::Sqlite).await;
    let console = admin::console(forge.app());
    let first = admin::prepare(&console).await.expect("prepared").expect("a first start");
    let setup = first.setup_link.expect("no administrator yet").path().replace("/setup/", "");
    let new = admin::NewUser {
        login: "bob".into(),
        email: "b@forge.example".into(),
        is_site_admin: false,
        password: None,
    };
    let link = admin::create_user(&console, &new).await.expect("a user").password_link.expect("a link");
    let mut browser = signed_in(&forge, "alice").await;
    let alice = forge.client_of(&forge.find_account("alice").await, None).await;
    let agent = forge.registered_agent("bot").await;
    let invite = alice.post("/api/ext/v1/agent-invites", &json!({})).await.expect(201).json();
    let body = json!({ "invite_token": invite["invite_token"] });
    agent.client.post("/api/ext/v1/agent-bindings/confirm", &body).await.expect(201);
    let own = format!("/api/ext/v1/agent-bindings/{}", agent.login);
    let session = alice.post(&format!("{own}/switch-session"), &json!({})).await.expect(200).json();
    let reset = json!({ "credential": "bootstrap" });
    let reset = alice.post(&format!("{own}/reset-token"), &reset).await.expect(200).json();
    let (_, secret) = register(&forge, "Server", true, REDIRECT).await;
    let page = browser.visit("/settings/tokens/new").await.expect(200);
    let form = csrf(&page);
    let fields = [("csrf", form.as_str()), ("name", "page"), ("lifetime", "30"), ("scopes", "repo")];
    let created = browser.submit("/settings/tokens", &fields).await.expect(201).text();
    let created =
        created.split("id=\"token\">").nth(1).expect("the value").split('<').next().expect("it").to_owned();
    let cookies = browser.request("GET".parse().expect("a method"), "/").headers()["cookie"].clone();
    let cookie =
        cookies.to_str().expect("text").split_once("forge_session=").expect("a session").1.to_owned();
    let cookie = cookie.split(';').next().expect("a value").to_owned();
    // What is mistyped is not kept either: people type passwords where logins belong.
    crate::support::sign_in(&mut forge.client(), "hunter2 hunter2 hunter2", "wrong horse battery")
        .await
        .expect(422);

    let copy = forge.folder().join("copy.db");
    forge.app().db().copy_sqlite_to(&copy).await.expect("a copy");
    let bytes = std::fs::read(&copy).expect("readable");
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("agent.recovered") && holds(&agent.token.fingerprint()), "the copy has what it should");
    for (what, value) in [
        ("the registration key", first.registration_key.expose().to_owned()),
        ("the set-up link", setup),
        ("the password link", link.path().replace("/password/", "")),
        ("the agent's token", agent.token.expose().to_owned()),
        ("an invite", text(&invite, "invite_token")),
        ("a switch session", text(&session["token"], "token")),
        ("a bootstrap secret", text(&reset["token"], "token")),
        ("a client's secret", secret.expect("a secret").expose().to_owned()),
        ("a token made on a page", created),
        ("a session's cookie", cookie),
        ("a form's token", form),
        ("a wrong login", "hunter2".to_owned()),
        ("a wrong password", "wrong horse battery".to_owned()),
        ("a password", crate::support::PASSWORD.to_owned()),
    ] {
        assert!(value.len() > 6 && !holds(&value), "{what}");
    }
}
