//! `NO_PROXY`: which hosts do not go through a proxy, as curl, Go and Python read it.

/// The entries of a `NO_PROXY` variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<String>);

impl NoProxy {
    /// Splits a variable into its entries.
    pub fn parse(text: &str) -> Self {
        let entries = text.split([',', ' ', '\t']).map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.map(str::to_owned).collect())
    }

    /// Whether a connection to the host leaves the proxy out.
    pub fn matches(&self, host: &str) -> bool {
        self.0.iter().any(|entry| entry_matches(entry, host))
    }

    /// Returns the list without the entries that cover one of the hosts, as a variable.
    pub fn without(&self, hosts: &[&str]) -> String {
        let keep = |entry: &&String| !hosts.iter().any(|host| entry_matches(entry, host));
        self.0.iter().filter(keep).map(String::as_str).collect::<Vec<_>>().join(",")
    }
}

/// An entry covers its own host and those below it, with or without a dot or star in front; addresses also as
/// ranges. Ports are left out of the comparison: programs disagree about them.
fn entry_matches(entry: &str, host: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    if let Ok(address) = host.parse() {
        return entry.parse().is_ok_and(|range: crate::config::AddressRange| range.contains(address));
    }
    let entry = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    let entry = entry.split_once(':').map_or(entry.as_str(), |(name, _)| name).trim_end_matches('.');
    !entry.is_empty() && (host == entry || host.ends_with(&format!(".{entry}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_themselves_and_what_is_below_them() {
        let list = NoProxy::parse("example.com, .corp.example *.lab.example:443,10.0.0.0/8,::1");
        for host in [
            "example.com",
            "www.example.com",
            "EXAMPLE.com.",
            "a.corp.example",
            "b.lab.example",
            "10.2.3.4",
            "[::1]",
        ] {
            assert!(list.matches(host), "{host}");
        }
        for host in ["notexample.com", "example.org", "11.0.0.1", "com"] {
            assert!(!list.matches(host), "{host}");
        }
        assert!(NoProxy::parse("*").matches("anything"));
        assert!(!NoProxy::default().matches("anything"));
    }

    #[test]
    fn every_entry_that_would_keep_the_host_from_the_proxy_goes() {
        let hosts = ["forge.localhost", "api.forge.localhost"];
        let list = NoProxy::parse(
            "localhost,127.0.0.1,.localhost,forge.localhost:443,*.forge.localhost,api.forge.localhost,corp.example",
        );
        assert_eq!(list.without(&hosts), "127.0.0.1,corp.example");
        assert_eq!(NoProxy::parse("*").without(&hosts), "");
    }
}
