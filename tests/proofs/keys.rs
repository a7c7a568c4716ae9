//! Keys of agents: bringing one, replacing it, losing it, and what an agent does with it.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::proofs::{PROOF, Prover};
use forge_testing::{Answer, Client, ORIGIN, TestAgent, TestForge, for_each_database};
use http::Method;
use serde_json::{Value, json};

use crate::support::{ANYTHING, TOKEN_ENDPOINT, post, token};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Adds the prover's key to an agent, as whoever the client is.
async fn add(forge: &TestForge, client: &Client, login: &str, prover: &Prover) -> Answer {
    let path = format!("/api/ext/v1/agents/{login}/keys");
    let proof = prover.proof(forge, "POST", &path, None);
    client.clone().with_header(PROOF, &proof).post(&path, &json!({ "jwk": prover.jwk().to_json() })).await
}

/// Returns the claims of an honest assertion.
fn claims(forge: &TestForge, login: &str, id: &str) -> Value {
    let now = forge.now().as_seconds();
    json!({ "iss": login, "sub": login, "aud": ORIGIN, "jti": id, "iat": now, "exp": now + 60 })
}

/// Asks for a session with an assertion, and a proof if one is to be bound to the key.
async fn ask(forge: &TestForge, prover: &Prover, claims: &Value, is_bound: bool) -> Answer {
    let header = json!({ "typ": "client-authentication+jwt" });
    let assertion = prover.key().sign(&header, claims).expect("randomness");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion.as_str()),
    ];
    let proof = is_bound.then(|| prover.proof(forge, "POST", TOKEN_ENDPOINT, None));
    post(forge, &fields, &proof.as_deref().map_or(vec![], |proof| vec![proof])).await
}

/// Returns a session of the agent, bound to the key.
async fn session(forge: &TestForge, prover: &Prover, login: &str, id: &str) -> Secret {
    token(&ask(forge, prover, &claims(forge, login, id), true).await.expect(200).json())
}

async fn with_key(forge: &TestForge) -> (TestAgent, Prover) {
    let (agent, prover) = (forge.registered_agent("robo").await, Prover::default());
    let _ = add(forge, &agent.client, &agent.login, &prover).await.expect(201);
    (agent, prover)
}

async fn opens(forge: &TestForge, prover: &Prover, token: &Secret) -> bool {
    prover.send(forge, token, Method::GET, ANYTHING, None).await.status == 200
}

for_each_database! {
    async fn an_agent_registers_with_a_key_that_it_proves(forge: TestForge) {
        let (key, prover) = (forge.registration_key().await, Prover::default());
        let client = forge.client().with_token(&key);
        let path = "/api/ext/v1/agents";
        let body = json!({ "prefix_login": "robo", "default_repo_name": "home", "jwk": prover.jwk().to_json() });
        client.post(path, &body).await.expect(401);
        let thief = Prover::default().proof(&forge, "POST", path, None);
        client.clone().with_header(PROOF, &thief).post(path, &body).await.expect(401);
        let mut private = body.clone();
        private["jwk"]["d"] = "AA".into();
        client.post(path, &private).await.expect(422);
        let proof = prover.proof(&forge, "POST", path, None);
        let made = client.with_header(PROOF, &proof).post(path, &body).await.expect(201).json();
        assert_eq!(made["key"]["thumbprint"], prover.thumbprint());
        let login = made["login"].as_str().expect("a login");
        let session = session(&forge, &prover, login, "1").await;
        let read = prover.send(&forge, &session, Method::GET, ANYTHING, None).await.expect(200);
        assert_eq!(read.json()["login"], login);
    }

    async fn the_agent_and_its_human_manage_keys_and_nobody_else(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let mallory = forge.human_client("mallory").await;
        let agent = forge.registered_agent("robo").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let login = agent.login.as_str();
        add(&forge, &mallory, login, &Prover::default()).await.expect(404);
        let opened = alice.post(&format!("/api/ext/v1/agent-bindings/{login}/switch-session"), &json!({})).await.expect(200);
        let switched = forge.client().with_token(&forge_testing::agents::secret(&opened.json()["token"]["token"]));
        add(&forge, &switched, login, &Prover::default()).await.expect(403);
        let first = add(&forge, &alice, login, &Prover::default()).await.expect(201).json();
        let own = Prover::default();
        let second = add(&forge, &agent.client, login, &own).await.expect(201).json();
        let again = add(&forge, &agent.client, login, &own).await.expect(422).json();
        assert_eq!(again["errors"][0]["code"], "already_exists");
        let path = format!("/api/ext/v1/agents/{login}/keys");
        let listed = agent.client.get(&path).await.expect(200).json();
        let states: Vec<_> = listed.as_array().expect("a list").iter().map(|key| (key["id"].clone(), key["state"].clone())).collect();
        assert_eq!(states, [(second["id"].clone(), json!("active")), (first["id"].clone(), json!("retiring"))]);
        mallory.get(&path).await.expect(404);
        mallory.delete(&format!("{path}/{}", second["id"].as_str().expect("an id"))).await.expect(404);
        add(&forge, &alice, login, &Prover::default()).await.expect(422);
        alice.delete(&format!("{path}/{}", first["id"].as_str().expect("an id"))).await.expect(204);
        let _ = add(&forge, &alice, login, &Prover::default()).await.expect(201);
    }

    async fn a_key_is_replaced_without_a_gap(forge: TestForge) {
        let (agent, former) = with_key(&forge).await;
        let login = agent.login.as_str();
        let next = Prover::default();
        // The request is made with a token bound to the former key, so that the proof of the new one stands beside it.
        let held = session(&forge, &former, login, "1").await;
        let path = format!("/api/ext/v1/agents/{login}/keys");
        let proof = next.proof(&forge, "POST", &path, None);
        let body = json!({ "jwk": next.jwk().to_json(), "proof": proof });
        let added = former.send(&forge, &held, Method::POST, &path, Some(&body)).await.expect(201);
        assert_eq!(added.json()["state"], "active");
        let (old, new) = (session(&forge, &former, login, "2").await, session(&forge, &next, login, "1").await);
        assert!(opens(&forge, &former, &old).await && opens(&forge, &next, &new).await);
        forge.advance(Duration::from_secs(24 * 3600));
        ask(&forge, &former, &claims(&forge, login, "3"), true).await.expect(401);
        let _ = session(&forge, &next, login, "2").await;
    }

    async fn withdrawing_a_key_ends_what_came_of_it(forge: TestForge) {
        let (agent, prover) = with_key(&forge).await;
        let login = agent.login.as_str();
        let bound = session(&forge, &prover, login, "1").await;
        let plain = token(&ask(&forge, &prover, &claims(&forge, login, "2"), false).await.expect(200).json());
        let bearer = forge.client().with_token(&plain);
        bearer.get(ANYTHING).await.expect(200);
        assert!(opens(&forge, &prover, &bound).await);
        let path = format!("/api/ext/v1/agents/{login}/keys");
        let id = agent.client.get(&path).await.expect(200).json()[0]["id"].as_str().expect("an id").to_owned();
        agent.client.delete(&format!("{path}/{id}")).await.expect(204);
        assert!(!opens(&forge, &prover, &bound).await);
        bearer.get(ANYTHING).await.expect(401);
        ask(&forge, &prover, &claims(&forge, login, "3"), true).await.expect(401);
        // Its own token, which has nothing to do with the key, stays.
        agent.client.get(ANYTHING).await.expect(200);
        let known = add(&forge, &agent.client, login, &prover).await.expect(422);
        assert_eq!(known.json()["errors"][0]["code"], "already_exists");
    }

    async fn recovering_an_agent_ends_its_keys(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (agent, prover) = with_key(&forge).await;
        forge.bind(&alice, &agent, &json!({})).await;
        let login = agent.login.as_str();
        let held = session(&forge, &prover, login, "1").await;
        let path = format!("/api/ext/v1/agent-bindings/{login}/reset-token");
        let _ = alice.post(&path, &json!({})).await.expect(200);
        assert!(!opens(&forge, &prover, &held).await);
        ask(&forge, &prover, &claims(&forge, login, "2"), true).await.expect(401);
    }

    async fn a60_an_assertion_is_good_once_and_for_this_issuer_alone(forge: TestForge) {
        let (agent, prover) = with_key(&forge).await;
        let login = agent.login.as_str();
        let honest = claims(&forge, login, "1");
        ask(&forge, &prover, &honest, true).await.expect(200);
        let again = ask(&forge, &prover, &honest, true).await.expect(401);
        assert_eq!(again.json()["error"], "invalid_client");
        let changed = |name: &str, value: Value| {
            let mut claims = claims(&forge, login, name);
            claims[name] = value;
            claims
        };
        let later = forge.now().as_seconds() + 3600;
        for wrong in [
            changed("aud", json!(format!("{ORIGIN}/"))), changed("aud", json!([ORIGIN, "https://evil.example"])),
            changed("aud", json!("https://evil.example")), changed("exp", json!(later)), changed("sub", json!("other")),
        ] {
            ask(&forge, &prover, &wrong, true).await.expect(401);
        }
        ask(&forge, &Prover::default(), &claims(&forge, login, "4"), true).await.expect(401);
        ask(&forge, &prover, &claims(&forge, login, "5"), true).await.expect(200);
    }

    async fn a57_an_assertion_is_no_proof_and_a_proof_no_assertion(forge: TestForge) {
        let (agent, prover) = with_key(&forge).await;
        let login = agent.login.as_str();
        let assertion = prover.key().sign(&json!({}), &claims(&forge, login, "1")).expect("randomness");
        let proof = prover.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        let fields = |assertion| {
            [("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION), ("client_assertion", assertion)]
        };
        let refused = post(&forge, &fields(assertion.as_str()), &[&assertion]).await.expect(400);
        assert_eq!(refused.json()["error"], "invalid_dpop_proof");
        post(&forge, &fields(proof.as_str()), &[&proof]).await.expect(401);
        let fresh = prover.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        post(&forge, &fields(assertion.as_str()), &[&fresh]).await.expect(200);
    }

    async fn a_suspended_agent_obtains_nothing_with_its_key(forge: TestForge) {
        let (agent, prover) = with_key(&forge).await;
        let account = forge.find_account(&agent.login).await;
        forge.suspend(&account).await;
        ask(&forge, &prover, &claims(&forge, &agent.login, "1"), true).await.expect(401);
        forge.restore(&account).await;
        ask(&forge, &prover, &claims(&forge, &agent.login, "2"), true).await.expect(200);
    }

    async fn an_agent_whose_human_demands_it_takes_bound_tokens_only(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let (agent, prover) = with_key(&forge).await;
        forge.bind(&alice, &agent, &json!({})).await;
        let login = agent.login.as_str();
        let home = format!("/api/v3/repos/{login}/robo-home");
        agent.client.get(&home).await.expect(200);
        let path = format!("/api/ext/v1/agents/{login}");
        agent.client.patch(&path, &json!({ "bound_only": true })).await.expect(403);
        let changed = alice.patch(&path, &json!({ "bound_only": true })).await.expect(200);
        assert_eq!(changed.json()["bound_only"], true);
        let refused = agent.client.get(&home).await.expect(403).json();
        assert!(refused["message"].as_str().expect("a message").contains("bound to a key"), "{refused}");
        let git = format!("/{login}/robo-home.git/info/refs?service=git-upload-pack");
        let told = agent.client.get(&git).await.expect(403);
        assert!(told.text().contains("bound to a key"), "{}", told.text());
        assert_eq!(agent.client.get("/api/v3/user/repos").await.status, 403);
        let unbound = ask(&forge, &prover, &claims(&forge, login, "1"), false).await.expect(400).json();
        assert_eq!(unbound["error"], "invalid_dpop_proof");
        let bound = session(&forge, &prover, login, "2").await;
        prover.send(&forge, &bound, Method::GET, &home, None).await.expect(200);
        let _ = alice.patch(&path, &json!({ "bound_only": false })).await.expect(200);
        agent.client.get(&home).await.expect(200);
    }
}
