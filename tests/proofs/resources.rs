//! Presenting bound tokens to REST, GraphQL and Git.

use std::time::Duration;

use data_encoding::BASE64;
use forge_auth::jose::SigningKey;
use forge_service::proof::{Audience, nonce};
use forge_testing::proofs::{PROOF, Prover, presenting};
use forge_testing::{ORIGIN, TestForge, for_each_database};
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::json;

use crate::support::{ANYTHING, bound, challenges};

const INVALID_PROOF: &str = "DPoP error=\"invalid_dpop_proof\", algs=\"ES256 EdDSA\"";
const INVALID_TOKEN: &str = "DPoP error=\"invalid_token\", algs=\"ES256 EdDSA\"";
const NONCE_NEEDED: &str = "DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA\"";

for_each_database! {
    async fn a_bound_token_with_a_proof_opens_rest_graphql_and_git(forge: TestForge) {
        for key in [SigningKey::generate_p256(), SigningKey::generate_ed25519()] {
            let prover = Prover::with(key.expect("a key"));
            let login = format!("robot-{}", prover.jwk().algorithm().to_lowercase());
            let (_, token) = bound(&forge, &login, &prover).await;
            let read = prover.send(&forge, &token, Method::GET, ANYTHING, None).await.expect(200);
            assert_eq!(read.json()["login"], login.as_str());
            assert_eq!(read.header("cache-control"), Some("no-store"));
            let body = json!({ "name": "code" });
            prover.send(&forge, &token, Method::POST, "/api/v3/user/repos", Some(&body)).await.expect(201);
            let query = json!({ "query": "{ viewer { login } }" });
            let answer = prover.send(&forge, &token, Method::POST, "/api/graphql", Some(&query)).await.expect(200);
            assert_eq!(answer.json()["data"]["viewer"]["login"], login.as_str());
            let git = format!("/{login}/code.git/info/refs?service=git-upload-pack");
            prover.send(&forge, &token, Method::GET, &git, None).await.expect(200);
            // Whoever begins with git learns that a nonce is missing.
            let address = format!("{ORIGIN}/{login}/code.git/info/refs");
            let proof = prover.proof_for(&forge, ("GET", &address), Some(&token), None);
            let refused = presenting(&forge, &token, &proof).get(&git).await.expect(401);
            assert!(challenges(&refused).contains(&NONCE_NEEDED), "{:?}", refused.headers);
            assert!(refused.header("dpop-nonce").is_some());
        }
    }

    async fn a51_a_proof_is_accepted_once(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let proof = prover.proof(&forge, "GET", ANYTHING, Some(&token));
        let client = presenting(&forge, &token, &proof);
        client.get(ANYTHING).await.expect(200);
        let again = client.get(ANYTHING).await.expect(401);
        assert_eq!(challenges(&again), [INVALID_PROOF]);
        let fresh = prover.proof(&forge, "GET", ANYTHING, Some(&token));
        let client = presenting(&forge, &token, &fresh);
        let (one, other) = tokio::join!(client.get(ANYTHING), client.get(ANYTHING));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
        // Forgetting what is over does not make it good again.
        forge.advance(Duration::from_secs(59));
        forge.run_jobs().await;
        client.get(ANYTHING).await.expect(401);
        forge.advance(Duration::from_secs(120));
        forge.run_jobs().await;
        client.get(ANYTHING).await.expect(401);
    }

    async fn a52_a_proof_for_one_token_is_not_good_for_another(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let (_, other) = bound(&forge, "other", &prover).await;
        let proof = prover.proof(&forge, "GET", ANYTHING, Some(&other));
        let refused = presenting(&forge, &token, &proof).get(ANYTHING).await.expect(401);
        assert_eq!(challenges(&refused), [INVALID_PROOF]);
        presenting(&forge, &other, &proof).get(ANYTHING).await.expect(200);
    }

    async fn a53_a_proof_is_for_the_configured_address_whatever_the_request_says(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let good = nonce(forge.app(), Audience::Resources).expect("whole keys");
        let ask = |method: &'static str, htu: String| {
            let proof = prover.proof_for(&forge, (method, &htu), Some(&token), good.as_deref());
            presenting(&forge, &token, &proof)
        };
        for htu in [
            "http://forge.example/api/v3/user", "https://evil.example/api/v3/user", "https://forge.example:8443/api/v3/user",
            "https://forge.example/api/v3/user/", "https://forge.example/api/v3/users/../user/x", "https://api.forge.example/user",
        ] {
            let client = ask("GET", htu.to_owned());
            client.get(ANYTHING).await.expect(401);
            let spoofed = client.with_header("x-forwarded-host".parse().expect("a name"), "evil.example");
            spoofed.get(ANYTHING).await.expect(401);
        }
        ask("POST", format!("{ORIGIN}{ANYTHING}")).get(ANYTHING).await.expect(401);
        let spoofed = ask("GET", "https://evil.example/api/v3/user".to_owned());
        spoofed.with_header("host".parse().expect("a name"), "evil.example").get(ANYTHING).await.expect(401);
        for htu in ["https://FORGE.example:443/api/v3/%75ser", "https://forge.example/api/v3/user?x#y"] {
            ask("GET", htu.to_owned()).get(&format!("{ANYTHING}?a=b")).await.expect(200);
        }
        // What is a person's profile under one name is the API under the other.
        let api = ask("GET", "https://api.forge.example/user".to_owned());
        api.with_header("host".parse().expect("a name"), "api.forge.example").get("/user").await.expect(200);
        let main = ask("GET", "https://forge.example/user".to_owned());
        main.with_header("host".parse().expect("a name"), "api.forge.example").get("/user").await.expect(401);
    }

    async fn a54_a_proof_from_another_minute_is_refused(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let proof = prover.proof(&forge, "GET", ANYTHING, Some(&token));
        forge.advance(Duration::from_secs(61));
        presenting(&forge, &token, &proof).get(ANYTHING).await.expect(401);
        let other = prover.proof(&forge, "GET", ANYTHING, Some(&token));
        forge.advance(Duration::from_secs(60));
        presenting(&forge, &token, &other).get(ANYTHING).await.expect(200);
    }

    async fn a55_a_proof_repeats_a_nonce_of_this_server_and_this_moment(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let ask = async |nonce: Option<&str>| {
            let address = format!("{ORIGIN}{ANYTHING}");
            let proof = prover.proof_for(&forge, ("GET", &address), Some(&token), nonce);
            presenting(&forge, &token, &proof).get(ANYTHING).await
        };
        let elsewhere = nonce(forge.app(), Audience::TokenEndpoint).expect("whole keys");
        for nonce in [None, Some("x"), elsewhere.as_deref()] {
            let refused = ask(nonce).await.expect(401);
            assert_eq!(challenges(&refused), [NONCE_NEEDED]);
            assert_eq!(refused.header("cache-control"), Some("no-store"));
        }
        let given = ask(None).await.expect(401).header("dpop-nonce").expect("a nonce").to_owned();
        ask(Some(&given)).await.expect(200);
        ask(None).await.expect(401);
        forge.advance(Duration::from_secs(599));
        let later = ask(Some(&given)).await;
        let next = later.header("dpop-nonce").expect("a nonce").to_owned();
        assert_ne!(next, given);
        forge.advance(Duration::from_secs(300));
        ask(Some(&given)).await.expect(401);
    }

    async fn a59_a_bound_token_without_proof_is_refused_in_every_form(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let basic = format!("Basic {}", BASE64.encode(format!("robot:{}", token.expose()).as_bytes()));
        let proof = prover.proof(&forge, "GET", ANYTHING, Some(&token));
        for authorization in [format!("Bearer {}", token.expose()), format!("token {}", token.expose()), basic] {
            let client = forge.client().with_header(AUTHORIZATION, &authorization);
            let refused = client.get(ANYTHING).await.expect(401);
            assert_eq!(challenges(&refused), [INVALID_TOKEN]);
            client.get("/robot/code.git/info/refs?service=git-upload-pack").await.expect(401);
            client.graphql("{ viewer { login } }", json!({})).await.expect(401);
            // A proof beside it does not help: it is for the other scheme.
            client.with_header(PROOF, &proof).get(ANYTHING).await.expect(401);
        }
        presenting(&forge, &token, &proof).get(ANYTHING).await.expect(200);
    }

    async fn a59_an_unbound_token_gains_nothing_by_a_proof(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, forge_types::credential::CredentialKind::Personal, None).await;
        let prover = Prover::default();
        let refused = prover.send(&forge, &token, Method::GET, ANYTHING, None).await.expect(401);
        assert_eq!(challenges(&refused), [INVALID_TOKEN]);
        forge.client().with_token(&token).get(ANYTHING).await.expect(200);
    }

    async fn a58_doubled_headers_and_two_schemes_are_refused(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let proof = || prover.proof(&forge, "GET", ANYTHING, Some(&token));
        let client = presenting(&forge, &token, &proof());
        let mut doubled = client.request(Method::GET, ANYTHING);
        doubled.headers_mut().append(PROOF, proof().parse().expect("a header value"));
        let refused = client.send(doubled).await.expect(401);
        assert_eq!(challenges(&refused), [INVALID_PROOF]);
        let client = presenting(&forge, &token, &proof());
        let mut both = client.request(Method::GET, ANYTHING);
        let bearer = format!("Bearer {}", token.expose());
        both.headers_mut().append(AUTHORIZATION, bearer.parse().expect("a header value"));
        client.send(both).await.expect(400);
        let none = forge.client().with_header(AUTHORIZATION, &format!("DPoP {}", token.expose()));
        assert_eq!(challenges(&none.get(ANYTHING).await.expect(401)), [INVALID_PROOF]);
        presenting(&forge, &token, &proof()).get(ANYTHING).await.expect(200);
    }

    async fn another_key_does_not_open_the_token(forge: TestForge) {
        let (prover, thief) = (Prover::default(), Prover::default());
        let (_, token) = bound(&forge, "robot", &prover).await;
        let refused = thief.send(&forge, &token, Method::GET, ANYTHING, None).await.expect(401);
        assert_eq!(challenges(&refused), [INVALID_TOKEN]);
        prover.send(&forge, &token, Method::GET, ANYTHING, None).await.expect(200);
    }

    async fn whoever_says_nothing_hears_of_both_schemes(forge: TestForge) {
        let refused = forge.client().get(ANYTHING).await.expect(401);
        assert_eq!(challenges(&refused), ["Bearer realm=\"forge\"", "DPoP algs=\"ES256 EdDSA\""]);
    }

    async fn what_a_bound_token_makes_is_bound_to_the_same_key(forge: TestForge) {
        let prover = Prover::default();
        let (_, token) = bound(&forge, "robot", &prover).await;
        let body = json!({ "name": "derived" });
        let made = prover.send(&forge, &token, Method::POST, "/api/ext/v1/user/tokens", Some(&body)).await.expect(201);
        let derived = forge_testing::agents::secret(&made.json()["token"]);
        forge.client().with_token(&derived).get(ANYTHING).await.expect(401);
        prover.send(&forge, &derived, Method::GET, ANYTHING, None).await.expect(200);
    }
}

#[tokio::test]
async fn where_nonces_are_off_none_is_demanded_or_given() {
    let forge = TestForge::builder(forge_testing::Database::Sqlite)
        .settings(|settings| settings.proof_nonces = forge_service::app::ProofNonces::Off)
        .start()
        .await;
    let prover = Prover::default();
    let (_, token) = bound(&forge, "robot", &prover).await;
    let address = format!("{ORIGIN}{ANYTHING}");
    let proof = prover.proof_for(&forge, ("GET", &address), Some(&token), None);
    let read = presenting(&forge, &token, &proof).get(ANYTHING).await.expect(200);
    assert_eq!(read.header("dpop-nonce"), None);
}
