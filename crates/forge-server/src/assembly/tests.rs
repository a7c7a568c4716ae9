//! The forge as a part of another program, and behind a proxy that knows who is asking.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use forge_service::people::identities::HostIdentity;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
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
    let mut request = Request::get("/api/v3/user");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer = Peer { address: format!("{address}:1").parse().unwrap(), certificate: None };
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
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
