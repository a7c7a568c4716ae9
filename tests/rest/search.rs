//! <https://docs.github.com/rest/search/search#search-repositories>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{names, repository};

for_each_database! {
    async fn repositories_are_found_by_word_topic_owner_and_state(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for name in ["rocket", "racket", "100%"] {
            if name != "100%" {
                repository(&alice, "user", name, "public").await;
            }
        }
        let describe = json!({ "description": "Flies to the MOON at 100%" });
        alice.patch("/api/v3/repos/alice/rocket", &describe).await.expect(200);
        alice.put("/api/v3/repos/alice/racket/topics", &json!({ "names": ["sport", "sports-car"] })).await.expect(200);
        alice.patch("/api/v3/repos/alice/racket", &json!({ "archived": true })).await.expect(200);
        let found = async |query: &str| {
            let path = format!("/api/v3/search/repositories?q={query}&sort=created&order=asc");
            let answer = alice.get(&path).await.expect(200).json();
            assert_eq!(answer["total_count"], answer["items"].as_array().expect("items").len());
            names(&answer["items"], "name")
        };
        assert_eq!(found("moon").await, ["rocket"]);
        assert_eq!(found("100%25").await, ["rocket"]);
        assert_eq!(found("r_cket").await, Vec::<String>::new());
        assert_eq!(found("cket").await, ["rocket", "racket"]);
        assert_eq!(found("topic:sport").await, ["racket"]);
        assert_eq!(found("topic:sports").await, Vec::<String>::new());
        assert_eq!(found("user:alice+archived:false+fork:true+sort:updated-desc").await, ["rocket"]);
        assert_eq!(found("(moon+AND+flies)+org:alice").await, ["rocket"]);
        assert_eq!(found("user:nobody").await, Vec::<String>::new());
        assert_eq!(found("language:rust").await, Vec::<String>::new());
        alice.get("/api/v3/search/repositories").await.expect(422);
    }
}
