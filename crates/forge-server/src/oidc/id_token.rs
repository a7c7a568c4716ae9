//! Judging an ID token (OpenID Connect Core 1.0 §3.1.3.7): signed by a key of the provider's, by this
//! issuer, for this client, now, in answer to this sign-in.

use forge_auth::jose::{Jws, KeySet};
use serde::Deserialize;
use serde_json::Value;

/// What clocks may differ by, in seconds.
const LEEWAY: i64 = 60;

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

/// Judges a token.
///
/// # Errors
/// What is wrong with it, for the operator.
pub(super) fn judge(token: &Jws, keys: &KeySet, expected: &Expected<'_>) -> Result<Person, &'static str> {
    let claims = token.verify_by(keys).map_err(|malformed| malformed.0)?;
    let claims: Claims =
        serde_json::from_value(Value::Object(claims.clone())).map_err(|_| "its claims are unreadable")?;
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
