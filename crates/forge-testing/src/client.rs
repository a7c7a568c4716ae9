//! A client of the router in process. Every REST answer it receives is checked against GitHub's description or ours.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use forge_api::Peer;
use forge_api::error::NoRoute;
use forge_auth::token::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::contract::ours;
use crate::contract::rest::{self, Exchange};

/// Someone who sends requests.
#[derive(Clone)]
pub struct Client {
    router: Router,
    headers: HeaderMap,
    cookies: Vec<(String, String)>,
    peer: IpAddr,
}

impl Client {
    pub(crate) fn anonymous(router: Router) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("forge.example"));
        headers.insert("user-agent", HeaderValue::from_static("forge-testing"));
        Self { router, headers, cookies: Vec::new(), peer: IpAddr::from([203, 0, 113, 7]) }
    }

    /// Returns the same client with a token.
    #[must_use]
    pub fn with_token(self, token: &Secret) -> Self {
        self.with_header(AUTHORIZATION, &format!("Bearer {}", token.expose()))
    }

    /// Returns the same client with a header, instead of what it had under this name.
    ///
    /// # Panics
    /// When the value cannot stand in a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header value"));
        self
    }

    /// Returns the same client at another address.
    #[must_use]
    pub fn at(mut self, peer: IpAddr) -> Self {
        self.peer = peer;
        self
    }

    /// Sends `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends `HEAD`.
    pub async fn head(&self, path: &str) -> Answer {
        self.send(self.request(Method::HEAD, path)).await
    }

    /// Sends `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::POST, path, body).await
    }

    /// Sends `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::PUT, path, body).await
    }

    /// Sends `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send_json(Method::PATCH, path, body).await
    }

    /// Sends a request with a JSON body.
    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send_body(method, path, "application/json", body.to_string()).await
    }

    /// Sends `POST` with a form, and keeps the cookies of the answer, as a browser does.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let answer = self.send_body(Method::POST, path, "application/x-www-form-urlencoded", form).await;
        self.keep_cookies(&answer);
        answer
    }

    /// Sends `GET` and keeps the cookies of the answer, as a browser does.
    pub async fn visit(&mut self, path: &str) -> Answer {
        let answer = self.get(path).await;
        self.keep_cookies(&answer);
        answer
    }

    /// Sends a GraphQL query.
    pub async fn graphql(&self, query: &str, variables: Value) -> Answer {
        self.post("/api/graphql", &json!({ "query": query, "variables": variables })).await
    }

    /// Sends a body of any kind.
    pub async fn send_body(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = self.request(method, path);
        request.headers_mut().insert(CONTENT_TYPE, content_type.parse().expect("a content type"));
        *request.body_mut() = body.into();
        self.send(request).await
    }

    /// Returns a request of this client's, to be changed before it is sent.
    ///
    /// # Panics
    /// When the path cannot stand in a request.
    pub fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().clone_from(&self.headers);
        request.extensions_mut().insert(Peer(self.peer));
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let value = pairs.join("; ").parse().expect("cookies that came in a header");
            request.headers_mut().insert(COOKIE, value);
        }
        request
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When the answer is not as GitHub describes it.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (request, sent) = read_json(request).await;
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the whole body arrives").to_bytes();
        let is_routed = parts.extensions.get::<NoRoute>().is_none();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        if let Some(below) = below(&path, "/api/v3") {
            answer.check(&method, below, sent.as_ref(), is_routed);
        }
        if let Some(below) = below(&path, "/api/ext/v1") {
            answer.check_ours(&method, below, sent.as_ref(), is_routed);
        }
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("cookies are text");
            let Some((name, value)) = text.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            self.cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// Returns the part of a path below a prefix.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let below = path.strip_prefix(prefix)?;
    match below {
        "" => Some("/"),
        _ => below.starts_with('/').then_some(below),
    }
}

/// Reads the body of a request ahead, if it is JSON.
async fn read_json(request: Request<Body>) -> (Request<Body>, Option<Value>) {
    if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.expect("a body in memory").to_bytes();
    let value = serde_json::from_slice(&bytes).ok();
    (Request::from_parts(parts, Body::from(bytes)), value)
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Returns the body as JSON.
    ///
    /// # Panics
    /// When it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the same answer if it has this status.
    ///
    /// # Panics
    /// When it has another, with the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    fn exchange<'a>(&'a self, method: &'a Method, path: &'a str) -> Exchange<'a> {
        Exchange {
            method: method.as_str(),
            path,
            status: self.status.as_u16(),
            content_type: self.header("content-type"),
            body: &self.body,
        }
    }

    fn check(&self, method: &Method, path: &str, sent: Option<&Value>, is_routed: bool) {
        let exchange = self.exchange(method, path);
        // GitHub has no approvals, so whoever would rather be told to wait is told something that GitHub never says.
        if self.header("preference-applied") == Some("respond-async") {
            assert_eq!(self.status, 202, "{}", self.text());
            return;
        }
        if let Err(problem) = rest::github().check(&exchange) {
            panic!("not as GitHub answers: {problem}\n{}", self.text());
        }
        // Some of our own routes stand among GitHub's, too.
        let is_ours = ours::description().find(method.as_str(), path).is_some();
        if is_ours && is_routed && rest::github().is_extension(&exchange) {
            self.check_ours(method, path, sent, is_routed);
        }
    }

    fn check_ours(&self, method: &Method, path: &str, sent: Option<&Value>, is_routed: bool) {
        let exchange = self.exchange(method, path);
        let call = ours::Call { exchange, headers: &self.headers, request: sent, is_routed };
        if let Err(problem) = ours::description().check(&call) {
            panic!("not as we describe it: {problem}\n{}", self.text());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    fn client() -> Client {
        let broken = || async { axum::Json(json!([{ "id": "not a number" }])) };
        Client::anonymous(
            Router::new()
                .route("/api/v3/repos/a/b/labels", get(broken))
                .route("/api/ext/v1/user/tokens", get(broken))
                .route("/page", get(broken)),
        )
    }

    #[tokio::test]
    #[should_panic(expected = "not as GitHub answers: GET /repos/{owner}/{repo}/labels 200")]
    async fn an_answer_that_breaks_githubs_description_fails_the_test_that_receives_it() {
        client().get("/api/v3/repos/a/b/labels").await;
    }

    #[tokio::test]
    #[should_panic(expected = "not as we describe it: GET /user/tokens 200")]
    async fn an_answer_that_breaks_our_description_fails_the_test_that_receives_it() {
        client().get("/api/ext/v1/user/tokens").await;
    }

    #[tokio::test]
    async fn what_nobody_describes_is_not_judged() {
        let answer = client().get("/page").await.expect(200);
        assert_eq!(answer.json()[0]["id"], "not a number");
    }

    #[test]
    fn cookies_are_kept_replaced_and_removed() {
        let mut client = client();
        let with = |cookies: &[&str]| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(SET_COOKIE, cookie.parse().unwrap());
            }
            Answer { status: StatusCode::OK, headers, body: Bytes::new() }
        };
        client.keep_cookies(&with(&["a=1; Path=/; HttpOnly", "b=2"]));
        client.keep_cookies(&with(&["a=3", "b=; Max-Age=0"]));
        assert_eq!(client.request(Method::GET, "/").headers()[COOKIE], "a=3");
    }
}
