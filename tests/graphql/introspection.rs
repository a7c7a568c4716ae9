//! What clients find out about the schema before they use it.

use forge_testing::TestForge;
use forge_testing::for_each_database;
use serde_json::{Value, json};

use crate::setting::client;

fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|item| item["name"].as_str()).collect()
}

for_each_database! {
    async fn the_probes_of_gh_are_answered(forge: TestForge) {
        let client = client(&forge).await;
        let query = "query Repository_fields{Repository: __type(name: \"Repository\"){fields(includeDeprecated: true){name}}}";
        let answer = client.graphql(query, json!({})).await.expect(200).json();
        let fields = names(&answer["data"]["Repository"]["fields"]);
        assert!(fields.contains(&"visibility") && fields.contains(&"autoMergeAllowed"), "{fields:?}");
        let query = "query SearchType_enumValues{SearchType: __type(name: \"SearchType\"){enumValues(includeDeprecated: true){name}}}";
        let answer = client.graphql(query, json!({})).await.expect(200).json();
        assert_eq!(names(&answer["data"]["SearchType"]["enumValues"]), ["REPOSITORY"]);
    }

    async fn a_type_that_is_missing_is_null(forge: TestForge) {
        let query = "query Issue_fields{Issue: __type(name: \"Issue\"){fields(includeDeprecated: true){name}}}";
        let answer = client(&forge).await.graphql(query, json!({})).await.expect(200).json();
        assert_eq!(answer, json!({ "data": { "Issue": null } }));
    }

    async fn get_answers_with_the_schema_and_runs_no_query(forge: TestForge) {
        let answer = client(&forge).await.get("/api/graphql?query=%7Bviewer%7Blogin%7D%7D").await.expect(200).json();
        assert!(answer["data"].get("viewer").is_none());
        assert!(names(&answer["data"]["__schema"]["types"]).contains(&"Repository"));
    }
}
