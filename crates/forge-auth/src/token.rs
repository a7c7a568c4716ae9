//! Token values: `<prefix><kind>_<30 characters><6 characters>`, the last six a checksum of the thirty.
//!
//! The construction is that of GitHub's classic tokens: base-62 entropy (178 bits) and its CRC-32/ISO-HDLC in base
//! 62, padded with zeros, so that scanners recognise a token without a database and a mistyped one costs no query.

use std::fmt;

use forge_types::credential::CredentialKind;
use memchr::memmem;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ENTROPY: usize = 30;
const CHECKSUM: usize = 6;

/// What a token starts with on this forge: two to eight lower-case letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPrefix(String);

impl TokenPrefix {
    /// The prefix of a forge that chose none.
    pub const DEFAULT: &'static str = "fge";

    /// Creates a prefix; `None` unless it is two to eight lower-case letters.
    #[must_use]
    pub fn new(prefix: &str) -> Option<Self> {
        let is_valid =
            (2..=8).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
        is_valid.then(|| Self(prefix.to_owned()))
    }

    /// Returns the regular expression that finds tokens of this forge in text.
    #[must_use]
    pub fn regular_expression(&self) -> String {
        format!("{}[a-z]_[0-9A-Za-z]{{{}}}", self.0, ENTROPY + CHECKSUM)
    }
}

impl Default for TokenPrefix {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// A secret value. It exists in the answer that shows it and nowhere else; it is never printed by `Debug`, and comparing
/// two takes a time that does not depend on where they differ.
#[derive(Clone)]
pub struct Secret(String);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Secret {}

impl Secret {
    /// Wraps a value that was presented or made.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// Returns the value, to hash it or to show it once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether both are the same value, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// Returns the last four characters, which tell credentials apart.
    #[must_use]
    pub fn tail(&self) -> &str {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        &self.0[start..]
    }

    /// Returns the public fingerprint: the first twelve hexadecimal digits of the value's SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        data_encoding::HEXLOWER.encode(&digest[..6])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The letter of an invitation of an agent. Not a credential: no surface accepts it as one.
pub const INVITE_LETTER: char = 'v';

/// The letter of the key with which agents are registered. Not a credential either.
pub const REGISTRATION_LETTER: char = 'k';

/// Makes a token of `kind` from what `draw` draws; bytes that cannot be used without bias are drawn again.
pub fn mint(prefix: &TokenPrefix, kind: CredentialKind, draw: impl FnMut(&mut [u8])) -> Secret {
    mint_lettered(prefix, kind.letter(), draw)
}

/// Makes a secret of the same form that is not a credential.
pub fn mint_lettered(prefix: &TokenPrefix, letter: char, draw: impl FnMut(&mut [u8])) -> Secret {
    let entropy = base62(ENTROPY, draw);
    Secret(format!("{}{letter}_{entropy}{}", prefix.0, checksum(&entropy)))
}

/// Makes `length` base-62 characters without bias.
pub fn base62(length: usize, mut draw: impl FnMut(&mut [u8])) -> String {
    let mut text = String::with_capacity(length);
    let mut buffer = [0_u8; 64];
    while text.len() < length {
        draw(&mut buffer);
        let usable = buffer.iter().filter(|byte| **byte < 248);
        text.extend(
            usable.map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).take(length - text.len()),
        );
    }
    text
}

/// Returns the kind of a well-formed token, or `None` if the prefix, the form or the checksum is wrong.
#[must_use]
pub fn recognise(prefix: &TokenPrefix, value: &str) -> Option<CredentialKind> {
    CredentialKind::from_letter(recognise_letter(prefix, value)?)
}

/// Returns the letter of a well-formed secret, or `None` if the prefix, the form or the checksum is wrong.
#[must_use]
pub fn recognise_letter(prefix: &TokenPrefix, value: &str) -> Option<char> {
    let rest = value.strip_prefix(prefix.0.as_str())?;
    let mut characters = rest.chars();
    let letter = characters.next()?;
    let body = characters.as_str().strip_prefix('_')?;
    if body.len() != ENTROPY + CHECKSUM || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (entropy, sum) = body.split_at(ENTROPY);
    (checksum(entropy) == sum).then_some(letter)
}

/// Finds what has the form and the checksum of a secret of this forge in bytes of any kind, each with where it begins. What stands
/// beside it does not matter: a secret is one also in the middle of a longer word.
pub fn sightings<'a>(prefix: &'a TokenPrefix, text: &'a [u8]) -> impl Iterator<Item = (usize, Secret)> + 'a {
    let length = prefix.0.len() + 2 + ENTROPY + CHECKSUM;
    memmem::find_iter(text, prefix.0.as_bytes()).filter_map(move |at| {
        let value = std::str::from_utf8(text.get(at..at + length)?).ok()?;
        recognise_letter(prefix, value)?;
        Some((at, Secret(value.to_owned())))
    })
}

/// Returns a text without the secrets in it: of each, the last four characters stay.
#[must_use]
pub fn without_secrets(prefix: &TokenPrefix, text: &[u8]) -> String {
    let (mut shown, mut end) = (Vec::with_capacity(text.len()), 0);
    for (at, secret) in sightings(prefix, text) {
        if at >= end {
            shown.extend_from_slice(&text[end..at]);
            shown.extend_from_slice(format!("…{}", secret.tail()).as_bytes());
            end = at + secret.0.len();
        }
    }
    shown.extend_from_slice(&text[end..]);
    String::from_utf8_lossy(&shown).into_owned()
}

/// Returns the checksum of `entropy`: its CRC-32/ISO-HDLC in base 62, six characters.
fn checksum(entropy: &str) -> String {
    let mut rest = crc32fast::hash(entropy.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |buffer| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_mul(31).wrapping_add(7);
            }
        }
    }

    #[test]
    fn checksum_is_that_of_githubs_tokens() {
        assert_eq!(checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), "0mLq17");
    }

    #[test]
    fn minted_tokens_are_recognised_and_altered_ones_are_not() {
        let prefix = TokenPrefix::default();
        for kind in CredentialKind::ALL {
            let token = mint(&prefix, kind, counting());
            assert_eq!(recognise(&prefix, token.expose()), Some(kind));
            let mut altered = token.expose().to_owned();
            let last = altered.pop().expect("a character");
            altered.push(if last == '0' { '1' } else { '0' });
            assert_eq!(recognise(&prefix, &altered), None);
        }
        for value in ["", "fgep_", "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", "fgep_é"] {
            assert_eq!(recognise(&prefix, value), None, "{value}");
        }
    }

    #[test]
    fn secrets_that_are_no_credentials_are_not_taken_for_one() {
        let prefix = TokenPrefix::default();
        for letter in [INVITE_LETTER, REGISTRATION_LETTER] {
            let secret = mint_lettered(&prefix, letter, counting());
            assert_eq!(recognise_letter(&prefix, secret.expose()), Some(letter));
            assert_eq!(recognise(&prefix, secret.expose()), None);
        }
    }

    #[test]
    fn a96_secrets_are_found_in_whatever_stands_around_them() {
        let prefix = TokenPrefix::default();
        let token = mint(&prefix, CredentialKind::Personal, counting());
        let value = token.expose();
        for (before, after) in [
            ("", ""),
            ("token=", "\n"),
            ("https://x:", "@forge.example"),
            ("QUJD", "QUJD"),
            ("fge", "="),
            ("fgep_", ""),
            ("fgefge", "fge"),
        ] {
            let text = format!("{before}{value}{after}");
            let found: Vec<usize> = sightings(&prefix, text.as_bytes()).map(|(at, _)| at).collect();
            assert_eq!(found, [before.len()], "{text}");
            let shown = without_secrets(&prefix, text.as_bytes());
            assert_eq!(shown, format!("{before}…{}{after}", token.tail()));
        }
        let bytes = [b"\xff\0".as_slice(), value.as_bytes(), b"\xff"].concat();
        assert_eq!(sightings(&prefix, &bytes).count(), 1);
        let twice = format!("{value}{value}");
        assert_eq!(sightings(&prefix, twice.as_bytes()).count(), 2);
    }

    #[test]
    fn a96_what_only_looks_like_a_secret_is_none() {
        let prefix = TokenPrefix::default();
        let value = mint(&prefix, CredentialKind::Personal, counting()).expose().to_owned();
        let altered = value.replace(value.chars().nth(9).expect("a character"), "-");
        let other = value.replacen("fge", "fgf", 1);
        let broken = format!("{}\n{}", &value[..20], &value[20..]);
        for text in [&value[..value.len() - 1], &altered, &other, &broken, "fge", "fgep_"] {
            assert_eq!(sightings(&prefix, text.as_bytes()).count(), 0, "{text}");
        }
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        assert_eq!(format!("{:?}", Secret::new("fgep_value".to_owned())), "Secret(…)");
    }
}
