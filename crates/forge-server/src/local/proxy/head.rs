//! Reading a request's head from a client or the answer's head from another proxy, byte-bounded.
//!
//! INVARIANT: nothing beyond the empty line is consumed; what follows belongs to the tunnel.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

/// The most that a head may take.
const LIMIT: usize = 8 * 1024;

/// A request's first line and headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    target: String,
    headers: Vec<(String, String)>,
}

/// What reading a head came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Complete(Head),
    Closed,
    Refused(&'static str),
}

/// Reads one request's head.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Read> {
    Ok(match read_lines(stream).await? {
        Lines::Closed => Read::Closed,
        Lines::TooLong => Read::Refused("431 Request Header Fields Too Large"),
        Lines::Text(text) => Head::parse(&text).map_or(Read::Refused("400 Bad Request"), Read::Complete),
    })
}

/// A head as text, up to the empty line.
pub(super) enum Lines {
    Text(String),
    Closed,
    TooLong,
}

/// Reads up to and including the empty line, and not a byte more.
///
/// Byte by byte: a head is read once per tunnel, and reading ahead would have to hand the rest on.
pub(super) async fn read_lines(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Lines> {
    let mut bytes = Vec::with_capacity(512);
    while !bytes.ends_with(b"\r\n\r\n") && !bytes.ends_with(b"\n\n") {
        if bytes.len() >= LIMIT {
            return Ok(Lines::TooLong);
        }
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Lines::Closed),
            Err(error) => return Err(error),
        }
    }
    Ok(Lines::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        if first.next().is_some() || !version.starts_with("HTTP/1.") || method.is_empty() {
            return None;
        }
        let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Some(Self { method: method.into(), target: target.into(), headers: headers.collect::<Option<_>>()? })
    }

    /// Returns the password of `Proxy-Authorization: Basic`.
    pub(super) fn basic_password(&self) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(name, _)| name == "proxy-authorization")?;
        let (scheme, credentials) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = data_encoding::BASE64.decode(credentials.trim().as_bytes()).ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        decoded.split_once(':').map(|(_, password)| password.to_owned())
    }

    /// Returns host and port of the target.
    pub(super) fn authority(&self) -> Option<(&str, u16)> {
        let (host, port) = self.target.rsplit_once(':')?;
        let is_address = host.starts_with('[') && host.ends_with(']');
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if host.is_empty() || !(is_address || host.bytes().all(is_name)) {
            return None;
        }
        port.parse().ok().filter(|port| *port != 0).map(|port| (host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<Head> {
        Head::parse(text)
    }

    #[test]
    fn the_target_is_a_host_and_a_port() {
        let authority = |target: &str| {
            let head = head(&format!("CONNECT {target} HTTP/1.1\r\n\r\n")).unwrap();
            head.authority().map(|(host, port)| (host.to_owned(), port))
        };
        assert_eq!(authority("forge.localhost:443"), Some(("forge.localhost".into(), 443)));
        assert_eq!(authority("[::1]:8443"), Some(("[::1]".into(), 8443)));
        for wrong in
            ["forge.localhost", ":443", "a:0", "a:65536", "a:x", "::1:443", "http://a:443", "a/b:443"]
        {
            assert_eq!(authority(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        let password = |value: &str| {
            let text = format!("CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: {value}\r\n\r\n");
            head(&text).unwrap().basic_password()
        };
        assert_eq!(password("Basic Zm9yZ2U6YTpi"), Some("a:b".into()));
        assert_eq!(password("basic  Zm9yZ2U6cHc="), Some("pw".into()));
        for wrong in ["Basic", "Basic !!", "Bearer Zm9yZ2U6cHc=", "Basic Zm9yZ2U="] {
            assert_eq!(password(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn broken_heads_are_refused() {
        for wrong in [
            "\r\n",
            "CONNECT a:1\r\n\r\n",
            "CONNECT a:1 HTTP/2\r\n\r\n",
            "A B HTTP/1.1 C\r\n\r\n",
            "A B HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(head(wrong), None, "{wrong:?}");
        }
    }
}
