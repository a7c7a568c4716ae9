//! How many statements a read costs: one says who asks, one loads what is asked for with the facts that decide.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{organization, repository, statements};

for_each_database! {
    async fn a_read_costs_two_statements(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        organization(&alice, "acme").await;
        repository(&alice, "orgs/acme", "tool", "private").await;
        alice.post("/api/v3/user/repos", &json!({ "name": "work", "auto_init": true })).await.expect(201);
        let mut dear = Vec::new();
        for path in [
            "/user", "/users/alice", "/user/repos", "/users/alice/repos", "/orgs/acme", "/orgs/acme/repos", "/user/orgs",
            "/user/emails", "/user/keys", "/repos/acme/tool", "/repos/acme/tool/labels", "/repos/acme/tool/labels/bug",
            "/repos/alice/work/labels?per_page=2&page=2", "/repos/alice/work/git/ref/heads/main",
            "/repos/alice/work/branches/main", "/search/repositories?q=tool",
        ] {
            dear.push((path, statements(&forge, &alice, &format!("/api/v3{path}")).await));
        }
        for path in ["/user/tokens", "/agent-invites", "/user/agents"] {
            dear.push((path, statements(&forge, &alice, &format!("/api/ext/v1{path}")).await));
        }
        dear.retain(|(_, cost)| *cost != 2);
        assert_eq!(dear, []);
    }

    /// A list of refs can be long, so it is not joined to the repository.
    async fn what_lists_refs_costs_one_more_and_no_more_than_that(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        alice.post("/api/v3/user/repos", &json!({ "name": "work", "auto_init": true })).await.expect(201);
        for path in ["branches", "git/matching-refs/heads/"] {
            assert_eq!(statements(&forge, &alice, &format!("/api/v3/repos/alice/work/{path}")).await, 3, "{path}");
        }
    }

    /// Refs and packs of a repository are kept as long as they stay the same.
    async fn what_reads_git_data_costs_two_once_the_repository_was_seen(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        alice.post("/api/v3/user/repos", &json!({ "name": "work", "auto_init": true })).await.expect(201);
        let of_main = alice.get("/api/v3/repos/alice/work/branches/main").await.expect(200).json();
        let commit = of_main["commit"]["sha"].as_str().expect("what was asked for");
        let tree = of_main["commit"]["commit"]["tree"]["sha"].as_str().expect("what was asked for");
        for path in [
            "contents/README.md", "readme", "commits", "commits/main", "compare/main...main", &format!("git/commits/{commit}"),
            &format!("git/trees/{tree}?recursive=1"), "git/trees/main",
        ] {
            let path = format!("/api/v3/repos/alice/work/{path}");
            assert!(statements(&forge, &alice, &path).await <= 4, "{path}");
            assert_eq!(statements(&forge, &alice, &path).await, 2, "{path}");
        }
    }

    async fn the_same_costs_the_anonymous_one(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "open", "public").await;
        for path in ["/users/alice", "/repos/alice/open", "/repos/alice/open/labels"] {
            assert_eq!(statements(&forge, &forge.client(), &format!("/api/v3{path}")).await, 1, "{path}");
        }
    }
}
