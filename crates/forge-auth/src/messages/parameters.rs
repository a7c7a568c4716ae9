//! Parameters of a request: from a query, a form or a JSON object, each at most once.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded;

use super::OAuthError;

const MOST: usize = 64;
const LONGEST: usize = 8 * 1024;

/// The parameter of RFC 9396.
const DETAILS: &str = "authorization_details";

/// The parameter of RFC 8707, the only one that may come more than once.
const RESOURCE: &str = "resource";

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query or form.
    ///
    /// # Errors
    /// `invalid_request` if a parameter comes twice or is unreasonable.
    pub fn from_form(text: &str) -> Result<Self, OAuthError> {
        Self::collect(
            form_urlencoded::parse(text.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned())),
        )
    }

    /// Reads a JSON object of strings and numbers.
    ///
    /// # Errors
    /// `invalid_request` if it is anything else.
    pub fn from_json(text: &str) -> Result<Self, OAuthError> {
        let malformed = || OAuthError::invalid_request("the body is not a JSON object of strings");
        // Read as a list of members, since a map would silently keep the last of two.
        let Members(members) = serde_json::from_str(text).map_err(|_| malformed())?;
        let mut pairs = Vec::with_capacity(members.len());
        for (name, value) in members {
            match value {
                Value::String(text) => pairs.push((name, text)),
                Value::Number(number) => pairs.push((name, number.to_string())),
                Value::Null => {}
                // RFC 9396 has JSON inside of a parameter; whoever sends JSON anyway need not write it as a string.
                Value::Array(_) | Value::Object(_) if name == DETAILS => {
                    pairs.push((name, value.to_string()));
                }
                Value::Array(items) if name == RESOURCE => {
                    for item in items {
                        let Value::String(text) = item else { return Err(malformed()) };
                        pairs.push((name.clone(), text));
                    }
                }
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(malformed()),
            }
        }
        Self::collect(pairs.into_iter())
    }

    fn collect(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let mut found = BTreeMap::new();
        for (name, value) in pairs {
            // Lines are space between the tokens of JSON (RFC 8259, section 2), where people break them.
            let is_space = |character| name == DETAILS && matches!(character, '\n' | '\r' | '\t');
            let is_bad = |character| is_unreadable(character) && !is_space(character);
            if value.len() > LONGEST || value.chars().any(is_bad) || found.len() == MOST {
                return Err(OAuthError::invalid_request("a parameter is too long or unreadable"));
            }
            if name == RESOURCE {
                let all: &mut String = found.entry(name).or_default();
                // An address has no space in it.
                *all = format!("{all} {value}").trim_start().to_owned();
            } else if found.insert(name, value).is_some() {
                return Err(OAuthError::invalid_request("a parameter comes more than once"));
            }
        }
        Ok(Self(found))
    }

    /// Returns a parameter that has a value.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the values of `resource`.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.find(RESOURCE).unwrap_or_default().split_ascii_whitespace()
    }

    /// Returns a parameter that must have a value.
    ///
    /// # Errors
    /// `invalid_request` if it has none.
    pub fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.find(name).ok_or_else(|| OAuthError::invalid_request(format!("`{name}` is missing")))
    }
}

fn is_unreadable(character: char) -> bool {
    character.is_control() || character == char::REPLACEMENT_CHARACTER
}

struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_is_refused_in_every_form() {
        assert!(Parameters::from_form("a=1&b=2").is_ok());
        assert!(Parameters::from_form("a=1&a=1").is_err());
        assert!(Parameters::from_form("a=1&%61=2").is_err());
        assert!(Parameters::from_json(r#"{"a":"1","b":2}"#).is_ok());
        assert!(Parameters::from_json(r#"{"a":"1","a":"2"}"#).is_err());
        assert!(Parameters::from_json(r#"{"a":["1"]}"#).is_err());
    }

    #[test]
    fn a_parameter_without_value_counts_as_left_out() {
        let parameters = Parameters::from_form("a=&b=%20x").expect("readable");
        assert_eq!(parameters.find("a"), None);
        assert_eq!(parameters.find("b"), Some(" x"));
        assert!(parameters.require("a").is_err());
    }

    #[test]
    fn json_in_a_parameter_may_be_broken_into_lines() {
        let broken = "authorization_details=[%0d%0a%09{}]";
        let parameters = Parameters::from_form(broken).expect("readable");
        assert_eq!(parameters.find(DETAILS), Some("[\r\n\t{}]"));
        assert!(Parameters::from_form("authorization_details=[%00]").is_err());
    }

    #[test]
    fn unreadable_values_are_refused() {
        for form in ["a=%00", "a=%ff", "a=x%0d%0aSet-Cookie:%20y"] {
            assert!(Parameters::from_form(form).is_err(), "{form}");
        }
    }
}
