//! Labels, as `gh label list` and `gh label clone` read them and as mutations change them.

use forge_testing::{TestForge, for_each_database};
use serde_json::{Value, json};

use crate::setting::{client, data, errors, repository};

const LIST: &str = "fragment label on Label{color,createdAt,description,id,isDefault,name,updatedAt,url} \
    query LabelList($owner: String!, $repo: String!, $limit: Int!, $endCursor: String, $query: String, $orderBy: LabelOrder) { \
    repository(owner: $owner, name: $repo) { labels(first: $limit, after: $endCursor, query: $query, orderBy: $orderBy) { \
    totalCount, nodes { ...label } pageInfo { hasNextPage endCursor } } } }";

fn names(list: &Value) -> Vec<&str> {
    let nodes = list["repository"]["labels"]["nodes"].as_array().expect("a list");
    nodes.iter().filter_map(|label| label["name"].as_str()).collect()
}

for_each_database! {
    async fn labels_are_listed_in_pages_in_either_order(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let mut variables = json!({
            "owner": "alice", "repo": "one", "limit": 4, "query": "",
            "orderBy": { "direction": "ASC", "field": "NAME" },
        });
        let mut seen = Vec::new();
        loop {
            let page = data(&client, LIST, variables.clone()).await;
            assert_eq!(page["repository"]["labels"]["totalCount"], 9);
            seen.extend(names(&page).into_iter().map(str::to_owned));
            let info = &page["repository"]["labels"]["pageInfo"];
            if info["hasNextPage"] == false {
                break;
            }
            variables["endCursor"] = info["endCursor"].clone();
        }
        let mut sorted = seen.clone();
        sorted.sort();
        assert_eq!(seen, sorted);
        assert_eq!(seen.len(), 9);
        variables["orderBy"]["direction"] = json!("DESC");
        variables["endCursor"] = json!(null);
        let page = data(&client, LIST, variables).await;
        assert_eq!(names(&page), ["wontfix", "question", "invalid", "help wanted"]);
    }

    async fn labels_are_found_by_name_and_description(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let variables = |query: &str| json!({ "owner": "alice", "repo": "one", "limit": 30, "query": query });
        assert_eq!(names(&data(&client, LIST, variables("BUG")).await), ["bug"]);
        assert_eq!(names(&data(&client, LIST, variables("newcomers")).await), ["good first issue"]);
        assert_eq!(names(&data(&client, LIST, variables("%")).await), [""; 0]);
    }

    async fn the_last_labels_are_found_from_the_end(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let query = "query($before: String) { repository(owner: \"alice\", name: \"one\") { \
            labels(last: 2, before: $before, orderBy: {field: NAME, direction: ASC}) { nodes { name } edges { cursor } \
            pageInfo { hasPreviousPage startCursor } } } }";
        let page = data(&client, query, json!({})).await;
        assert_eq!(names(&page), ["question", "wontfix"]);
        let start = &page["repository"]["labels"]["pageInfo"]["startCursor"];
        let before = data(&client, query, json!({ "before": start })).await;
        assert_eq!(names(&before), ["help wanted", "invalid"]);
    }

    async fn a_cursor_that_is_none_is_refused(forge: TestForge) {
        let client = client(&forge).await;
        repository(&client, "one", "PRIVATE").await;
        let variables = json!({ "owner": "alice", "repo": "one", "limit": 1, "endCursor": "nonsense" });
        let refused = errors(&client, LIST, variables).await;
        assert_eq!(refused[0]["message"], "`nonsense` does not appear to be a valid cursor.");
        assert_eq!(refused[0]["path"], json!(["repository", "labels"]));
    }

    async fn labels_are_created_changed_and_deleted(forge: TestForge) {
        let client = client(&forge).await;
        let one = repository(&client, "one", "PRIVATE").await;
        let create = "mutation($input: CreateLabelInput!) { createLabel(input: $input) { label { id name color description url } clientMutationId } }";
        let input = json!({ "repositoryId": one, "name": "a b", "color": "FF0000", "clientMutationId": "x" });
        let created = data(&client, create, json!({ "input": input })).await;
        let label = &created["createLabel"]["label"];
        assert_eq!(created["createLabel"]["clientMutationId"], "x");
        assert_eq!((&label["name"], &label["color"]), (&json!("a b"), &json!("ff0000")));
        assert_eq!(label["url"], "https://forge.example/alice/one/labels/a%20b");
        let again = errors(&client, create, json!({ "input": input })).await;
        assert_eq!(again[0]["type"], "UNPROCESSABLE");
        assert_eq!(again[0]["message"], "Name has already been taken");

        let update = "mutation($input: UpdateLabelInput!) { updateLabel(input: $input) { label { name description } } }";
        let input = json!({ "id": label["id"], "name": "c", "description": "new" });
        let updated = data(&client, update, json!({ "input": input })).await;
        assert_eq!(updated["updateLabel"]["label"], json!({ "name": "c", "description": "new" }));

        let delete = "mutation($input: DeleteLabelInput!) { deleteLabel(input: $input) { clientMutationId } }";
        let input = json!({ "input": { "id": label["id"] } });
        data(&client, delete, input.clone()).await;
        let gone = errors(&client, delete, input).await;
        assert_eq!(gone[0]["type"], "NOT_FOUND");
    }
}
