//! Asking others over HTTP: providers of sign-ins, and issuers of workloads' tokens.
//!
//! INVARIANT: redirects are not followed, answers are bounded in time and size, and what an account of this forge can name
//! an address for is asked only on the public internet, or in networks that the operator names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use forge_types::with_causes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::config::AddressRange;

/// How long the other side may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST: usize = 256 * 1024;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Which addresses may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Networks(Arc<[AddressRange]>);

impl Networks {
    /// Allows the public internet, and these.
    pub(crate) fn public_and(others: &[AddressRange]) -> Self {
        Self(others.into())
    }

    fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|range| range.contains(address))
    }

    /// An address that stands in a URL as it is goes past the resolver.
    fn allow_host_of(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(address)) => self.allow(address.into()),
            Some(Host::Ipv6(address)) => self.allow(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }
}

/// What is asked is the address that was looked at: a name is resolved once.
impl Resolve for Networks {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| networks.allow(found.ip())).collect();
            if allowed.is_empty() {
                return Err(Fault::from("the name stands for addresses that are not asked"));
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = match first {
        0 | 10 | 127 | 224.. => true,
        100 => second & 0xc0 == 64,
        169 => second == 254,
        172 => second & 0xf0 == 16,
        192 => second == 168 || (second == 0 && (third == 0 || third == 2)),
        198 => second & 0xfe == 18 || (second == 51 && third == 100),
        203 => second == 0 && third == 113,
        _ => false,
    };
    !is_special
}

/// Global unicast, but for documentation, and for what carries an IPv4 address or a tunnel in it.
const fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0 || second == 0xdb8))
}

/// Plain HTTP is for what runs on this very machine alone.
pub(crate) fn is_safe(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

/// Returns a client that follows no redirects: who moves is configured anew.
pub(crate) fn client() -> Result<reqwest::Client, Fault> {
    Ok(builder()?.build()?)
}

/// Returns a client that asks itself, whatever proxy the environment names.
pub(crate) fn direct_client() -> Result<reqwest::Client, Fault> {
    Ok(builder()?.no_proxy().build()?)
}

/// Asks within networks alone.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    http: reqwest::Client,
    networks: Networks,
}

impl Guarded {
    /// Returns a client that asks itself, whatever proxy the environment names: it could not say whom that would ask.
    pub(crate) fn within(networks: Networks) -> Result<Self, Fault> {
        let http = builder()?.no_proxy().dns_resolver(Arc::new(networks.clone())).build()?;
        Ok(Self { http, networks })
    }

    /// Asks for JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, address: &str) -> Result<T, String> {
        let url: Url = address.parse().map_err(|_| format!("`{address}` is no address"))?;
        if !is_safe(&url) || !self.networks.allow_host_of(&url) {
            return Err(format!(
                "`{address}` is not asked: it is not https, or in a network that is not public"
            ));
        }
        fetch(&self.http, address).await
    }
}

/// Asks for JSON.
pub(crate) async fn fetch<T: DeserializeOwned>(http: &reqwest::Client, address: &str) -> Result<T, String> {
    let response = http.get(address).send().await.map_err(|error| with_causes(&error))?;
    if !response.status().is_success() {
        return Err(format!("{address} answers {}", response.status()));
    }
    json_body(response, LARGEST).await.map_err(|error| format!("{address}: {error}"))
}

/// Reads an answer of at most so many bytes.
pub(crate) async fn json_body<T: DeserializeOwned>(
    mut response: reqwest::Response,
    largest: usize,
) -> Result<T, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| with_causes(&error.without_url()))? {
        if body.len() + piece.len() > largest {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}

fn builder() -> Result<reqwest::ClientBuilder, Fault> {
    let mut roots = rustls::RootCertStore::empty();
    // One unreadable root of the system's is no reason to trust none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a70_only_public_addresses_and_named_networks_are_asked() {
        let named: AddressRange = "10.1.0.0/16".parse().unwrap();
        let networks = Networks::public_and(&[named]);
        for (address, is_allowed) in [
            ("140.82.112.3", true),
            ("10.1.2.3", true),
            ("10.2.2.3", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("192.168.1.1", false),
            ("172.31.0.1", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("2606:50c0:8000::153", true),
            ("::1", false),
            ("::", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.1.2.3", true),
            ("fe80::1", false),
            ("fd00::1", false),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
        ] {
            assert_eq!(networks.allow(address.parse().unwrap()), is_allowed, "{address}");
        }
    }

    #[tokio::test]
    async fn a70_a_name_or_an_address_of_this_machine_is_not_asked() {
        let guarded = Guarded::within(Networks::public_and(&[])).unwrap();
        for address in [
            "http://127.0.0.1:1/keys",
            "https://127.0.0.1:1/keys",
            "https://[::1]:1/keys",
            "https://0x7f.1:1/keys",
            "http://140.82.112.3/keys",
            "file:///etc/passwd",
        ] {
            let problem = guarded.fetch::<serde_json::Value>(address).await.unwrap_err();
            assert!(problem.contains("is not asked"), "{address}: {problem}");
        }
        let resolved = Networks::public_and(&[]).resolve("localhost".parse().unwrap()).await;
        assert!(resolved.is_err());
    }
}
