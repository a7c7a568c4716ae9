//! The request context as handlers receive it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use forge_service::RequestContext;
pub use forge_service::context::{Certified, Peer, PreAuthenticated};
use forge_types::Error;

use crate::error::ApiError;

/// The context of the request, made by the layer around all routes.
pub struct Ctx(pub RequestContext);

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let context = parts.extensions.get::<RequestContext>().cloned();
        context.map(Self).ok_or_else(|| ApiError(Error::internal("the route has no context layer")))
    }
}
