//! The doors of a running server: everything that listens, opened as the configuration says.
//!
//! Opening binds the addresses, so that a taken port is found before anything is announced; `run` lets requests
//! in until the server is told to stop.

mod open;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Limits, PublicUrl, Server};
use crate::data::{ProxyInfo, RunInfo};
use crate::local::authority::Authority;
use crate::local::proxy::Proxy;
use crate::local::renewal::{CertificateFiles, keep_issued};
use crate::net::{Acceptor, Anchors, CertificateSlot, Endpoint, Metrics, Ops, Slots};

/// All listeners, bound but not yet served.
pub struct Doors {
    url: PublicUrl,
    endpoints: Vec<Endpoint>,
    addresses: Vec<SocketAddr>,
    ops: TcpListener,
    ops_address: SocketAddr,
    upkeep: Upkeep,
    proxy: Option<(Proxy, ProxyInfo)>,
    ca_bundle: Option<PathBuf>,
    mutual: Option<(PublicUrl, Arc<Anchors>)>,
}

/// What keeps the certificate fresh.
enum Upkeep {
    /// There is none.
    None,
    /// Our own authority issues it.
    Issued(Box<Authority>, Arc<CertificateSlot>, time::OffsetDateTime),
    /// Someone else writes files.
    Files(CertificateFiles, Arc<CertificateSlot>),
}

impl Doors {
    /// Returns the URL that a browser on this machine opens: in local mode with the port in use.
    pub fn browser_url(&self) -> PublicUrl {
        match (&self.ca_bundle, self.addresses.first()) {
            (Some(_), Some(address)) => self.url.with_port(address.port()),
            _ => self.url.clone(),
        }
    }

    /// Returns the URL at which clients show certificates, if there is a listener for that.
    pub fn mutual_url(&self) -> Option<PublicUrl> {
        self.mutual.as_ref().map(|(url, _)| url.clone())
    }

    /// Returns the authorities of clients, if there is a listener for them.
    #[cfg(test)]
    pub(crate) fn anchors(&self) -> Option<Arc<Anchors>> {
        self.mutual.as_ref().map(|(_, anchors)| anchors.clone())
    }

    /// Returns where the server listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns what `run.json` says.
    pub fn run_info(&self) -> RunInfo {
        RunInfo {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: self.url.origin(),
            host: self.url.host().to_owned(),
            browser_url: self.browser_url().origin(),
            listen: self.addresses.clone(),
            ops: self.ops_address,
            ca_bundle: self.ca_bundle.clone(),
            proxy: self.proxy.as_ref().map(|(_, info)| info.clone()),
        }
    }

    /// Serves requests until `stop`; then lets those under way finish, for as long as the limits allow.
    pub async fn run(
        self,
        router: Router,
        ops: Ops,
        metrics: Arc<Metrics>,
        settings: (&Limits, &Server),
        stop: CancellationToken,
    ) {
        let (limits, server) = settings;
        let acceptor = Arc::new(Acceptor {
            router,
            slots: Slots::new(limits, server.trusted_proxies.0.clone()),
            limits: limits.clone(),
            metrics,
            stop: stop.clone(),
            connections: TaskTracker::new(),
        });
        let mut tasks = tokio::task::JoinSet::new();
        for endpoint in self.endpoints {
            tasks.spawn(acceptor.clone().run(endpoint));
        }
        let operators = Acceptor {
            router: ops.router(),
            slots: Slots::new(limits, Vec::new()),
            limits: limits.clone(),
            metrics: Arc::default(),
            stop: stop.clone(),
            connections: TaskTracker::new(),
        };
        tasks.spawn(Arc::new(operators).run(Endpoint { listener: self.ops, tls: None, is_mutual: false }));
        if let Some((proxy, _)) = self.proxy {
            tasks.spawn(proxy.run());
        }
        match self.upkeep {
            Upkeep::None => {}
            Upkeep::Issued(authority, slot, not_after) => {
                drop(tasks.spawn(keep_issued(*authority, slot, not_after)));
            }
            Upkeep::Files(files, slot) => drop(tasks.spawn(files.keep_loaded(slot))),
        }
        if let Some((_, anchors)) = self.mutual {
            tasks.spawn(anchors.keep_loaded());
        }
        stop.cancelled().await;
        acceptor.connections.close();
        let _ = tokio::time::timeout(limits.shutdown_grace.0, acceptor.connections.wait()).await;
    }
}

#[cfg(test)]
mod mutual_tests;
#[cfg(test)]
mod tests;
