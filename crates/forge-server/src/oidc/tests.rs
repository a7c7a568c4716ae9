//! Signing in through a provider that the test starts, with what an honest and a dishonest one answer.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

use crate::config::Config;
use crate::{Forge, ForgeBuilder};

const CLIENT: &str = "forge";

/// A provider. It answers every code with the token that the test prepared.
struct FakeProvider {
    issuer: String,
    key: EcdsaKeyPair,
    token: Mutex<String>,
    asked: Mutex<String>,
}

fn key_pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

impl FakeProvider {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (token, asked) = (Mutex::default(), Mutex::default());
        let provider = Arc::new(Self { issuer, key: key_pair(), token, asked });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(exchange))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn claims(&self, nonce: &str) -> Value {
        let now = crate::clock::now().unix_timestamp();
        json!({
            "iss": self.issuer, "sub": "subject-1", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce,
            "preferred_username": "mona", "email": "mona@example.com", "email_verified": true,
        })
    }

    fn prepare(&self, claims: &Value) {
        *self.token.lock().unwrap() = sign(&self.key, &json!({ "alg": "ES256", "kid": "1" }), claims);
    }
}

fn sign(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

async fn describe(State(provider): State<Arc<FakeProvider>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
    }))
}

async fn keys(State(provider): State<Arc<FakeProvider>>) -> Json<Value> {
    let (x, y) = provider.key.public_key().as_ref()[1..].split_at(32);
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    Json(json!({ "keys": [
        { "kty": "oct", "k": "ignored" },
        { "kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": encode(x), "y": encode(y) },
    ] }))
}

async fn exchange(State(provider): State<Arc<FakeProvider>>, body: String) -> Json<Value> {
    *provider.asked.lock().unwrap() = body;
    let token = provider.token.lock().unwrap().clone();
    Json(json!({ "access_token": "unused", "token_type": "Bearer", "id_token": token }))
}

async fn forge(provider: &FakeProvider) -> (tempfile::TempDir, Forge) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data = directory.path().join("data");
    config.oidc.issuer = Some(provider.issuer.clone());
    config.oidc.client_id = Some(CLIENT.to_owned());
    let forge = ForgeBuilder::new(config).build().await.unwrap();
    (directory, forge)
}

async fn visit(forge: &Forge, path: &str, cookie: &str) -> Response {
    let request = Request::get(path).header(COOKIE, cookie).body(Body::empty()).unwrap();
    forge.router().oneshot(request).await.unwrap()
}

fn cookie(response: &Response, name: &str) -> Option<String> {
    let cookies = response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pair = cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.contains(name));
    pair.filter(|pair| !pair.ends_with('=')).map(str::to_owned)
}

/// A browser on its way: the cookie it carries, and what the provider was asked for.
struct Begun {
    cookie: String,
    state: String,
    nonce: String,
}

async fn begin(forge: &Forge) -> Begun {
    let response = visit(forge, "/login/oidc?return_to=/settings/tokens", "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let url: Url = response.headers()[LOCATION].to_str().unwrap().parse().unwrap();
    let find =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(find("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(find("scope").as_deref(), Some("openid profile email"));
    Begun {
        cookie: cookie(&response, "forge_provider").expect("a cookie"),
        state: find("state").unwrap(),
        nonce: find("nonce").unwrap(),
    }
}

async fn come_back(forge: &Forge, begun: &Begun) -> Response {
    visit(forge, &format!("/login/oidc/callback?code=abc&state={}", begun.state), &begun.cookie).await
}

#[tokio::test]
async fn a_person_signs_in_through_the_provider_and_is_the_same_the_next_time() {
    let provider = FakeProvider::start().await;
    let (_directory, forge) = forge(&provider).await;
    for _ in 0..2 {
        let begun = begin(&forge).await;
        provider.prepare(&provider.claims(&begun.nonce));
        let response = come_back(&forge, &begun).await;
        assert_eq!(
            (response.status(), &response.headers()[LOCATION]),
            (StatusCode::SEE_OTHER, &"/settings/tokens".parse().unwrap())
        );
        assert!(provider.asked.lock().unwrap().contains("code_verifier="));
        let session = cookie(&response, "forge_session").expect("a session");
        let page = visit(&forge, "/settings/tokens", &session).await;
        assert_eq!(page.status(), StatusCode::OK);
        let body = axum::body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("<strong>mona</strong>"));
    }
    let page = visit(&forge, "/login", "").await;
    let body = axum::body::to_bytes(page.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("/login/oidc?return_to="));
}

#[tokio::test]
async fn a_token_that_is_not_the_providers_for_us_now_and_this_sign_in_is_refused() {
    let provider = FakeProvider::start().await;
    let (_directory, forge) = forge(&provider).await;
    let now = crate::clock::now().unix_timestamp();
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("other")),
        ("aud", json!([CLIENT, "other"])),
        ("azp", json!("other")),
        ("exp", json!(now - 120)),
        ("iat", json!(now + 3600)),
        ("nonce", json!("another")),
        ("sub", json!("")),
    ] {
        let begun = begin(&forge).await;
        let mut claims = provider.claims(&begun.nonce);
        claims[name] = value;
        provider.prepare(&claims);
        let response = come_back(&forge, &begun).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
        assert!(cookie(&response, "forge_session").is_none(), "{name}");
    }
    let begun = begin(&forge).await;
    let claims = provider.claims(&begun.nonce);
    let foreign = sign(&key_pair(), &json!({ "alg": "ES256", "kid": "1" }), &claims);
    let unsigned = sign(&provider.key, &json!({ "alg": "none", "kid": "1" }), &claims);
    let unknown = sign(&provider.key, &json!({ "alg": "ES256", "kid": "2" }), &claims);
    for token in [foreign, unsigned, unknown] {
        *provider.token.lock().unwrap() = token;
        assert_eq!(come_back(&forge, &begun).await.status(), StatusCode::FORBIDDEN);
    }
    provider.prepare(&claims);
    assert_eq!(come_back(&forge, &begun).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_answer_to_another_sign_in_or_another_browser_is_refused() {
    let provider = FakeProvider::start().await;
    let (_directory, forge) = forge(&provider).await;
    let (mine, theirs) = (begin(&forge).await, begin(&forge).await);
    provider.prepare(&provider.claims(&mine.nonce));
    let crossed = Begun { cookie: theirs.cookie, state: mine.state.clone(), nonce: mine.nonce.clone() };
    assert_eq!(come_back(&forge, &crossed).await.status(), StatusCode::FORBIDDEN);
    let without = Begun { cookie: String::new(), state: mine.state.clone(), nonce: mine.nonce.clone() };
    assert_eq!(come_back(&forge, &without).await.status(), StatusCode::FORBIDDEN);
    let mixed_up = format!("/login/oidc/callback?code=abc&state={}&iss=https://evil.example", mine.state);
    assert_eq!(visit(&forge, &mixed_up, &mine.cookie).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(come_back(&forge, &mine).await.status(), StatusCode::SEE_OTHER);
}

#[test]
fn a_provider_is_reached_over_tls_unless_it_is_on_this_machine() {
    for (url, is_safe) in [
        ("https://id.example", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://id.example", false),
        ("http://localhost", false),
        ("ftp://127.0.0.1", false),
    ] {
        assert_eq!(super::is_safe(&url.parse().unwrap()), is_safe, "{url}");
    }
}
