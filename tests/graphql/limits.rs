//! What a query may cost, in GitHub's words
//! (<https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).

use forge_testing::TestForge;
use forge_testing::for_each_database;
use serde_json::json;

use crate::setting::client;

for_each_database! {
    async fn a_connection_that_lists_says_how_much(forge: TestForge) {
        let query = "{ repository(owner: \"a\", name: \"b\") { labels { nodes { name } } } }";
        let answer = client(&forge).await.graphql(query, json!({})).await.expect(200).json();
        assert_eq!(
            answer,
            json!({ "data": null, "errors": [{
                "type": "MISSING_PAGINATION_BOUNDARIES",
                "path": ["repository", "labels"],
                "locations": [{ "line": 1, "column": 39 }],
                "message": "You must provide a `first` or `last` value to properly paginate the `labels` connection.",
            }] })
        );
    }

    async fn more_than_a_hundred_at_once_is_refused(forge: TestForge) {
        let query = "query($n: Int!) { repository(owner: \"a\", name: \"b\") { labels(first: $n) { nodes { name } } } }";
        let answer = client(&forge).await.graphql(query, json!({ "n": 101 })).await.expect(200).json();
        assert_eq!(answer["errors"][0]["type"], "EXCESSIVE_PAGINATION");
        assert_eq!(
            answer["errors"][0]["message"],
            "Requesting 101 records on the `labels` connection exceeds the `first` limit of 100 records."
        );
    }

    async fn what_a_query_costs_is_drawn_and_told(forge: TestForge) {
        let client = client(&forge).await;
        let query = "{ rateLimit { cost limit nodeCount remaining used resetAt } }";
        let answer = client.graphql(query, json!({})).await.expect(200);
        let rate = &answer.json()["data"]["rateLimit"];
        assert_eq!((&rate["cost"], &rate["nodeCount"], &rate["used"]), (&json!(1), &json!(0), &json!(1)));
        assert_eq!(answer.header("x-ratelimit-used"), Some("1"));
        assert_eq!(rate["remaining"].as_i64(), rate["limit"].as_i64().map(|limit| limit - 1));
    }

    async fn an_exhausted_budget_is_said(forge: TestForge) {
        let client = client(&forge).await;
        for _ in 0..3 {
            client.graphql("{ viewer { login } }", json!({})).await.expect(200);
        }
        let answer = client.graphql("{ rateLimit { used } }", json!({})).await.expect(200).json();
        assert_eq!(answer["data"]["rateLimit"]["used"], 4);
    }
}
