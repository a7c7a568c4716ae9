//! TLS on our side: the certificate, which may change at any time, and pinned client certificates.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::holders::{Accepts, Holders};
use crate::config::Fingerprint;
use crate::failure::{Failure, Result};

/// The certificate in use; exchanging it does not disturb connections.
#[derive(Debug)]
pub struct CertificateSlot(RwLock<Arc<CertifiedKey>>);

impl CertificateSlot {
    /// Starts with a certificate.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Result<Arc<Self>> {
        Ok(Arc::new(Self(RwLock::new(certified(chain, key)?))))
    }

    /// Returns the chain in use.
    #[cfg(test)]
    pub(crate) fn current(&self) -> Vec<CertificateDer<'static>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).cert.clone()
    }

    /// Takes another certificate for all connections from now on.
    pub fn replace(&self, chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Result<()> {
        let certified = certified(chain, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }
}

impl ResolvesServerCert for CertificateSlot {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'static>) -> Result<Arc<CertifiedKey>> {
    let wrong =
        |error: rustls::Error| Failure::usage(format!("the certificate and its key cannot be used: {error}"));
    let key = rustls::crypto::ring::sign::any_supported_type(key).map_err(wrong)?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(wrong)?;
    Ok(Arc::new(certified))
}

/// Reads a chain and a key from PEM files.
pub fn load_files(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let wrong =
        |path: &Path, error: &dyn std::fmt::Display| Failure::usage(format!("`{}`: {error}", path.display()));
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"holds no certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    Ok((chain, private))
}

/// Accepts TLS connections with the certificate of the slot.
pub fn acceptor(slot: Arc<CertificateSlot>) -> Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Failure::io("TLS", error))?;
    Ok(finish(builder.with_no_client_auth().with_cert_resolver(slot)))
}

/// Accepts TLS connections from clients that hold one of the certificates.
pub fn acceptor_with_clients(slot: Arc<CertificateSlot>, pinned: Vec<Fingerprint>) -> Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Failure::io("TLS", error))?;
    Ok(finish(builder.with_client_cert_verifier(Holders::of(Pinned(pinned))).with_cert_resolver(slot)))
}

pub(super) fn finish(mut config: ServerConfig) -> TlsAcceptor {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Returns the SHA-256 of a certificate.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// The certificates that are accepted, whoever issued them.
#[derive(Debug)]
struct Pinned(Vec<Fingerprint>);

impl Accepts for Pinned {
    const MANDATORY: bool = true;

    fn accepts(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if self.0.contains(&fingerprint(certificate)) {
            return Ok(());
        }
        Err(rustls::CertificateError::ApplicationVerificationFailure.into())
    }
}
