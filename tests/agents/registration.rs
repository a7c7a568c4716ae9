//! Who may register an agent, and what it receives.

use std::net::IpAddr;
use std::time::Duration;

use forge_service::app::{AgentCredential, AgentRegistration};
use forge_service::{admin, agents};
use forge_testing::agents::secret;
use forge_testing::database::Database;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use serde_json::{Value, json};

use crate::{EXT, answer, invite};

fn request(prefix: &str) -> Value {
    json!({ "prefix_login": prefix, "default_repo_name": "home" })
}

async fn register(client: &Client, body: &Value) -> (u16, Value) {
    let answer = client.post(&format!("{EXT}/agents"), body).await;
    (answer.status.as_u16(), answer.json())
}

async fn forge_with(database: Database, mode: AgentRegistration) -> TestForge {
    TestForge::builder(database).settings(|settings| settings.agent_registration = mode).start().await
}

for_each_database! {
    async fn an_agent_registers_with_the_key_and_receives_all_it_needs(forge: TestForge) {
        let client = forge.client().with_token(&forge.registration_key().await);
        for prefix in [EXT, "/api/v3"] {
            let body = json!({ "prefix_login": "Fix-Bot", "default_repo_name": "home", "description": "fixes" });
            let answer = client.post(&format!("{prefix}/agents"), &body).await.expect(201);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let view = answer.json();
            let login = view["login"].as_str().expect("a login");
            let digits = login.strip_prefix("fix-bot-").expect("the prefix in lower case");
            assert!(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{login}");
            assert_eq!(view["repo_full_name"], format!("{login}/home"));
            assert_eq!(view["agent"]["user_kind"], "agent");
            assert_eq!(view["agent"]["type"], "User");
            assert_eq!(view["agent"]["description"], "fixes");
            assert_eq!(view["agent"]["owner"], Value::Null);
            let agent = forge.client().with_token(&secret(&view["token"]));
            let own = agent.get(&format!("{EXT}/agents/{login}")).await.expect(200).json();
            assert_eq!(own["standing_access"], "full");
        }
    }

    async fn the_answer_begins_with_what_is_needed_next(forge: TestForge) {
        let client = forge.client().with_token(&forge.registration_key().await);
        let text = client.post(&format!("{EXT}/agents"), &request("bot")).await.expect(201).text();
        assert!(text.starts_with(r#"{"login":"bot-"#), "{text}");
        assert!(text.find(r#""token":"#) < text.find(r#""agent":"#), "{text}");
    }

    async fn the_default_repository_is_private_and_the_agents_own(forge: TestForge) {
        let agent = forge.registered_agent("bot").await;
        let mut conn = forge.app().db().read().await.expect("a connection");
        let found = forge_store::repositories::find_by_name(&mut conn, None, &agent.login, "bot-home").await;
        let repository = found.expect("an answer").expect("the repository").repository;
        assert_eq!(repository.visibility, forge_types::repository::Visibility::Private);
        assert_eq!(repository.owner.login, agent.login);
        assert!(repository.settings.has_issues && repository.settings.has_wiki);
    }

    async fn without_the_registration_key_nobody_registers(forge: TestForge) {
        let honest = forge.client().with_token(&forge.registration_key().await);
        assert_eq!(register(&honest, &request("bot")).await.0, 201);
        let alice = forge.human("alice").await;
        let invite = invite(&forge.client_of(&alice, None).await, &json!({})).await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        for wrong in [secret(&json!("fgek_wrong")), secret(&invite["invite_token"]), token] {
            assert_eq!(register(&forge.client().with_token(&wrong), &request("bot")).await.0, 401);
        }
        assert_eq!(register(&forge.client(), &request("bot")).await.0, 401);
    }

    async fn a78_names_that_mislead_or_break_paths_are_refused(forge: TestForge) {
        let client = forge.client().with_token(&forge.registration_key().await);
        assert_eq!(register(&client, &request("alice")).await.0, 201);
        for prefix in ["аlice", "a--b", "-a", "a/b", "..", "a\u{0}", &"a".repeat(33), ""] {
            let (status, view) = register(&client, &request(prefix)).await;
            assert_eq!((status, &view["errors"][0]["field"]), (422, &json!("prefix_login")), "{prefix:?}");
        }
        for repository in ["", "..", "x.git", "con", "a/b", "é", &"a".repeat(101)] {
            let body = json!({ "prefix_login": "bot", "default_repo_name": repository });
            assert_eq!(register(&client, &body).await.0, 422, "{repository:?}");
        }
    }

    async fn a_body_that_is_not_what_is_asked_for_is_refused(forge: TestForge) {
        let client = forge.client().with_token(&forge.registration_key().await);
        for body in [
            json!({ "prefix_login": "bot" }),
            json!({ "prefix_login": "bot", "default_repo_name": 7 }),
            json!({ "prefix_login": "bot", "default_repo_name": "home", "admin": true }),
            json!({ "prefix_login": "bot", "default_repo_name": "home", "jwk": { "kty": "EC" } }),
            json!({ "prefix_login": "bot", "default_repo_name": "home", "description": "a\nb" }),
        ] {
            assert_eq!(register(&client, &body).await.0, 422, "{body}");
        }
        assert_eq!(register(&client, &json!([])).await.0, 400);
    }

    async fn where_registration_is_closed_only_an_administrator_creates_agents(database: Database) {
        let forge = forge_with(database, AgentRegistration::Closed).await;
        let key = forge.client().with_token(&forge.registration_key().await);
        assert_eq!(register(&key, &request("bot")).await.0, 403);
        let body = json!({ "login": "deployer", "description": "deploys", "standing_access": "read" });
        let path = format!("{EXT}/admin/agents");
        let _ = forge.human_client("alice").await.post(&path, &body).await.expect(403);
        let root = forge.site_admin("root").await;
        let root = forge.client_of(&root, None).await;
        let view = root.post(&path, &body).await.expect(201).json();
        assert_eq!(view["login"], "deployer");
        assert_eq!(view["repo_full_name"], Value::Null);
        assert_eq!(view["agent"]["created_by"]["login"], "root");
        assert_eq!(view["agent"]["standing_access"], "read");
        let _ = root.post(&path, &body).await.expect(422);
    }

    async fn an_invite_lets_one_agent_register_and_only_that_one_accept_it(database: Database) {
        let forge = forge_with(database, AgentRegistration::Invite).await;
        let alice = forge.human_client("alice").await;
        let made = invite(&alice, &json!({})).await;
        let bearer = forge.client().with_token(&secret(&made["invite_token"]));
        let (status, first) = register(&bearer, &request("bot")).await;
        assert_eq!(status, 201);
        assert_eq!(register(&bearer, &request("bot")).await.0, 401);
        assert_eq!(register(&forge.client(), &request("bot")).await.0, 401);
        let second = invite(&alice, &json!({})).await;
        let bearer = forge.client().with_token(&secret(&second["invite_token"]));
        let (_, stranger) = register(&bearer, &request("bot")).await;
        let stranger = forge.client().with_token(&secret(&stranger["token"]));
        assert_eq!(answer(&stranger, &made).await, 422);
        assert_eq!(answer(&forge.client().with_token(&secret(&first["token"])), &made).await, 201);
    }

    async fn an_invite_that_names_an_agent_lets_exactly_that_one_register(database: Database) {
        let forge = forge_with(database, AgentRegistration::Invite).await;
        let alice = forge.human_client("alice").await;
        let made = invite(&alice, &json!({ "agent_login": "release-bot" })).await;
        let bearer = forge.client().with_token(&secret(&made["invite_token"]));
        assert_eq!(register(&bearer, &request("other-bot")).await.0, 403);
        let (status, view) = register(&bearer, &request("release-bot")).await;
        assert_eq!((status, &view["login"]), (201, &json!("release-bot")));
    }

    // Anyone could fill the forge with agents and repositories.
    async fn a83_a_flood_of_open_registrations_ends_at_the_quotas(database: Database) {
        let forge = TestForge::builder(database).settings(|settings| {
            settings.agent_registration = AgentRegistration::Open;
            settings.open_registration.per_address_per_hour = 2;
            settings.open_registration.per_hour = 3;
        });
        let forge = forge.start().await;
        let at = |last: u8| forge.client().at(IpAddr::from([198, 51, 100, last]));
        for expected in [201, 201, 429] {
            assert_eq!(register(&at(1), &request("bot")).await.0, expected);
        }
        for expected in [201, 429] {
            assert_eq!(register(&at(2), &request("bot")).await.0, expected);
        }
        let key = forge.client().with_token(&forge.registration_key().await);
        assert_eq!(register(&key, &request("bot")).await.0, 201);
        forge.advance(Duration::from_secs(3600));
        assert_eq!(register(&at(1), &request("bot")).await.0, 201);
    }

    // One subscriber has 2^64 IPv6 addresses.
    async fn a83_one_ipv6_network_has_one_quota(database: Database) {
        let forge = TestForge::builder(database).settings(|settings| {
            settings.agent_registration = AgentRegistration::Open;
            settings.open_registration.per_address_per_hour = 2;
        });
        let forge = forge.start().await;
        let at = |network, last| forge.client().at(IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, last]));
        for (last, expected) in [(1, 201), (2, 201), (3, 429)] {
            assert_eq!(register(&at(7, last), &request("bot")).await.0, expected);
        }
        assert_eq!(register(&at(8, 1), &request("bot")).await.0, 201);
    }

    async fn a83_agents_that_nobody_binds_are_removed_in_time(database: Database) {
        let forge = forge_with(database, AgentRegistration::Open).await;
        let (_, lonely) = register(&forge.client(), &request("lonely")).await;
        let (_, bound) = register(&forge.client(), &request("bound")).await;
        let [lonely_client, bound_client] =
            [&lonely, &bound].map(|view| forge.client().with_token(&secret(&view["token"])));
        let alice = forge.human_client("alice").await;
        assert_eq!(answer(&bound_client, &invite(&alice, &json!({})).await).await, 201);
        let path = |view: &Value| format!("{EXT}/agents/{}", view["login"].as_str().expect("a login"));
        forge.advance(Duration::from_secs(7 * 24 * 3600 - 1));
        let console = admin::console(forge.app());
        assert_eq!(agents::expire_unbound(&console).await.expect("a run"), 0);
        forge.advance(Duration::from_secs(1));
        assert_eq!(agents::expire_unbound(&console).await.expect("a run"), 1);
        assert_eq!(agents::expire_unbound(&console).await.expect("a run"), 0);
        let _ = lonely_client.get(&path(&lonely)).await.expect(401);
        let _ = bound_client.get(&path(&bound)).await.expect(200);
    }

    async fn a4_a_bootstrap_secret_opens_nothing_but_the_token_endpoint(database: Database) {
        let forge = TestForge::builder(database)
            .settings(|settings| settings.agent_credential = AgentCredential::Bootstrap);
        let forge = forge.start().await;
        let key = forge.client().with_token(&forge.registration_key().await);
        let (status, view) = register(&key, &request("bot")).await;
        assert_eq!((status, &view["credential"]), (201, &json!("bootstrap")));
        let bootstrap = forge.client().with_token(&secret(&view["token"]));
        let path = format!("{EXT}/agents/{}", view["login"].as_str().expect("a login"));
        let _ = bootstrap.get(&path).await.expect(401);
        let body = json!({ "prefix_login": "bot", "default_repo_name": "home", "credential": "token" });
        assert_eq!(register(&key, &body).await.0, 422);
    }

    async fn a4_a_standing_token_opens_the_forge_where_a_bootstrap_secret_was_not_asked_for(forge: TestForge) {
        let agent = forge.registered_agent("bot").await;
        assert_eq!(crate::reads(&agent.client, &agent).await, 200);
        let key = forge.client().with_token(&forge.registration_key().await);
        let body = json!({ "prefix_login": "bot", "default_repo_name": "home", "credential": "bootstrap" });
        let (_, view) = register(&key, &body).await;
        let path = format!("{EXT}/agents/{}", view["login"].as_str().expect("a login"));
        let _ = forge.client().with_token(&secret(&view["token"])).get(&path).await.expect(401);
    }
}
