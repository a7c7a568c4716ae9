//! The proxy as raw TCP clients and curl meet it.

use tokio::io::AsyncReadExt;

use super::*;
use crate::config::Environment;

/// A server that answers every connection with its name and then repeats what it hears.
async fn named_server(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(name.as_bytes()).await.unwrap();
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn proxy(upstream: Upstream) -> u16 {
    let server = named_server("ours").await;
    let routes = Routes { host: "forge.localhost".into(), server, upstream };
    let proxy = Proxy::bind("secret".into(), routes).await.unwrap();
    let port = proxy.port();
    tokio::spawn(proxy.run());
    port
}

async fn client(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap()
}

async fn head(stream: &mut TcpStream) -> String {
    match head::read_lines(stream).await.unwrap() {
        head::Lines::Text(text) => text,
        _ => String::new(),
    }
}

/// Sends a request and returns the first line of the answer and the connection.
async fn ask(port: u16, request: &str) -> (String, TcpStream) {
    let mut stream = client(port).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    (answer.lines().next().unwrap_or_default().to_owned(), stream)
}

fn connect(target: &str, password: &str) -> String {
    let credentials = data_encoding::BASE64.encode(format!("forge:{password}").as_bytes());
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic {credentials}\r\n\r\n")
}

async fn read_exactly(stream: &mut TcpStream, count: usize) -> String {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_password_is_asked_for_and_may_follow_on_the_same_connection() {
    let port = proxy(Upstream::default()).await;
    let mut stream = client(port).await;
    stream.write_all(b"CONNECT forge.localhost:443 HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 407 "), "{answer}");
    assert!(answer.contains("Proxy-Authenticate: Basic realm=\""), "{answer}");
    stream.write_all(connect("forge.localhost:443", "secret").as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(read_exactly(&mut stream, 4).await, "ours");
}

#[tokio::test]
async fn a_wrong_password_never_connects_and_the_tries_end() {
    let port = proxy(Upstream::default()).await;
    let mut stream = client(port).await;
    for _ in 0..ATTEMPTS {
        stream.write_all(connect("forge.localhost:443", "wrong").as_bytes()).await.unwrap();
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 407 "));
    }
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn both_of_our_names_lead_to_our_port_in_any_spelling() {
    let port = proxy(Upstream::default()).await;
    for target in ["forge.localhost:443", "api.forge.localhost:443", "FORGE.localhost.:443"] {
        let (answer, mut stream) = ask(port, &connect(target, "secret")).await;
        assert!(answer.contains("200"), "{target}: {answer}");
        assert_eq!(read_exactly(&mut stream, 4).await, "ours");
        stream.write_all(b"echo").await.unwrap();
        assert_eq!(read_exactly(&mut stream, 4).await, "echo");
    }
}

#[tokio::test]
async fn other_ports_of_our_host_are_refused() {
    let port = proxy(Upstream::default()).await;
    let (answer, _) = ask(port, &connect("forge.localhost:22", "secret")).await;
    assert!(answer.contains("403"), "{answer}");
}

#[tokio::test]
async fn other_hosts_are_reached_directly() {
    let port = proxy(Upstream::default()).await;
    let other = named_server("other").await;
    let (answer, mut stream) = ask(port, &connect(&format!("localhost:{}", other.port()), "secret")).await;
    assert!(answer.contains("200"), "{answer}");
    assert_eq!(read_exactly(&mut stream, 5).await, "other");
}

#[tokio::test]
async fn other_hosts_go_through_the_previous_proxy_with_its_own_password() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let previous = format!("http://user:pw@127.0.0.1:{}", listener.local_addr().unwrap().port());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfrom afar").await.unwrap();
        request
    });
    let environment: Environment = [("HTTPS_PROXY", previous)].into_iter().collect();
    let port = proxy(Upstream::from_environment(&environment)).await;
    let (answer, mut stream) = ask(port, &connect("far.example:443", "secret")).await;
    assert!(answer.contains("200"), "{answer}");
    assert_eq!(read_exactly(&mut stream, 9).await, "from afar");
    let request = heard.await.unwrap();
    assert!(request.starts_with("CONNECT far.example:443 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("Basic dXNlcjpwdw=="), "{request}");
    assert!(!request.contains("secret"), "our password stays here: {request}");
}

#[tokio::test]
async fn a_refusing_previous_proxy_is_a_bad_gateway() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let previous = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 512]).await;
    });
    let environment: Environment = [("HTTPS_PROXY", previous)].into_iter().collect();
    let port = proxy(Upstream::from_environment(&environment)).await;
    let (answer, _) = ask(port, &connect("far.example:443", "secret")).await;
    assert!(answer.contains("502"), "{answer}");
}

#[tokio::test]
async fn only_connect_is_served_and_heads_are_bounded() {
    let port = proxy(Upstream::default()).await;
    let (answer, _) = ask(port, "GET http://forge.localhost/ HTTP/1.1\r\n\r\n").await;
    assert!(answer.contains("405"), "{answer}");
    let (answer, _) = ask(port, "nonsense\r\n\r\n").await;
    assert!(answer.contains("400"), "{answer}");
    let (answer, _) = ask(port, &format!("CONNECT a:1 HTTP/1.1\r\nX: {}", "x".repeat(9_000))).await;
    assert!(answer.contains("431") || answer.is_empty(), "{answer}");
    let (answer, _) = ask(port, &connect("forge.localhost", "secret")).await;
    assert!(answer.contains("400"), "{answer}");
}

#[tokio::test]
async fn a_closed_port_is_a_bad_gateway() {
    let port = proxy(Upstream::default()).await;
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let (answer, _) = ask(port, &connect(&format!("127.0.0.1:{closed}"), "secret")).await;
    assert!(answer.contains("502"), "{answer}");
}

#[tokio::test]
async fn curl_gets_through_with_the_password_in_the_url() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nours").await.unwrap();
    });
    let routes = Routes { host: "forge.localhost".into(), server, upstream: Upstream::default() };
    let proxy = Proxy::bind("secret".into(), routes).await.unwrap();
    let url = format!("http://forge:secret@127.0.0.1:{}", proxy.port());
    tokio::spawn(proxy.run());
    let curl = tokio::process::Command::new("curl")
        .args(["-sS", "--max-time", "10", "-p", "-x", &url, "http://forge.localhost:443/"])
        .env_clear()
        .output()
        .await;
    let Ok(output) = curl else { return };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "ours",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
