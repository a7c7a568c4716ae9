//! Who is at the other end: the context of a page request, and what every page answer carries.
//!
//! INVARIANT: a page knows people by their session cookie, or by a host that is trusted; never by a token. A switch
//! session counts only beside the session of the person who opened it. No page is shown in a frame, loads anything from
//! elsewhere, runs a script or is kept by anyone.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, USER_AGENT, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use forge_service::context::Presence;
use forge_service::context::{Peer, PreAuthenticated};
use forge_service::outside::Tries;
use forge_service::people::csrf;
use forge_service::{App, Caller, RequestContext, RequestInfo, Secret, Surface, authenticate};
use forge_types::account::AccountRef;
use forge_types::{Error, ErrorKind, Result};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::WebState;
use crate::cookies::Cookie;
use crate::error::{Failed, WebError};
use crate::pages::LARGEST_FORM;
use crate::{flash, layout};

/// The policy of pages: `form-action` of a page that sends people elsewhere after a form is widened by that page.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                          frame-ancestors 'none'; base-uri 'none'";

const FORM_COOKIE_LIFETIME: Duration = Duration::from_secs(24 * 3600);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-github-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The browser of a page request.
#[derive(Clone)]
pub struct Browser {
    /// The request, as the agent's while the person acts as one.
    pub ctx: RequestContext,
    /// The same request as the person's own, while the person acts as an agent.
    pub person: Option<RequestContext>,
    /// A message that the page before left.
    pub flash: Option<String>,
    /// The token of this browser's forms.
    pub form_token: Secret,
}

impl Browser {
    /// Returns in whose name the pages are used: the person who is signed in, or the agent the person acts as.
    #[must_use]
    pub fn account(&self) -> Option<&AccountRef> {
        self.ctx.caller().account.as_ref()
    }

    /// Returns the request as the person's own, whomever the person acts as.
    #[must_use]
    pub fn own(&self) -> &RequestContext {
        self.person.as_ref().unwrap_or(&self.ctx)
    }

    /// Returns whether the person has proved to be present recently enough to give anyone access.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.is_present(Presence::Recent)
    }

    /// Returns whether the person has proved to be present just now.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_present(Presence::Confirmed)
    }

    fn is_present(&self, wanted: Presence) -> bool {
        let session = self.own().caller().session;
        self.account().is_some() && session.is_none_or(|session| session.presence >= wanted)
    }

    /// Returns the field that every form with `method="post"` has.
    #[must_use]
    pub fn form_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.form_token.expose()); }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let browser = parts.extensions.get::<Self>().cloned();
        browser.ok_or_else(|| WebError(Error::internal("the route has no browser layer")))
    }
}

/// The browser of a person who is signed in; everyone else is sent to sign in and comes back.
#[derive(Clone)]
pub struct SignedIn(pub Browser);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let browser = browser(parts, state).await?;
        if browser.account().is_some() { Ok(Self(browser)) } else { Err(sign_in(parts)) }
    }
}

/// The browser of a person who has signed in recently; everyone else is sent to sign in and comes back.
#[derive(Clone)]
pub struct Present(pub Browser);

impl<S: Send + Sync> FromRequestParts<S> for Present {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let browser = browser(parts, state).await?;
        if browser.is_fresh() { Ok(Self(browser)) } else { Err(sign_in(parts)) }
    }
}

/// The browser of a person who has signed in just now; everyone else is asked for the password and comes back.
#[derive(Clone)]
pub struct Confirmed(pub Browser);

impl<S: Send + Sync> FromRequestParts<S> for Confirmed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let browser = browser(parts, state).await?;
        if browser.is_confirmed() { Ok(Self(browser)) } else { Err(confirm(parts)) }
    }
}

async fn browser<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Browser, Response> {
    Browser::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)
}

fn sign_in(parts: &Parts) -> Response {
    sign_in_and_return(way_back(parts))
}

/// Signing in again is asked for also of those who have signed in a while ago.
fn confirm(parts: &Parts) -> Response {
    Redirect::to(&confirming(way_back(parts))).into_response()
}

/// Returns the address at which a person signs in again and then comes to `path`.
pub(crate) fn confirming(path: &str) -> String {
    format!("/login?confirm=true&return_to={}", utf8_percent_encode(path, NON_ALPHANUMERIC))
}

fn way_back(parts: &Parts) -> &str {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    match parts.method {
        Method::GET => uri.path_and_query().map_or("/", |path| path.as_str()),
        _ => uri.path(),
    }
}

/// Sends a person to sign in and then to `path`.
#[must_use]
pub fn sign_in_and_return(path: &str) -> Response {
    let path = utf8_percent_encode(path, NON_ALPHANUMERIC);
    Redirect::to(&format!("/login?return_to={path}")).into_response()
}

/// Finds out who is there, runs the page, and adds what every answer carries.
pub(crate) async fn layer(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let settings = state.app.settings();
    let visit = Visit::of(&state.app, &request);
    let arrival = match Arrival::of(&state.app, visit).await {
        Ok(arrival) => arrival,
        Err(error) => return WebError(error).into_response(),
    };
    let browser = arrival.browser;
    let ctx = browser.ctx.clone();
    let has_flash = browser.flash.is_some();
    request.extensions_mut().insert(browser.clone());
    let response = run(&browser, request, next).await;
    let mut response = match finish(&browser).await {
        Ok(()) => response,
        Err(error) => WebError(error).into_response(),
    };
    if let Some(Failed { title, message }) = response.extensions().get::<Failed>().cloned() {
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(CONTENT_LENGTH);
        let (_, body) = layout::failure(&browser, title, &message).into_response().into_parts();
        response = Response::from_parts(parts, body);
    }
    let headers = response.headers_mut();
    if arrival.has_dead_switch {
        Cookie::Switch.remove(settings, headers);
    }
    if has_flash && response_keeps_no_flash(headers) {
        Cookie::Flash.remove(settings, headers);
    }
    if let Some(cookie) = arrival.new_form_cookie {
        Cookie::Form.set(settings, headers, cookie.expose(), FORM_COOKIE_LIFETIME);
    }
    add_common(headers, &ctx.info().id.0);
    response
}

/// Runs the page; with a decision point outside, as often as it takes to have asked it, for the agent and for the person.
async fn run(browser: &Browser, request: Request, next: Next) -> Response {
    let ctx = &browser.ctx;
    if !ctx.is_asked_outside() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_FORM).await else {
        return WebError(Error::new(ErrorKind::TooLarge, "the form is too long, or could not be read"))
            .into_response();
    };
    let mut tries: Vec<Tries<'_>> = browser.person.iter().chain([ctx]).map(RequestContext::tries).collect();
    loop {
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = next.clone().run(request).await;
        let mut is_over = true;
        for one in &mut tries {
            is_over &= !one.again().await;
        }
        if is_over {
            return response;
        }
    }
}

/// Writes what was refused, to the agent the person acts as and to the person.
async fn finish(browser: &Browser) -> Result<()> {
    browser.ctx.finish().await?;
    match &browser.person {
        Some(person) => person.finish().await,
        None => Ok(()),
    }
}

/// A redirect leaves the message for the page that it leads to, and a page may leave one of its own.
fn response_keeps_no_flash(headers: &HeaderMap) -> bool {
    !headers.contains_key(LOCATION)
}

fn add_common(headers: &mut HeaderMap, id: &str) {
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`, under which browsers do not say where a form comes from.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What a request says of its browser.
struct Visit {
    info: RequestInfo,
    trusted: Option<Caller>,
    session: Option<Secret>,
    form: Option<Secret>,
    switch: Option<Secret>,
    flash: Option<String>,
}

impl Visit {
    fn of(app: &App, request: &Request) -> Self {
        let (settings, headers) = (app.settings(), request.headers());
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let trusted = request.extensions().get::<PreAuthenticated>();
        Self {
            info: RequestInfo {
                id: app.new_request_id(),
                surface: Surface::Web,
                ip: request.extensions().get::<Peer>().map(|peer| peer.0.to_string()),
                user_agent: user_agent.map(|text| text.chars().take(256).collect()),
                certificate: None,
            },
            trusted: trusted.map(|PreAuthenticated(caller)| caller.clone()),
            session: Cookie::Session.find(settings, headers).map(Secret::new),
            form: Cookie::Form.find(settings, headers).map(Secret::new),
            switch: Cookie::Switch.find(settings, headers).map(Secret::new),
            flash: flash::find(settings, headers),
        }
    }

    async fn context(&self, app: &Arc<App>) -> Result<RequestContext> {
        let info = self.info.clone();
        if let Some(caller) = &self.trusted {
            return Ok(RequestContext::new(Arc::clone(app), caller.clone(), info));
        }
        let Some(cookie) = &self.session else { return Ok(authenticate::anonymous(app, info)) };
        match authenticate::with_session(app, cookie, info.clone()).await {
            Err(error) if *error.kind() == ErrorKind::Unauthenticated => {
                Ok(authenticate::anonymous(app, info))
            }
            outcome => outcome,
        }
    }
}

/// Returns the request as the agent's that `person` acts as; none when the switch session is over or somebody else's.
async fn switched(app: &Arc<App>, token: &Secret, person: &RequestContext) -> Result<Option<RequestContext>> {
    let ctx = match authenticate::with_token(app, token, person.info().clone()).await {
        Err(error) if *error.kind() == ErrorKind::Unauthenticated => return Ok(None),
        outcome => outcome?,
    };
    let acting = ctx.caller().acting.as_ref().map(|acting| acting.id);
    Ok((acting.is_some() && acting == person.account_id()).then_some(ctx))
}

struct Arrival {
    browser: Browser,
    new_form_cookie: Option<Secret>,
    has_dead_switch: bool,
}

impl Arrival {
    async fn of(app: &Arc<App>, visit: Visit) -> Result<Self> {
        let ctx = visit.context(app).await?;
        let (binding, new_form_cookie) = match (&ctx.caller().session, ctx.account_id(), visit.session) {
            (Some(_), _, Some(cookie)) => (cookie, None),
            // A host has signed the person in; there is no cookie of ours, and the account is all that can be bound to.
            (_, Some(id), _) => (Secret::new(format!("account {id}")), None),
            (_, None, _) => match visit.form {
                Some(cookie) => (cookie, None),
                None => {
                    let cookie = csrf::new_cookie(app);
                    (cookie.clone(), Some(cookie))
                }
            },
        };
        let form_token = csrf::token(app, &binding)?;
        let agent = match &visit.switch {
            Some(token) => switched(app, token, &ctx).await?,
            None => None,
        };
        let has_dead_switch = visit.switch.is_some() && agent.is_none();
        let (ctx, person) = match agent {
            Some(agent) => (agent, Some(ctx)),
            None => (ctx, None),
        };
        let browser = Browser { ctx, person, flash: visit.flash, form_token };
        Ok(Self { browser, new_form_cookie, has_dead_switch })
    }
}
