//! GitHub's scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use forge_service::RequestContext;
use forge_types::Timestamp;

/// An ISO-8601 encoded UTC date string.
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                Timestamp::parse(text).map(Self).ok_or_else(|| InputValueError::expected_type(value))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An RFC 3986, RFC 3987, and RFC 6570 (level 4) compliant URI string.
#[derive(Clone)]
pub(crate) struct Uri(pub(crate) String);

#[Scalar(name = "URI")]
impl ScalarType for Uri {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Uri {
    /// Returns the address of `path`, which begins with a slash, on this forge.
    pub(crate) fn of(ctx: &RequestContext, path: &str) -> Self {
        Self(format!("{}{path}", ctx.settings().origin.as_str().trim_end_matches('/')))
    }
}

/// Git SSH string
pub(crate) struct GitSshRemote(pub(crate) String);

#[Scalar(name = "GitSSHRemote")]
impl ScalarType for GitSshRemote {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $schema:literal)*) => { $(
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name(pub(crate) String);

        #[Scalar(name = $schema)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    )* };
}

texts! {
    /// A Git object ID.
    GitObjectId = "GitObjectID"
    /// A fully qualified reference name (e.g. `refs/heads/master`).
    GitRefname = "GitRefname"
    /// A (potentially binary) string encoded using base64.
    Base64String = "Base64String"
    /// An ISO-8601 encoded date string. Unlike the DateTime type, GitTimestamp is not converted in UTC.
    GitTimestamp = "GitTimestamp"
}
