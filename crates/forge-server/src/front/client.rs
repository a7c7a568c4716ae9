//! Who is at the other end: the peer of the connection, or the client that a trusted proxy names.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use crate::config::AddressRange;
use crate::net::Peer;

/// The proxies whose word counts.
#[derive(Debug, Clone)]
pub(crate) struct Clients(Arc<[AddressRange]>);

impl Clients {
    pub(crate) fn behind(trusted: &[AddressRange]) -> Self {
        Self(trusted.into())
    }

    /// Returns the client's address: from the right of `X-Forwarded-For`, the first that is no trusted proxy.
    /// What stands further left was written by that client and means nothing.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_trusted = |address: IpAddr| self.0.iter().any(|range| range.contains(address));
        let mut address = peer;
        let lists: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|list| list.to_str().ok()).collect();
        for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
            if !is_trusted(address) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(hop) => address = hop.to_canonical(),
                Err(_) => break,
            }
        }
        address
    }
}

/// Leaves the client's address in the request for all rooms.
pub(crate) async fn layer(State(clients): State<Clients>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>() {
        let address = clients.address(peer.ip(), request.headers());
        request.extensions_mut().insert(forge_api::Peer(address));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(trusted: &[&str], peer: &str, lists: &[&str]) -> String {
        let trusted: Vec<AddressRange> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", list.parse().unwrap());
        }
        Clients::behind(&trusted).address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_client_cannot_name_another_address_for_itself() {
        assert_eq!(address(&[], "192.0.2.1", &["127.0.0.1"]), "192.0.2.1");
        assert_eq!(address(&["10.0.0.0/8"], "192.0.2.1", &["10.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn trusted_proxies_are_passed_from_the_right() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(address(&trusted, "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(address(&trusted, "10.0.0.1", &["127.0.0.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(address(&trusted, "10.0.0.1", &["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(address(&trusted, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(address(&trusted, "10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
    }
}
