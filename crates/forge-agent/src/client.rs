//! The client with which the forge is asked: it trusts what the system trusts, follows nothing and changes nothing.

use std::sync::Arc;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(20);
/// How long the forge may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(300);

/// Builds the client.
pub(crate) fn build() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One unreadable root of the system's is no reason to trust none.
        drop(roots.add(certificate));
    }
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE);
    Ok(client.build()?)
}
