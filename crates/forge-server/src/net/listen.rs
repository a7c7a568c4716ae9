//! Finding an address to listen on.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::failure::{Failure, Result};

const HTTPS: u16 = 443;
const HTTPS_WITHOUT_ROOT: u16 = 8443;

/// Listens on the loopback addresses: port 443 if it may, else 8443.
pub async fn bind_local() -> Result<Vec<TcpListener>> {
    match bind_loopback(HTTPS).await {
        Ok(listeners) => Ok(listeners),
        Err(error) => {
            tracing::debug!(%error, "port {HTTPS} is not for us");
            bind_loopback(HTTPS_WITHOUT_ROOT)
                .await
                .map_err(|error| cannot_listen(loopback(HTTPS_WITHOUT_ROOT), &error))
        }
    }
}

/// Listens on one address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

/// Takes a port on both loopback addresses, because names resolve to either; where there is no IPv6, on one.
async fn bind_loopback(port: u16) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind(loopback(port)).await?;
    match TcpListener::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port())).await {
        Ok(second) => Ok(vec![first, second]),
        // Someone else has it: the port is not ours alone.
        Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            Err(error)
        }
        Err(_) => Ok(vec![first]),
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => ": choose another with --listen",
        _ => "",
    };
    Failure::unavailable(format!("cannot listen on {address}: {error}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    #[tokio::test]
    async fn a_port_that_someone_has_on_ipv6_alone_is_not_ours() {
        let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = other.local_addr().unwrap().port();
        assert_eq!(bind_loopback(port).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(other);
        assert_eq!(bind_loopback(port).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_taken_address_is_refused_with_a_way_out() {
        let other = bind(loopback(0)).await.unwrap();
        let failure = bind(other.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unavailable);
        assert!(failure.message.contains("--listen"), "{failure}");
    }
}
