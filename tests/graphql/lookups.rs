//! Finding one thing by its name or id, and not finding it.

use forge_testing::TestForge;
use forge_testing::for_each_database;
use serde_json::json;

use crate::setting::{client, data, repository};

for_each_database! {
    async fn a_repository_that_is_not_there_is_named_as_github_names_it(forge: TestForge) {
        let query = "query RepositoryInfo($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }";
        let answer = client(&forge).await.graphql(query, json!({ "owner": "Nobody", "name": "nothing" })).await;
        assert_eq!(
            answer.expect(200).json(),
            json!({
                "data": { "repository": null },
                "errors": [{
                    "type": "NOT_FOUND",
                    "path": ["repository"],
                    "locations": [{ "line": 1, "column": 57 }],
                    "message": "Could not resolve to a Repository with the name 'Nobody/nothing'.",
                }],
            })
        );
    }

    async fn exactly_one_of_user_and_organization_is_found(forge: TestForge) {
        let query = "query UserOrgOwner($login:String!){user(login: $login){login,id},organization(login: $login){login,id}}";
        let client = client(&forge).await;
        let answer = client.graphql(query, json!({ "login": "ALICE" })).await.expect(200).json();
        assert_eq!(answer["data"]["user"]["login"], "alice");
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
        assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
        assert_eq!(answer["errors"][0]["path"], json!(["organization"]));
        let message = "Could not resolve to an Organization with the login of 'ALICE'.";
        assert_eq!(answer["errors"][0]["message"], message);
        let answer = client.graphql("{ user(login: \"x\") { id } }", json!({})).await.expect(200).json();
        assert_eq!(answer["errors"][0]["message"], "Could not resolve to a User with the login of 'x'.");
    }

    async fn an_owner_who_does_not_exist_is_null_without_an_error(forge: TestForge) {
        let answer = client(&forge).await.graphql("{ repositoryOwner(login: \"x\") { login } }", json!({})).await;
        assert_eq!(answer.expect(200).json(), json!({ "data": { "repositoryOwner": null } }));
    }

    async fn a_node_id_that_leads_nowhere_is_not_found(forge: TestForge) {
        let client = client(&forge).await;
        for id in ["", "nonsense", "R_kgDOAAAAAQ", "U_kgDOAA", "MDQ6VXNlcjE="] {
            let query = "query($id: ID!) { node(id: $id) { id } }";
            let answer = client.graphql(query, json!({ "id": id })).await.expect(200).json();
            let message = format!("Could not resolve to a node with the global id of '{id}'.");
            assert_eq!(answer["errors"][0]["message"], message);
            assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
            assert_eq!(answer["data"]["node"], json!(null));
        }
    }

    async fn an_agent_is_a_user(forge: TestForge) {
        let client = client(&forge).await;
        forge.agent("robot").await;
        let query = "{ user(login: \"robot\") { __typename login isSiteAdmin } repositoryOwner(login: \"robot\") { __typename } }";
        let answer = client.graphql(query, json!({})).await.expect(200).json();
        assert_eq!(
            answer["data"],
            json!({
                "user": { "__typename": "User", "login": "robot", "isSiteAdmin": false },
                "repositoryOwner": { "__typename": "User" },
            })
        );
    }

    async fn every_node_is_found_by_its_id(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PUBLIC").await;
        let query = "{ viewer { id } repository(owner: \"alice\", name: \"one\") { id label(name: \"bug\") { id } } }";
        let found = data(&client, query, json!({})).await;
        let (viewer, one) = (&found["viewer"]["id"], &found["repository"]["id"]);
        let label = &found["repository"]["label"]["id"];
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Label { name } } }";
        let nodes = data(&client, query, json!({ "ids": [viewer, one, label] })).await;
        assert_eq!(
            nodes["nodes"],
            json!([
                { "id": viewer, "__typename": "User" },
                { "id": one, "__typename": "Repository" },
                { "id": label, "__typename": "Label", "name": "bug" },
            ])
        );
    }

    async fn several_repositories_by_id_are_one_statement_and_keep_their_order(forge: TestForge) {
        let client = client(&forge).await;
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.insert(0, repository(&client, name, "PRIVATE").await);
        }
        ids.push("R_kgDOAAAD5w".to_owned());
        let before = forge.statements();
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { name } } }";
        let answer = client.graphql(query, json!({ "ids": ids })).await.expect(200).json();
        assert_eq!(forge.statements() - before, 2);
        let expected = json!([{ "name": "c" }, { "name": "b" }, { "name": "a" }, null]);
        assert_eq!(answer["data"]["nodes"], expected);
        assert_eq!(answer["errors"][0]["path"], json!(["nodes", 3]));
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    }
}
