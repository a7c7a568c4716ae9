//! What others may not read does not exist for them, whatever way they ask.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::setting::{client, client_of, data, errors, organization, repository};

for_each_database! {
    async fn a_private_repository_is_like_one_that_does_not_exist(forge: TestForge) {
        let client = client(&forge).await;
        let secret = repository(&client, "secret", "PRIVATE").await;
        let mallory = client_of(&forge, "mallory").await;
        let by_name = "query($name: String!) { repository(owner: \"alice\", name: $name) { id } }";
        let hidden = mallory.graphql(by_name, json!({ "name": "secret" })).await.expect(200).text();
        let absent = mallory.graphql(by_name, json!({ "name": "absent" })).await.expect(200).text();
        assert_eq!(hidden.replace("secret", "absent"), absent);

        let by_id = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(errors(&mallory, by_id, json!({ "id": secret })).await[0]["type"], "NOT_FOUND");
        let several = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let answer = mallory.graphql(several, json!({ "ids": [secret, secret] })).await.expect(200).json();
        assert_eq!(answer["data"]["nodes"], json!([null, null]));

        let lists = "{ user(login: \"alice\") { repositories(first: 10) { totalCount nodes { name } } \
            repository(name: \"secret\") { id } } search(type: REPOSITORY, query: \"secret\", first: 10) { repositoryCount } }";
        let answer = mallory.graphql(lists, json!({})).await.expect(200).json();
        assert_eq!(answer["data"]["user"]["repositories"], json!({ "totalCount": 0, "nodes": [] }));
        assert_eq!(answer["data"]["search"]["repositoryCount"], 0);
        assert_eq!(answer["data"]["user"]["repository"], json!(null));
        // The honest request.
        assert_eq!(data(&client, by_name, json!({ "name": "secret" })).await["repository"]["id"], secret.as_str());
    }

    async fn a_label_of_a_private_repository_cannot_be_read_or_changed_by_its_id(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "secret", "PRIVATE").await;
        let query = "{ repository(owner: \"alice\", name: \"secret\") { label(name: \"bug\") { id } } }";
        let label = data(&client, query, json!({})).await["repository"]["label"]["id"].take();
        let mallory = client_of(&forge, "mallory").await;
        let read = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(errors(&mallory, read, json!({ "id": label })).await[0]["type"], "NOT_FOUND");
        let delete = "mutation($id: ID!) { deleteLabel(input: { id: $id }) { clientMutationId } }";
        assert_eq!(errors(&mallory, delete, json!({ "id": label })).await[0]["type"], "NOT_FOUND");
        data(&client, read, json!({ "id": label })).await;
    }

    async fn membership_is_shown_to_others_only_if_the_member_shows_it(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        let mallory = client_of(&forge, "mallory").await;
        let query = "{ user(login: \"alice\") { organizations(first: 5) { totalCount nodes { login } } } }";
        let hidden = data(&mallory, query, json!({})).await;
        assert_eq!(hidden["user"]["organizations"], json!({ "totalCount": 0, "nodes": [] }));
        client.put("/api/v3/orgs/acme/public_members/alice", &json!({})).await.expect(204);
        let shown = data(&mallory, query, json!({})).await;
        assert_eq!(shown["user"]["organizations"]["totalCount"], 1);
    }

    async fn collaborators_are_shown_to_others_only_if_everyone_knows_of_them(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "open", "PUBLIC").await;
        forge.human("bob").await;
        client.put("/api/v3/repos/alice/open/collaborators/bob", &json!({ "permission": "push" })).await;
        let mallory = client_of(&forge, "mallory").await;
        let query = "{ repository(owner: \"alice\", name: \"open\") { assignableUsers(first: 10) { totalCount nodes { login } } } }";
        let all = data(&client, query, json!({})).await;
        let logins = json!([{ "login": "alice" }, { "login": "bob" }]);
        assert_eq!(all["repository"]["assignableUsers"], json!({ "totalCount": 2, "nodes": logins }));
        let known = data(&mallory, query, json!({})).await;
        assert_eq!(known["repository"]["assignableUsers"]["nodes"], json!([{ "login": "alice" }]));
    }

    async fn a_team_is_for_members_of_its_organization(forge: TestForge) {
        let client = client(&forge).await;
        organization(&client, "acme").await;
        client.post("/api/v3/orgs/acme/teams", &json!({ "name": "eng" })).await.expect(201);
        let query = "{ organization(login: \"acme\") { team(slug: \"eng\") { id slug name organization { login } } } }";
        assert_eq!(data(&client, query, json!({})).await["organization"]["team"]["slug"], "eng");
        let mallory = client_of(&forge, "mallory").await;
        assert_eq!(data(&mallory, query, json!({})).await["organization"]["team"], json!(null));
    }
}
