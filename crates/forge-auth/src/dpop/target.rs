//! The address a request was for, compared with the one a proof names (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).

use url::Url;

/// What stands in an address beside letters and digits (RFC 3986 §2).
const OTHERS: &[u8] = b"-._~:/?#[]@!$&'()*+,;=%";

/// The address a request was for, under each name the forge is known by.
///
/// The names come from the configuration. What the request says of the host is of no account.
#[derive(Clone, Debug)]
pub struct Target {
    addresses: Vec<String>,
}

impl Target {
    /// Returns the target of a request for `path` under these origins, such as `https://forge.example`.
    #[must_use]
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a Url>, path: &str) -> Self {
        let path = plain(path);
        let addresses =
            origins.into_iter().map(|origin| format!("{}{path}", origin.origin().ascii_serialization()));
        Self { addresses: addresses.collect() }
    }

    /// Returns whether a proof that names `htu` is for this request. Query and fragment are left out.
    #[must_use]
    pub fn is(&self, htu: &str) -> bool {
        normalised(htu).is_some_and(|htu| self.addresses.contains(&htu))
    }

    /// Returns the address under the first name.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.addresses.first().map(String::as_str)
    }
}

/// Returns an address in its one form, without query and fragment; `None` if it is none, or says who asks.
fn normalised(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || OTHERS.contains(&byte));
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !is_plain || !is_web || rest.starts_with('/') {
        return None;
    }
    // Escaped dots are dots: the reader of addresses takes them for such before it looks for `..`.
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    Some(format!("{}{}", url.origin().ascii_serialization(), plain(url.path())))
}

/// Writes escapes of what needs none as themselves, all others with capital digits.
fn plain(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let digits =
            rest.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            text.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        rest = &rest[at + 3..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(origin: &str, path: &str) -> Target {
        Target::new([&origin.parse().expect("an origin")], path)
    }

    #[test]
    fn a53_other_forms_of_the_same_address_are_accepted() {
        let target = target("https://forge.example", "/api/v3/repos/a/~b");
        for htu in [
            "https://forge.example/api/v3/repos/a/~b",
            "https://forge.example:443/api/v3/repos/a/~b",
            "HTTPS://Forge.Example/api/v3/repos/a/~b",
            "https://forge.example/api/v3/repos/a/%7Eb",
            "https://forge.example/api/v3/repos/a/%7eb?x=1&y=2#z",
            "https://forge.example/api/v3/x/../repos/./a/~b",
        ] {
            assert!(target.is(htu), "{htu}");
        }
    }

    #[test]
    fn a53_other_addresses_are_refused() {
        let target = target("https://forge.example", "/api/v3/user");
        assert!(target.is("https://forge.example/api/v3/user"));
        for htu in [
            "http://forge.example/api/v3/user",
            "https://forge.example:8443/api/v3/user",
            "https://api.forge.example/api/v3/user",
            "https://forge.example.evil/api/v3/user",
            "https://forge.example./api/v3/user",
            "https://forge.example/api/v3/user/",
            "https://forge.example/api/v3/User",
            "https://forge.example/api/v3//user",
            "https://forge.example/api/v3/user/../users",
            "https://forge.example/api/v3/%2e%2e/v3/other",
            "https://alice@forge.example/api/v3/user",
            "https://alice:x@forge.example/api/v3/user",
            "https:forge.example/api/v3/user",
            "https:///forge.example/api/v3/user",
            "https://forge.example\\api/v3/user",
            "https://forge.example/api/v3/us\ter",
            " https://forge.example/api/v3/user",
            "//forge.example/api/v3/user",
            "/api/v3/user",
            "",
        ] {
            assert!(!target.is(htu), "{htu:?}");
        }
    }

    #[test]
    fn a53_a_request_for_a_path_with_dots_has_no_proof() {
        let target = target("https://forge.example", "/api/v3/repos/../user");
        assert!(!target.is("https://forge.example/api/v3/repos/../user"));
        assert!(!target.is("https://forge.example/api/v3/user"));
    }

    #[test]
    fn a53_an_escaped_slash_is_none() {
        let whole = target("https://forge.example", "/a%2fb");
        assert!(whole.is("https://forge.example/a%2Fb"));
        assert!(!whole.is("https://forge.example/a/b"));
        assert!(target("https://forge.example", "/a%b").is("https://forge.example/a%b"));
    }

    #[test]
    fn every_name_of_the_forge_is_good_and_no_other() {
        let names: [Url; 2] = ["https://forge.localhost", "https://forge.localhost:8443"]
            .map(|name| name.parse().expect("a URL"));
        let target = Target::new(&names, "/x");
        assert!(target.is("https://forge.localhost/x"));
        assert!(target.is("https://forge.localhost:8443/x"));
        assert!(!target.is("https://forge.localhost:8444/x"));
    }
}
