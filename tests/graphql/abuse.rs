//! Attack A95: queries that are small to send and large to answer. Each is refused at once, before anything runs, and
//! the server keeps serving.

use std::time::{Duration, Instant};

use forge_testing::TestForge;
use forge_testing::for_each_database;
use serde_json::json;

use crate::setting::client;

fn attacks() -> Vec<(&'static str, String)> {
    let aliases: String = (0..5000).map(|n| format!("a{n}: viewer {{ login }} ")).collect();
    let mut laughs = "{ viewer { ...f0 } } ".to_owned();
    for level in 0..40 {
        let next = level + 1;
        laughs += &format!("fragment f{level} on User {{ ...f{next} ...f{next} ...f{next} ...f{next} }} ");
    }
    laughs += "fragment f40 on User { login }";
    let unused = format!("{{ viewer {{ login }} }} {}", laughs.replacen("{ viewer { ...f0 } } ", "", 1));
    let chain: String = (0..4000).map(|n| format!("fragment f{n} on User {{ ...f{} }} ", n + 1)).collect();
    let owner = "owner { ... on User { login } } ".to_string();
    let deep = format!(
        "{{ repository(owner: \"a\", name: \"b\") {}{owner}{} }}",
        "{ parent ".repeat(45),
        "}".repeat(45)
    );
    let connections: String = (0..600).map(|n| format!("l{n}: labels(first: 1) {{ totalCount }} ")).collect();
    vec![
        ("aliases at the root", format!("{{ {aliases} }}")),
        ("fragments that multiply", laughs),
        ("unused fragments that multiply", unused),
        ("a fragment that spreads itself", "{ viewer { ...a } } fragment a on User { ...a }".to_owned()),
        (
            "a cycle of fragments",
            "{ viewer { ...a } } fragment a on User { ...b } fragment b on User { ...a }".to_owned(),
        ),
        (
            "a cycle nobody uses",
            "{ viewer { login } } fragment a on User { ...b } fragment b on User { ...a }".to_owned(),
        ),
        (
            "a long chain of fragments",
            format!("{{ viewer {{ ...f0 }} }} {chain} fragment f4000 on User {{ login }}"),
        ),
        ("deep selections", deep),
        ("brackets for the parser", format!("{{ viewer {}", "{a".repeat(50_000))),
        ("lists for the parser", format!("{{ user(login: {}", "[".repeat(100_000))),
        (
            "brackets behind a string without end",
            format!("{{ user(login: [\"\"\" x\" {}", "[".repeat(100_000)),
        ),
        ("types for the parser", format!("query($x: {}", "[".repeat(100_000))),
        ("a long query", format!("{{ viewer {{ login }} }} #{}", "x".repeat(200_000))),
        ("connections", format!("{{ repository(owner: \"a\", name: \"b\") {{ {connections} }} }}")),
    ]
}

for_each_database! {
    async fn small_queries_with_large_answers_are_refused_at_once(forge: TestForge) {
        let client = client(&forge).await;
        for (attack, query) in attacks() {
            let (before, began) = (forge.statements(), Instant::now());
            let answer = client.graphql(&query, json!({})).await.expect(200).json();
            assert!(answer["errors"].is_array(), "{attack}: {answer}");
            assert!(answer["data"].is_null(), "{attack}");
            assert!(forge.statements() - before <= 1, "{attack} reached the database");
            assert!(began.elapsed() < Duration::from_secs(2), "{attack} took {:?}", began.elapsed());
        }
        client.graphql("{ viewer { login } }", json!({})).await.expect(200);
    }

    async fn a_selection_as_deep_as_is_allowed_is_answered(forge: TestForge) {
        let client = client(&forge).await;
        crate::setting::repository(&client, "one", "PUBLIC").await;
        let step = "label(name: \"bug\") { repository { ";
        let query = format!("{{ repository(owner: \"alice\", name: \"one\") {{ {} name {} }} }}",
            step.repeat(11), "} }".repeat(11));
        let answer = client.graphql(&query, json!({})).await.expect(200).json();
        assert!(answer["errors"].is_null(), "{answer}");
    }

    async fn variables_that_nest_too_deep_are_refused(forge: TestForge) {
        let body = format!("{{\"query\":\"{{viewer{{login}}}}\",\"variables\":{{\"x\":{}", "[".repeat(100_000));
        let answer = client(&forge).await;
        let answer = answer.send_body(http::Method::POST, "/api/graphql", "application/json", body).await;
        assert_eq!(answer.expect(400).json()["message"], "Problems parsing JSON");
    }

    async fn an_honest_query_of_ordinary_size_passes(forge: TestForge) {
        let aliases: String = (0..100).map(|n| format!("a{n}: viewer {{ login name url }} ")).collect();
        let answer = client(&forge).await.graphql(&format!("{{ {aliases} }}"), json!({})).await.expect(200).json();
        assert!(answer["errors"].is_null());
    }
}
