//! Opening the doors: addresses, certificates, the local proxy.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Doors, Upkeep};
use crate::config::{Config, Environment, Transport};
use crate::data::{DataDirectory, ProxyInfo};
use crate::failure::{Failure, Result};
use crate::local::authority::Authority;
use crate::local::bundle;
use crate::local::proxy::{Proxy, Routes, Upstream};
use crate::local::renewal::CertificateFiles;
use crate::net::{self, Anchors, CertificateSlot, Endpoint};

impl Doors {
    /// Binds everything that the configuration names.
    pub async fn open(config: &Config, data: &DataDirectory, environment: &Environment) -> Result<Self> {
        let transport = config.transport().map_err(Failure::usage)?;
        let listeners = match config.server.listen {
            Some(address) => vec![net::bind(address).await?],
            None => net::bind_local().await?,
        };
        let addresses: Vec<_> =
            listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>().map_err(gone)?;
        let ops = net::bind(config.server.ops_listen).await?;
        let mut doors = Self {
            url: config.server.url.clone(),
            endpoints: Vec::new(),
            addresses,
            ops_address: ops.local_addr().map_err(gone)?,
            ops,
            upkeep: Upkeep::None,
            proxy: None,
            ca_bundle: None,
            mutual: None,
        };
        let slot = match transport {
            Transport::Local => Some(doors.open_local(config, data, environment).await?),
            Transport::Files { certificate, key } => {
                Some(doors.open_files(CertificateFiles { certificate, key })?)
            }
            Transport::Off => None,
        };
        let tls: Option<TlsAcceptor> = slot.clone().map(net::acceptor).transpose()?;
        doors.endpoints.extend(listeners.into_iter().map(|listener| Endpoint {
            listener,
            tls: tls.clone(),
            is_mutual: false,
        }));
        doors.open_for_identity_proxy(config, slot.clone()).await?;
        doors.open_mutual(config, slot).await?;
        Ok(doors)
    }

    async fn open_local(
        &mut self,
        config: &Config,
        data: &DataDirectory,
        environment: &Environment,
    ) -> Result<Arc<CertificateSlot>> {
        let now = crate::clock::now();
        let host = config.server.url.host();
        let authority = Authority::load_or_create(data, host, now)?;
        self.ca_bundle = Some(bundle::write(data, environment, authority.certificate())?);
        let leaf = authority.issue(now)?;
        let slot = CertificateSlot::new(leaf.chain, &leaf.key)?;
        self.upkeep = Upkeep::Issued(Box::new(authority), slot.clone(), leaf.not_after);

        let password = crate::secret::random_text()?;
        let server = reachable(self.addresses.first().copied().ok_or_else(|| gone("no address"))?);
        let routes =
            Routes { host: host.to_owned(), server, upstream: Upstream::from_environment(environment) };
        let proxy = Proxy::bind(password.clone(), routes).await?;
        let info = ProxyInfo { port: proxy.port(), password };
        self.proxy = Some((proxy, info));
        Ok(slot)
    }

    fn open_files(&mut self, files: CertificateFiles) -> Result<Arc<CertificateSlot>> {
        let (chain, key) = net::load_files(&files.certificate, &files.key)?;
        let slot = CertificateSlot::new(chain, &key)?;
        self.upkeep = Upkeep::Files(files, slot.clone());
        Ok(slot)
    }

    async fn open_for_identity_proxy(
        &mut self,
        config: &Config,
        slot: Option<Arc<CertificateSlot>>,
    ) -> Result<()> {
        let (Some(address), Some(slot)) = (config.identity_proxy.listen, slot) else { return Ok(()) };
        let tls = net::acceptor_with_clients(slot, config.identity_proxy.certificates.0.clone())?;
        let listener = net::bind(address).await?;
        self.addresses.push(listener.local_addr().map_err(gone)?);
        self.endpoints.push(Endpoint { listener, tls: Some(tls), is_mutual: false });
        Ok(())
    }

    /// Opens the listener on which clients show certificates.
    async fn open_mutual(&mut self, config: &Config, slot: Option<Arc<CertificateSlot>>) -> Result<()> {
        let (Some(address), Some(slot)) = (config.mtls.listen, slot) else { return Ok(()) };
        let anchors = Anchors::load(config.mtls.authorities.0.clone())?;
        let tls = net::mutual_acceptor(slot, anchors.clone())?;
        let listener = net::bind(address).await?;
        let address = listener.local_addr().map_err(gone)?;
        let url = config.mtls.url.clone().unwrap_or_else(|| self.url.with_port(address.port()));
        self.addresses.push(address);
        self.endpoints.push(Endpoint { listener, tls: Some(tls), is_mutual: true });
        self.mutual = Some((url, anchors));
        Ok(())
    }
}

/// Returns an address at which this machine reaches a listener, which may listen on all addresses.
fn reachable(mut address: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

fn gone(error: impl std::fmt::Display) -> Failure {
    Failure::io("a listener is gone", error)
}
