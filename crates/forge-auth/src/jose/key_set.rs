//! Sets of the public keys with which somebody else signs (RFC 7517 §5): providers of sign-ins, issuers of what workloads
//! show. Here alone RS256 is taken too, since most of them sign with nothing else.

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Map, Value};

use super::{Jwk, Jws, Malformed, decode};

/// The algorithms of such keys.
pub const ISSUER_ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// The most keys of a set; whoever rotates has two or three.
const MOST: usize = 64;

/// Public keys of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Vec<Member>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    id: Option<String>,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Ours(Jwk),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

impl KeySet {
    /// Reads a set that somebody hands over, every key of which must be of use.
    ///
    /// # Errors
    /// If it is no set, has no key or more than 64, or one of them is of no use or tells its private part.
    pub fn from_json(value: &Value) -> Result<Self, Malformed> {
        let keys: Vec<Member> = members(value)?.iter().map(Member::read).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(Malformed("the set has no key")) } else { Ok(Self(keys)) }
    }

    /// Reads a set that an issuer publishes; keys of kinds that are not used here are no fault.
    ///
    /// # Errors
    /// If it is no set, or has more than 64 keys.
    pub fn published(value: &Value) -> Result<Self, Malformed> {
        Ok(Self(members(value)?.iter().filter_map(|key| Member::read(key).ok()).collect()))
    }

    /// Returns whether one of the keys is called `id`.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|member| member.id.as_deref() == Some(id))
    }
}

fn members(value: &Value) -> Result<&[Value], Malformed> {
    let keys = value.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(Malformed("not a set of keys: an object with the member `keys`"))?;
    if keys.len() > MOST { Err(Malformed("the set has more than 64 keys")) } else { Ok(keys) }
}

impl Member {
    fn read(value: &Value) -> Result<Self, Malformed> {
        let mut key = value.as_object().ok_or(Malformed("a key is not a JSON object"))?.clone();
        // The bundle of a SPIFFE trust domain says so of keys that sign tokens.
        if key.get("use").is_some_and(|usage| usage == "jwt-svid") {
            key.remove("use");
        }
        let id = key.get("kid").and_then(Value::as_str).map(str::to_owned);
        let key = if key.get("kty").is_some_and(|kind| kind == "RSA") {
            rsa(&key)?
        } else {
            Key::Ours(Jwk::from_json(&Value::Object(key))?)
        };
        Ok(Self { id, key })
    }
}

fn rsa(key: &Map<String, Value>) -> Result<Key, Malformed> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| key.contains_key(*name)) {
        return Err(Malformed("a key carries its private part; it must never leave its owner"));
    }
    if !matches!(text("use"), None | Some("sig")) || !matches!(text("alg"), None | Some("RS256")) {
        return Err(Malformed("the key says that it is for something else"));
    }
    let number = |name: &str| {
        let bytes = text(name).and_then(decode);
        bytes.ok_or(Malformed("a number of the key is not base64url without padding"))
    };
    let (modulus, exponent) = (number("n")?, number("e")?);
    let is_of_size = (256..=1024).contains(&modulus.len());
    if is_of_size {
        Ok(Key::Rsa { modulus, exponent })
    } else {
        Err(Malformed("the key has not 2048 to 8192 bits"))
    }
}

impl Key {
    /// The key says which algorithm it is for; what the header says has only to agree.
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ours(key) => key.is_for(algorithm) && key.verifies(signed, signature),
            Self::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                algorithm == "RS256" && key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
        }
    }
}

impl Jws {
    /// Returns the claims, if a key of the set signed them: the one that the header names, or any where it names none.
    ///
    /// # Errors
    /// If none of them did.
    pub fn verify_by(&self, keys: &KeySet) -> Result<&Map<String, Value>, Malformed> {
        let id = self.header("kid");
        let algorithm = self.header("alg").unwrap_or_default();
        let mut named = keys.0.iter().filter(|member| id.is_none() || member.id.as_deref() == id);
        if named.any(|member| member.key.verifies(algorithm, self.signed(), self.signature())) {
            return Ok(self.unverified());
        }
        Err(Malformed("no key of the issuer has signed it"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    /// The example of RFC 7515, appendix A.2.
    fn of_the_standard() -> (Value, String) {
        let key = json!({
            "kty": "RSA", "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        });
        let text = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        (key, text.to_owned())
    }

    #[test]
    fn the_rs256_signature_of_the_standard_verifies_and_an_altered_one_does_not() {
        let (key, text) = of_the_standard();
        let keys = KeySet::from_json(&json!({ "keys": [key] })).expect("a set");
        let claims = Jws::parse(&text).expect("readable");
        assert_eq!(claims.verify_by(&keys).expect("verified")["iss"], "joe");
        let altered = Jws::parse(&text.replacen("IjpqcnVl", "IjpqcnVm", 1).replacen("cC4hi", "cC4hj", 1));
        assert!(altered.expect("readable").verify_by(&keys).is_err());
    }

    #[test]
    fn a56_a_key_is_tried_with_its_own_algorithm_and_under_its_own_name_alone() {
        let key = SigningKey::generate_p256().expect("randomness");
        let mut public = key.public().to_json();
        public["kid"] = "1".into();
        let (rsa, _) = of_the_standard();
        let keys = KeySet::from_json(&json!({ "keys": [rsa, public] })).expect("a set");
        assert!(keys.has("1") && !keys.has("2"));
        let signed_as = |header: Value| {
            let text = key.sign(&header, &json!({ "a": 1 })).expect("signed");
            Jws::parse(&text).expect("readable").verify_by(&keys).is_ok()
        };
        assert!(signed_as(json!({ "kid": "1" })) && signed_as(json!({})));
        assert!(!signed_as(json!({ "kid": "2" })));
    }

    #[test]
    fn a58_a_set_that_is_handed_over_has_public_keys_of_use_alone_and_a_published_one_may_have_others() {
        let good = SigningKey::generate_ed25519().expect("randomness").public().to_json();
        let (rsa, _) = of_the_standard();
        let with = |key: &Value, name: &str, value: &str| {
            let mut key = key.clone();
            key[name] = value.into();
            key
        };
        assert!(KeySet::from_json(&json!({ "keys": [with(&good, "use", "jwt-svid")] })).is_ok());
        for bad in [
            with(&good, "d", "AA"),
            with(&rsa, "d", "AA"),
            with(&rsa, "alg", "RS512"),
            with(&rsa, "use", "enc"),
            with(&rsa, "n", "AQAB"),
            with(&rsa, "e", "not base64!"),
            json!({ "kty": "oct", "k": "AA" }),
            json!("key"),
        ] {
            let set = json!({ "keys": [good, bad] });
            assert!(KeySet::from_json(&set).is_err(), "{bad}");
            assert_eq!(KeySet::published(&set).expect("a set").0.len(), 1, "{bad}");
        }
        for none in [json!({ "keys": [] }), json!({}), json!([]), json!({ "keys": vec![good; 65] })] {
            assert!(KeySet::from_json(&none).is_err(), "{none}");
        }
    }
}
