//! JSON bodies, whatever the content type says, with GitHub's words for what is wrong with them.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use forge_types::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::ApiError;

/// A JSON object, read into `T`.
pub struct JsonBody<T>(pub T);

/// A JSON object that may be left out: an empty body reads as `T::default()`.
pub struct OptionalJsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(Self(read(&bytes(request, state).await?)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        Ok(Self(read(&bytes)?))
    }
}

/// Reads a field so that `null`, which empties, differs from one that is left out. The field needs a default.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(refused)
}

fn refused(rejection: BytesRejection) -> ApiError {
    let error = if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        Error::new(ErrorKind::TooLarge, "the body is too large")
    } else {
        Error::malformed("the body could not be read")
    };
    ApiError(error)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|_| Error::malformed("Problems parsing JSON"))?;
    if !value.is_object() {
        return Err(Error::malformed("Body should be a JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        Error::unprocessable(format!("Invalid request.\n\n{what}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Named {
        #[expect(dead_code, reason = "only its type matters")]
        name: String,
    }

    #[test]
    fn each_fault_of_a_body_has_githubs_status() {
        let kind = |text: &str| read::<Named>(text.as_bytes()).expect_err(text).kind().clone();
        assert_eq!(kind("{"), ErrorKind::Malformed);
        assert_eq!(kind("[]"), ErrorKind::Malformed);
        assert_eq!(kind("{}"), ErrorKind::Invalid(vec![]));
        assert_eq!(kind(r#"{"name":1}"#), ErrorKind::Invalid(vec![]));
        assert_eq!(kind(r#"{"name":"a","name":"b"}"#), ErrorKind::Invalid(vec![]));
    }
}
