//! The request context as handlers receive it.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use forge_service::{Caller, RequestContext};
use forge_types::Error;

use crate::error::ApiError;

/// The peer of a connection, put into the request by the listener. Absent in tests that call the router directly.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A caller that a host or proxy has authenticated already, put into the request by whoever trusts it.
#[derive(Clone, Debug)]
pub struct PreAuthenticated(pub Caller);

/// The context of the request, made by the layer around all routes.
pub struct Ctx(pub RequestContext);

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let context = parts.extensions.get::<RequestContext>().cloned();
        context.map(Self).ok_or_else(|| ApiError(Error::internal("the route has no context layer")))
    }
}
