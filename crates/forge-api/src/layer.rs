//! What surrounds every route: the request context, what every answer carries, and the end of the request.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{OriginalUri, Request, State};
use axum::http::Method;
use axum::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, USER_AGENT, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use forge_service::Secret;
use forge_service::limits::{Quota, Resource};
use forge_service::proof::{Audience, Shown};
use forge_service::{App, Caller, RequestContext, RequestInfo, Surface, approvals, authenticate, limits};
use forge_types::approval::MAX_BODY;
use forge_types::id::RequestId;
use forge_types::{Error, ErrorKind, Result, Scopes};

use crate::base64::MAX_BODY as LARGEST_BODY;
use crate::context::{Certified, Peer, PreAuthenticated};
use crate::error::ApiError;
use crate::{prefer, proof, token};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-github-request-id");
const MEDIA_TYPE: HeaderName = HeaderName::from_static("x-github-media-type");
const API_VERSION: HeaderName = HeaderName::from_static("x-github-api-version-selected");
const SCOPES: HeaderName = HeaderName::from_static("x-oauth-scopes");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-oauth-client-id");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const USED: HeaderName = HeaderName::from_static("x-ratelimit-used");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RESOURCE: HeaderName = HeaderName::from_static("x-ratelimit-resource");

/// A door that requests come in by.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) app: Arc<App>,
    pub(crate) surface: Surface,
    /// The budget that requests draw on.
    pub(crate) resource: Resource,
}

/// Makes the context of a request, runs it, writes what was refused, and adds the headers of every answer.
pub(crate) async fn layer(State(door): State<Door>, request: Request, next: Next) -> Response {
    let info = info(&door.app, &request, door.surface);
    let id = info.id.clone();
    let context = match Identity::of(&request) {
        Ok(identity) => identity.context(&door.app, info).await,
        Err(error) => Err(error),
    };
    door.answer(&id, context, request, next).await
}

/// What a request presents in place of a credential; for routes that take something that is none.
#[derive(Clone, Debug)]
pub(crate) struct Presented(pub(crate) Option<Secret>);

/// What a request shows of proofs of possession, for routes that take a new key.
#[derive(Clone, Debug)]
pub(crate) struct KeyProof(pub(crate) Shown);

/// As [`layer`], for routes that judge for themselves what is presented: the caller is nobody.
pub(crate) async fn layer_without_credentials(
    State(door): State<Door>,
    mut request: Request,
    next: Next,
) -> Response {
    let info = info(&door.app, &request, door.surface);
    let id = info.id.clone();
    let context = token::presented(request.headers()).and_then(|presented| {
        if presented.as_ref().is_some_and(|presented| presented.is_proved) {
            return Err(Error::bad_credentials());
        }
        request.extensions_mut().insert(Presented(presented.map(|presented| presented.token)));
        Ok(authenticate::anonymous(&door.app, info))
    });
    door.answer(&id, context, request, next).await
}

impl Door {
    async fn answer(
        &self,
        id: &RequestId,
        context: Result<RequestContext>,
        mut request: Request,
        next: Next,
    ) -> Response {
        let app = &self.app;
        let takes_nonce = proof::is_of_use(&request);
        let is_async = self.surface == Surface::Rest && prefer::asks_async(request.headers());
        let shown = proof::shown(&request);
        let mut response = match context {
            Err(error) => ApiError(error).into_response(),
            Ok(context) => {
                let mut response = match limits::take(app, &context, self.resource) {
                    Err(quota) => ApiError(limits::exceeded(&quota)).into_response(),
                    Ok(_) => {
                        request.extensions_mut().insert(context.clone());
                        request.extensions_mut().insert(KeyProof(shown));
                        match told_whole(&context, request).await {
                            Ok(request) => finished(&context, run(&context, request, next).await).await,
                            Err(error) => ApiError(error).into_response(),
                        }
                    }
                };
                // What the request cost is known only now.
                add_quota(response.headers_mut(), &limits::peek(app, &context, self.resource));
                add_caller(response.headers_mut(), &context);
                response
            }
        };
        if is_async {
            response = prefer::accept(response);
        }
        add_common(response.headers_mut(), self.resource, &id.0);
        if takes_nonce {
            proof::add_nonce(response.headers_mut(), app, Audience::Resources);
        }
        response
    }
}

/// Tells the context what a change is, whole, in case a human has to be asked about it. What is too long for a person to read
/// streams in as it is.
async fn told_whole(context: &RequestContext, request: Request) -> Result<Request> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let length = request.body().size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let is_short = length.is_some_and(|length| length <= MAX_BODY);
    if is_read || !is_short || context.caller().credential.is_none() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let body = body.map_err(|_| Error::malformed("the body could not be read"))?;
    // A document without the word has no mutation, and nobody is asked about reading.
    let is_mutation = body.windows(8).any(|window| window == b"mutation");
    if context.info().surface == Surface::GraphQl && !is_mutation {
        return Ok(Request::from_parts(parts, Body::from(body)));
    }
    let original = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let path = original.path_and_query().map_or("/", |path| path.as_str());
    approvals::prepare(context, parts.method.as_str(), path, &body).await?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Runs the request; with a decision point outside, as often as it takes to have asked it.
async fn run(context: &RequestContext, request: Request, next: Next) -> Response {
    if !context.is_asked_outside() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return ApiError(Error::new(ErrorKind::TooLarge, "the body is too long, or could not be read"))
            .into_response();
    };
    let mut tries = context.tries();
    loop {
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = next.clone().run(request).await;
        if !tries.again().await {
            return response;
        }
    }
}

/// Returns what is known of a request apart from who sent it.
pub(crate) fn info(app: &App, request: &Request, surface: Surface) -> RequestInfo {
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    RequestInfo {
        id: app.new_request_id(),
        surface,
        ip: request.extensions().get::<Peer>().map(|Peer(address): &Peer| IpAddr::to_string(address)),
        user_agent: user_agent.map(|text| text.chars().take(256).collect()),
        certificate: request.extensions().get::<Certified>().map(|Certified(shown)| Arc::clone(shown)),
    }
}

/// What a request says about who sends it.
pub(crate) enum Identity {
    /// Nothing.
    None,
    /// A token.
    Token(Secret),
    /// A token bound to a key, with what proves the key.
    Proved(Secret, Shown),
    /// A host or proxy that is trusted says so.
    Trusted(Box<Caller>),
}

impl Identity {
    /// Reads what `request` says. A token decides over a host's or proxy's word: it may be limited to less than the
    /// person may do, and one that is not good is refused rather than replaced.
    ///
    /// # Errors
    /// `Malformed` or `Unauthenticated` if what is presented is no token.
    pub(crate) fn of(request: &Request) -> Result<Self> {
        if let Some(token::Presented { token, is_proved }) = token::presented(request.headers())? {
            return Ok(if is_proved {
                Self::Proved(token, proof::shown(request))
            } else {
                Self::Token(token)
            });
        }
        let trusted = request.extensions().get::<PreAuthenticated>();
        Ok(trusted.map_or(Self::None, |PreAuthenticated(caller)| Self::Trusted(Box::new(caller.clone()))))
    }

    /// Returns the context of a request by whoever this is.
    ///
    /// # Errors
    /// `Unauthenticated` if the token is not good, `Unproved` if it takes a proof that is not there.
    pub(crate) async fn context(self, app: &Arc<App>, info: RequestInfo) -> Result<RequestContext> {
        match self {
            Self::None => Ok(authenticate::anonymous(app, info)),
            Self::Token(token) => authenticate::with_token(app, &token, info).await,
            Self::Proved(token, shown) => authenticate::with_proof(app, &token, &shown, info).await,
            Self::Trusted(caller) => Ok(RequestContext::new(Arc::clone(app), *caller, info)),
        }
    }
}

/// Ends a request: an answer is not given before its refusals are written.
pub(crate) async fn finished(context: &RequestContext, response: Response) -> Response {
    match context.finish().await {
        Ok(()) => response,
        Err(error) => ApiError(error).into_response(),
    }
}

fn add_common(headers: &mut HeaderMap, resource: Resource, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    match resource {
        Resource::GraphQl => {
            headers.insert(MEDIA_TYPE, HeaderValue::from_static("github.v4; format=json"));
        }
        Resource::Core | Resource::Search => {
            headers.insert(MEDIA_TYPE, HeaderValue::from_static("github.v3; format=json"));
            headers.insert(API_VERSION, HeaderValue::from_static("2022-11-28"));
        }
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, max-age=0, must-revalidate"));
    headers.entry(VARY).or_insert(HeaderValue::from_static("Accept, Authorization, Cookie"));
}

fn add_quota(headers: &mut HeaderMap, quota: &Quota) {
    let numbers = [
        (LIMIT, u64::from(quota.limit)),
        (REMAINING, u64::from(quota.limit.saturating_sub(quota.used))),
        (USED, u64::from(quota.used)),
        (RESET, u64::try_from(quota.reset.as_seconds()).unwrap_or(0)),
    ];
    for (name, number) in numbers {
        headers.insert(name, HeaderValue::from(number));
    }
    headers.insert(RESOURCE, HeaderValue::from_static(quota.resource.as_str()));
}

/// Tokens that were not limited to scopes have no such header, which clients read as "an integration's token".
fn add_caller(headers: &mut HeaderMap, context: &RequestContext) {
    let Some(credential) = &context.caller().credential else { return };
    if let Some(value) = credential.scopes.as_ref().and_then(scopes_value) {
        headers.insert(SCOPES, value);
        headers.entry(crate::error::ACCEPTED_SCOPES).or_insert(HeaderValue::from_static(""));
    }
    if let Some(value) = credential.client_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(CLIENT_ID, value);
    }
}

fn scopes_value(scopes: &Scopes) -> Option<HeaderValue> {
    HeaderValue::from_str(&scopes.join(", ")).ok()
}
