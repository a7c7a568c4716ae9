//! The network: listeners, TLS, connections and the operations listener.
//!
//! - `listen` finds the addresses; `tls` holds the certificate, which can change while connections live;
//!   `holders` asks clients for theirs; `mutual` says which of those are believed; `accept` turns connections into requests
//!   for the router; `slots` bounds how many there are; `idle` ends those that say nothing; `ops` is the listener for `/healthz`, `/readyz` and `/metrics`.
//!
//! INVARIANT: every wait for a client has an end.

mod accept;
mod holders;
mod idle;
mod listen;
mod metrics;
mod mutual;
mod ops;
mod signals;
mod slots;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use accept::{Acceptor, Endpoint};
pub use idle::IdleTimeout;
pub use listen::{bind, bind_local};
pub use metrics::{MetricText, Metrics};
pub use mutual::{Anchors, acceptor as mutual_acceptor};
pub use ops::Ops;
pub use signals::{on_hangup, stop_signal};
pub use slots::Slots;
pub use tls::{CertificateSlot, acceptor, acceptor_with_clients, load_files};

use crate::config::Fingerprint;

/// Who is at the other end of a connection; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Address and port of the other end, which may be a proxy.
    pub address: SocketAddr,
    /// The fingerprint of the client certificate with which the connection was made.
    pub certificate: Option<Fingerprint>,
}

impl Peer {
    /// Returns the address without the port; IPv4 also where the socket speaks IPv6.
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }
}

/// Waits a little after `accept` failed, if the fault is ours: out of files, most likely.
pub(crate) async fn pause_after(error: &std::io::Error) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(200)).await;
}
