//! Lists of repositories.

use forge_testing::{TestForge, for_each_database};
use serde_json::{Value, json};

use crate::setting::{client, data, organization, repository};

fn names(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().expect("a list").iter().filter_map(|node| node["name"].as_str()).collect()
}

for_each_database! {
    async fn repositories_are_filtered_and_ordered(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "b", "PUBLIC").await;
        repository(&client, "a", "PRIVATE").await;
        repository(&client, "c", "PUBLIC").await;
        let list = |arguments: &str| format!("{{ viewer {{ repositories({arguments}) {{ totalCount nodes {{ name }} }} }} }}");
        for (arguments, expected) in [
            ("first: 9", vec!["b", "a", "c"]),
            ("first: 9, orderBy: {field: NAME, direction: DESC}", vec!["c", "b", "a"]),
            ("first: 9, privacy: PRIVATE", vec!["a"]),
            ("first: 9, visibility: PUBLIC", vec!["b", "c"]),
            ("first: 9, isFork: true", vec![]),
            ("first: 9, isArchived: false, privacy: PRIVATE", vec!["a"]),
            ("last: 2", vec!["a", "c"]),
            ("first: 0", vec![]),
        ] {
            let found = data(&client, &list(arguments), json!({})).await;
            assert_eq!(names(&found["viewer"]["repositories"]), expected, "{arguments}");
        }
        let found = data(&client, "{ viewer { repositories { totalCount } } }", json!({})).await;
        assert_eq!(found["viewer"]["repositories"]["totalCount"], 3);
    }

    async fn pages_may_begin_anywhere_and_lie_past_the_end(forge: TestForge) {
        let client = client(&forge).await;
        for name in ["a", "b", "c", "d", "e"] {
            repository(&client, name, "PUBLIC").await;
        }
        let query = "query($n: Int!, $after: String) { viewer { repositories(first: $n, after: $after) { totalCount \
            nodes { name } pageInfo { endCursor hasNextPage hasPreviousPage } } } }";
        let first = data(&client, query, json!({ "n": 1 })).await;
        let after = &first["viewer"]["repositories"]["pageInfo"]["endCursor"];
        let next = data(&client, query, json!({ "n": 3, "after": after })).await;
        assert_eq!(names(&next["viewer"]["repositories"]), ["b", "c", "d"]);
        assert_eq!(next["viewer"]["repositories"]["pageInfo"]["hasPreviousPage"], true);
        let beyond = data_encoding_cursor(40);
        let past = data(&client, query, json!({ "n": 3, "after": beyond })).await;
        assert_eq!(past["viewer"]["repositories"]["totalCount"], 5);
        assert_eq!(names(&past["viewer"]["repositories"]), [""; 0]);
    }

    async fn an_owner_finds_its_repository(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        repository(&client, "one", "PRIVATE").await;
        let query = "{ repositoryOwner(login: \"alice\") { login repository(name: \"one\") { nameWithOwner } } \
            organization(login: \"acme\") { repositories(first: 5) { totalCount } } }";
        let found = data(&client, query, json!({})).await;
        assert_eq!(found["repositoryOwner"]["repository"]["nameWithOwner"], "alice/one");
        assert_eq!(found["organization"]["repositories"]["totalCount"], 0);
    }
}

/// Returns the cursor of a position, as the forge writes it.
fn data_encoding_cursor(position: u32) -> &'static str {
    assert_eq!(position, 40);
    "Y3Vyc29yOnYxOjQw"
}
