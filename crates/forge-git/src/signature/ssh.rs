//! Verifying SSH signatures. See PROTOCOL.sshsig and PROTOCOL.u2f of OpenSSH, and RFC 8332 for RSA.

use ring::digest::{SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig};

use super::SignatureState;

/// Git signs in this namespace, so that no signature made for another purpose passes as one of a commit.
const NAMESPACE: &str = "git";

/// Flags and counter that a security key signs too.
const TRAILER: usize = 5;

/// A security key was touched.
const IS_PRESENT: u8 = 1;

pub(super) fn verify<K: AsRef<str>>(payload: &[u8], signature: &[u8], keys: &[K]) -> SignatureState {
    let Some(signature) = read(signature) else { return SignatureState::Malformed };
    let made_by = |line: &K| {
        PublicKey::from_openssh(line.as_ref().trim())
            .is_ok_and(|key| key.key_data() == signature.public_key())
    };
    let Some(key) = keys.iter().position(made_by) else { return SignatureState::UnknownKey };
    if signature.namespace() != NAMESPACE {
        return SignatureState::Invalid;
    }
    let Ok(signed) = SshSig::signed_data(NAMESPACE, signature.hash_alg(), payload) else {
        return SignatureState::Malformed;
    };
    match is_made_by(signature.public_key(), &signed, signature.signature()) {
        Some(true) => SignatureState::Valid { key },
        Some(false) => SignatureState::Invalid,
        None => SignatureState::Unavailable,
    }
}

/// Returns the fingerprint of the key that claims to have made a signature, as `ssh-keygen -l` writes it.
pub(super) fn claimed_key(signature: &[u8]) -> Option<String> {
    Some(read(signature)?.public_key().fingerprint(HashAlg::Sha256).to_string())
}

/// Reads a signature. The reader of the library forgives wrong lengths: what it would write differently is not accepted.
fn read(armoured: &[u8]) -> Option<SshSig> {
    let signature = SshSig::from_pem(armoured).ok()?;
    let written = signature.to_pem(LineEnding::LF).ok()?;
    let dense = |text: &[u8]| -> Vec<u8> {
        text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    let is_exact = signature.version() == SshSig::VERSION && dense(written.as_bytes()) == dense(armoured);
    is_exact.then_some(signature)
}

/// Did this key sign these bytes? None if its algorithm is not known.
fn is_made_by(key: &KeyData, signed: &[u8], signature: &ssh_key::Signature) -> Option<bool> {
    let bytes = signature.as_bytes();
    match (key, signature.algorithm()) {
        (KeyData::Ed25519(key), Algorithm::Ed25519) => Some(holds(&ED25519, &key.0, signed, bytes)),
        (KeyData::Ecdsa(key), Algorithm::Ecdsa { curve }) if key.curve() == curve => {
            is_ecdsa(key, signed, bytes)
        }
        (KeyData::Rsa(key), Algorithm::Rsa { hash: Some(hash) }) => is_rsa(key, hash, signed, bytes),
        (KeyData::SkEd25519(key), Algorithm::SkEd25519) => {
            let (bytes, signed) = of_security_key(key.application(), signed, bytes)?;
            Some(holds(&ED25519, &key.public_key().0, &signed, bytes))
        }
        (KeyData::SkEcdsaSha2NistP256(key), Algorithm::SkEcdsaSha2NistP256) => {
            let (bytes, signed) = of_security_key(key.application(), signed, bytes)?;
            is_ecdsa(&EcdsaPublicKey::NistP256(*key.ec_point()), &signed, bytes)
        }
        (KeyData::Dsa(_) | KeyData::Other(_), _) => None,
        // The signature is of another algorithm than the key: RSA with SHA-1 too, which nobody should accept.
        _ => Some(false),
    }
}

fn holds(algorithm: &'static dyn VerificationAlgorithm, key: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(algorithm, key).verify(signed, signature).is_ok()
}

fn is_ecdsa(key: &EcdsaPublicKey, signed: &[u8], signature: &[u8]) -> Option<bool> {
    let (algorithm, len): (&'static dyn VerificationAlgorithm, usize) = match key {
        EcdsaPublicKey::NistP256(_) => (&ECDSA_P256_SHA256_FIXED, 32),
        EcdsaPublicKey::NistP384(_) => (&ECDSA_P384_SHA384_FIXED, 48),
        EcdsaPublicKey::NistP521(_) => return None,
    };
    let Some(fixed) = fixed(signature, len) else { return Some(false) };
    Some(holds(algorithm, key.as_sec1_bytes(), signed, &fixed))
}

/// Turns two numbers, each with its length before it, into two of so many bytes.
fn fixed(signature: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut rest = signature;
    let mut fixed = Vec::with_capacity(2 * len);
    for _ in 0..2 {
        let (size, after) = rest.split_first_chunk::<4>()?;
        let number = after.get(..u32::from_be_bytes(*size) as usize)?;
        rest = &after[number.len()..];
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = &number[zeros..];
        fixed.resize(fixed.len() + len.checked_sub(number.len())?, 0);
        fixed.extend_from_slice(number);
    }
    rest.is_empty().then_some(fixed)
}

fn is_rsa(key: &RsaPublicKey, hash: HashAlg, signed: &[u8], signature: &[u8]) -> Option<bool> {
    let algorithm = match hash {
        HashAlg::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        HashAlg::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    };
    let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else {
        return Some(false);
    };
    Some(RsaPublicKeyComponents { n, e }.verify(algorithm, signed, signature).is_ok())
}

/// Returns the signature proper and what a security key made it over. None if nobody touched the key.
fn of_security_key<'a>(application: &str, signed: &[u8], signature: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let (signature, trailer) = signature.split_at(signature.len().checked_sub(TRAILER)?);
    if trailer[0] & IS_PRESENT == 0 {
        return None;
    }
    let hash = |bytes: &[u8]| digest(&SHA256, bytes);
    let signed = [hash(application.as_bytes()).as_ref(), trailer, hash(signed).as_ref()].concat();
    Some((signature, signed))
}
