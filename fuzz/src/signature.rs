//! Signatures: whatever the armour holds, only what was signed is found valid.

use std::sync::LazyLock;

use forge_git::signature::{Keys, SignatureState, Signed, signed_commit, signed_text};

use crate::support::{choice, format};

/// What all signatures below were made over.
pub(crate) const PAYLOAD: &[u8] = include_bytes!("../../crates/forge-git/tests/signatures/payload");

macro_rules! made {
    ($($name:literal),*) => {
        [$((
            include_str!(concat!("../../crates/forge-git/tests/signatures/", $name, ".pub")),
            include_str!(concat!("../../crates/forge-git/tests/signatures/", $name, ".sig")),
        )),*]
    };
}

/// Keys of SSH and what they made.
pub(crate) const SSH: [(&str, &str); 4] = made!("ed25519", "ecdsa", "ecdsa384", "rsa");

/// Keys of OpenPGP and what they made.
pub(crate) const PGP: [(&str, &str); 4] = made!("pgp-curve", "pgp-rsa", "pgp-sub", "pgp-revoked");

static SSH_KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| SSH.map(|(key, _)| key).into());
static PGP_KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| PGP.map(|(key, _)| key).into());

/// The first bits choose whether the bytes are a signature, a text or commit with one, or a key.
pub(crate) fn run(bytes: &[u8]) {
    let (choice, bytes) = choice(bytes);
    let keys = Keys { ssh: &SSH_KEYS, openpgp: &PGP_KEYS };
    let found = match choice >> 1 & 3 {
        0 => Some(Signed { payload: PAYLOAD.to_vec(), signature: bytes.to_vec() }),
        1 => signed_text(bytes),
        2 => signed_commit(bytes, format(choice)),
        _ => return with_key(bytes),
    };
    let Some(found) = found else { return };
    let state = found.verify(keys);
    assert!(!matches!(state, SignatureState::Valid { .. }) || found.payload == PAYLOAD, "{state:?}");
    if let SignatureState::Valid { key } = state {
        assert!(key < SSH.len(), "a key that may not sign did");
    }
}

/// A key that a stranger registered.
fn with_key(bytes: &[u8]) {
    let Ok(key) = std::str::from_utf8(bytes) else { return };
    for (_, signature) in SSH.iter().chain(&PGP).step_by(3) {
        let signed = Signed { payload: b"another".to_vec(), signature: signature.as_bytes().to_vec() };
        let state = signed.verify(Keys { ssh: &[key], openpgp: &[key] });
        assert!(!matches!(state, SignatureState::Valid { .. }), "{state:?}");
    }
}
