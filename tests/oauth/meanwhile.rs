//! What is being made while something ends.
//!
//! A request is authenticated, and before it commits somebody revokes, suspends, unbinds or recovers. Whoever ended
//! something may rely on it from the moment they were answered: nothing new may slip out behind them. Each attack has
//! an ending that is under way, the request that runs into it, and the same request afterwards as the honest one.

use std::time::Duration;

use forge_auth::password::PasswordHashing;
use forge_service::{RequestInfo, Surface, admin, authenticate, registration_key};
use forge_store::Tx;
use forge_store::accounts::{Hold, hold};
use forge_testing::agents::secret;
use forge_testing::for_each_database;
use forge_testing::meanwhile::during;
use forge_testing::{Answer, Client, TestAgent, TestForge};
use forge_types::account::{Account, AccountStatus};
use forge_types::credential::CredentialKind;
use forge_types::id::AccountId;
use serde_json::{Value, json};

use crate::support::{
    ANYTHING, Device, GITHUB_CLI, PASSWORD, REDIRECT, VERIFIER, authorize_path, call, code, csrf, exchange,
    hidden, opens, parameter, person, refresh, register, sign_in, signed_in, text,
};

const EXT: &str = "/api/ext/v1";
const TOKEN: &str = "/login/oauth/access_token";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

/// Long enough for a request that does not wait to be answered.
const PATIENCE: Duration = Duration::from_millis(150);

/// Begins to end something.
async fn begin(forge: &TestForge) -> Tx {
    forge.app().db().begin().await.expect("a transaction")
}

/// Ends every credential of an account.
async fn revoking(forge: &TestForge, account: &Account) -> Tx {
    let mut tx = begin(forge).await;
    let ended = forge_store::credentials::revoke_all(&mut tx, account.id, "test", forge.now()).await;
    assert!(ended.expect("revoked") > 0);
    tx
}

/// Suspends an account.
async fn suspending(forge: &TestForge, account: &Account) -> Tx {
    let mut tx = begin(forge).await;
    let (id, status) = (account.id, AccountStatus::Suspended);
    forge_store::accounts::update_status(&mut tx, id, status, None, forge.now()).await.expect("suspended");
    tx
}

/// Ends the browser sessions of an account.
async fn signing_out(forge: &TestForge, account: &Account) -> Tx {
    let mut tx = begin(forge).await;
    let ended = forge_store::web_sessions::revoke_all(&mut tx, account.id, forge.now()).await;
    assert!(ended.expect("ended") > 0);
    tx
}

/// Ends the binding of an agent, as unbinding does.
async fn unbinding(forge: &TestForge, agent: AccountId, human: &Account) -> Tx {
    let mut tx = begin(forge).await;
    hold(&mut tx, &[agent], Hold::Alone).await.expect("held");
    assert!(forge_store::agents::bindings::delete(&mut tx, agent, human.id).await.expect("an answer"));
    tx
}

/// Removes a client.
async fn removing(forge: &TestForge, client_id: &str) -> Tx {
    let mut tx = begin(forge).await;
    assert!(forge_store::oauth::clients::delete(&mut tx, client_id).await.expect("an answer"));
    forge_store::credentials::revoke_client(&mut tx, client_id, "test", forge.now()).await.expect("revoked");
    tx
}

async fn post(client: Client, path: String, body: Value) -> Answer {
    client.post(&path, &body).await
}

async fn submit(mut client: Client, path: &'static str, fields: Vec<(&'static str, String)>) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.submit(path, &fields).await
}

async fn token_call(client: Client, fields: Vec<(&'static str, String)>) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    call(&client, TOKEN, &fields).await
}

fn redemption(client_id: &str, code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", client_id.to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
    ]
}

fn renewal(client_id: &str, token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client_id.to_owned()),
        ("refresh_token", token.to_owned()),
    ]
}

fn polling(device: &Device) -> Vec<(&'static str, String)> {
    vec![
        ("client_id", GITHUB_CLI.to_owned()),
        ("device_code", device.device_code.clone()),
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
    ]
}

/// A human with a token, and an agent bound to them.
async fn pair(forge: &TestForge) -> (Account, Client, TestAgent, Account) {
    let alice = forge.human("alice").await;
    let client = forge.client_of(&alice, None).await;
    let agent = forge.registered_agent("bot").await;
    forge.bind(&client, &agent, &json!({})).await;
    let account = forge.find_account(&agent.login).await;
    (alice, client, agent, account)
}

fn binding_path(agent: &TestAgent, action: &str) -> String {
    format!("{EXT}/agent-bindings/{}/{action}", agent.login)
}

/// Asks for the consent page and returns the form that approves.
async fn consent_form(browser: &mut Client, client_id: &str) -> Vec<(&'static str, String)> {
    let page = browser.visit(&authorize_path(client_id, REDIRECT)).await.expect(200);
    vec![("csrf", csrf(&page)), ("request", hidden(&page, "request")), ("decision", "approve".to_owned())]
}

for_each_database! {
    async fn a_token_that_is_revoked_meanwhile_makes_nothing(forge: TestForge) {
        let alice = forge.human("alice").await;
        for (path, body) in [
            (ANYTHING.to_owned(), json!({ "name": "lasting" })),
            (format!("{EXT}/agent-invites"), json!({})),
            ("/api/v3/user/keys".to_owned(), json!({ "title": "lasting", "key": KEY })),
            ("/api/v3/user/ssh_signing_keys".to_owned(), json!({ "title": "lasting", "key": KEY })),
        ] {
            let client = forge.client_of(&alice, None).await;
            let ending = revoking(&forge, &alice).await;
            let answer = during(ending, PATIENCE, post(client.clone(), path.clone(), body.clone())).await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.text());
            forge.client_of(&alice, None).await.post(&path, &body).await.expect(201);
        }
    }

    async fn an_account_that_is_suspended_meanwhile_makes_nothing(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let body = json!({ "name": "lasting" });
        let ending = suspending(&forge, &alice).await;
        during(ending, PATIENCE, post(client.clone(), ANYTHING.to_owned(), body.clone())).await.expect(401);
        forge.restore(&alice).await;
        client.post(ANYTHING, &body).await.expect(201);
    }

    async fn a_browser_whose_session_ends_meanwhile_makes_nothing(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        let page = browser.visit("/settings/tokens/new").await.expect(200);
        let fields = || vec![("csrf", csrf(&page)), ("name", "lasting".to_owned()), ("lifetime", "never".to_owned())];
        let ending = signing_out(&forge, &alice).await;
        let answer = during(ending, PATIENCE, submit(browser.clone(), "/settings/tokens", fields())).await;
        assert!(!answer.text().contains("id=\"token\""), "{}", answer.text());
        assert_ne!(answer.status, 201);
        let alices = forge.client_of(&alice, None).await;
        assert_eq!(alices.get(ANYTHING).await.json().as_array().map(Vec::len), Some(1));
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        let page = browser.visit("/settings/tokens/new").await.expect(200);
        let fields = vec![("csrf", csrf(&page)), ("name", "lasting".to_owned()), ("lifetime", "never".to_owned())];
        submit(browser, "/settings/tokens", fields).await.expect(201);
    }

    async fn a_device_is_not_approved_with_what_ends_meanwhile(forge: TestForge) {
        let alice = forge.human("alice").await;
        let device = Device::begin(&forge, "repo").await;
        let (path, body) = (format!("{EXT}/oauth/device/approve"), json!({ "user_code": device.user_code }));
        let client = forge.client_of(&alice, None).await;
        let ending = revoking(&forge, &alice).await;
        during(ending, PATIENCE, post(client, path.clone(), body.clone())).await.expect(401);
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
        forge.client_of(&alice, None).await.post(&path, &body).await.expect(200);
        assert!(device.poll(&forge).await["access_token"].is_string());
    }

    async fn an_approved_device_gets_nothing_from_what_ends_meanwhile(forge: TestForge) {
        let alice = forge.human("alice").await;
        let path = format!("{EXT}/oauth/device/approve");
        for is_suspended in [true, false] {
            let client = forge.client_of(&alice, None).await;
            let device = Device::begin(&forge, "repo").await;
            client.post(&path, &json!({ "user_code": device.user_code })).await.expect(200);
            let ending = if is_suspended { suspending(&forge, &alice).await } else { revoking(&forge, &alice).await };
            let answer = during(ending, PATIENCE, token_call(forge.client(), polling(&device))).await.expect(200).json();
            assert_eq!(answer["error"], "access_denied", "{answer}");
            forge.restore(&alice).await;
        }
        let device = Device::begin(&forge, "repo").await;
        let client = forge.client_of(&alice, None).await;
        client.post(&path, &json!({ "user_code": device.user_code })).await.expect(200);
        assert!(device.poll(&forge).await["access_token"].is_string());
    }

    async fn consent_of_a_browser_whose_session_ends_meanwhile_gives_no_code(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let form = consent_form(&mut browser, &client.client_id).await;
        let ending = signing_out(&forge, &forge.find_account("alice").await).await;
        let answer = during(ending, PATIENCE, submit(browser.clone(), "/login/oauth/authorize", form)).await;
        let to = answer.header("location").unwrap_or_default();
        assert!(parameter(to, "code").is_none(), "{to}");
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        let honest = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &honest, VERIFIER).await.expect(200);
    }

    async fn a_code_gives_nothing_for_who_is_suspended_or_to_what_is_removed_meanwhile(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let first = code(&mut browser, &client.client_id, REDIRECT).await;
        let ending = suspending(&forge, &alice).await;
        let answer = during(ending, PATIENCE, token_call(forge.client(), redemption(&client.client_id, &first))).await;
        assert_eq!(answer.expect(400).json()["error"], "invalid_grant");
        forge.restore(&alice).await;
        let second = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &second, VERIFIER).await.expect(200);
        let third = code(&mut browser, &client.client_id, REDIRECT).await;
        let ending = removing(&forge, &client.client_id).await;
        let answer = during(ending, PATIENCE, token_call(forge.client(), redemption(&client.client_id, &third))).await;
        assert_eq!(answer.expect(401).json()["error"], "invalid_client");
    }

    async fn a_refresh_token_gives_nothing_for_what_ends_meanwhile(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let id = client.client_id;
        for ending in ["revoked", "suspended", "removed"] {
            let fresh = code(&mut browser, &id, REDIRECT).await;
            let tokens = exchange(&forge, &id, &fresh, VERIFIER).await.expect(200).json();
            let request = renewal(&id, &text(&tokens, "refresh_token"));
            let tx = match ending {
                "revoked" => revoking(&forge, &alice).await,
                "suspended" => suspending(&forge, &alice).await,
                _ => removing(&forge, &id).await,
            };
            let answer = during(tx, PATIENCE, token_call(forge.client(), request)).await;
            assert!(answer.json().get("access_token").is_none(), "{ending}: {}", answer.text());
            forge.restore(&alice).await;
            if ending == "suspended" {
                let again = refresh(&forge, &id, &text(&tokens, "refresh_token")).await.expect(200).json();
                assert!(opens(&forge, &text(&again, "access_token")).await);
            }
        }
    }

    async fn a_bootstrap_secret_gives_no_session_when_it_ends_meanwhile(forge: TestForge) {
        let robot = forge.agent("robot").await;
        for is_suspended in [true, false] {
            let secret = forge.token(&robot, CredentialKind::Bootstrap, None).await;
            let request = || vec![
                ("grant_type", "client_credentials".to_owned()),
                ("client_id", "robot".to_owned()),
                ("client_secret", secret.expose().to_owned()),
            ];
            token_call(forge.client(), request()).await.expect(200);
            let ending = if is_suspended { suspending(&forge, &robot).await } else { revoking(&forge, &robot).await };
            let answer = during(ending, PATIENCE, token_call(forge.client(), request())).await;
            assert_eq!(answer.expect(401).json()["error"], "invalid_client");
            forge.restore(&robot).await;
        }
    }

    async fn nobody_acts_as_an_agent_through_what_ends_meanwhile(forge: TestForge) {
        let (alice, client, agent, account) = pair(&forge).await;
        let open = binding_path(&agent, "switch-session");
        let ending = suspending(&forge, &alice).await;
        during(ending, PATIENCE, post(client.clone(), open.clone(), json!({}))).await.expect(401);
        forge.restore(&alice).await;
        let ending = suspending(&forge, &account).await;
        during(ending, PATIENCE, post(client.clone(), open.clone(), json!({}))).await.expect(409);
        forge.restore(&account).await;
        let ending = revoking(&forge, &alice).await;
        during(ending, PATIENCE, post(client, open.clone(), json!({}))).await.expect(401);
        let client = forge.client_of(&alice, None).await;
        let session = client.post(&open, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let renew = binding_path(&agent, "refresh-session");
        let ending = suspending(&forge, &alice).await;
        during(ending, PATIENCE, post(switched.clone(), renew.clone(), json!({}))).await.expect(401);
        forge.restore(&alice).await;
        let ending = suspending(&forge, &account).await;
        during(ending, PATIENCE, post(switched.clone(), renew.clone(), json!({}))).await.expect(401);
        forge.restore(&account).await;
        let session = switched.post(&renew, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let ending = unbinding(&forge, account.id, &alice).await;
        during(ending, PATIENCE, post(switched, renew, json!({}))).await.expect(401);
        let agents = client.get(&format!("{EXT}/user/agents")).await.expect(200).json();
        assert_eq!(agents, json!([]));
        client.post(&open, &json!({})).await.expect(404);
    }

    async fn whoever_ceases_to_be_its_human_meanwhile_recovers_nothing(forge: TestForge) {
        let (alice, client, agent, account) = pair(&forge).await;
        let reset = binding_path(&agent, "reset-token");
        let ending = unbinding(&forge, account.id, &alice).await;
        during(ending, PATIENCE, post(client.clone(), reset.clone(), json!({}))).await.expect(404);
        assert_eq!(agent.client.get(ANYTHING).await.status, 200);
        forge.bind(&client, &agent, &json!({})).await;
        let ending = revoking(&forge, &alice).await;
        during(ending, PATIENCE, post(client, reset.clone(), json!({}))).await.expect(401);
        assert_eq!(agent.client.get(ANYTHING).await.status, 200);
        forge.client_of(&alice, None).await.post(&reset, &json!({})).await.expect(200);
    }

    async fn an_agent_does_not_consent_with_what_ends_meanwhile(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let agent = forge.registered_agent("bot").await;
        let account = forge.find_account(&agent.login).await;
        let made = client.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(201).json();
        let (path, body) = (format!("{EXT}/agent-bindings/confirm"), json!({ "invite_token": made["invite_token"] }));
        let ending = suspending(&forge, &account).await;
        during(ending, PATIENCE, post(agent.client.clone(), path.clone(), body.clone())).await.expect(401);
        forge.restore(&account).await;
        let ending = suspending(&forge, &alice).await;
        during(ending, PATIENCE, post(agent.client.clone(), path.clone(), body.clone())).await.expect(403);
        forge.restore(&alice).await;
        let ending = revoking(&forge, &account).await;
        during(ending, PATIENCE, post(agent.client.clone(), path.clone(), body.clone())).await.expect(401);
        let renewed = forge.client_of(&account, None).await;
        renewed.post(&path, &body).await.expect(201);
    }

    async fn an_administrator_makes_nothing_with_what_ends_meanwhile(forge: TestForge) {
        let root = forge.site_admin("root").await;
        let path = format!("{EXT}/admin/agents");
        let client = forge.client_of(&root, None).await;
        let ending = revoking(&forge, &root).await;
        during(ending, PATIENCE, post(client, path.clone(), json!({ "login": "deployer" }))).await.expect(401);
        forge.client_of(&root, None).await.post(&path, &json!({ "login": "deployer" })).await.expect(201);
        let token = forge.token(&root, CredentialKind::Personal, None).await;
        let info = RequestInfo { id: forge.app().new_request_id(), surface: Surface::Rest, ip: None, user_agent: None, certificate: None };
        let ctx = authenticate::with_token(forge.app(), &token, info).await.expect("a live token");
        let ending = revoking(&forge, &root).await;
        let make = async move { admin::create_token(&ctx, "deployer", "lasting", None, None).await };
        let made = during(ending, PATIENCE, make).await;
        assert!(made.is_err(), "a token was made with one that had ended");
        let console = admin::console(forge.app());
        assert!(admin::create_token(&console, "deployer", "lasting", None, None).await.is_ok());
    }

    async fn nobody_registers_with_a_key_that_is_replaced_meanwhile(forge: TestForge) {
        let stored = async || {
            let mut conn = forge.app().db().read().await.expect("a connection");
            forge_store::settings::find(&mut conn, "registration_key").await.expect("an answer").expect("a key")
        };
        let (path, body) = (format!("{EXT}/agents"), json!({ "prefix_login": "bot", "default_repo_name": "home" }));
        let former = forge.client().with_token(&forge.registration_key().await);
        let former_row = stored().await;
        let latter = registration_key::rotate(&admin::console(forge.app())).await.expect("the operator may");
        let latter_row = stored().await;
        let mut tx = begin(&forge).await;
        forge_store::settings::upsert(&mut tx, "registration_key", &former_row, forge.now()).await.expect("set");
        tx.commit().await.expect("a commit");
        former.post(&path, &body).await.expect(201);
        let mut ending = begin(&forge).await;
        forge_store::settings::upsert(&mut ending, "registration_key", &latter_row, forge.now()).await.expect("set");
        during(ending, PATIENCE, post(former, path.clone(), body.clone())).await.expect(401);
        forge.client().with_token(&latter).post(&path, &body).await.expect(201);
    }

    /// Checking a password takes a while. Somebody who knows the old one and is in the middle of signing in while the person
    /// chooses another must be out, as the sessions they had before are.
    async fn nobody_signs_in_with_a_password_that_is_replaced_meanwhile(forge: TestForge) {
        let alice = person(&forge, "alice").await;
        let mut browser = forge.client();
        let page = browser.visit("/login").await;
        let fields = vec![("csrf", csrf(&page)), ("login", "alice".to_owned()), ("password", PASSWORD.to_owned())];
        let mut conn = forge.app().db().read().await.expect("a connection");
        let kept = forge_store::passwords::find_by_login(&mut conn, "alice").await.expect("an answer");
        let kept = kept.and_then(|found| found.hash).expect("a password");
        drop(conn);
        let hashing = PasswordHashing::new(1, PATIENCE, 8, 1).expect("parameters in range");
        let other = hashing.hash("another horse battery".to_owned(), [1; 16]).await.expect("a hash");
        let mut ending = begin(&forge).await;
        hold(&mut ending, &[alice.id], Hold::Alone).await.expect("held");
        forge_store::passwords::upsert(&mut ending, alice.id, &other, forge.now()).await.expect("set");
        let answer = during(ending, PATIENCE, submit(browser.clone(), "/login", fields)).await;
        answer.expect(422);
        let mut tx = begin(&forge).await;
        forge_store::passwords::upsert(&mut tx, alice.id, &kept, forge.now()).await.expect("set");
        tx.commit().await.expect("a commit");
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
    }

    /// Whoever comes first, after both were answered the thief has nothing.
    async fn recovery_and_minting_at_once_leave_the_thief_nothing(forge: TestForge) {
        let (_, alice, agent, _) = pair(&forge).await;
        let mut stolen = agent.token.clone();
        for round in 0..12 {
            let (thief, body) = (forge.client().with_token(&stolen), json!({ "name": format!("stolen {round}") }));
            let (reset, key) = (binding_path(&agent, "reset-token"), json!({ "title": "stolen", "key": KEY }));
            let nothing = json!({});
            let (made, added, recovered) = tokio::join!(
                thief.post(ANYTHING, &body), thief.post("/api/v3/user/keys", &key), alice.post(&reset, &nothing),
            );
            if made.status == 201 {
                assert!(!opens(&forge, &text(&made.json(), "token")).await, "round {round}");
            }
            assert!([201, 401].contains(&added.status.as_u16()), "{}", added.text());
            stolen = secret(&recovered.expect(200).json()["token"]["token"]);
            let keys = forge.client().with_token(&stolen).get("/api/v3/user/keys").await.expect(200);
            assert_eq!(keys.json(), json!([]), "round {round}");
        }
    }

    /// A person ends an application's access while it renews its token: it must not be left with the new pair.
    async fn revoking_and_refreshing_at_once_leave_the_application_nothing(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.client_of(&forge.find_account("alice").await, None).await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        for round in 0..12 {
            let fresh = code(&mut browser, &client.client_id, REDIRECT).await;
            let tokens = exchange(&forge, &client.client_id, &fresh, VERIFIER).await.expect(200).json();
            let renewed = text(&tokens, "refresh_token");
            let listed = alice.get(&format!("{ANYTHING}?per_page=100")).await.expect(200).json();
            let access = listed.as_array().expect("a list").iter().find(|one| one["kind"] == "oauth").expect("one");
            let path = format!("{ANYTHING}/{}", access["id"]);
            let (renewed, revoked) =
                tokio::join!(refresh(&forge, &client.client_id, &renewed), alice.delete(&path));
            revoked.expect(204);
            if renewed.status == 200 {
                let renewed = renewed.json();
                assert!(!opens(&forge, &text(&renewed, "access_token")).await, "round {round}");
                refresh(&forge, &client.client_id, &text(&renewed, "refresh_token")).await.expect(400);
            }
        }
    }

    /// The limit on live credentials holds also for those who ask for many at once.
    async fn many_at_once_do_not_pass_the_limit(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        for _ in 0..195 {
            forge.token(&alice, CredentialKind::Personal, None).await;
        }
        let body = json!({ "name": "one more" });
        let asked = std::iter::repeat_with(|| client.post(ANYTHING, &body)).take(12);
        let answers = futures_util::future::join_all(asked).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 4, "196 there were, and 200 there may be");
    }
}
