//! Signatures made by `ssh-keygen -Y sign -n git`, on commits, tags and push certificates.

use forge_git::signature::{Keys, SignatureState, Signed, signed_commit, signed_text};
use forge_types::ObjectFormat;

const PAYLOAD: &[u8] = include_bytes!("signatures/payload");

/// Key and signature of each algorithm.
const MADE: [(&str, &str); 5] = [
    (include_str!("signatures/ed25519.pub"), include_str!("signatures/ed25519.sig")),
    (include_str!("signatures/ecdsa.pub"), include_str!("signatures/ecdsa.sig")),
    (include_str!("signatures/ecdsa384.pub"), include_str!("signatures/ecdsa384.sig")),
    (include_str!("signatures/rsa.pub"), include_str!("signatures/rsa.sig")),
    (include_str!("signatures/ecdsa521.pub"), include_str!("signatures/ecdsa521.sig")),
];

fn ssh<'a>(keys: &'a [&'a str]) -> Keys<'a> {
    Keys { ssh: keys, openpgp: &[] }
}

fn signed(signature: &str) -> Signed {
    Signed { payload: PAYLOAD.to_vec(), signature: signature.as_bytes().to_vec() }
}

#[test]
fn signatures_of_every_algorithm_are_verified() {
    let keys: Vec<&str> = MADE.iter().map(|(key, _)| *key).collect();
    for (at, (key, signature)) in MADE.iter().enumerate() {
        // No verifier for the curve P-521 is at hand.
        let expected = if at == 4 { SignatureState::Unavailable } else { SignatureState::Valid { key: at } };
        let found = signed(signature);
        assert_eq!(found.verify(ssh(&keys)), expected, "{key}");
        assert_eq!(found.verify(ssh(&["not a key", key.trim_end()])).reason(), expected.reason(), "{key}");
        let mut changed = found.clone();
        changed.payload[10] ^= 1;
        let is_known = at < 4;
        assert_eq!(changed.verify(ssh(&keys)) == SignatureState::Invalid, is_known, "{key}");
        let others: Vec<&str> = keys.iter().copied().filter(|other| other != key).collect();
        assert_eq!(found.verify(ssh(&others)), SignatureState::UnknownKey, "{key}");
    }
}

#[test]
fn signature_for_another_purpose_or_of_another_form_is_none() {
    let keys = [MADE[0].0];
    let other = signed(include_str!("signatures/other-namespace.sig"));
    assert_eq!(other.verify(ssh(&keys)), SignatureState::Invalid);
    for (text, reason) in [
        ("-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----\n", "malformed_signature"),
        ("-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n", "malformed_signature"),
        ("-----BEGIN SIGNED MESSAGE-----\nx\n", "gpgverify_unavailable"),
        ("words", "unknown_signature_type"),
    ] {
        assert_eq!(signed(text).verify(ssh(&keys)).reason(), reason, "{text}");
    }
    // Every byte of a signature counts, and none makes the verifier stumble.
    let bytes = MADE[0].1.as_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let found = Signed { payload: PAYLOAD.to_vec(), signature: changed }.verify(ssh(&keys));
        assert_ne!(found, SignatureState::Valid { key: 0 }, "byte {at}");
    }
}

#[test]
fn signed_commits_tags_and_pushes_are_taken_apart() {
    let keys = [MADE[0].0];
    let signature = MADE[0].1;
    let text = String::from_utf8_lossy(PAYLOAD).into_owned();
    let header = format!("gpgsig {}", signature.trim_end().replace('\n', "\n "));
    let commit = text.replacen("\n\n", &format!("\n{header}\n\n"), 1);
    let found = signed_commit(commit.as_bytes(), ObjectFormat::Sha1);
    assert_eq!(found.map(|found| found.verify(ssh(&keys))), Some(SignatureState::Valid { key: 0 }));
    assert_eq!(signed_commit(commit.as_bytes(), ObjectFormat::Sha256), None);
    // The end of a tag and of a push certificate has the same form.
    let found = signed_text(format!("{text}{signature}").as_bytes());
    assert_eq!(found.map(|found| found.verify(ssh(&keys))), Some(SignatureState::Valid { key: 0 }));
}

/// Key and signature of gpg: RSA, Ed25519, and a subkey of Ed25519 for a primary key that may not sign.
const OPENPGP: [(&str, &str); 3] = [
    (include_str!("signatures/pgp-rsa.pub"), include_str!("signatures/pgp-rsa.sig")),
    (include_str!("signatures/pgp-curve.pub"), include_str!("signatures/pgp-curve.sig")),
    (include_str!("signatures/pgp-sub.pub"), include_str!("signatures/pgp-sub.sig")),
];

#[test]
fn openpgp_signatures_are_verified() {
    let keys = OPENPGP.map(|(key, _)| key);
    let among = |openpgp: &[&str], found: &Signed| found.verify(Keys { ssh: &[], openpgp });
    for (at, (key, signature)) in OPENPGP.iter().enumerate() {
        let found = signed(signature);
        assert_eq!(among(&keys, &found), SignatureState::Valid { key: at });
        assert_eq!(among(&["not a key", key], &found), SignatureState::Valid { key: 1 });
        let mut changed = found.clone();
        changed.payload[10] ^= 1;
        assert_eq!(among(&keys, &changed), SignatureState::Invalid);
        let others: Vec<&str> = keys.iter().copied().filter(|other| other != key).collect();
        assert_eq!(among(&others, &found), SignatureState::UnknownKey);
        let bytes = signature.as_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            // Whatever it is taken for, it is answered.
            let _ = among(&keys, &Signed { payload: PAYLOAD.to_vec(), signature: changed });
        }
    }
    let revoked = signed(include_str!("signatures/pgp-revoked.sig"));
    let found = among(&[include_str!("signatures/pgp-revoked.pub")], &revoked);
    assert_eq!(found.reason(), "expired_key");
    // Without what binds it to its primary key, a subkey signs for nobody.
    let mixed = [OPENPGP[1].0, OPENPGP[2].0].concat();
    assert_eq!(among(&[&mixed], &signed(OPENPGP[2].1)), SignatureState::UnknownKey);
}
