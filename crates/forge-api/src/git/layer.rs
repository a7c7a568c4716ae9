//! What surrounds every Git request: who asks, what an anonymous caller is told, and the end of the request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use forge_service::proof::Audience;
use forge_service::{App, RequestContext, Surface};
use forge_types::Error;

use super::answer::GitError;
use crate::layer::{Identity, info};
use crate::proof;

/// Makes the context of a Git request, runs it, and writes what was refused.
pub(super) async fn layer(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let info = info(&app, &request, Surface::Git);
    let id = info.id.0.clone();
    let takes_nonce = proof::is_of_use(&request);
    let context = match Identity::of(&request) {
        Ok(identity) => identity.context(&app, info).await,
        Err(error) => Err(error),
    };
    let mut response = match context {
        Err(error) => GitError(error).into_response(),
        Ok(context) => {
            request.extensions_mut().insert(context.clone());
            let response = next.run(request).await;
            finished(&context, asked_to_sign_in(&context, response)).await
        }
    };
    if takes_nonce {
        proof::add_nonce(response.headers_mut(), &app, Audience::Resources);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-github-request-id", id);
    }
    response
}

/// Whoever did not say who they are is asked to, whether the repository is private or absent: the answers are equal.
fn asked_to_sign_in(context: &RequestContext, response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND && context.caller().account.is_none() {
        return GitError(Error::requires_authentication()).into_response();
    }
    response
}

async fn finished(context: &RequestContext, response: Response) -> Response {
    match context.finish().await {
        Ok(()) => response,
        Err(error) => GitError(error).into_response(),
    }
}
