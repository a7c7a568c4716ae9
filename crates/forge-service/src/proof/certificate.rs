//! Certificates that clients show in the handshake of their connection (RFC 8705).
//!
//! INVARIANT: they come from the listener that saw the handshake, never from a header, and a token that is bound to one is
//! good on a connection with that very one alone.

use forge_auth::jose::Thumbprint;
use forge_store::credentials::Authentication;
use forge_types::{Error, ProofProblem, Result};

use crate::context::RequestInfo;

/// A certificate whose private key the client of the connection holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The SHA-256 of it in base64url: what tokens are bound to, as `x5t#S256`.
    pub thumbprint: String,
    /// The thumbprint of its key (RFC 7638), if that is one of P-256 or Ed25519.
    pub key: Option<Thumbprint>,
    /// Names by which one of the trusted authorities calls its holder; none if it is the holder's own word.
    pub names: CertificateNames,
}

/// Names in a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// Its SPIFFE id. A certificate with more than one URI has none (X509-SVID §2).
    pub spiffe_id: Option<String>,
    /// Its names in the DNS.
    pub dns: Vec<String>,
}

/// Refuses a token that is bound to another certificate than that of the connection.
pub(crate) fn check(found: &Authentication, info: &RequestInfo) -> Result<()> {
    if is_shown(found.credential.cnf_x5t.as_deref(), info) {
        return Ok(());
    }
    let message = "this token is bound to a client certificate: use it on a connection with that certificate";
    Err(Error::unproved(ProofProblem::WrongCertificate, message))
}

/// Returns whether what is bound to the certificate with this thumbprint, or to none, is good on a connection.
pub(crate) fn is_shown(bound_to: Option<&str>, info: &RequestInfo) -> bool {
    let shown = info.certificate.as_ref().map(|certificate| certificate.thumbprint.as_str());
    bound_to.is_none() || bound_to == shown
}
