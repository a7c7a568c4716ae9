//! Obtaining bound tokens: what the token endpoint demands of a proof, and what it binds.

use forge_service::admin;
use forge_service::oauth::clients::{self, ClientRequest};
use forge_service::proof::{Audience, nonce};
use forge_testing::proofs::Prover;
use forge_testing::{ORIGIN, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::support::{ANYTHING, TOKEN_ENDPOINT, bound, exchange, post, token};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Registers a client for the device flow, which tells who it is by name or keeps a secret.
async fn client(forge: &TestForge, is_confidential: bool) -> (String, Option<String>) {
    let request = ClientRequest {
        name: format!("Tool {is_confidential}"),
        homepage: None,
        is_confidential,
        redirect_uris: vec![],
        allows_device: true,
    };
    let (client, secret) =
        clients::register(&admin::console(forge.app()), &request).await.expect("a new client");
    (client.client_id, secret.map(|secret| secret.expose().to_owned()))
}

/// Has a device of the client ask for codes and alice approve; returns the device code.
async fn approved(forge: &TestForge, fields: &[(&str, &str)]) -> String {
    let body = crate::support::form(fields);
    let kind = "application/x-www-form-urlencoded";
    let asked =
        forge.client().send_body(Method::POST, "/login/device/code", kind, body).await.expect(200).json();
    let alice = forge.human_client("alice").await;
    let decision = json!({ "user_code": asked["user_code"] });
    let _ = alice.post("/api/ext/v1/oauth/device/approve", &decision).await.expect(200);
    asked["device_code"].as_str().expect("a device code").to_owned()
}

for_each_database! {
    async fn a_request_with_a_proof_is_given_a_bound_token(forge: TestForge) {
        let prover = Prover::default();
        let agent = forge.agent("robot").await;
        let secret = forge.token(&agent, CredentialKind::Bootstrap, None).await;
        let unbound = exchange(&forge, &agent, &secret, None).await.expect(200);
        assert_eq!(unbound.json()["token_type"], "bearer");
        assert_eq!(unbound.header("dpop-nonce"), None);
        forge.client().with_token(&token(&unbound.json())).get(ANYTHING).await.expect(200);
        let answer = exchange(&forge, &agent, &secret, Some(&prover)).await.expect(200);
        assert_eq!(answer.json()["token_type"], "DPoP");
        assert!(answer.header("dpop-nonce").is_some());
        let bound = token(&answer.json());
        let shown = prover.send(&forge, &bound, Method::GET, "/api/ext/v1/user/tokens", None).await.expect(200);
        assert!(!shown.text().contains(bound.expose()));
    }

    async fn a55_the_token_endpoint_demands_its_own_nonce(forge: TestForge) {
        let prover = Prover::default();
        let agent = forge.agent("robot").await;
        let secret = forge.token(&agent, CredentialKind::Bootstrap, None).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret.expose())];
        let address = format!("{ORIGIN}{TOKEN_ENDPOINT}");
        let elsewhere = nonce(forge.app(), Audience::Resources).expect("whole keys");
        for nonce in [None, elsewhere.as_deref()] {
            let proof = prover.proof_for(&forge, ("POST", &address), None, nonce);
            let refused = post(&forge, &fields, &[&proof]).await.expect(400);
            assert_eq!(refused.json()["error"], "use_dpop_nonce");
            assert!(refused.header("dpop-nonce").is_some());
        }
        let proof = prover.proof_for(&forge, ("POST", &address), None, None);
        let given = post(&forge, &fields, &[&proof]).await.header("dpop-nonce").expect("a nonce").to_owned();
        let proof = prover.proof_for(&forge, ("POST", &address), None, Some(&given));
        post(&forge, &fields, &[&proof]).await.expect(200);
    }

    async fn a51_a_proof_is_good_once_at_the_token_endpoint(forge: TestForge) {
        let prover = Prover::default();
        let agent = forge.agent("robot").await;
        let secret = forge.token(&agent, CredentialKind::Bootstrap, None).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret.expose())];
        let proof = prover.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        post(&forge, &fields, &[&proof]).await.expect(200);
        let again = post(&forge, &fields, &[&proof]).await.expect(400);
        assert_eq!(again.json()["error"], "invalid_dpop_proof");
        let (one, other) = (prover.proof(&forge, "POST", TOKEN_ENDPOINT, None), prover.proof(&forge, "POST", TOKEN_ENDPOINT, None));
        let doubled = post(&forge, &fields, &[&one, &other]).await.expect(400);
        assert_eq!(doubled.json()["error"], "invalid_dpop_proof");
        let elsewhere = prover.proof(&forge, "POST", ANYTHING, None);
        post(&forge, &fields, &[&elsewhere]).await.expect(400);
    }

    async fn a_device_code_asked_for_with_a_key_is_given_to_that_key_alone(forge: TestForge) {
        let (prover, thief) = (Prover::default(), Prover::default());
        let (id, _) = client(&forge, false).await;
        let jkt = prover.thumbprint();
        let code = approved(&forge, &[("client_id", &id), ("scope", "repo offline_access"), ("dpop_jkt", &jkt)]).await;
        let fields = [("grant_type", DEVICE_CODE), ("client_id", &id), ("device_code", &code)];
        let theirs = thief.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        for proofs in [&[][..], &[theirs.as_str()]] {
            let refused = post(&forge, &fields, proofs).await.expect(400);
            assert_eq!(refused.json()["error"], "invalid_grant");
        }
        let ours = prover.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        let given = post(&forge, &fields, &[&ours]).await.expect(200).json();
        assert_eq!(given["token_type"], "DPoP");
        prover.send(&forge, &token(&given), Method::GET, ANYTHING, None).await.expect(200);
    }

    async fn a68_a_public_clients_refresh_token_takes_the_key(forge: TestForge) {
        let (prover, thief) = (Prover::default(), Prover::default());
        let (id, _) = client(&forge, false).await;
        let code = approved(&forge, &[("client_id", &id), ("scope", "repo offline_access")]).await;
        let fields = [("grant_type", DEVICE_CODE), ("client_id", &id), ("device_code", &code)];
        let first = post(&forge, &fields, &[&prover.proof(&forge, "POST", TOKEN_ENDPOINT, None)]).await.expect(200).json();
        let refresh = first["refresh_token"].as_str().expect("a refresh token");
        let fields = [("grant_type", "refresh_token"), ("client_id", &id), ("refresh_token", refresh)];
        let theirs = thief.proof(&forge, "POST", TOKEN_ENDPOINT, None);
        for proofs in [&[][..], &[theirs.as_str()]] {
            let refused = post(&forge, &fields, proofs).await.expect(400);
            assert_eq!(refused.json()["error"], "invalid_dpop_proof");
        }
        let renewed = post(&forge, &fields, &[&prover.proof(&forge, "POST", TOKEN_ENDPOINT, None)]).await.expect(200).json();
        assert_eq!(renewed["token_type"], "DPoP");
        prover.send(&forge, &token(&renewed), Method::GET, ANYTHING, None).await.expect(200);
    }

    async fn a_client_that_keeps_a_secret_may_change_its_key(forge: TestForge) {
        let (id, secret) = client(&forge, true).await;
        let secret = secret.expect("a secret");
        let code = approved(&forge, &[("client_id", &id), ("client_secret", &secret), ("scope", "repo offline_access")]).await;
        let fields = [("grant_type", DEVICE_CODE), ("client_id", &id), ("client_secret", &secret), ("device_code", &code)];
        let prover = Prover::default();
        let first = post(&forge, &fields, &[&prover.proof(&forge, "POST", TOKEN_ENDPOINT, None)]).await.expect(200).json();
        let refresh = first["refresh_token"].as_str().expect("a refresh token");
        let fields =
            [("grant_type", "refresh_token"), ("client_id", &id), ("client_secret", &secret), ("refresh_token", refresh)];
        let next = Prover::default();
        let renewed = post(&forge, &fields, &[&next.proof(&forge, "POST", TOKEN_ENDPOINT, None)]).await.expect(200).json();
        next.send(&forge, &token(&renewed), Method::GET, ANYTHING, None).await.expect(200);
        prover.send(&forge, &token(&renewed), Method::GET, ANYTHING, None).await.expect(401);
    }

    async fn introspection_tells_of_the_key(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let path = "/login/oauth/introspect";
        let proof = prover.proof(&forge, "POST", path, Some(&token));
        let client = forge_testing::proofs::presenting(&forge, &token, &proof);
        let body = crate::support::form(&[("token", token.expose())]);
        let told = client.send_body(Method::POST, path, "application/x-www-form-urlencoded", body.clone()).await.expect(200).json();
        assert_eq!(told["token_type"], "DPoP");
        assert_eq!(told["cnf"], json!({ "jkt": prover.thumbprint() }));
        let bearer = forge.client().with_header(AUTHORIZATION, &format!("Bearer {}", token.expose()));
        bearer.send_body(Method::POST, path, "application/x-www-form-urlencoded", body).await.expect(401);
    }

    async fn the_metadata_names_the_algorithms(forge: TestForge) {
        let metadata = forge.client().get("/.well-known/oauth-authorization-server").await.expect(200).json();
        assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
    }
}
