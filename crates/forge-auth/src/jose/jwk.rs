//! Public keys (RFC 7517, RFC 8037) and their thumbprints (RFC 7638).

use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Malformed, decode, encode, object};

/// What a key may not carry: it would be private, or no public key at all.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key: P-256 for ES256, or Ed25519.
#[derive(Clone, PartialEq, Eq)]
pub enum Jwk {
    /// A point of P-256, uncompressed.
    P256([u8; 65]),
    /// A point of Ed25519.
    Ed25519([u8; 32]),
}

/// The SHA-256 of a key's required members, in base64url: what tokens are bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Reads a thumbprint; `None` unless it is 32 bytes of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (decode(text)?.len() == 32).then(|| Self(text.to_owned()))
    }

    /// Returns it in base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({})", self.thumbprint())
    }
}

impl Jwk {
    /// Reads a key. Members that say more about it are left aside.
    ///
    /// # Errors
    /// If it is none of the two kinds, not in its one form, or tells its private part.
    pub fn from_json(value: &Value) -> Result<Self, Malformed> {
        let members = value.as_object().ok_or(Malformed("the key is not a JSON object"))?;
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(Malformed("the key carries its private part; it must never leave its owner"));
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let key = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Self::p256(members)?,
            (Some("OKP"), Some("Ed25519")) => Self::Ed25519(coordinate(members, "x")?),
            _ => return Err(Malformed("the key is neither of P-256 nor of Ed25519")),
        };
        let is_for_signatures = text("use").is_none_or(|usage| usage == "sig");
        let agrees = members.get("alg").is_none_or(|name| name.as_str().is_some_and(|name| key.is_for(name)));
        if is_for_signatures && agrees {
            Ok(key)
        } else {
            Err(Malformed("the key says that it is for something else"))
        }
    }

    /// Reads a key from its text, in which no member may stand twice.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_text(text: &str) -> Result<Self, Malformed> {
        let members = object::read(text.as_bytes()).ok_or(Malformed("the key is not a JSON object"))?;
        Self::from_json(&Value::Object(members))
    }

    fn p256(members: &Map<String, Value>) -> Result<Self, Malformed> {
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&coordinate(members, "x")?);
        point[33..].copy_from_slice(&coordinate(members, "y")?);
        Ok(Self::P256(point))
    }

    /// Returns the key as JSON, with its required members alone.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::P256(point) => {
                json!({ "crv": "P-256", "kty": "EC", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
            }
            Self::Ed25519(point) => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(point) }),
        }
    }

    /// Returns the thumbprint (RFC 7638 §3): of the required members, sorted, without spaces.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        let canonical = match self {
            Self::P256(point) => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                encode(&point[1..33]),
                encode(&point[33..])
            ),
            Self::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
        };
        Thumbprint(encode(&Sha256::digest(canonical.as_bytes())))
    }

    /// Returns the name of the algorithm the key is for.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// Returns whether a header that names `algorithm` agrees with the key.
    pub(super) fn is_for(&self, algorithm: &str) -> bool {
        match self {
            Self::P256(_) => algorithm == "ES256",
            Self::Ed25519(_) => algorithm == "EdDSA" || algorithm == "Ed25519",
        }
    }

    /// Returns whether `signature` is this key's over `signed`.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            Self::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(signed, signature).is_ok(),
        }
    }
}

fn coordinate(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], Malformed> {
    let text = members.get(name).and_then(Value::as_str);
    let bytes = text.and_then(decode).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or(Malformed("a coordinate of the key is not 32 bytes of base64url without padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449 §4.1 and §6.1.
    const OF_THE_RFC: &str = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;

    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let key = Jwk::from_text(OF_THE_RFC).expect("the RFC's key");
        assert_eq!(key.thumbprint().as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        // RFC 8037, appendix A.3.
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = Jwk::from_text(key).expect("the RFC's key");
        assert_eq!(key.thumbprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(Jwk::from_json(&key.to_json()), Ok(key));
    }

    #[test]
    fn a_thumbprint_does_not_depend_on_what_else_a_key_says() {
        let plain = Jwk::from_text(OF_THE_RFC).expect("a key");
        let more = OF_THE_RFC.replacen('{', r#"{"kid":"../../etc","use":"sig","alg":"ES256","#, 1);
        assert_eq!(Jwk::from_text(&more).expect("a key").thumbprint(), plain.thumbprint());
    }

    #[test]
    fn a58_keys_that_tell_their_private_part_or_are_ambiguous_are_refused() {
        let with = |member: &str| OF_THE_RFC.replacen('{', &format!("{{{member},"), 1);
        for member in [
            r#""d":"AA""#,
            r#""d":null"#,
            r#""k":"AA""#,
            r#""kty":"EC""#,
            r#""use":"enc""#,
            r#""alg":"HS256""#,
        ] {
            assert!(Jwk::from_text(&with(member)).is_err(), "{member}");
        }
    }

    #[test]
    fn a58_coordinates_have_one_form() {
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        let longer = format!("AA{x}");
        let padded = format!("{x}=");
        let standard = x.replace('-', "+");
        // The last character carries bits that mean nothing; only zeros are taken.
        let loose = format!("{}t", &x[..x.len() - 1]);
        for other in ["", "l8t", &longer, &padded, &standard, &loose] {
            assert!(Jwk::from_text(&OF_THE_RFC.replace(x, other)).is_err(), "{other}");
        }
    }

    #[test]
    fn a56_other_curves_and_kinds_are_refused() {
        for (from, to) in
            [("P-256", "P-521"), ("P-256", "secp256k1"), ("EC", "RSA"), ("EC", "oct"), ("EC", "OKP")]
        {
            assert!(Jwk::from_text(&OF_THE_RFC.replace(from, to)).is_err(), "{to}");
        }
    }
}
