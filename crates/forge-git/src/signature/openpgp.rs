//! Verifying OpenPGP signatures. See RFC 9580.
//!
//! The library says whether a key made a signature; what it does not say is checked here: that the key may sign, that it
//! belongs to its primary key, and that it was neither revoked nor expired when it signed.

use std::io::Cursor;
use std::time::Duration;

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, Timestamp, VerifyingKey};

use super::SignatureState;

pub(super) fn verify<K: AsRef<str>>(payload: &[u8], signature: &[u8], keys: &[K]) -> SignatureState {
    let Ok((detached, _)) = DetachedSignature::from_armor_single(Cursor::new(signature)) else {
        return SignatureState::Malformed;
    };
    let signature = &detached.signature;
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return SignatureState::Malformed;
    }
    for (at, key) in keys.iter().enumerate() {
        let Ok((key, _)) = SignedPublicKey::from_armor_single(Cursor::new(key.as_ref().as_bytes())) else {
            continue;
        };
        if is_issuer(signature, &key.primary_key) {
            let own = self_signatures(&key);
            return judge(signature, payload, &key.primary_key, &own, is_revoked(&key), at);
        }
        if let Some(subkey) = key.public_subkeys.iter().find(|subkey| is_issuer(signature, &subkey.key)) {
            return of_subkey(signature, payload, &key, subkey, at);
        }
    }
    SignatureState::UnknownKey
}

fn of_subkey(
    signature: &Signature,
    payload: &[u8],
    key: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    at: usize,
) -> SignatureState {
    let is_revocation = |found: &Signature| found.typ() == Some(SignatureType::SubkeyRevocation);
    let gone = is_revoked(key) || subkey.signatures.iter().any(is_revocation);
    if !gone && subkey.verify_bindings(&key.primary_key).is_err() {
        return SignatureState::Invalid;
    }
    let bindings: Vec<&Signature> = subkey.signatures.iter().collect();
    match judge(signature, payload, &subkey.key, &bindings, gone, at) {
        // A subkey lives no longer than its primary key.
        SignatureState::Valid { .. }
            if is_expired(signature, key.primary_key.created_at(), &self_signatures(key)) =>
        {
            SignatureState::ExpiredKey
        }
        state => state,
    }
}

/// Decides about a signature of a key, given what the primary key says of it.
fn judge(
    signature: &Signature,
    payload: &[u8],
    key: &impl VerifyingKey,
    said: &[&Signature],
    is_revoked: bool,
    at: usize,
) -> SignatureState {
    let is_weak = matches!(
        signature.hash_alg(),
        None | Some(HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Ripemd160)
    );
    if is_weak || signature.verify(key, payload).is_err() {
        SignatureState::Invalid
    } else if is_revoked || is_expired(signature, key.created_at(), said) {
        SignatureState::ExpiredKey
    } else if !newest(said).is_some_and(|said| said.key_flags().sign()) {
        SignatureState::NotSigningKey
    } else {
        SignatureState::Valid { key: at }
    }
}

fn is_issuer(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    match fingerprints.is_empty() {
        false => fingerprints.contains(&&key.fingerprint()),
        true => signature.issuer_key_id().contains(&&key.legacy_key_id()),
    }
}

fn is_revoked(key: &SignedPublicKey) -> bool {
    let by_itself = |found: &Signature| found.verify_key(&key.primary_key).is_ok();
    key.details.revocation_signatures.iter().any(by_itself)
}

/// Returns what a primary key says of itself, as far as it is really its own word.
fn self_signatures(key: &SignedPublicKey) -> Vec<&Signature> {
    let primary = &key.primary_key;
    let of_users = key.details.users.iter().flat_map(|user| {
        let is_own = |found: &&Signature| {
            found.is_certification() && found.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(is_own)
    });
    let direct = key.details.direct_signatures.iter().filter(|found| found.verify_key(primary).is_ok());
    of_users.chain(direct).collect()
}

fn newest<'a>(said: &[&'a Signature]) -> Option<&'a Signature> {
    said.iter().copied().max_by_key(|found| found.created().map(Timestamp::as_secs))
}

/// Had the key expired when it signed, or was it not yet made?
fn is_expired(signature: &Signature, created: Timestamp, said: &[&Signature]) -> bool {
    let Some(signed) = signature.created().map(|time| u64::from(time.as_secs())) else { return true };
    let made = u64::from(created.as_secs());
    let seconds = |lasts: pgp::types::Duration| Duration::from(lasts).as_secs();
    let lasts = newest(said).and_then(Signature::key_expiration_time).map(seconds).filter(|lasts| *lasts > 0);
    signed < made || lasts.is_some_and(|lasts| signed > made + lasts)
}
