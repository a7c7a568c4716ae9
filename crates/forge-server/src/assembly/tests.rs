//! The forge as a part of another program, and behind a proxy that knows who is asking.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use data_encoding::BASE64;
use forge_service::admin;
use forge_service::people::identities::HostIdentity;
use forge_types::Scopes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::config::AuthorizationOf;
use crate::net::Peer;

struct Host;

impl HostAuthenticator for Host {
    async fn authenticate(&self, request: &Parts) -> Option<HostIdentity> {
        let user = request.headers.get("x-host-user")?.to_str().ok()?;
        Some(HostIdentity {
            provider: "host".into(),
            subject: format!("id-{user}"),
            login: user.into(),
            ..HostIdentity::default()
        })
    }
}

async fn forge(change: impl FnOnce(&mut Config), embedded: bool) -> (tempfile::TempDir, Forge) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data = directory.path().join("data");
    change(&mut config);
    let builder = ForgeBuilder::new(config);
    let builder = if embedded { builder.with_authenticator(Host) } else { builder };
    let forge = builder.build().await.unwrap();
    (directory, forge)
}

/// Asks who one is.
async fn ask(router: Router, address: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let (status, body) = send(router, address, headers, Request::get("/api/v3/user"), Body::empty()).await;
    (status, serde_json::from_slice(&body).unwrap())
}

async fn send(
    router: Router,
    address: &str,
    headers: &[(&str, &str)],
    mut request: http::request::Builder,
    body: Body,
) -> (StatusCode, Bytes) {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body).unwrap();
    let peer = Peer { address: format!("{address}:1").parse().unwrap(), certificate: None };
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_host_says_who_is_asking_and_the_router_can_be_mounted() {
    let (_directory, forge) = forge(|_| {}, true).await;
    let mounted =
        Router::new().route("/own", axum::routing::get(|| async { "own" })).fallback_service(forge.router());

    let (status, first) = ask(mounted.clone(), "192.0.2.1", &[("x-host-user", "mona")]).await;
    assert_eq!((status, first["login"].as_str()), (StatusCode::OK, Some("mona")));
    let (_, again) = ask(mounted.clone(), "192.0.2.1", &[("x-host-user", "mona")]).await;
    assert_eq!(first["id"], again["id"], "the second visit finds the account of the first");
    assert_eq!(ask(mounted, "192.0.2.1", &[]).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn identity_headers_count_from_the_configured_proxy_alone() {
    let trust = |config: &mut Config| config.identity_proxy.addresses.0.push("10.0.0.7".parse().unwrap());
    let headers = [("x-forwarded-user", "sub-1"), ("x-forwarded-preferred-username", "mona")];

    let (_directory, trusting) = forge(trust, false).await;
    assert_eq!(ask(trusting.router(), "10.0.0.8", &headers).await.0, StatusCode::UNAUTHORIZED);
    let (status, body) = ask(trusting.router(), "10.0.0.7", &headers).await;
    assert_eq!((status, body["login"].as_str()), (StatusCode::OK, Some("mona")));

    // Without a configured proxy nobody's headers count, not even those of this machine.
    let (_directory, plain) = forge(|_| {}, false).await;
    assert_eq!(ask(plain.router(), "127.0.0.1", &headers).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forwarded_address_does_not_make_anyone_the_proxy() {
    let (_directory, forge) = forge(
        |config| {
            config.identity_proxy.addresses.0.push("10.0.0.7".parse().unwrap());
            config.server.trusted_proxies.0.push("10.0.0.9".parse().unwrap());
        },
        false,
    )
    .await;
    let headers = [("x-forwarded-for", "10.0.0.7"), ("x-forwarded-user", "sub-1")];
    for address in ["192.0.2.1", "10.0.0.9"] {
        assert_eq!(ask(forge.router(), address, &headers).await.0, StatusCode::UNAUTHORIZED, "{address}");
    }
}

/// A forge behind a proxy through which mona and hubot have come once, with a token of hubot's that only reads.
async fn behind_a_proxy(authorization: AuthorizationOf) -> (tempfile::TempDir, Forge, String) {
    let (directory, forge) = forge(
        |config| {
            config.identity_proxy.addresses.0.push(PROXY.parse().unwrap());
            config.identity_proxy.authorization = authorization;
        },
        false,
    )
    .await;
    for user in ["mona", "hubot"] {
        assert_eq!(ask(forge.router(), PROXY, &[("x-forwarded-user", user)]).await.0, StatusCode::OK);
    }
    let console = admin::console(forge.app());
    let scopes = Some(Scopes::parse("read:org").unwrap());
    let (token, _) = admin::create_token(&console, "hubot", "narrow", scopes, None).await.unwrap();
    (directory, forge, token.expose().to_owned())
}

const PROXY: &str = "10.0.0.7";

// Whoever hands a narrow token to a tool that reaches the forge through the proxy means the tool to have that much.
#[tokio::test]
async fn a_token_decides_over_the_proxys_word_and_is_not_widened_by_it() {
    let (_directory, forge, token) = behind_a_proxy(AuthorizationOf::Client).await;
    let bearer = format!("Bearer {token}");
    let basic = format!("Basic {}", BASE64.encode(format!("any:{token}").as_bytes()));
    let create = async |headers: &[(&str, &str)]| {
        let request = Request::post("/api/v3/user/repos");
        send(forge.router(), PROXY, headers, request, Body::from(r#"{"name":"made"}"#)).await.0
    };
    let push = async |headers: &[(&str, &str)]| {
        let request = Request::get("/hubot/made/info/refs?service=git-receive-pack");
        send(forge.router(), PROXY, headers, request, Body::empty()).await.0
    };
    for user in ["hubot", "mona"] {
        for presented in [&bearer, &basic] {
            let both = [("x-forwarded-user", user), ("authorization", presented.as_str())];
            let (status, body) = ask(forge.router(), PROXY, &both).await;
            assert_eq!((status, body["login"].as_str()), (StatusCode::OK, Some("hubot")), "beside {user}");
            assert_eq!(create(&both).await, StatusCode::FORBIDDEN, "beside {user}");
        }
    }
    let named = [("x-forwarded-user", "hubot")];
    assert_eq!(create(&named).await, StatusCode::CREATED);
    assert_eq!(push(&named).await, StatusCode::OK);
    assert_eq!(push(&[named[0], ("authorization", basic.as_str())]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_whoever_the_proxy_names() {
    let (_directory, forge, token) = behind_a_proxy(AuthorizationOf::Client).await;
    let altered = format!("token {}x", &token[..token.len() - 1]);
    for presented in [altered.as_str(), "Bearer eyJhbGciOiJub25lIn0.e30.", "Negotiate abc", "Basic bW9uYTpw"]
    {
        let both = [("x-forwarded-user", "mona"), ("authorization", presented)];
        assert_eq!(ask(forge.router(), PROXY, &both).await.0, StatusCode::UNAUTHORIZED, "{presented}");
        let refs = Request::get("/hubot/made/info/refs?service=git-upload-pack");
        let (status, _) = send(forge.router(), PROXY, &both, refs, Body::empty()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{presented}");
    }
    assert_eq!(ask(forge.router(), PROXY, &[("x-forwarded-user", "mona")]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_proxy_may_use_authorization_itself_but_does_not_take_it_from_others() {
    let (_directory, forge, token) = behind_a_proxy(AuthorizationOf::Proxy).await;
    let bearer = format!("Bearer {token}");
    for presented in ["Basic bW9uYTpw", bearer.as_str()] {
        let both = [("x-forwarded-user", "mona"), ("authorization", presented)];
        let (status, body) = ask(forge.router(), PROXY, &both).await;
        assert_eq!((status, body["login"].as_str()), (StatusCode::OK, Some("mona")));
    }
    // Past the proxy, and where it names nobody, a token is a token.
    for address in ["192.0.2.1", PROXY] {
        let (status, body) = ask(forge.router(), address, &[("authorization", &bearer)]).await;
        assert_eq!((status, body["login"].as_str()), (StatusCode::OK, Some("hubot")), "{address}");
    }
    let spoofed = [("x-forwarded-user", "mona"), ("authorization", bearer.as_str())];
    let (_, body) = ask(forge.router(), "192.0.2.1", &spoofed).await;
    assert_eq!(body["login"], "hubot");
}

#[tokio::test]
async fn a_host_may_use_authorization_itself() {
    struct Owner(bool);
    impl HostAuthenticator for Owner {
        async fn authenticate(&self, request: &Parts) -> Option<HostIdentity> {
            HostAuthenticator::authenticate(&Host, request).await
        }

        fn owns_authorization(&self) -> bool {
            self.0
        }
    }
    for (owns, expected) in [(true, StatusCode::OK), (false, StatusCode::UNAUTHORIZED)] {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.server.data = directory.path().join("data");
        let forge = ForgeBuilder::new(config).with_authenticator(Owner(owns)).build().await.unwrap();
        let both = [("x-host-user", "mona"), ("authorization", "Bearer of-the-host")];
        assert_eq!(ask(forge.router(), "192.0.2.1", &both).await.0, expected);
        let nobody = [("authorization", "Bearer of-the-host")];
        assert_eq!(ask(forge.router(), "192.0.2.1", &nobody).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_data_directory_belongs_to_one_forge_at_a_time() {
    let (directory, forge) = forge(|_| {}, false).await;
    let mut config = Config::default();
    config.server.data = directory.path().join("data");
    let refused = ForgeBuilder::new(config.clone()).build().await.err().unwrap();
    assert!(refused.message.contains("in use"), "{refused}");
    forge.close().await;
    ForgeBuilder::new(config).build().await.unwrap();
}
