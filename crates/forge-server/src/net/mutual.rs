//! The listener on which clients show certificates (RFC 8705): which authorities are believed, which may change at any
//! time, and what is read of a certificate.
//!
//! INVARIANT: whoever shows a certificate has proved to hold its key. What a certificate says is believed only if a trusted
//! authority has signed it; one that its holder has signed says nothing but its key.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use forge_auth::jose::Jwk;
use forge_service::proof::certificate::{CertificateNames, ClientCertificate};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use webpki::EndEntityCert;

use super::holders::{Accepts, Holders};
use super::tls::{CertificateSlot, provider};
use crate::failure::{Failure, Result};

/// How soon a changed file is used.
const LOOK: Duration = Duration::from_secs(30);
/// What the information about a key of P-256 begins with, before its point (RFC 5480).
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// The same for Ed25519 (RFC 8410).
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Believes whoever an authority names; nobody is named where there is no authority.
type Verifier = Option<Arc<dyn ClientCertVerifier>>;

/// The authorities that are believed now; exchanging them does not disturb connections.
#[derive(Debug)]
pub struct Anchors {
    files: Vec<PathBuf>,
    verifier: RwLock<Verifier>,
}

impl Anchors {
    /// Reads the authorities of all files, each with one or more certificates in PEM form.
    ///
    /// # Errors
    /// If a file cannot be read or has none.
    pub fn load(files: Vec<PathBuf>) -> Result<Arc<Self>> {
        let verifier = RwLock::new(verifier(&files)?);
        Ok(Arc::new(Self { files, verifier }))
    }

    fn current(&self) -> Verifier {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changed(&self) -> Vec<Option<SystemTime>> {
        self.files.iter().map(|path| path.metadata().and_then(|found| found.modified()).ok()).collect()
    }

    /// Believes what stands in the files now; those believed so far stay if they cannot be read, as between two writes.
    pub(crate) fn reload(&self) {
        match verifier(&self.files) {
            Ok(verifier) => {
                *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = verifier;
                tracing::info!("loaded the changed authorities of clients");
            }
            Err(error) => {
                tracing::error!(%error, "the changed authorities of clients cannot be used; the old ones stay");
            }
        }
    }

    /// Takes the files into use whenever they change. Runs until dropped.
    pub async fn keep_loaded(self: Arc<Self>) {
        let mut last = self.changed();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.changed();
            if now != last {
                last = now;
                self.reload();
            }
        }
    }
}

fn verifier(files: &[PathBuf]) -> Result<Verifier> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for path in files {
        let wrong = |error: &dyn std::fmt::Display| Failure::usage(format!("`{}`: {error}", path.display()));
        let found: Vec<_> =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| wrong(&error))?;
        if found.is_empty() {
            return Err(wrong(&"holds no certificate"));
        }
        for certificate in found {
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let verifier =
        verifier.map_err(|error| Failure::usage(format!("the authorities of clients: {error}")))?;
    Ok(Some(verifier))
}

/// Accepts TLS connections, with the certificate of a client where it shows one that can be used. Connections are never
/// resumed: each is judged by the authorities of its own time.
pub fn acceptor(slot: Arc<CertificateSlot>, anchors: Arc<Anchors>) -> Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Failure::io("TLS", error))?;
    let mut config = builder.with_client_cert_verifier(Holders::of(anchors)).with_cert_resolver(slot);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(super::tls::finish(config))
}

/// Accepts who is vouched for, and who signed a certificate for themselves: those have proved to hold its key.
impl Accepts for Arc<Anchors> {
    const MANDATORY: bool = false;

    fn accepts(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if is_self_signed(certificate) {
            return Ok(());
        }
        let current = self.current().ok_or(rustls::CertificateError::UnknownIssuer)?;
        current.verify_client_cert(certificate, intermediates, now).map(|_| ())
    }
}

/// A certificate that says it is its own issuer says so of everything in it.
fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|read| read.issuer() == read.subject())
}

/// Reads the certificate of a handshake that was accepted.
pub(super) fn shown(certificate: &CertificateDer<'_>) -> Option<ClientCertificate> {
    let read = EndEntityCert::try_from(certificate).ok()?;
    let names = if is_self_signed(certificate) {
        CertificateNames::default()
    } else {
        let uris: Vec<&str> = read.valid_uri_names().collect();
        let spiffe_id = match uris[..] {
            [uri] if uri.starts_with("spiffe://") => Some(uri.to_owned()),
            _ => None,
        };
        CertificateNames { spiffe_id, dns: read.valid_dns_names().map(str::to_lowercase).collect() }
    };
    let thumbprint = BASE64URL_NOPAD.encode(&Sha256::digest(certificate));
    Some(ClientCertificate {
        thumbprint,
        key: key(&read.subject_public_key_info()).map(|key| key.thumbprint()),
        names,
    })
}

fn key(information: &[u8]) -> Option<Jwk> {
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let jwk = if let Some(point) = information.strip_prefix(P256).filter(|point| point.len() == 64) {
        json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..]) })
    } else {
        let point = information.strip_prefix(ED25519)?;
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(point) })
    };
    Jwk::from_json(&jwk).ok()
}
