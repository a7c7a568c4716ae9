//! Which requests are passed on. Whoever reaches the proxy acts as the agent, so that it must not be a page in a browser, and
//! nobody gets anything that outlives the proxy.

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door<'a> {
    /// At the address; its port.
    Address(u16),
    /// At the socket file, as requests to this host.
    Socket(&'a str),
}

/// Returns why a request is not passed on.
pub(crate) fn refusal(parts: &Parts, door: Door<'_>) -> Option<(StatusCode, &'static str)> {
    if !is_addressed(parts, door) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "this is the local proxy of an agent, under its own address alone",
        ));
    }
    let is_of_page = parts.headers.contains_key(ORIGIN) || parts.headers.contains_key("sec-fetch-site");
    if is_of_page {
        return Some((StatusCode::FORBIDDEN, "pages cannot act as the agent"));
    }
    if changes_keys(parts) {
        return Some((
            StatusCode::FORBIDDEN,
            "the agent's keys and tokens are not changed through its local proxy",
        ));
    }
    None
}

/// A page whose name was made to lead here says its own name.
fn is_addressed(parts: &Parts, door: Door<'_>) -> bool {
    let header = || parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    let named = parts.uri.authority().map(http::uri::Authority::as_str).or_else(header);
    let Some(named) = named else { return false };
    match door {
        Door::Address(port) => ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| named.eq_ignore_ascii_case(&format!("{name}:{port}"))),
        Door::Socket(host) => {
            let name = named.rsplit_once(':').map_or(named, |(name, _port)| name);
            name.eq_ignore_ascii_case(host) || named.eq_ignore_ascii_case(host)
        }
    }
}

/// A key or token that was had through the proxy would be good without it, or for longer.
fn changes_keys(parts: &Parts) -> bool {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let path = parts.uri.path().to_ascii_lowercase();
    // Escapes have no place in these; one that stands there hides something.
    let path = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
    let is_of_keys = path.starts_with("/api/ext/v1/agents/") && path.contains("/keys");
    let is_of_tokens = path.starts_with("/api/ext/v1/user/tokens") || path.starts_with("/login/oauth");
    let is_of_public_keys =
        ["/api/v3/user/keys", "/api/v3/user/ssh_signing_keys"].iter().any(|at| path.starts_with(at));
    !is_read && (is_of_keys || is_of_tokens || is_of_public_keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_page_cannot_act_as_the_agent() {
        let refused = |headers: &[(&str, &str)]| {
            refusal(&parts("GET", "/api/v3/user", headers), Door::Address(9322)).is_some()
        };
        assert!(!refused(&[("host", "127.0.0.1:9322")]));
        assert!(!refused(&[("host", "LOCALHOST:9322")]));
        assert!(refused(&[]));
        for host in ["evil.example:9322", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:9322"] {
            assert!(refused(&[("host", host)]), "{host}");
        }
        assert!(refused(&[("host", "127.0.0.1:9322"), ("origin", "https://evil.example")]));
        assert!(refused(&[("host", "127.0.0.1:9322"), ("origin", "null")]));
        assert!(refused(&[("host", "127.0.0.1:9322"), ("sec-fetch-site", "cross-site")]));
        let other = parts("GET", "http://evil.example/api/v3/user", &[("host", "127.0.0.1:9322")]);
        assert!(refusal(&other, Door::Address(9322)).is_some());
    }

    #[test]
    fn nothing_that_outlives_the_proxy_is_had_through_it() {
        let refused = |method: &str, path: &str| {
            refusal(&parts(method, path, &[("host", "forge.example")]), Door::Socket("forge.example"))
                .is_some()
        };
        for (method, path) in [
            ("POST", "/api/ext/v1/agents/robo/keys"),
            ("POST", "/api/ext/v1/agents/robo/%6beys"),
            ("DELETE", "/api/ext/v1/agents/robo/keys/key_1"),
            ("POST", "/api/ext/v1/user/tokens"),
            ("POST", "/login/oauth/access_token"),
            ("POST", "/api/v3/user/keys"),
        ] {
            assert!(refused(method, path), "{method} {path}");
        }
        for (method, path) in [
            ("GET", "/api/ext/v1/agents/robo/keys"),
            ("POST", "/api/v3/user/repos"),
            ("POST", "/robo/work.git/git-receive-pack"),
            ("POST", "/api/graphql"),
        ] {
            assert!(!refused(method, path), "{method} {path}");
        }
    }
}
