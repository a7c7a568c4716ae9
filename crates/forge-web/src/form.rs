//! Submitted forms. Reading one proves that it was shown to this browser by this forge.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use forge_service::Secret;
use forge_types::{Error, Result};
use serde::de::DeserializeOwned;

use crate::browser::Browser;
use crate::error::WebError;

const LARGEST: usize = 64 * 1024;

/// A form that this browser was shown, read into `T`.
pub struct Form<T>(pub T);

/// A form without fields of its own: a button.
#[derive(serde::Deserialize)]
pub struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let (mut parts, body) = request.into_parts();
        let browser = Browser::from_request_parts(&mut parts, state).await?;
        check_origin(&browser, &parts.headers)?;
        let unreadable = || Error::malformed("the form could not be read");
        let request = Request::from_parts(parts, body);
        let bytes = Bytes::from_request(request, state).await.map_err(|_| unreadable())?;
        if bytes.len() > LARGEST {
            return Err(unreadable().into());
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes).map_err(|_| unreadable())?;
        let presented = pairs.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.clone());
        if !presented.is_some_and(|token| Secret::new(token).matches(&browser.form_token)) {
            return Err(foreign().into());
        }
        serde_urlencoded::from_bytes(&bytes).map(Self).map_err(|_| unreadable().into())
    }
}

/// Browsers say where a form comes from; one that comes from elsewhere is refused whatever it contains.
fn check_origin(browser: &Browser, headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let settings = browser.ctx.settings();
    let ours = [&settings.origin, &settings.people_origin].map(|url| url.origin().ascii_serialization());
    let is_other_origin = text(ORIGIN.as_str()).is_some_and(|origin| !ours.iter().any(|our| our == origin));
    let is_other_site = !matches!(text("sec-fetch-site"), None | Some("same-origin" | "none"));
    if is_other_origin || is_other_site { Err(foreign()) } else { Ok(()) }
}

fn foreign() -> Error {
    Error::forbidden(
        "this form is too old or does not come from here; go back, reload the page and try again",
    )
}

/// Returns every value of the fields called `name`, for boxes of which several may be ticked.
#[must_use]
pub fn all<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

/// Returns the value of the field called `name`, or nothing.
#[must_use]
pub fn one<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}
