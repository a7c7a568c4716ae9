//! Refs, objects and commits on branches: <https://docs.github.com/graphql/reference/mutations#createref> and its neighbours.

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

use crate::setting::{client, client_of, data, errors};

const CREATE_REF: &str = "mutation($input: CreateRefInput!) { createRef(input: $input) { clientMutationId ref { id name prefix target { oid } } } }";
const UPDATE_REF: &str = "mutation($input: UpdateRefInput!) { updateRef(input: $input) { ref { name target { oid __typename } } } }";
const UPDATE_REFS: &str =
    "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";
const DELETE_REF: &str =
    "mutation($input: DeleteRefInput!) { deleteRef(input: $input) { clientMutationId } }";
const COMMIT: &str = "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { \
    commit { oid message messageHeadline messageBody url author { name } committer { name } } ref { name target { oid } } } }";
const MERGE: &str =
    "mutation($input: MergeBranchInput!) { mergeBranch(input: $input) { mergeCommit { oid message } } }";
const REF: &str = "query($name: String!) { repository(owner: \"alice\", name: \"tool\") { ref(qualifiedName: $name) { id name prefix target { oid } } } }";
const ZERO: &str = "0000000000000000000000000000000000000000";
const NOWHERE: &str = "1111111111111111111111111111111111111111";

/// Alice's repository `tool`, with a README on `main`.
struct Tool {
    client: Client,
    id: String,
}

impl Tool {
    async fn new(forge: &TestForge, visibility: &str) -> Self {
        let client = client(forge).await;
        let body = json!({ "name": "tool", "visibility": visibility, "auto_init": true });
        let made = client.post("/api/v3/user/repos", &body).await.expect(201).json();
        Self { client, id: made["node_id"].as_str().expect("what was asked for").to_owned() }
    }

    async fn find(&self, name: &str) -> Value {
        data(&self.client, REF, json!({ "name": name })).await["repository"]["ref"].take()
    }

    async fn tip(&self, branch: &str) -> String {
        let found = self.find(&format!("refs/heads/{branch}")).await;
        found["target"]["oid"].as_str().unwrap_or_default().to_owned()
    }

    async fn create(&self, name: &str, oid: &str) -> Value {
        let input = json!({ "repositoryId": self.id, "name": name, "oid": oid });
        data(&self.client, CREATE_REF, json!({ "input": input })).await["createRef"]["ref"].take()
    }

    async fn commit(&self, branch: &str, changes: Value) -> Value {
        let input = json!({
            "branch": { "repositoryNameWithOwner": "alice/tool", "branchName": branch }, "fileChanges": changes,
            "expectedHeadOid": self.tip(branch).await, "message": { "headline": "words", "body": "and more" },
        });
        data(&self.client, COMMIT, json!({ "input": input })).await["createCommitOnBranch"].take()
    }

    /// Sends a mutation that must fail; returns the type and the message of its error.
    async fn refused(&self, query: &str, input: Value) -> (String, String) {
        refused(&self.client, query, input).await
    }
}

async fn refused(client: &Client, query: &str, input: Value) -> (String, String) {
    let error = errors(client, query, json!({ "input": input })).await[0].take();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("type"), text("message"))
}

fn file(path: &str, text: &str) -> Value {
    json!({ "additions": [{ "path": path, "contents": data_encoding::BASE64.encode(text.as_bytes()) }] })
}

for_each_database! {
    async fn refs_are_created_moved_and_deleted(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        let made = tool.create("refs/heads/feature/x", &first).await;
        assert_eq!((&made["name"], &made["prefix"], &made["target"]["oid"]), (&json!("feature/x"), &json!("refs/heads/"), &json!(first)));
        let second = tool.commit("main", file("a", "1\n")).await["commit"]["oid"].as_str().expect("what was asked for").to_owned();
        let moved = data(&tool.client, UPDATE_REF, json!({ "input": { "refId": made["id"], "oid": second } })).await;
        assert_eq!(moved["updateRef"]["ref"]["target"], json!({ "oid": second, "__typename": "Commit" }));
        let (kind, message) = tool.refused(UPDATE_REF, json!({ "refId": made["id"], "oid": first })).await;
        assert_eq!((kind.as_str(), message.as_str()), ("UNPROCESSABLE", "Update is not a fast forward"));
        data(&tool.client, UPDATE_REF, json!({ "input": { "refId": made["id"], "oid": first, "force": true } })).await;
        data(&tool.client, DELETE_REF, json!({ "input": { "refId": made["id"] } })).await;
        assert_eq!(tool.find("refs/heads/feature/x").await, Value::Null);
        let (kind, message) = tool.refused(DELETE_REF, json!({ "refId": made["id"] })).await;
        assert_eq!(kind, "NOT_FOUND");
        assert_eq!(message, format!("Could not resolve to a node with the global id of '{}'.", made["id"].as_str().expect("what was asked for")));
    }

    async fn refs_change_together_or_not_at_all(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        tool.create("refs/heads/gone", &first).await;
        let second = tool.commit("main", file("a", "1\n")).await["commit"]["oid"].as_str().expect("what was asked for").to_owned();
        let updates = |rest: Value| {
            let mut all = vec![
                json!({ "name": "refs/heads/new", "afterOid": second, "beforeOid": ZERO }),
                json!({ "name": "refs/heads/gone", "afterOid": ZERO, "beforeOid": first }),
            ];
            all.extend(rest.as_array().expect("what was asked for").iter().cloned());
            json!({ "repositoryId": tool.id, "refUpdates": all })
        };
        for (bad, kind) in [
            (json!({ "name": "refs/heads/main", "afterOid": first }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/main", "afterOid": first, "beforeOid": first, "force": true }), "STALE_DATA"),
            (json!({ "name": "refs/heads/main", "afterOid": second, "beforeOid": ZERO }), "STALE_DATA"),
            (json!({ "name": "refs/heads/main", "afterOid": ZERO }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/none", "afterOid": ZERO }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/x", "afterOid": NOWHERE }), "UNPROCESSABLE"),
            (json!({ "name": "refs/pull/1/head", "afterOid": first }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/new/below", "afterOid": first }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/new", "afterOid": first }), "UNPROCESSABLE"),
            (json!({ "name": "main", "afterOid": first }), "UNPROCESSABLE"),
            (json!({ "name": "refs/heads/x", "afterOid": "main" }), "UNPROCESSABLE"),
        ] {
            let (found, message) = tool.refused(UPDATE_REFS, updates(json!([bad]))).await;
            assert_eq!(found, kind, "{bad}: {message}");
            assert_eq!(tool.find("refs/heads/new").await, Value::Null, "{bad}");
            assert_eq!(tool.tip("gone").await, first, "{bad}");
        }
        let forced = json!([{ "name": "refs/heads/main", "afterOid": first, "beforeOid": second, "force": true }]);
        data(&tool.client, UPDATE_REFS, json!({ "input": updates(forced) })).await;
        assert_eq!((tool.tip("main").await, tool.tip("new").await), (first, second));
        assert_eq!(tool.find("refs/heads/gone").await, Value::Null);
    }

    async fn several_files_are_one_commit_on_a_branch_that_is_where_it_was(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        let changes = json!({
            "additions": [file("dir/a", "1\n")["additions"][0], file("b", "2\n")["additions"][0]], "deletions": [{ "path": "README.md" }],
        });
        let made = tool.commit("main", changes).await;
        assert_eq!(made["commit"]["message"], "words\n\nand more");
        assert_eq!((&made["commit"]["messageHeadline"], &made["commit"]["messageBody"]), (&json!("words"), &json!("and more")));
        assert_eq!((&made["ref"]["name"], &made["ref"]["target"]["oid"]), (&json!("main"), &made["commit"]["oid"]));
        let tip = tool.tip("main").await;
        let branch = tool.find("refs/heads/main").await["id"].take();
        let input = |expected: &str, changes: Value| {
            json!({ "branch": { "id": branch }, "expectedHeadOid": expected, "fileChanges": changes, "message": { "headline": "x" } })
        };
        let (kind, message) = tool.refused(COMMIT, input(&first, file("c", ""))).await;
        assert_eq!(kind, "STALE_DATA");
        assert!(message.starts_with(&format!("Expected branch to point to \"{first}\"")), "{message}");
        for changes in [
            json!({ "deletions": [{ "path": "none" }] }), json!({ "additions": [{ "path": "a", "contents": "?" }] }),
            json!({ "additions": [{ "path": "a", "contents": "" }], "deletions": [{ "path": "a" }] }), file("/a", ""), file("a/../b", ""),
            file(".git/config", ""), file("b/inner", ""), file("", ""), file("dir", ""),
        ] {
            let (kind, message) = tool.refused(COMMIT, input(&tip, changes.clone())).await;
            assert_eq!(kind, "UNPROCESSABLE", "{changes}: {message}");
        }
        let named = |branch: Value| json!({ "branch": branch, "expectedHeadOid": tip, "message": { "headline": "x" } });
        for (branch, kind) in [
            (json!({}), "UNPROCESSABLE"), (json!({ "id": branch, "branchName": "main" }), "UNPROCESSABLE"),
            (json!({ "id": tool.id }), "NOT_FOUND"), (json!({ "repositoryNameWithOwner": "alice/none", "branchName": "main" }), "NOT_FOUND"),
            (json!({ "repositoryNameWithOwner": "alice/tool", "branchName": "../main" }), "NOT_FOUND"),
            (json!({ "repositoryNameWithOwner": "tool", "branchName": "main" }), "UNPROCESSABLE"),
        ] {
            assert_eq!(tool.refused(COMMIT, named(branch.clone())).await.0, kind, "{branch}");
        }
        assert_eq!(tool.tip("main").await, tip);
        data(&tool.client, COMMIT, json!({ "input": input(&tip, json!({})) })).await;
        let query = "{ repository(owner: \"alice\", name: \"tool\") { object(expression: \"main:dir/a\") { __typename \
            ... on Blob { text byteSize isBinary isTruncated } } gone: object(expression: \"main:README.md\") { oid } } }";
        let found = data(&tool.client, query, json!({})).await;
        let blob = json!({ "__typename": "Blob", "text": "1\n", "byteSize": 2, "isBinary": false, "isTruncated": false });
        assert_eq!(found["repository"], json!({ "object": blob, "gone": null }));
    }

    async fn branches_are_merged(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        tool.create("refs/heads/topic", &first).await;
        tool.commit("topic", file("a", "theirs\n")).await;
        tool.commit("main", file("b", "ours\n")).await;
        let input = json!({ "repositoryId": tool.id, "base": "main", "head": "topic", "commitMessage": "Together" });
        let merged = data(&tool.client, MERGE, json!({ "input": input })).await["mergeBranch"]["mergeCommit"].take();
        assert_eq!((&merged["message"], &merged["oid"]), (&json!("Together"), &json!(tool.tip("main").await)));
        assert_eq!(data(&tool.client, MERGE, json!({ "input": input })).await["mergeBranch"]["mergeCommit"], Value::Null);
        tool.commit("topic", file("b", "clash\n")).await;
        assert_eq!(tool.refused(MERGE, input).await, ("UNPROCESSABLE".to_owned(), "Merge conflict".to_owned()));
        for (base, head, email) in [("none", "main", None), ("main", "none", None), ("main", "topic", Some("mallory@forge.example"))] {
            let input = json!({ "repositoryId": tool.id, "base": base, "head": head, "authorEmail": email });
            assert!(["NOT_FOUND", "UNPROCESSABLE"].contains(&tool.refused(MERGE, input).await.0.as_str()), "{base} {head}");
        }
    }

    /// A43: every alias is decided by itself, and a node id leads into its own repository alone.
    async fn a43_aliases_and_node_ids_of_others_move_nothing(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let main = tool.tip("main").await;
        let secret = tool.find("refs/heads/main").await["id"].take();
        let mallory = client_of(&forge, "mallory").await;
        let own = json!({ "name": "own", "visibility": "public", "auto_init": true });
        let own = mallory.post("/api/v3/user/repos", &own).await.expect(201).json();
        let own_tip = mallory.get("/api/v3/repos/mallory/own/git/ref/heads/main").await.expect(200).json()["object"]["sha"].take();
        let theirs = forge_types::NodeId::parse(secret.as_str().expect("what was asked for")).expect("what was asked for");
        let forge_types::NodeId::Ref(repository, _) = theirs else { panic!("a ref") };
        let hidden = [
            (UPDATE_REF, json!({ "refId": secret, "oid": main, "force": true })), (DELETE_REF, json!({ "refId": secret })),
            (CREATE_REF, json!({ "repositoryId": tool.id, "name": "refs/heads/x", "oid": main })),
            (UPDATE_REFS, json!({ "repositoryId": tool.id, "refUpdates": [{ "name": "refs/heads/x", "afterOid": main }] })),
            (MERGE, json!({ "repositoryId": tool.id, "base": "main", "head": "main" })),
            (COMMIT, json!({ "branch": { "id": secret }, "expectedHeadOid": main, "message": { "headline": "x" } })),
            (COMMIT, json!({ "branch": { "repositoryNameWithOwner": "alice/tool", "branchName": "main" }, "expectedHeadOid": main, "message": { "headline": "x" } })),
            (UPDATE_REF, json!({ "refId": own["node_id"], "oid": own_tip })), (DELETE_REF, json!({ "refId": "REF_nonsense" })),
        ];
        for (query, input) in hidden {
            assert_eq!(refused(&mallory, query, input.clone()).await.0, "NOT_FOUND", "{query} {input}");
        }
        let absent = forge_types::NodeId::Ref(forge_types::id::RepositoryId(999_999), "refs/heads/main".to_owned()).to_string();
        let shape = |(kind, message): (String, String), id: &str| (kind, message.replace(id, "ID"));
        let of_hidden = refused(&mallory, DELETE_REF, json!({ "refId": secret })).await;
        let of_absent = refused(&mallory, DELETE_REF, json!({ "refId": absent })).await;
        assert_eq!(shape(of_hidden, secret.as_str().expect("what was asked for")), shape(of_absent, &absent));
        for oid in [&main, NOWHERE] {
            let input = json!({ "repositoryId": own["node_id"], "name": "refs/heads/x", "oid": oid });
            assert_eq!(refused(&mallory, CREATE_REF, input).await, ("UNPROCESSABLE".to_owned(), "Object does not exist".to_owned()));
        }
        let hidden = forge_types::NodeId::Object(forge_types::node_id::ObjectNodeKind::Commit, repository, main.parse().expect("what was asked for"));
        for id in [secret.as_str().expect("what was asked for").to_owned(), hidden.to_string()] {
            let found = errors(&mallory, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(found[0]["type"], "NOT_FOUND");
        }
        let mut several = String::from("mutation($own: ID!, $theirs: ID!, $oid: GitObjectID!) {");
        for number in 0..20 {
            let repository = if number % 2 == 0 { "$own" } else { "$theirs" };
            several.push_str(&format!(
                " m{number}: createRef(input: {{ repositoryId: {repository}, name: \"refs/heads/b{number}\", oid: $oid }}) {{ ref {{ name }} }}"
            ));
        }
        several.push_str(" }");
        let variables = json!({ "own": own["node_id"], "theirs": tool.id, "oid": own_tip });
        let answer = mallory.graphql(&several, variables).await.expect(200).json();
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(10));
        for number in 0..20 {
            assert_eq!(answer["data"][format!("m{number}")].is_null(), number % 2 == 1, "{number}");
        }
        assert_eq!(tool.tip("main").await, main);
        assert_eq!(tool.find("refs/heads/b1").await, Value::Null);
    }

    /// A34: the mutations are for those who may push.
    async fn a34_whoever_may_only_read_moves_nothing_by_any_mutation(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        tool.create("refs/heads/topic", &first).await;
        tool.commit("topic", file("a", "1\n")).await;
        let topic = tool.tip("topic").await;
        let (main, branch) = (tool.find("refs/heads/main").await["id"].take(), tool.find("refs/heads/topic").await["id"].take());
        let mallory = client_of(&forge, "mallory").await;
        for (query, input) in [
            (CREATE_REF, json!({ "repositoryId": tool.id, "name": "refs/heads/x", "oid": first })),
            (UPDATE_REF, json!({ "refId": main, "oid": topic })), (DELETE_REF, json!({ "refId": branch })),
            (UPDATE_REFS, json!({ "repositoryId": tool.id, "refUpdates": [{ "name": "refs/heads/main", "afterOid": topic }] })),
            (COMMIT, json!({ "branch": { "id": main }, "expectedHeadOid": first, "message": { "headline": "x" } })),
            (MERGE, json!({ "repositoryId": tool.id, "base": "main", "head": "topic" })),
        ] {
            assert_eq!(refused(&mallory, query, input.clone()).await.0, "FORBIDDEN", "{query}");
        }
        assert_eq!((tool.tip("main").await, tool.tip("topic").await), (first, topic));
        assert_eq!(tool.find("refs/heads/x").await, Value::Null);
    }

    async fn objects_are_nodes_with_what_their_kind_has(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let query = "query($expression: String, $oid: GitObjectID) { repository(owner: \"alice\", name: \"tool\") { \
            object(expression: $expression, oid: $oid) { __typename id oid abbreviatedOid commitUrl repository { name } \
            ... on Commit { messageHeadline tree { oid } committedDate author { name email date } authoredByCommitter } } } }";
        let commit = data(&tool.client, query, json!({ "expression": "main" })).await["repository"]["object"].take();
        assert_eq!((&commit["__typename"], &commit["messageHeadline"]), (&json!("Commit"), &json!("Initial commit")));
        let tree = data(&tool.client, query, json!({ "oid": commit["tree"]["oid"] })).await["repository"]["object"].take();
        assert_eq!(tree["__typename"], "Tree");
        for id in [&commit["id"], &tree["id"]] {
            let found = data(&tool.client, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(&found["node"]["id"], id);
        }
        for expression in ["none", "main:none", "refs/pull/1/head", "main~1", NOWHERE, "", "main:../x"] {
            let found = data(&tool.client, query, json!({ "expression": expression })).await;
            let is_default = expression.is_empty();
            assert_eq!(found["repository"]["object"].is_null(), !is_default, "{expression}");
        }
        for name in ["main", "refs/heads/main"] {
            assert_eq!(tool.find(name).await["name"], "main");
        }
        for name in ["refs/pull/1/head", "none", "../main", "HEAD"] {
            assert_eq!(tool.find(name).await, Value::Null, "{name}");
        }
        let default = data(&tool.client, "{ repository(owner: \"alice\", name: \"tool\") { defaultBranchRef { name prefix target { oid } } } }", json!({})).await;
        assert_eq!(default["repository"]["defaultBranchRef"], json!({ "name": "main", "prefix": "refs/heads/", "target": { "oid": commit["oid"] } }));
    }
}
