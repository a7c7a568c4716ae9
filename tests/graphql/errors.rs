//! Requests that cannot be read and queries that break the schema's rules, in the words clients compare.

use forge_testing::TestForge;
use forge_testing::for_each_database;
use http::Method;
use serde_json::{Value, json};

use crate::setting::client;

/// Returns the messages of an answer's errors.
fn messages(body: &Value) -> Vec<&str> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["message"].as_str()).collect()
}

for_each_database! {
    async fn a_body_that_is_no_query_is_refused(forge: TestForge) {
        let client = client(&forge).await;
        for (body, message) in [
            ("{", "Problems parsing JSON"),
            ("", "Problems parsing JSON"),
            ("[]", "Body should be a JSON object"),
            ("[{\"query\":\"{viewer{login}}\"}]", "Body should be a JSON object"),
            ("{}", "A query attribute must be specified and must be a string."),
            ("{\"query\":1}", "A query attribute must be specified and must be a string."),
            ("{\"query\":\"{viewer{login}}\",\"variables\":[]}", "Variables must be a JSON object."),
            ("{\"query\":\"{viewer{login}}\",\"operationName\":{}}", "The operationName attribute must be a string."),
        ] {
            let answer = client.send_body(Method::POST, "/api/graphql", "application/json", body).await;
            assert_eq!(answer.expect(400).json()["message"], message, "{body}");
        }
    }

    async fn a_body_over_the_limit_is_refused(forge: TestForge) {
        let query = json!({ "query": "{viewer{login}}", "variables": { "x": "a".repeat(5_000_000) } });
        client(&forge).await.post("/api/graphql", &query).await.expect(413);
    }

    async fn other_methods_are_unknown(forge: TestForge) {
        let client = client(&forge).await;
        let answer = client.send_json(Method::PUT, "/api/graphql", &json!({})).await.expect(404);
        assert_eq!(answer.json()["message"], "Not Found");
    }

    async fn nulls_and_undeclared_variables_are_accepted(forge: TestForge) {
        let body = json!({
            "query": "query A { viewer { login } repositoryOwner(login: \"alice\") { login } }",
            "operationName": null,
            "variables": { "number": 1, "nothing": null },
        });
        let answer = client(&forge).await.post("/api/graphql", &body).await.expect(200);
        assert_eq!(answer.json()["data"]["repositoryOwner"]["login"], "alice");
    }

    async fn a_query_that_breaks_the_schema_is_refused_in_githubs_words(forge: TestForge) {
        let client = client(&forge).await;
        for (query, message) in [
            ("{ viewer { nothing } }", "Field 'nothing' doesn't exist on type 'User'"),
            ("{ user(login: \"a\") { projectsV9 { x } } }", "Field 'projectsV9' doesn't exist on type 'User'"),
            ("{ viewer(x: 1) { login } }", "Field 'viewer' doesn't accept argument 'x'"),
            ("{ repository(name: \"a\") { id } }", "Field 'repository' is missing required arguments: owner"),
            ("{ viewer }", "Field must have selections (field 'viewer' returns User but has no selections. Did you mean 'viewer { ... }'?)"),
            ("{ viewer { login { x } } }", "Selections can't be made on scalars (field 'login' returns String but has selections)"),
            ("{ viewer { ...f } }", "Fragment f was used, but not defined"),
            ("{ viewer { login } } fragment f on User { login }", "Fragment f was defined, but not used"),
            ("{ viewer { ... on Nothing { login } } }", "No such type Nothing, so it can't be a fragment condition"),
            ("{ viewer { ... on Label { name } } }", "Fragment on Label can't be spread inside User"),
            ("query Q($x: String) { viewer { login } }", "Variable $x is declared by Q but not used"),
            ("query Q { user(login: $x) { login } }", "Variable $x is used by Q but not declared"),
            ("query($x: Int!) { user(login: $x) { login } }", "Variable $x of type Int! was provided invalid value"),
            ("{ viewer { login @nothing } }", "Directive @nothing is not defined"),
            ("{ viewer { a: login a: name } }", "Field 'a' has a field conflict: login or name?"),
            ("{ user(login: 1) { login } }", "Argument 'login' has an invalid value. Expected type 'String'."),
            ("query A { viewer { login } } query B { viewer { login } }", "An operation name is required"),
            ("mutation { nothing }", "Field 'nothing' doesn't exist on type 'Mutation'"),
            ("{ viewer { login }", "Parse error at [1, 19]"),
            ("", "Parse error at [1, 1]"),
        ] {
            let answer = client.graphql(query, json!({})).await.expect(200).json();
            assert_eq!(messages(&answer).first(), Some(&message), "{query}: {answer}");
            assert!(answer.get("data").is_none(), "{query}");
        }
    }

    async fn a_validation_error_says_where_and_what(forge: TestForge) {
        let query = "query Q { v: viewer { ... on User { nothing } } }";
        let answer = client(&forge).await.graphql(query, json!({})).await.expect(200);
        assert_eq!(
            answer.json(),
            json!({ "errors": [{
                "path": ["query Q", "v", "... on User", "nothing"],
                "extensions": { "code": "undefinedField", "typeName": "User", "fieldName": "nothing" },
                "locations": [{ "line": 1, "column": 37 }],
                "message": "Field 'nothing' doesn't exist on type 'User'",
            }] })
        );
    }

    async fn an_unknown_operation_is_refused(forge: TestForge) {
        let body = json!({ "query": "query A { viewer { login } }", "operationName": "B" });
        let answer = client(&forge).await.post("/api/graphql", &body).await.expect(200);
        assert_eq!(messages(&answer.json()), ["No operation named \"B\""]);
    }
}
