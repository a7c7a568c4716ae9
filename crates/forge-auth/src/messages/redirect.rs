//! Where a client may be sent back to: exactly where it was registered, but for the port of a loopback address, which
//! the operating system chooses (RFC 8252 §7.3, RFC 9700 §2.1).

use url::{Host, Url};

/// Checks an address that a client is registered with.
///
/// # Errors
/// Returns what is wrong with it.
pub fn check_registered(uri: &str) -> Result<(), &'static str> {
    let parsed = parse(uri).ok_or("not an absolute URL without user, fragment or unusual characters")?;
    match parsed.scheme() {
        "https" if parsed.host().is_some() => Ok(()),
        "http" if is_loopback(&parsed) => Ok(()),
        _ => Err("neither https nor http to the address 127.0.0.1 or [::1]"),
    }
}

/// Returns whether a client registered with `registered` may be sent to `requested`.
#[must_use]
pub fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    let (Some(ours), Some(theirs)) = (parse(registered), parse(requested)) else { return false };
    is_loopback(&ours)
        && is_loopback(&theirs)
        && ours.host() == theirs.host()
        && ours.path() == theirs.path()
        && ours.query() == theirs.query()
}

/// Returns whether `url` is plain HTTP to this machine by address. Names can be made to mean something else.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "http" && is_local
}

/// Returns `uri` with `parameters` added to its query; `None` if it is no URL.
#[must_use]
pub fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url)
}

/// Reads a URL only if reading changes nothing: what two readers could read differently is refused.
fn parse(uri: &str) -> Option<Url> {
    let is_plain = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\<>\"`{}|^".contains(&byte));
    let parsed = Url::parse(uri).ok()?;
    let has_user = !parsed.username().is_empty() || parsed.password().is_some() || uri.contains('@');
    let is_unchanged = parsed.as_str() == uri || parsed.as_str().strip_suffix('/') == Some(uri);
    (is_plain && is_unchanged && !has_user && parsed.fragment().is_none()).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a63_only_the_registered_address_matches_but_for_the_port_of_a_loopback_address() {
        let registered = "https://client.example/callback";
        assert!(matches(registered, registered));
        for other in [
            "https://client.example/callback/extra",
            "https://client.example/callback?x=1",
            "https://client.example/callback#x",
            "https://client.example/Callback",
            "https://client.example:444/callback",
            "https://client.example@evil.example/callback",
            "https://evil.example\\@client.example/callback",
            "https://client.example.evil.example/callback",
            "https://client.example/x/../callback",
            "http://client.example/callback",
            "//client.example/callback",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
        assert!(matches("http://[::1]/cb", "http://[::1]:49152/cb"));
        for other in [
            "http://127.0.0.1:49152/other",
            "http://localhost:49152/cb",
            "http://localhost.evil.example:49152/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.1:49152/cb",
            "http://user@127.0.0.1:49152/cb",
            "https://127.0.0.1:49152/cb",
            "http://[::1]:49152/cb",
        ] {
            assert!(!matches("http://127.0.0.1/cb", other), "{other}");
        }
    }

    #[test]
    fn clients_are_registered_with_https_or_a_loopback_address() {
        for good in
            ["https://client.example/cb", "https://client.example", "http://127.0.0.1/cb", "http://[::1]:80/"]
        {
            assert_eq!(check_registered(good).is_ok(), !good.contains(":80/"), "{good}");
        }
        for bad in [
            "http://client.example/cb",
            "http://localhost/cb",
            "https://client.example/cb#x",
            "https://user@client.example/cb",
            "javascript:alert(1)",
            "/cb",
        ] {
            assert!(check_registered(bad).is_err(), "{bad}");
        }
    }
}
