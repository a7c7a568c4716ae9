//! Signatures of commits, tags and pushes: taken apart from what they were made over, and verified.
//!
//! INVARIANT: a signature is only ever compared with the exact bytes that were signed; nothing is decoded to text on the way.
//! SSH and OpenPGP signatures are verified against keys that the caller knows. X.509 signatures are told apart but not
//! verified: they are [`SignatureState::Unavailable`].

mod openpgp;
mod split;
mod ssh;

pub use split::{Signed, signed_commit, signed_text};

/// Who makes signatures of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureKind {
    /// OpenPGP, as of GnuPG.
    OpenPgp,
    /// OpenSSH, as of `ssh-keygen -Y sign`.
    Ssh,
    /// S/MIME, as of gpgsm.
    X509,
    /// Something else.
    Unknown,
}

/// What became of verifying a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureState {
    /// One of the keys made it over these bytes.
    Valid {
        /// Which one, counted from 0.
        key: usize,
    },
    /// None of the keys claims to have made it.
    UnknownKey,
    /// The key that claims to have made it did not make it over these bytes.
    Invalid,
    /// The key was made for other purposes.
    NotSigningKey,
    /// The key had expired when it made it, or is revoked.
    ExpiredKey,
    /// It does not read.
    Malformed,
    /// It is of a form that nobody knows.
    UnknownType,
    /// It is of a form or made with an algorithm that is not verified here.
    Unavailable,
}

impl SignatureState {
    /// Returns the value of GitHub's `verification.reason`. Whether the key's owner has the address of the committer is for
    /// the caller to say.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Valid { .. } => "valid",
            Self::UnknownKey => "unknown_key",
            Self::Invalid => "invalid",
            Self::NotSigningKey => "not_signing_key",
            Self::ExpiredKey => "expired_key",
            Self::Malformed => "malformed_signature",
            Self::UnknownType => "unknown_signature_type",
            Self::Unavailable => "gpgverify_unavailable",
        }
    }
}

/// Public keys that may have made a signature.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'a> {
    /// Keys of SSH, each a line as of `authorized_keys`: type, base64, perhaps a comment.
    pub ssh: &'a [&'a str],
    /// Keys of OpenPGP, each an armoured block with its subkeys.
    pub openpgp: &'a [&'a str],
}

impl Signed {
    /// Returns the fingerprint of the SSH key that claims to have made the signature, such as `SHA256:…`; none if it is of
    /// another form or does not read.
    pub fn claimed_key(&self) -> Option<String> {
        (self.kind() == SignatureKind::Ssh).then(|| ssh::claimed_key(&self.signature)).flatten()
    }

    /// Verifies the signature against the keys of its form; [`SignatureState::Valid`] counts among these. Texts that do not
    /// read are no keys.
    pub fn verify(&self, keys: Keys<'_>) -> SignatureState {
        match self.kind() {
            SignatureKind::Ssh => ssh::verify(&self.payload, &self.signature, keys.ssh),
            SignatureKind::OpenPgp => openpgp::verify(&self.payload, &self.signature, keys.openpgp),
            SignatureKind::X509 => SignatureState::Unavailable,
            SignatureKind::Unknown => SignatureState::UnknownType,
        }
    }
}
