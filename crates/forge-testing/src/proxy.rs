//! A proxy that buffers: it takes a whole request before it passes it on, and a whole answer before it gives it back, as
//! careful operators set up in front of a forge. Nothing streams through it, and chunks are gone.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What belongs to a connection, not to what is carried.
const OF_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A running proxy in front of a server that speaks plain HTTP; dropping it ends it.
#[derive(Debug)]
pub struct BufferingProxy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl BufferingProxy {
    /// Starts a proxy in front of the server at an address such as `127.0.0.1:8080`.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let router = Router::new().fallback(pass_on).with_state(upstream.to_owned());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a listener accepts until it is dropped");
        });
        Self { address, task }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for BufferingProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_on(State(upstream): State<String>, request: Request) -> Result<Response, (StatusCode, String)> {
    exchange(&upstream, request).await.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}

async fn exchange(upstream: &str, request: Request) -> io::Result<Response> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nhost: {upstream}\r\nconnection: close\r\n", parts.method);
    head.push_str(&format!("content-length: {}\r\n", body.len()));
    let mut bytes = head.into_bytes();
    for (name, value) in parts.headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(name)) {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    let mut stream = TcpStream::connect(upstream).await?;
    stream.write_all(&bytes).await?;
    stream.write_all(&body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    read(&answer).ok_or_else(|| io::Error::other("the answer does not read"))
}

/// Reads a whole answer.
fn read(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse::<u16>().ok()?;
    let mut response = Response::builder().status(status);
    let mut is_chunked = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name: HeaderName = name.parse().ok()?;
        is_chunked |= name == header::TRANSFER_ENCODING;
        if !OF_CONNECTION.contains(&name) {
            response = response.header(name, HeaderValue::from_str(value.trim()).ok()?);
        }
    }
    let body = &answer[end + 4..];
    let body = if is_chunked { unchunked(body)? } else { body.to_vec() };
    response.body(Body::from(body)).ok()
}

/// Puts the chunks of a body together; `None` if it is cut short.
fn unchunked(mut from: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = from.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&from[..end]).ok()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(from.get(end + 2..end + 2 + length)?);
        from = from.get(end + 4 + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_read_whole_or_not_at_all() {
        let answer =
            b"HTTP/1.1 207 x\r\ntransfer-encoding: chunked\r\nx-a: b\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let response = read(answer).unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["x-a"]), (207, &"b".parse().unwrap()));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "abcde");
        assert!(read(&answer[..answer.len() - 8]).is_none(), "cut short");
    }
}
