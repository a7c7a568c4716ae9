//! Changing repositories, and being refused.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::setting::{client, client_of, data, errors, repository};

const ARCHIVE: &str = "mutation ArchiveRepository($input:ArchiveRepositoryInput!){archiveRepository(input: $input){repository{id isArchived}}}";
const UNARCHIVE: &str = "mutation UnarchiveRepository($input:UnarchiveRepositoryInput!){unarchiveRepository(input: $input){repository{id isArchived}}}";
const UPDATE: &str = "mutation($input:UpdateRepositoryInput!){updateRepository(input: $input){repository{name description hasWikiEnabled isTemplate}}}";

for_each_database! {
    async fn a_repository_is_archived_and_restored(forge: TestForge) {
        let client = client(&forge).await;
        let one = repository(&client, "one", "PUBLIC").await;
        let input = json!({ "input": { "repositoryId": one } });
        let archived = data(&client, ARCHIVE, input.clone()).await;
        assert_eq!(archived["archiveRepository"]["repository"], json!({ "id": one, "isArchived": true }));
        let restored = data(&client, UNARCHIVE, input).await;
        assert_eq!(restored["unarchiveRepository"]["repository"]["isArchived"], false);
    }

    async fn a_repository_is_changed(forge: TestForge) {
        let client = client(&forge).await;
        let one = repository(&client, "one", "PUBLIC").await;
        let input = json!({ "repositoryId": one, "name": "two", "description": "Now two", "hasWikiEnabled": true, "template": true });
        let updated = data(&client, UPDATE, json!({ "input": input })).await;
        assert_eq!(
            updated["updateRepository"]["repository"],
            json!({ "name": "two", "description": "Now two", "hasWikiEnabled": true, "isTemplate": true })
        );
        let query = "query($follow: Boolean) { repository(owner: \"alice\", name: \"one\", followRenames: $follow) { name } }";
        assert_eq!(data(&client, query, json!({ "follow": true })).await["repository"]["name"], "two");
        assert_eq!(data(&client, query, json!({})).await["repository"]["name"], "two");
        assert_eq!(errors(&client, query, json!({ "follow": false })).await[0]["type"], "NOT_FOUND");
    }

    async fn a_name_that_is_taken_is_said(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PUBLIC").await;
        let query = "mutation($input: CreateRepositoryInput!) { createRepository(input: $input) { repository { id } } }";
        let answer = client.graphql(query, json!({ "input": { "name": "ONE", "visibility": "PRIVATE" } })).await;
        let answer = answer.expect(200).json();
        assert_eq!(answer["data"], json!({ "createRepository": null }));
        assert_eq!(answer["errors"][0]["type"], "UNPROCESSABLE");
        assert_eq!(answer["errors"][0]["path"], json!(["createRepository"]));
        assert_eq!(answer["errors"][0]["message"], "name already exists on this account");
        let refused = errors(&client, query, json!({ "input": { "name": "a b/c", "visibility": "PRIVATE" } })).await;
        assert_eq!(refused[0]["type"], "UNPROCESSABLE");
    }

    async fn whoever_may_read_but_not_change_is_forbidden_and_audited(forge: TestForge) {
        let client = client(&forge).await;
        let one = repository(&client, "one", "PUBLIC").await;
        let mallory = client_of(&forge, "mallory").await;
        let refused = errors(&mallory, ARCHIVE, json!({ "input": { "repositoryId": one } })).await;
        assert_eq!(refused[0]["type"], "FORBIDDEN");
        let query = "{ repository(owner: \"alice\", name: \"one\") { isArchived viewerPermission } }";
        let found = data(&mallory, query, json!({})).await;
        assert_eq!(found["repository"], json!({ "isArchived": false, "viewerPermission": "READ" }));
    }

    async fn a_mutation_of_what_one_may_not_read_names_only_the_id(forge: TestForge) {
        let client = client(&forge).await;
        let secret = repository(&client, "secret", "PRIVATE").await;
        let mallory = client_of(&forge, "mallory").await;
        let hidden = errors(&mallory, ARCHIVE, json!({ "input": { "repositoryId": secret } })).await;
        let absent = errors(&mallory, ARCHIVE, json!({ "input": { "repositoryId": "R_kgDOAAAD5w" } })).await;
        let message = |id: &str| format!("Could not resolve to a node with the global id of '{id}'.");
        assert_eq!(hidden[0]["message"], message(&secret));
        assert_eq!(absent[0]["message"], message("R_kgDOAAAD5w"));
        assert_eq!(hidden[0]["type"], absent[0]["type"]);
    }

    async fn each_of_several_mutations_is_decided_by_itself(forge: TestForge) {
        let client = client(&forge).await;
        let own = repository(&client, "own", "PUBLIC").await;
        let mallory = client_of(&forge, "mallory").await;
        let theirs = repository(&mallory, "theirs", "PUBLIC").await;
        let query = "mutation($own: ID!, $theirs: ID!) { \
            a: archiveRepository(input: { repositoryId: $own }) { repository { isArchived } } \
            b: archiveRepository(input: { repositoryId: $theirs }) { repository { isArchived } } }";
        let answer = client.graphql(query, json!({ "own": own, "theirs": theirs })).await.expect(200).json();
        assert_eq!(answer["data"], json!({ "a": { "repository": { "isArchived": true } }, "b": null }));
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(answer["errors"][0]["path"], json!(["b"]));
    }

    async fn a_token_without_the_scope_is_told_which_it_needs(forge: TestForge) {
        let alice = forge.human("alice").await;
        let broad = forge.client_of(&alice, None).await;
        let one = repository(&broad, "one", "PUBLIC").await;
        let narrow = forge.client_of(&alice, Some("read:org,gist")).await;
        let refused = errors(&narrow, ARCHIVE, json!({ "input": { "repositoryId": one } })).await;
        assert_eq!(refused[0]["type"], "INSUFFICIENT_SCOPES");
        assert_eq!(
            refused[0]["message"],
            "Your token has not been granted the required scopes to execute this query. The 'archiveRepository' field \
             requires one of the following scopes: ['public_repo'], but your token has only been granted the: \
             ['read:org', 'gist'] scopes. Please modify your token's scopes at: https://forge.example/settings/tokens."
        );
    }
}
