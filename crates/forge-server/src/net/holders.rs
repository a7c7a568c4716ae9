//! Asking clients for certificates in the handshake: that whoever shows one holds its key is checked here and alike for all;
//! which certificates are accepted is for each listener to say.

use std::fmt::Debug;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};

use super::tls::provider;

/// Which certificates are accepted from those who hold their keys.
pub(super) trait Accepts: Debug + Send + Sync {
    /// Whether a client without a certificate is refused.
    const MANDATORY: bool;

    /// Says nothing if the certificate is accepted at the time `now`.
    fn accepts(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error>;
}

/// Lets in those who hold the key of a certificate that `A` accepts.
#[derive(Debug)]
pub(super) struct Holders<A> {
    which: A,
    provider: Arc<CryptoProvider>,
}

impl<A: Accepts + 'static> Holders<A> {
    pub(super) fn of(which: A) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Self { which, provider: provider() })
    }
}

impl<A: Accepts> ClientCertVerifier for Holders<A> {
    fn client_auth_mandatory(&self) -> bool {
        A::MANDATORY
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.which.accepts(end_entity, intermediates, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
