//! Proofs of possession in requests and answers: what a request shows of them, and the nonce that the next must repeat.

use axum::extract::{OriginalUri, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue};
use forge_service::App;
use forge_service::proof::{Audience, Host, Shown, nonce};

/// The header with a proof.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Says that a request is answered by the routes of `api.HOST`; put into it by whoever chose them.
#[derive(Clone, Copy, Debug)]
pub struct ByApiHost;

/// Returns what a request shows. A proof that is not text proves nothing.
pub(crate) fn shown(request: &Request) -> Shown {
    let headers = request.headers().get_all(PROOF);
    let original = request.extensions().get::<OriginalUri>();
    let uri = original.map_or(request.uri(), |OriginalUri(uri)| uri);
    let is_api = request.extensions().get::<ByApiHost>().is_some();
    Shown {
        proofs: headers.iter().map(|value| value.to_str().unwrap_or_default().to_owned()).collect(),
        method: request.method().to_string(),
        host: if is_api { Host::Api } else { Host::Main },
        path: uri.path().to_owned(),
    }
}

/// Returns whether proofs are anything to whoever sends a request, so that the answer brings a nonce.
pub(crate) fn is_of_use(request: &Request) -> bool {
    let scheme = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().get(..5));
    request.headers().contains_key(PROOF)
        || scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "))
}

/// Adds the nonce that the next proof must repeat. Nothing may keep such an answer (RFC 9449 §8.2).
pub(crate) fn add_nonce(headers: &mut HeaderMap, app: &App, audience: Audience) {
    let nonce = match nonce(app, audience) {
        Ok(nonce) => nonce,
        Err(error) => return tracing::error!(%error, "no nonce can be made"),
    };
    if let Some(value) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        headers.insert(NONCE, value);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
