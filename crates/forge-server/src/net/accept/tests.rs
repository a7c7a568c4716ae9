//! Connections as clients make them: honest, slow, unknown.

use std::net::Ipv4Addr;

use axum::extract::Extension;
use axum::routing::{get, post};
use rustls::RootCertStore;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::config::{Config, Fingerprint, Period};
use crate::net::{CertificateSlot, acceptor, acceptor_with_clients};

struct Running {
    address: SocketAddr,
    acceptor: Arc<Acceptor>,
}

async fn start(router: Router, limits: Limits, tls: Option<TlsAcceptor>) -> Running {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Arc::new(Acceptor {
        router,
        slots: Slots::new(&limits, Vec::new()),
        limits,
        metrics: Arc::default(),
        stop: CancellationToken::new(),
        connections: TaskTracker::new(),
    });
    tokio::spawn(acceptor.clone().run(Endpoint { listener, tls, is_mutual: false }));
    Running { address, acceptor }
}

fn limits() -> Limits {
    Config::default().limits
}

async fn who(Extension(peer): Extension<Peer>) -> String {
    format!("{} {}", peer.ip(), peer.certificate.is_some())
}

async fn echo(body: String) -> String {
    format!("echo {body}")
}

fn router() -> Router {
    Router::new().route("/who", get(who)).route("/echo", post(echo))
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const REQUEST: &str = "GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

use rustls::pki_types::CertificateDer;

fn identity(name: &str) -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), key: PrivatePkcs8KeyDer::from(key.serialize_der()) }
}

fn slot(identity: &Identity) -> Arc<CertificateSlot> {
    CertificateSlot::new(vec![identity.certificate.clone()], &identity.key.clone_key().into()).unwrap()
}

async fn connect(
    address: SocketAddr,
    trusted: &Identity,
    client: Option<&Identity>,
    alpn: &[&str],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        Some(client) => builder
            .with_client_auth_cert(vec![client.certificate.clone()], client.key.clone_key().into())
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("forge.localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn the_router_learns_who_is_at_the_other_end() {
    let server = start(router(), limits(), None).await;
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), REQUEST).await;
    assert!(answer.ends_with("127.0.0.1 false"), "{answer}");
}

#[tokio::test]
async fn tls_offers_http2_and_a_new_certificate_serves_new_connections() {
    let (first, second) = (identity("forge.localhost"), identity("forge.localhost"));
    let slot = slot(&first);
    let server = start(router(), limits(), Some(acceptor(slot.clone()).unwrap())).await;

    let stream = connect(server.address, &first, None, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let old = connect(server.address, &first, None, &["http/1.1"]).await.unwrap();

    slot.replace(vec![second.certificate.clone()], &second.key.clone_key().into()).unwrap();
    assert!(connect(server.address, &first, None, &[]).await.is_err());
    let new = connect(server.address, &second, None, &[]).await.unwrap();
    for stream in [old, new] {
        assert!(exchange(stream, REQUEST).await.ends_with("127.0.0.1 false"));
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused_and_the_old_one_stays() {
    let (first, second) = (identity("forge.localhost"), identity("forge.localhost"));
    let slot = slot(&first);
    assert!(slot.replace(vec![second.certificate.clone()], &first.key.clone_key().into()).is_err());
    let server = start(router(), limits(), Some(acceptor(slot).unwrap())).await;
    connect(server.address, &first, None, &[]).await.unwrap();
}

#[tokio::test]
async fn only_a_pinned_client_certificate_gets_in_where_one_is_asked_for() {
    let (server_identity, known, stranger) =
        (identity("forge.localhost"), identity("proxy"), identity("proxy"));
    let pinned: Fingerprint = tls::fingerprint(&known.certificate);
    let tls = acceptor_with_clients(slot(&server_identity), vec![pinned]).unwrap();
    let server = start(router(), limits(), Some(tls)).await;

    let stream = connect(server.address, &server_identity, Some(&known), &[]).await.unwrap();
    assert!(exchange(stream, REQUEST).await.ends_with("127.0.0.1 true"));
    for client in [None, Some(&stranger)] {
        // With TLS 1.3 the refusal arrives after the client believes it is connected.
        if let Ok(stream) = connect(server.address, &server_identity, client, &[]).await {
            assert_eq!(exchange(stream, REQUEST).await, "");
        }
    }
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_let_go() {
    let limits = Limits { header_timeout: Period(Duration::from_millis(150)), ..limits() };
    let identity = identity("forge.localhost");
    let server = start(router(), limits, Some(acceptor(slot(&identity)).unwrap())).await;
    let stream = connect(server.address, &identity, None, &["http/1.1"]).await.unwrap();
    let answer =
        timeout(Duration::from_secs(10), exchange(stream, "GET /who HTTP/1.1\r\nHost:")).await.unwrap();
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_let_go() {
    let limits = Limits { handshake_timeout: Period(Duration::from_millis(150)), ..limits() };
    let identity = identity("forge.localhost");
    let server = start(router(), limits, Some(acceptor(slot(&identity)).unwrap())).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(10), exchange(stream, "\x16\x03")).await.unwrap(), "");
}

#[tokio::test]
async fn heads_over_the_limit_are_refused() {
    let server = start(router(), limits(), None).await;
    let request = format!("GET /who HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(HEAD_LIMIT));
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), &request).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way_and_takes_nothing_new() {
    let (started, mut is_started) = tokio::sync::mpsc::channel::<()>(1);
    let go = Arc::new(tokio::sync::Notify::new());
    let wait = go.clone();
    let slow = move || async move {
        started.send(()).await.unwrap();
        wait.notified().await;
        "done"
    };
    let server = start(Router::new().route("/slow", get(slow)), limits(), None).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let answer = tokio::spawn(exchange(stream, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
    is_started.recv().await.unwrap();
    server.acceptor.stop.cancel();
    server.acceptor.connections.close();
    go.notify_one();
    assert!(answer.await.unwrap().ends_with("done"));
    timeout(Duration::from_secs(10), server.acceptor.connections.wait()).await.unwrap();
    let late = TcpStream::connect(server.address).await;
    assert!(late.is_err() || exchange(late.unwrap(), REQUEST).await.is_empty());
}

#[tokio::test]
async fn connections_are_counted_while_they_live() {
    let server = start(router(), limits(), None).await;
    let open = |acceptor: &Acceptor| acceptor.metrics.render().contains("forge_http_connections 1\n");
    let stream = TcpStream::connect(server.address).await.unwrap();
    while !open(&server.acceptor) {
        tokio::task::yield_now().await;
    }
    drop(stream);
    while open(&server.acceptor) {
        tokio::task::yield_now().await;
    }
}

/// Whatever two readers could read differently: a proxy in front would see one request where we see two, and the second would
/// be answered to somebody else.
#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused_and_nothing_after_them_is_read() {
    let server = start(router(), limits(), None).await;
    let smuggled = "GET /who HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = |headers: &str, body: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}{smuggled}")
    };
    for (what, request) in [
        ("two lengths", post("Content-Length: 0\r\nContent-Length: 5", "")),
        ("a list of lengths", post("Content-Length: 0, 5", "")),
        ("a signed length", post("Content-Length: +0", "")),
        ("a negative length", post("Content-Length: -1", "")),
        ("no length at all", post("Content-Length: 0x0", "")),
        ("chunks that are not last", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
        ("nearly chunks", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        ("a space before the colon", post("Content-Length : 0", "")),
        ("a folded line", post("X: a\r\n b", "")),
        ("a line feed in a value", post("X: a\rb", "")),
        ("a zero byte", post("X: a\0b", "")),
        (
            "chunks of an older version",
            post("Transfer-Encoding: chunked", "0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"),
        ),
        ("a chunk whose size is none", post("Transfer-Encoding: chunked", "-1\r\nx\r\n0\r\n\r\n")),
    ] {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let answer = timeout(Duration::from_secs(10), exchange(stream, &request)).await.unwrap();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.0 400"),
            "{what}: {answer}"
        );
        assert!(!answer.contains("127.0.0.1"), "{what}: what follows was answered: {answer}");
    }
    // With both, the chunks count, and the connection ends, so that nothing can follow.
    for headers in
        ["Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked"]
    {
        let request = post(headers, "2\r\nhi\r\n0\r\n\r\n");
        let stream = TcpStream::connect(server.address).await.unwrap();
        let answer = timeout(Duration::from_secs(10), exchange(stream, &request)).await.unwrap();
        assert!(answer.ends_with("echo hi"), "{headers}: {answer}");
    }
    // Honest requests, in chunks and one after the other.
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("echo hi"), "{answer}");
    let request = format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi{REQUEST}");
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), &request).await;
    assert!(answer.contains("echo hi") && answer.ends_with("127.0.0.1 false"), "{answer}");
}

#[tokio::test]
async fn a_client_that_never_finishes_its_body_is_let_go() {
    let limits = Limits { idle_timeout: Period(Duration::from_millis(150)), ..limits() };
    let server = start(router(), limits, None).await;
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhi";
    let stream = TcpStream::connect(server.address).await.unwrap();
    let answer = timeout(Duration::from_secs(10), exchange(stream, request)).await.unwrap();
    assert!(!answer.contains("echo"), "{answer}");
}

#[tokio::test]
async fn bodies_over_the_limit_of_their_door_are_refused() {
    let bounded = router().layer(axum::extract::DefaultBodyLimit::max(1024));
    let server = start(bounded, limits(), None).await;
    let length = 1025;
    let body = "x".repeat(length);
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), &request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    let answer = exchange(TcpStream::connect(server.address).await.unwrap(), request).await;
    assert!(answer.ends_with("echo hi"), "{answer}");
}
