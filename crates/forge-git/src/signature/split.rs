//! Taking signature and signed bytes apart. See gitformat-signature(5).

use forge_types::ObjectFormat;

use super::SignatureKind;

/// A signature and what it was made over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    /// The armoured signature.
    pub signature: Vec<u8>,
}

/// The first lines of signatures.
const BEGINNINGS: [(&[u8], SignatureKind); 4] = [
    (b"-----BEGIN PGP SIGNATURE-----", SignatureKind::OpenPgp),
    (b"-----BEGIN PGP MESSAGE-----", SignatureKind::OpenPgp),
    (b"-----BEGIN SSH SIGNATURE-----", SignatureKind::Ssh),
    (b"-----BEGIN SIGNED MESSAGE-----", SignatureKind::X509),
];

impl Signed {
    /// Returns what the first line says of the form.
    pub fn kind(&self) -> SignatureKind {
        kind_of(&self.signature).unwrap_or(SignatureKind::Unknown)
    }
}

fn kind_of(text: &[u8]) -> Option<SignatureKind> {
    BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, kind)| *kind)
}

/// Takes the signature out of the bytes of a commit; none if it has none for this hash function. What is signed is the commit
/// without any of its signatures.
pub fn signed_commit(commit: &[u8], format: ObjectFormat) -> Option<Signed> {
    let wanted: &[u8] = match format {
        ObjectFormat::Sha1 => b"gpgsig ",
        ObjectFormat::Sha256 => b"gpgsig-sha256 ",
    };
    let end = commit.windows(2).position(|pair| pair == b"\n\n").map_or(commit.len(), |at| at + 1);
    let (header, message) = commit.split_at(end);
    let mut signed = Signed { payload: Vec::with_capacity(commit.len()), signature: Vec::new() };
    let (mut is_inside, mut is_other) = (false, false);
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if let Some(next) = line.strip_prefix(b" ").filter(|_| is_inside) {
            signed.signature.extend_from_slice(next);
        } else if line.starts_with(b" ") && is_other {
            // More of a signature for the other hash function.
        } else if let Some(first) = line.strip_prefix(wanted) {
            (is_inside, is_other) = (true, false);
            signed.signature.extend_from_slice(first);
        } else {
            (is_inside, is_other) = (false, line.starts_with(b"gpgsig"));
            if !is_other {
                signed.payload.extend_from_slice(line);
            }
        }
    }
    signed.payload.extend_from_slice(message);
    (!signed.signature.is_empty()).then_some(signed)
}

/// Takes the signature off the end of a tag or of a push certificate; none if there is none.
pub fn signed_text(text: &[u8]) -> Option<Signed> {
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if kind_of(line).is_some() {
            found = Some(at);
        }
        at += line.len();
    }
    let (payload, signature) = text.split_at(found?);
    Some(Signed { payload: payload.to_vec(), signature: signature.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_of_a_commit_is_told_from_what_it_was_made_over() {
        let commit = b"tree 1\nauthor \xff\ngpgsig -----BEGIN\n \n abc\n -----END\ngpgsig-sha256 x\n y\nencoding x\n\nwords\n\n b\n";
        let found = signed_commit(commit, ObjectFormat::Sha1).unwrap();
        assert_eq!(found.signature, b"-----BEGIN\n\nabc\n-----END\n");
        assert_eq!(found.payload, b"tree 1\nauthor \xff\nencoding x\n\nwords\n\n b\n");
        assert_eq!(found.kind(), SignatureKind::Unknown);
        assert_eq!(signed_commit(commit, ObjectFormat::Sha256).unwrap().signature, b"x\ny\n");
        assert_eq!(signed_commit(b"tree 1\n\ngpgsig is a word here\n", ObjectFormat::Sha1), None);
    }

    #[test]
    fn signature_of_a_tag_is_its_last_one() {
        let tag = b"object 1\n\n-----BEGIN PGP SIGNATURE-----\nquoted\n-----BEGIN SSH SIGNATURE-----\nabc\n";
        let found = signed_text(tag).unwrap();
        assert_eq!(found.payload, b"object 1\n\n-----BEGIN PGP SIGNATURE-----\nquoted\n");
        assert_eq!(found.kind(), SignatureKind::Ssh);
        assert_eq!(signed_text(b"object 1\n\nwords\n"), None);
    }
}
