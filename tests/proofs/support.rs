//! What the tests of this folder share: keys, requests at the token endpoint, tokens bound to keys.

use forge_auth::token::Secret;
use forge_testing::proofs::{PROOF, Prover};
use forge_testing::{Answer, TestForge};
use forge_types::account::Account;
use forge_types::credential::CredentialKind;

/// Where tokens are had.
pub(crate) const TOKEN_ENDPOINT: &str = "/login/oauth/access_token";
/// Something that takes any valid token.
pub(crate) const ANYTHING: &str = "/api/v3/user";

/// Posts a form at the token endpoint with these proofs.
pub(crate) async fn post(forge: &TestForge, fields: &[(&str, &str)], proofs: &[&str]) -> Answer {
    let client = forge.client().with_header("accept".parse().expect("a name"), "application/json");
    let mut request = client.request("POST".parse().expect("a method"), TOKEN_ENDPOINT);
    for proof in proofs {
        request.headers_mut().append(PROOF, proof.parse().expect("a header value"));
    }
    let content_type = "application/x-www-form-urlencoded".parse().expect("a header value");
    request.headers_mut().insert("content-type", content_type);
    *request.body_mut() = form(fields).into();
    client.send(request).await
}

/// Encodes fields as a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// Exchanges a bootstrap secret of the agent for a session, with a proof if there is a prover.
pub(crate) async fn exchange(
    forge: &TestForge,
    agent: &Account,
    secret: &Secret,
    prover: Option<&Prover>,
) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &agent.login),
        ("client_secret", secret.expose()),
    ];
    let proof = prover.map(|prover| prover.proof(forge, "POST", TOKEN_ENDPOINT, None));
    post(forge, &fields, &proof.as_deref().map_or(vec![], |proof| vec![proof])).await
}

/// Returns a new agent with a token bound to the prover's key.
pub(crate) async fn bound(forge: &TestForge, login: &str, prover: &Prover) -> (Account, Secret) {
    let agent = forge.agent(login).await;
    let secret = forge.token(&agent, CredentialKind::Bootstrap, None).await;
    let session = exchange(forge, &agent, &secret, Some(prover)).await.expect(200).json();
    assert_eq!(session["token_type"], "DPoP");
    (agent, token(&session))
}

/// Returns the access token of an answer.
pub(crate) fn token(answer: &serde_json::Value) -> Secret {
    Secret::new(answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned())
}

/// Returns the challenges of an answer.
pub(crate) fn challenges(answer: &Answer) -> Vec<&str> {
    let values = answer.headers.get_all("www-authenticate").iter();
    values.map(|value| value.to_str().expect("challenges are text")).collect()
}
