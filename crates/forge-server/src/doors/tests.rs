//! A whole local forge without its rooms, reached by real clients.

use std::process::Stdio;

use axum::extract::Extension;
use axum::routing::get;

use super::*;
use crate::config::{Config, Environment};
use crate::data::DataDirectory;
use crate::local::shell;
use crate::net::Peer;

fn config(data: &DataDirectory) -> Config {
    let mut config = Config::default();
    config.server.data = data.path().to_owned();
    config.server.listen = Some("127.0.0.1:0".parse().unwrap());
    config
}

struct Running {
    _directory: tempfile::TempDir,
    info: RunInfo,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn start(change: impl FnOnce(&mut Config)) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let data = DataDirectory::create(directory.path()).unwrap();
    let mut config = config(&data);
    change(&mut config);
    let doors = Doors::open(&config, &data, &Environment::default()).await.unwrap();
    let info = doors.run_info();
    let router = Router::new()
        .route("/", get(|Extension(peer): Extension<Peer>| async move { peer.ip().to_string() }));
    let metrics = Arc::<Metrics>::default();
    let ops = Ops::new(metrics.clone(), || async { Ok(()) });
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { doors.run(router, ops, metrics, (&config.limits, &config.server), stop).await }
    });
    Running { _directory: directory, info, stop, task }
}

/// Runs a command in a shell that has evaluated `forge env`.
async fn after_env(info: &RunInfo, command: &str) -> (bool, String, String) {
    let lines = shell::enter(info, &Environment::default(), false);
    let script: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let output = tokio::process::Command::new("/bin/sh")
        .args(["-c", &format!("{script}\n{command}")])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn curl_reaches_and_trusts_both_names_after_forge_env() {
    let server = start(|_| {}).await;
    for url in ["https://forge.localhost/", "https://api.forge.localhost/"] {
        let (_, output, errors) = after_env(&server.info, &format!("curl -sS --max-time 10 {url}")).await;
        assert_eq!(output, "127.0.0.1", "{errors}");
    }
    // The control: without the proxy's password the way is closed, without our authority there is no trust.
    let (good, _, errors) = after_env(
        &server.info,
        "unset CURL_CA_BUNDLE SSL_CERT_FILE; curl -sS --max-time 10 https://forge.localhost/",
    )
    .await;
    assert!(!good && errors.contains("certificate"), "{errors}");
    let port = server.info.proxy.as_ref().unwrap().port;
    let (good, _, errors) = after_env(
        &server.info,
        &format!("curl -sS --max-time 10 -x http://127.0.0.1:{port} https://forge.localhost/"),
    )
    .await;
    assert!(!good && errors.contains("407"), "{errors}");
}

#[tokio::test]
async fn git_reaches_and_trusts_the_server_after_forge_env() {
    let server = start(|_| {}).await;
    let (good, _, errors) =
        after_env(&server.info, "git ls-remote https://forge.localhost/octo/none.git").await;
    // There is no git behind this door: that it was asked is the proof.
    assert!(!good && errors.contains("not found"), "{errors}");
    assert!(!errors.contains("certificate") && !errors.contains("CONNECT"), "{errors}");
}

#[tokio::test]
async fn plain_http_serves_behind_a_proxy_and_operators_have_a_listener_of_their_own() {
    let server = start(|config| {
        config.server.url = "http://forge.localhost".parse().unwrap();
        config.tls.mode = Some(crate::config::TlsMode::Off);
    })
    .await;
    assert!(get_raw(server.info.listen[0], "/").await.ends_with("127.0.0.1"));
    assert!(get_raw(server.info.listen[0], "/healthz").await.contains("404"));
    assert!(get_raw(server.info.ops, "/healthz").await.ends_with("ok\n"));
    assert!(server.info.ca_bundle.is_none() && server.info.proxy.is_none());
}

async fn get_raw(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn links_for_people_carry_the_port_in_use_and_the_public_url_does_not() {
    let server = start(|_| {}).await;
    let port = server.info.listen[0].port();
    assert_eq!(server.info.browser_url, format!("https://forge.localhost:{port}"));
    assert_eq!(server.info.url, "https://forge.localhost");
}

#[tokio::test]
async fn stopping_ends_in_time() {
    let server = start(|_| {}).await;
    server.stop.cancel();
    tokio::time::timeout(std::time::Duration::from_secs(10), server.task).await.unwrap().unwrap();
}
