//! Planted mistakes, each of which the contract must see.

use serde_json::{Value, json};

use super::*;

fn token() -> Value {
    json!({
        "id": 1, "name": "x", "kind": "personal", "scopes": null, "client_id": null, "tail": "abc",
        "created_at": "2026-01-01T00:00:00Z", "expires_at": null, "last_used_at": null, "is_current": true
    })
}

fn error() -> Value {
    json!({ "message": "no", "code": "not_found", "documentation_url": "https://docs.github.com/rest", "status": "404" })
}

struct Planted<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
    body: Value,
    request: Option<Value>,
    headers: HeaderMap,
    is_routed: bool,
}

impl<'a> Planted<'a> {
    fn new(method: &'a str, path: &'a str, status: u16, body: Value) -> Self {
        Self { method, path, status, body, request: None, headers: HeaderMap::new(), is_routed: true }
    }

    fn check(&self) -> Result<(), String> {
        let body = if self.body.is_null() { Vec::new() } else { self.body.to_string().into_bytes() };
        let exchange = Exchange {
            method: self.method,
            path: self.path,
            status: self.status,
            content_type: Some("application/json"),
            body: &body,
        };
        let call = Call {
            exchange,
            headers: &self.headers,
            request: self.request.as_ref(),
            is_routed: self.is_routed,
        };
        description().check(&call)
    }

    #[track_caller]
    fn is_seen(&self, words: &str) {
        let problem = self.check().unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}

#[test]
fn what_is_as_described_passes() {
    assert_eq!(Planted::new("GET", "/user/tokens", 200, json!([token()])).check(), Ok(()));
    assert_eq!(Planted::new("DELETE", "/user/tokens/7", 204, Value::Null).check(), Ok(()));
    assert_eq!(Planted::new("DELETE", "/user/tokens/7", 404, error()).check(), Ok(()));
    assert_eq!(Planted::new("GET", "/user/tokens", 503, error()).check(), Ok(()));
    let absent = Planted { is_routed: false, ..Planted::new("GET", "/no/such/route", 404, error()) };
    assert_eq!(absent.check(), Ok(()));
}

#[test]
fn a_missing_an_unknown_and_a_mistyped_member_are_seen() {
    let with = |change: fn(&mut Map<String, Value>)| {
        let mut token = token();
        change(token.as_object_mut().unwrap());
        Planted::new("GET", "/user/tokens", 200, json!([token]))
    };
    with(|token| drop(token.remove("tail"))).is_seen("tail");
    with(|token| drop(token.insert("value".into(), json!("secret")))).is_seen("value");
    with(|token| drop(token.insert("id".into(), json!("1")))).is_seen("/0/id");
    with(|token| drop(token.insert("created_at".into(), json!("yesterday")))).is_seen("/0/created_at");
    let mut nested = error();
    nested["errors"] = json!([{ "resource": "Token", "field": "x", "code": "made_up" }]);
    Planted::new("DELETE", "/user/tokens/7", 404, nested).is_seen("made_up");
}

#[test]
fn an_error_without_its_code_is_seen() {
    let mut wrong = error();
    wrong.as_object_mut().unwrap().remove("code");
    Planted::new("DELETE", "/user/tokens/7", 404, wrong).is_seen("code");
}

#[test]
fn a_status_a_header_and_a_body_that_are_not_described_are_seen() {
    Planted::new("GET", "/user/tokens", 202, json!([])).is_seen("status");
    Planted::new("GET", "/user/tokens", 418, error()).is_seen("status");
    Planted::new("DELETE", "/user/tokens/7", 204, json!({})).is_seen("body");
    let mut new = token();
    new["token"] = json!("fgep_x");
    let mut created = Planted::new("POST", "/user/tokens", 201, new);
    created.is_seen("Cache-Control");
    created.headers.insert("cache-control", "private".parse().unwrap());
    created.is_seen("Cache-Control");
    created.headers.insert("cache-control", "no-store".parse().unwrap());
    assert_eq!(created.check(), Ok(()));
}

#[test]
fn a_route_that_is_served_and_not_described_is_seen_and_the_other_way_round() {
    Planted::new("GET", "/user/secrets", 200, json!({})).is_seen("not described");
    Planted::new("PUT", "/user/tokens", 200, json!({})).is_seen("not described");
    Planted { is_routed: false, ..Planted::new("GET", "/user/tokens", 404, error()) }.is_seen("not served");
}

#[test]
fn a_request_that_succeeds_against_the_description_is_seen() {
    let with = |request: Value| Planted {
        request: Some(request),
        ..Planted::new("DELETE", "/user/tokens", 204, Value::Null)
    };
    assert_eq!(with(json!({ "id": 7 })).check(), Ok(()));
    with(json!({ "id": 7, "force": true })).is_seen("force");
    with(json!({ "id": "7" })).is_seen("/id");
    let without = Planted {
        request: Some(json!({ "x": 1 })),
        ..Planted::new("DELETE", "/user/tokens/7", 204, Value::Null)
    };
    without.is_seen("the request has a body");
}

#[test]
fn a_part_with_a_word_that_is_not_understood_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |operation: Value| {
        let document = json!({
            "errors": { "default": ["Failed", "words"] }, "schemas": { "Error": { "object": {} } },
            "paths": { "/x": { "get": operation } }
        });
        std::fs::write(folder.path().join("document.json"), document.to_string()).unwrap();
        assemble(folder.path())
    };
    let good = json!({ "id": "a", "summary": "b", "tag": "c", "success": { "204": { "description": "d" } } });
    assert!(write(good.clone()).unwrap().contains("#/components/responses/Failed"));
    for (name, value) in [("sumary", json!("b")), ("body", json!("Nothing")), ("errors", json!([404]))] {
        let mut wrong = good.clone();
        wrong[name] = value;
        assert!(write(wrong).is_err(), "{name}");
    }
}
