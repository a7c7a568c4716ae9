//! Passing a request on: without what its sender says of itself, with a session and a proof.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use forge_types::with_causes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use url::Url;

use crate::Error;
use crate::guard::{self, Door};
use crate::session::Sessions;

/// Bodies up to here are kept, so that a request can be sent again with another nonce.
const KEPT: u64 = 1024 * 1024;
/// A body that is not kept is sent only with a nonce that is younger: the forge takes each for at least five minutes.
const NONCE_FRESH: Duration = Duration::from_secs(200);
/// Something that costs nothing and brings a nonce.
const CHEAP: &str = "/api/v3/meta";

const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// What is between two neighbours alone (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-connection"),
];

/// The body of an answer.
pub(crate) type Answer = Response<BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// What requests are passed on with.
#[derive(Debug)]
pub(crate) struct Forward {
    http: reqwest::Client,
    origin: String,
    host: String,
    sessions: Sessions,
    port: u16,
}

/// A body, once or as often as it takes.
enum Body {
    Kept(Bytes),
    Once(Option<Incoming>),
}

impl Forward {
    pub(crate) fn new(http: reqwest::Client, forge: &Url, sessions: Sessions, address: SocketAddr) -> Self {
        let origin = forge.origin().ascii_serialization();
        let host = forge.host_str().unwrap_or_default().to_owned();
        Self { http, origin, host, sessions, port: address.port() }
    }

    /// Returns the door of the address.
    pub(crate) const fn at_address(&self) -> Door<'_> {
        Door::Address(self.port)
    }

    /// Returns the door of the socket file.
    pub(crate) fn at_socket(&self) -> Door<'_> {
        Door::Socket(&self.host)
    }

    /// Answers a request: with what the forge answers, or with why it was not asked.
    pub(crate) async fn answer(&self, request: Request<Incoming>, door: Door<'_>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Some((status, why)) = guard::refusal(&parts, door) {
            return said(status, why);
        }
        match self.pass_on(&parts, body).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "a request was not passed on");
                said(StatusCode::BAD_GATEWAY, &format!("the agent's local proxy: {error}"))
            }
        }
    }

    async fn pass_on(&self, parts: &Parts, body: Incoming) -> Result<Answer, Error> {
        let mut body = kept(parts, body).await?;
        if matches!(body, Body::Once(_))
            && self.sessions.signer().nonce_age().is_none_or(|age| age > NONCE_FRESH)
        {
            self.refresh_nonce().await?;
        }
        let token = self.sessions.current().await?;
        let answer = self.send(parts, &mut body, &token).await?;
        let wants_nonce = is_refused_for(&answer, "use_dpop_nonce");
        if !(wants_nonce || is_refused_for(&answer, "invalid_token")) || matches!(body, Body::Once(_)) {
            return Ok(returned(answer));
        }
        if !wants_nonce {
            self.sessions.forget(&token).await;
        }
        let token = self.sessions.current().await?;
        Ok(returned(self.send(parts, &mut body, &token).await?))
    }

    async fn send(&self, parts: &Parts, body: &mut Body, token: &str) -> Result<reqwest::Response, Error> {
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let address = format!("{}{path}", self.origin);
        let unasked = address.split('?').next().unwrap_or(&address);
        let proof = self.sessions.signer().proof(parts.method.as_str(), unasked, token)?;
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|error| Error::because("cannot sign", error));
        let mut headers = own(&parts.headers);
        headers.insert(AUTHORIZATION, value(&format!("DPoP {token}"))?);
        headers.insert(PROOF, value(&proof)?);
        let body = match body {
            Body::Kept(bytes) => reqwest::Body::from(bytes.clone()),
            Body::Once(body) => {
                let body = body.take().ok_or_else(|| Error::new("the body was sent already"))?;
                if let Some(length) = parts.headers.get(CONTENT_LENGTH) {
                    headers.insert(CONTENT_LENGTH, length.clone());
                }
                reqwest::Body::wrap(body)
            }
        };
        let request = self.http.request(parts.method.clone(), &address).headers(headers).body(body);
        let answer = request.send().await;
        let answer = answer.map_err(|error| {
            Error::because("the forge cannot be asked", with_causes(&error.without_url()))
        })?;
        let _ = self.sessions.signer().keep_nonce(answer.headers());
        Ok(answer)
    }

    async fn refresh_nonce(&self) -> Result<(), Error> {
        let token = self.sessions.current().await?;
        let (parts, ()) =
            Request::get(CHEAP).body(()).map_err(|error| Error::because("cannot ask", error))?.into_parts();
        self.send(&parts, &mut Body::Kept(Bytes::new()), &token).await.map(drop)
    }
}

/// Keeps a body that says that it is small.
async fn kept(parts: &Parts, body: Incoming) -> Result<Body, Error> {
    let length = hyper::body::Body::size_hint(&body).exact();
    if length.is_none_or(|length| length > KEPT) {
        return Ok(Body::Once(Some(body)));
    }
    let collected = body.collect().await;
    let collected =
        collected.map_err(|error| Error::because(format_args!("{} ended early", parts.method), error))?;
    Ok(Body::Kept(collected.to_bytes()))
}

/// Returns the headers that are passed on: none that says who asks, and none that is for the proxy alone.
fn own(headers: &HeaderMap) -> HeaderMap {
    let mut passed = without_hops(headers);
    for name in [HOST, AUTHORIZATION, COOKIE, EXPECT, CONTENT_LENGTH, PROOF] {
        passed.remove(name);
    }
    passed
}

fn without_hops(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    for name in named.flat_map(|names| names.split(',')) {
        passed.remove(name.trim());
    }
    for name in HOP_BY_HOP {
        passed.remove(name);
    }
    passed
}

fn is_refused_for(answer: &reqwest::Response, error: &str) -> bool {
    let challenges = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let marker = format!("error=\"{error}\"");
    answer.status() == StatusCode::UNAUTHORIZED
        && challenges.filter_map(|value| value.to_str().ok()).any(|text| text.contains(&marker))
}

fn returned(answer: reqwest::Response) -> Answer {
    let answer: Response<reqwest::Body> = answer.into();
    let (mut parts, body) = answer.into_parts();
    parts.headers = without_hops(&parts.headers);
    parts.headers.remove(NONCE);
    parts.version = http::Version::HTTP_11;
    parts.extensions.clear();
    Response::from_parts(parts, BoxBody::new(body.map_err(Into::into)))
}

/// Answers as the API does, and so that `git` prints it.
fn said(status: StatusCode, why: &str) -> Answer {
    let text = serde_json::json!({ "message": why, "code": "local_proxy" }).to_string();
    let mut answer = Response::new(BoxBody::new(Full::from(text).map_err(|never| match never {})));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    answer
}
