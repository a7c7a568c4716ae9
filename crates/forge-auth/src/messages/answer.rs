//! Answers, as JSON or as a form: GitHub's clients read both, and the oldest ask for neither.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::token::Secret;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl Encoding {
    /// Chooses by the `Accept` header; `fallback` when it names neither.
    #[must_use]
    pub fn choose(accept: &str, fallback: Self) -> Self {
        let named = accept.split(',').filter_map(|part| {
            match part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
                "application/json" | "application/vnd.github+json" | "application/vnd.github.v3+json" => {
                    Some(Self::Json)
                }
                "application/x-www-form-urlencoded" => Some(Self::Form),
                _ => None,
            }
        });
        named.into_iter().next().unwrap_or(fallback)
    }

    /// Returns the content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Form => "application/x-www-form-urlencoded; charset=utf-8",
        }
    }

    /// Writes members.
    #[must_use]
    pub fn write(self, members: Vec<(&'static str, Value)>) -> String {
        match self {
            Self::Json => {
                let object: Map<String, Value> =
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Value::Object(object).to_string()
            }
            Self::Form => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in members {
                    match value {
                        Value::String(text) => form.append_pair(name, &text),
                        other => form.append_pair(name, &other.to_string()),
                    };
                }
                form.finish()
            }
        }
    }
}

/// Something that can be written as an answer.
pub trait Answer {
    /// Returns the members in order.
    fn members(&self) -> Vec<(&'static str, Value)>;
}

/// The answer to a pushed authorization request (RFC 9126 §2.2).
#[derive(Clone, Debug)]
pub struct PushedAnswer {
    /// What stands for the request at the authorization endpoint.
    pub request_uri: Secret,
    /// The seconds it lasts.
    pub expires_in: u64,
}

impl Answer for PushedAnswer {
    fn members(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("request_uri", Value::from(self.request_uri.expose())),
            ("expires_in", Value::from(self.expires_in)),
        ]
    }
}

/// The answer to a device that asks for codes (RFC 8628 §3.2).
#[derive(Clone, Debug)]
pub struct DeviceAnswer {
    /// The code the device keeps.
    pub device_code: Secret,
    /// The code the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The seconds both last.
    pub expires_in: u64,
    /// The seconds between two polls.
    pub interval: i64,
}

impl Answer for DeviceAnswer {
    fn members(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("device_code", self.device_code.expose().into()),
            ("user_code", self.user_code.as_str().into()),
            ("verification_uri", self.verification_uri.as_str().into()),
            ("expires_in", self.expires_in.into()),
            ("interval", self.interval.into()),
        ]
    }
}

/// The answer that carries tokens (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Secret,
    /// Whether it is bound to a key.
    pub is_bound: bool,
    /// The seconds it lasts; none if it stands.
    pub expires_in: Option<u64>,
    /// The refresh token.
    pub refresh_token: Option<(Secret, u64)>,
    /// What the access token is limited to; none if to nothing.
    pub scope: Option<String>,
    /// What a token that was exchanged is for.
    pub exchanged: Option<Exchanged>,
}

/// What the answer says of a token that another was exchanged for (RFC 8693 §2.2.1).
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// Of which type it is.
    pub token_type: &'static str,
    /// What was granted, as RFC 9396 has it.
    pub details: Vec<Value>,
}

impl Answer for TokenAnswer {
    fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = vec![("access_token", Value::from(self.access_token.expose()))];
        members.push(("token_type", if self.is_bound { "DPoP" } else { "bearer" }.into()));
        members.extend(self.scope.as_ref().map(|scope| ("scope", scope.as_str().into())));
        members.extend(self.expires_in.map(|seconds| ("expires_in", seconds.into())));
        if let Some((token, seconds)) = &self.refresh_token {
            members.push(("refresh_token", token.expose().into()));
            members.push(("refresh_token_expires_in", (*seconds).into()));
        }
        if let Some(exchanged) = &self.exchanged {
            members.push(("issued_token_type", exchanged.token_type.into()));
            if !exchanged.details.is_empty() {
                members.push(("authorization_details", Value::Array(exchanged.details.clone())));
            }
        }
        members
    }
}

/// The answer about a token (RFC 7662 §2.2).
#[derive(Clone, Debug, Default)]
pub struct Introspection {
    /// The members beside `active`; none if the token is not active for whoever asks.
    pub active: Option<Map<String, Value>>,
}

impl Introspection {
    /// Returns the answer as JSON; it has no other form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = self.active.clone().unwrap_or_default();
        object.insert("active".to_owned(), self.active.is_some().into());
        Value::Object(object).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_chooses_and_silence_falls_back() {
        assert_eq!(Encoding::choose("application/json", Encoding::Form), Encoding::Json);
        assert_eq!(Encoding::choose("text/html, application/json;q=0.9", Encoding::Form), Encoding::Json);
        assert_eq!(Encoding::choose("application/x-www-form-urlencoded", Encoding::Json), Encoding::Form);
        assert_eq!(Encoding::choose("*/*", Encoding::Form), Encoding::Form);
    }

    #[test]
    fn forms_escape_what_json_quotes() {
        let members = vec![("scope", Value::from("repo read:org")), ("interval", Value::from(5))];
        assert_eq!(Encoding::Form.write(members.clone()), "scope=repo+read%3Aorg&interval=5");
        let written: Value = serde_json::from_str(&Encoding::Json.write(members)).expect("JSON");
        assert_eq!(written, serde_json::json!({ "scope": "repo read:org", "interval": 5 }));
    }
}
