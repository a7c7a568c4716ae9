//! Judging an ID token (OpenID Connect Core 1.0 §3.1.3.7): signed by a key of the provider's with RS256 or ES256, by
//! this issuer, for this client, now, in answer to this sign-in.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;

/// A key with which the provider signs.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { point: Vec<u8> },
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// Reads a JSON Web Key; `None` if it is of no kind that is used here.
    pub(super) fn read(json: serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: decode(&jwk.n?)?, e: decode(&jwk.e?)? },
            ("EC", Some("P-256")) => {
                Material::P256 { point: [vec![4], decode(&jwk.x?)?, decode(&jwk.y?)?].concat() }
            }
            _ => return None,
        };
        Some(Self { id: jwk.kid, material })
    }

    /// The key says which algorithm it is for; what the token says must agree.
    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa { n, e }, "RS256") => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            (Material::P256 { point }, "ES256") => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

/// What an ID token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: i64,
}

/// Whom the provider vouches for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) login: String,
    pub(super) email: Option<String>,
}

/// Returns the key id that a token names, before anything in it is believed.
pub(super) fn key_id(token: &str) -> Option<String> {
    part::<Header>(token.split('.').next()?)?.kid
}

/// Judges a token.
///
/// # Errors
/// What is wrong with it, for the operator.
pub(super) fn judge(token: &str, keys: &[Key], expected: &Expected<'_>) -> Result<Person, &'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err("it is not a signed token") };
    let signed = &token.as_bytes()[..header.len() + 1 + claims.len()];
    let header: Header = part(header).ok_or("its header is unreadable")?;
    let signature = decode(signature).ok_or("its signature is unreadable")?;
    if header.crit.is_some() {
        return Err("it demands what is not known here");
    }
    let mut candidates = keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid);
    if !candidates.any(|key| key.verifies(&header.alg, signed, &signature)) {
        return Err("no key of the provider has signed it");
    }
    let claims: Claims = part(claims).ok_or("its claims are unreadable")?;
    check(&claims, expected)?;
    let login =
        claims.preferred_username.or_else(|| claims.email.clone()).unwrap_or_else(|| "user".to_owned());
    let email = claims.email.filter(|_| claims.email_verified);
    Ok(Person { subject: claims.sub, login, email })
}

fn check(claims: &Claims, expected: &Expected<'_>) -> Result<(), &'static str> {
    let is_for_us = match &claims.aud {
        Audience::One(audience) => audience == expected.client_id,
        Audience::Several(audiences) => audiences.iter().any(|audience| audience == expected.client_id),
    };
    let is_shared = matches!(&claims.aud, Audience::Several(audiences) if audiences.len() > 1);
    let is_ours = claims.azp.as_deref().map_or(!is_shared, |party| party == expected.client_id);
    match () {
        () if claims.iss != expected.issuer => Err("another issuer made it"),
        () if !is_for_us || !is_ours => Err("it is for another client"),
        () if claims.exp + LEEWAY <= expected.now => Err("it is over"),
        () if claims.iat - LEEWAY > expected.now => Err("it comes from the future"),
        () if claims.nonce.as_deref() != Some(expected.nonce) => Err("it answers another sign-in"),
        () if claims.sub.is_empty() || claims.sub.len() > 255 => Err("it names nobody"),
        () => Ok(()),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&decode(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The example of RFC 7515, appendix A.2.
    #[test]
    fn the_rs256_signature_of_the_standard_verifies_and_an_altered_one_does_not() {
        let key = Key::read(json!({
            "kty": "RSA", "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        }))
        .expect("a key");
        let signed = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = decode("cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw").expect("base64url");
        assert!(key.verifies("RS256", signed, &signature));
        assert!(!key.verifies("RS256", &signed[1..], &signature));
        assert!(!key.verifies("ES256", signed, &signature) && !key.verifies("none", signed, &signature));
    }
}
