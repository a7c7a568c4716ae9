//! Planted mistakes, each of which the contract must see.

use serde_json::{Value, json};

use super::*;

fn label() -> Value {
    json!({
        "id": 1, "node_id": "LA_1", "url": "https://forge.example/api/v3/repos/a/b/labels/bug", "name": "bug",
        "description": null, "color": "d73a4a", "default": true
    })
}

fn check(method: &str, path: &str, status: u16, body: &Value) -> Result<(), String> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let content_type = Some("application/json; charset=utf-8");
    github().check(&Exchange { method, path, status, content_type, body: &body })
}

#[test]
fn an_answer_as_described_passes() {
    assert_eq!(check("GET", "/repos/a/b/labels/bug", 200, &label()), Ok(()));
    assert_eq!(check("GET", "/repos/a/b/labels", 200, &json!([label(), label()])), Ok(()));
    assert_eq!(check("HEAD", "/repos/a/b/labels/bug", 200, &Value::Null), Ok(()));
}

#[test]
fn what_follows_a_parameter_with_slashes_tells_routes_apart() {
    let renamed = check("POST", "/repos/a/b/branches/x/y/rename", 201, &json!({})).unwrap_err();
    assert!(renamed.starts_with("POST /repos/{owner}/{repo}/branches/{branch}/rename 201"), "{renamed}");
    let branch = check("GET", "/repos/a/b/branches/x/y", 200, &json!({})).unwrap_err();
    assert!(branch.starts_with("GET /repos/{owner}/{repo}/branches/{branch} 200"), "{branch}");
}

#[test]
fn a_missing_member_is_seen() {
    let mut label = label();
    label.as_object_mut().unwrap().remove("node_id");
    let problem = check("GET", "/repos/a/b/labels/bug", 200, &label).unwrap_err();
    assert!(
        problem.contains("node_id") && problem.starts_with("GET /repos/{owner}/{repo}/labels/{name} 200"),
        "{problem}"
    );
}

#[test]
fn a_wrong_type_deep_in_a_list_is_seen() {
    let mut wrong = label();
    wrong["id"] = json!("one");
    let problem = check("GET", "/repos/a/b/labels", 200, &json!([label(), wrong])).unwrap_err();
    assert!(problem.contains("/1/id"), "{problem}");
}

#[test]
fn null_is_allowed_only_where_it_is_described() {
    let mut wrong = label();
    wrong["name"] = Value::Null;
    assert!(check("GET", "/repos/a/b/labels/bug", 200, &wrong).is_err());
}

#[test]
fn a_success_status_that_is_not_described_is_seen() {
    let problem = check("POST", "/repos/a/b/labels", 200, &label()).unwrap_err();
    assert!(problem.contains("answers 200"), "{problem}");
    assert_eq!(check("POST", "/repos/a/b/labels", 201, &label()), Ok(()));
}

#[test]
fn a_body_where_none_is_described_is_seen() {
    assert!(check("DELETE", "/repos/a/b/labels/bug", 204, &json!({})).is_err());
    assert_eq!(check("DELETE", "/repos/a/b/labels/bug", 204, &Value::Null), Ok(()));
}

#[test]
fn a_route_that_github_does_not_have_must_be_listed() {
    let problem = check("GET", "/repos/a/b/nonsense", 200, &json!({})).unwrap_err();
    assert!(problem.contains("schema/extensions.toml"), "{problem}");
}

#[test]
fn a_method_that_github_does_not_have_must_be_listed() {
    assert!(check("PUT", "/repos/a/b/labels/bug", 200, &label()).is_err());
}

#[test]
fn refusals_have_githubs_shape_also_where_they_are_not_described() {
    let good = json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest" });
    assert_eq!(check("GET", "/repos/a/b/labels/bug", 404, &good), Ok(()));
    assert_eq!(check("GET", "/repos/a/b/labels/bug", 503, &good), Ok(()));
    assert_eq!(check("GET", "/no/such/route", 404, &good), Ok(()));
    assert!(check("GET", "/repos/a/b/labels/bug", 404, &json!({ "error": "no" })).is_err());
    assert!(check("GET", "/no/such/route", 404, &json!({ "error": "no" })).is_err());
    let text =
        Exchange { method: "GET", path: "/user", status: 401, content_type: Some("text/plain"), body: b"no" };
    assert!(github().check(&text).is_err());
}

#[test]
fn a_parameter_may_hold_slashes_where_github_says_so() {
    let routes = &github().routes;
    assert_eq!(
        routes.find("/repos/a/b/git/ref/heads/x/y").map(routes::plain).as_deref(),
        Some("/repos/{owner}/{repo}/git/ref/{ref}")
    );
    assert_eq!(
        routes.find("/repos/a/b/contents/docs/x.md").map(routes::plain).as_deref(),
        Some("/repos/{owner}/{repo}/contents/{path}")
    );
    assert_eq!(routes.find("/repos/a/b/labels/x/y"), None);
}

#[test]
fn a_literal_segment_wins_over_a_parameter() {
    assert_eq!(
        github().routes.find("/repos/a/b/releases/latest"),
        Some("/repos/{owner}/{repo}/releases/latest")
    );
    assert_eq!(github().routes.find("/user"), Some("/user"));
    assert_eq!(github().routes.find("/"), Some("/"));
}
