//! Finding the token in a request: `Authorization` alone, never the URL.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;
use forge_service::Secret;
use forge_types::{Error, Result};

/// A token as a request presents it.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The token.
    pub token: Secret,
    /// Whether a proof of the key it is bound to comes with it: the scheme is `DPoP`.
    pub is_proved: bool,
}

/// Returns the token that the `Authorization` header presents: as `token T`, `Bearer T` or `DPoP T`, as the password of
/// `Basic` with any user name, or as its user name with the password `x-oauth-basic` or none.
///
/// # Errors
/// `Malformed` if there is more than one `Authorization` header; `Unauthenticated` if the one there is presents no
/// token.
pub fn presented(headers: &HeaderMap) -> Result<Option<Presented>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::malformed("more than one `Authorization` header"));
    }
    let text = value.to_str().map_err(|_| Error::bad_credentials())?.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    let token = if is("bearer") || is("token") || is("dpop") {
        rest.to_owned()
    } else if is("basic") {
        from_basic(rest).ok_or_else(Error::bad_credentials)?
    } else {
        return Err(Error::bad_credentials());
    };
    if token.is_empty() {
        return Err(Error::bad_credentials());
    }
    Ok(Some(Presented { token: Secret::new(token), is_proved: is("dpop") }))
}

fn from_basic(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let token = if password.is_empty() || password == "x-oauth-basic" { user } else { password };
    Some(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forge_types::ErrorKind;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn every_form_that_clients_use_presents_the_token() {
        let basic = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
        for value in [
            "token T".to_owned(),
            "Bearer T".to_owned(),
            "bearer  T".to_owned(),
            basic("anyone:T"),
            basic("T:x-oauth-basic"),
            basic("T:"),
        ] {
            let found = presented(&headers(&[&value])).expect("readable").expect("a token");
            assert_eq!((found.token.expose(), found.is_proved), ("T", false), "{value}");
        }
        let bound = presented(&headers(&["dpop T"])).expect("readable").expect("a token");
        assert_eq!((bound.token.expose(), bound.is_proved), ("T", true));
        assert!(presented(&headers(&[])).expect("readable").is_none());
    }

    #[test]
    fn empty_unknown_and_doubled_headers_are_refused() {
        for value in ["token", "token ", "Bearer", "Negotiate abc", "DPoP", "Basic !!!", "Basic bm9jb2xvbg=="]
        {
            let error = presented(&headers(&[value])).expect_err(value);
            assert_eq!(error.kind(), &ErrorKind::Unauthenticated, "{value}");
        }
        let error = presented(&headers(&["token A", "Basic QTpC"])).expect_err("two headers");
        assert_eq!(error.kind(), &ErrorKind::Malformed);
    }
}
