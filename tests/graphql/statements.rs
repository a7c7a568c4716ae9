//! How many statements a query costs: it depends on what is asked, never on how much is found.

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::json;

use crate::setting::{client, data, repository};

async fn cost(forge: &TestForge, client: &Client, query: &str) -> u64 {
    let before = forge.statements();
    data(client, query, json!({})).await;
    forge.statements() - before
}

for_each_database! {
    async fn the_viewer_costs_authentication_and_at_most_one_load(forge: TestForge) {
        let client = client(&forge).await;
        assert_eq!(cost(&forge, &client, "{ viewer { login id databaseId name url avatarUrl } }").await, 1);
        assert_eq!(cost(&forge, &client, "{ viewer { login bio email createdAt } }").await, 2);
        assert_eq!(cost(&forge, &client, "{ viewer { repositories(first: 30) { totalCount nodes { name } } } }").await, 2);
        assert_eq!(cost(&forge, &client, "{ viewer { organizations(first: 30) { nodes { login } } } }").await, 2);
    }

    async fn a_repository_costs_authentication_and_one_load(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let query = "{ repository(owner: \"alice\", name: \"one\") { id databaseId name nameWithOwner description url sshUrl \
            owner { id login url } visibility isPrivate isArchived isFork isTemplate createdAt updatedAt pushedAt diskUsage \
            hasIssuesEnabled hasWikiEnabled viewerPermission viewerCanAdminister mergeCommitAllowed licenseInfo { key } \
            repositoryTopics(first: 100) { nodes { topic { name } } } issues(states: OPEN) { totalCount } parent { id } } }";
        assert_eq!(cost(&forge, &client, query).await, 2);
        let with_branch = query.replace("isFork", "isFork isEmpty defaultBranchRef { name }");
        assert_eq!(cost(&forge, &client, &with_branch).await, 3);
    }

    async fn what_lies_below_a_list_costs_the_same_for_one_and_for_many(forge: TestForge) {
        let client = client(&forge).await;
        let query = "{ viewer { repositories(first: 100) { nodes { name isEmpty owner { id login ... on User { bio createdAt } } \
            parent { id } viewerDefaultCommitEmail labels(first: 3) { nodes { name repository { owner { login } } } } \
            assignableUsers(first: 5) { nodes { login createdAt } } mentionableUsers(first: 5) { totalCount } \
            defaultBranchRef { name } } } } }";
        repository(&client, "r0", "PUBLIC").await;
        let for_one = cost(&forge, &client, query).await;
        for n in 1..12 {
            repository(&client, &format!("r{n}"), "PUBLIC").await;
        }
        assert_eq!(cost(&forge, &client, query).await - for_one, 11, "only the profiles of each repository's people differ");
        let without_people = query.replace("nodes { login createdAt }", "nodes { login }");
        // Authentication, list, refs, own profile, owners' profiles, labels, people.
        assert_eq!(cost(&forge, &client, &without_people).await, 7);
    }
}
