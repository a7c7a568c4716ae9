//! Signatures made by `ssh-keygen -Y sign -n git`, on commits, tags and push certificates.

use forge_git::signature::{SignatureState, Signed, signed_commit, signed_text};
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
        assert_eq!(found.verify(&keys), expected, "{key}");
        assert_eq!(found.verify(&["not a key", key.trim_end()]).reason(), expected.reason(), "{key}");
        let mut changed = found.clone();
        changed.payload[10] ^= 1;
        let is_known = at < 4;
        assert_eq!(changed.verify(&keys) == SignatureState::Invalid, is_known, "{key}");
        let others: Vec<&str> = keys.iter().copied().filter(|other| other != key).collect();
        assert_eq!(found.verify(&others), SignatureState::UnknownKey, "{key}");
    }
}

#[test]
fn signature_for_another_purpose_or_of_another_form_is_none() {
    let keys = [MADE[0].0];
    let other = signed(include_str!("signatures/other-namespace.sig"));
    assert_eq!(other.verify(&keys), SignatureState::Invalid);
    for (text, reason) in [
        ("-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----\n", "malformed_signature"),
        ("-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n", "gpgverify_unavailable"),
        ("-----BEGIN SIGNED MESSAGE-----\nx\n", "gpgverify_unavailable"),
        ("words", "unknown_signature_type"),
    ] {
        assert_eq!(signed(text).verify(&keys).reason(), reason, "{text}");
    }
    // Every byte of a signature counts, and none makes the verifier stumble.
    let bytes = MADE[0].1.as_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let found = Signed { payload: PAYLOAD.to_vec(), signature: changed }.verify(&keys);
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
    assert_eq!(found.map(|found| found.verify(&keys)), Some(SignatureState::Valid { key: 0 }));
    assert_eq!(signed_commit(commit.as_bytes(), ObjectFormat::Sha256), None);
    // The end of a tag and of a push certificate has the same form.
    let found = signed_text(format!("{text}{signature}").as_bytes());
    assert_eq!(found.map(|found| found.verify(&keys)), Some(SignatureState::Valid { key: 0 }));
}
