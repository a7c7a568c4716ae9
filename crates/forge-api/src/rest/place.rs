//! The repository a route is about: by `OWNER/NAME` under `/repos`, by number under `/repositories`. One set of routes
//! serves both. A former name is answered with a redirect to the number, as on GitHub.

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams, Request};
use axum::http::header::{HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use forge_service::RequestContext;
use forge_service::repositories;
use forge_service::target::RepositoryTarget;
use forge_types::Error;
use forge_types::id::RepositoryId;
use serde_json::json;

use crate::error::{ApiError, DOCUMENTATION};
use crate::views::Links;

/// The repository a route is about.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// `OWNER/NAME`.
    Name(String, String),
    /// Its number.
    Id(RepositoryId),
}

impl Place {
    /// Returns the target; former names are not followed here, see [`moved`].
    pub(super) fn target(&self) -> RepositoryTarget<'_> {
        match self {
            Self::Name(owner, name) => RepositoryTarget::PresentName(owner, name),
            Self::Id(id) => RepositoryTarget::Id(*id),
        }
    }

    /// Returns the beginning of addresses of its parts.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Name(owner, name) => format!("repos/{owner}/{name}"),
            Self::Id(id) => format!("repositories/{id}"),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|_| ApiError(Error::not_found()))?;
        let find = |wanted: &str| parameters.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        if let (Some(owner), Some(name)) = (find("owner"), find("repo")) {
            return Ok(Self::Name(owner.to_owned(), name.to_owned()));
        }
        let id = find("repository_id").and_then(|id| id.parse().ok());
        id.map(|id| Self::Id(RepositoryId(id))).ok_or_else(|| ApiError(Error::not_found()))
    }
}

/// Sends the caller of a former name on to the repository's number: 301 for reading, 307 for all else.
pub(super) async fn moved(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = Asked::read(&mut parts).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    match asked {
        Some(asked) if response.status() == StatusCode::NOT_FOUND => {
            asked.redirect().await.unwrap_or(response)
        }
        _ => response,
    }
}

/// What was asked of a repository by name.
struct Asked {
    context: RequestContext,
    method: Method,
    owner: String,
    name: String,
    uri: OriginalUri,
}

impl Asked {
    async fn read(parts: &mut Parts) -> Option<Self> {
        let context = parts.extensions.get::<RequestContext>().cloned()?;
        let uri = parts.extensions.get::<OriginalUri>().cloned()?;
        let Ok(Place::Name(owner, name)) = Place::from_request_parts(parts, &()).await else { return None };
        Some(Self { context, method: parts.method.clone(), owner, name, uri })
    }

    async fn redirect(self) -> Option<Response> {
        let id = match repositories::find_moved(&self.context, &self.owner, &self.name).await {
            Ok(id) => id?,
            Err(error) => return Some(ApiError(error).into_response()),
        };
        let url = Links::new(self.context.settings()).api(&format!("repositories/{id}{}", self.rest()?));
        let status = match self.method {
            Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
            _ => StatusCode::TEMPORARY_REDIRECT,
        };
        let message = status.canonical_reason().unwrap_or_default();
        let body = json!({ "message": message, "url": url, "documentation_url": DOCUMENTATION });
        let location = HeaderValue::from_str(&url).ok()?;
        Some((status, [(LOCATION, location)], Json(body)).into_response())
    }

    /// Returns what follows the repository's name in the address, query included.
    fn rest(&self) -> Option<String> {
        let path = self.uri.path();
        let (_, below) = path.split_once("/repos/")?;
        let mut parts = below.splitn(3, '/').skip(2);
        let rest = parts.next().map(|rest| format!("/{rest}")).unwrap_or_default();
        let query = self.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{rest}{query}"))
    }
}
