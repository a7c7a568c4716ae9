//! Secrets that come by REST and GraphQL: each door that stores something refuses them, and stores it once they are dead.

use forge_testing::{Answer, TestForge, for_each_database};
use http::Method;
use serde_json::{Value, json};

use super::{live, revoke};
use crate::grants::World;

const COMMIT: &str =
    "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";

/// A request that stores something with a secret in it.
struct Door {
    name: &'static str,
    method: Method,
    path: String,
    body: Value,
    /// What an honest request is answered.
    status: u16,
}

fn door(name: &'static str, method: Method, path: &str, body: Value, status: u16) -> Door {
    Door { name, method, path: format!("/api/v3/{path}"), body, status }
}

fn doors(value: &str, base: &str, tree: &str) -> Vec<Door> {
    let encoded = data_encoding::BASE64.encode(value.as_bytes());
    let repo = |path: &str| format!("repos/alice/project/{path}");
    let entry = json!([{ "path": "tree.txt", "mode": "100644", "type": "blob", "content": value }]);
    let name = json!([{ "path": format!("{value}.txt"), "mode": "100644", "type": "blob", "content": "x" }]);
    let tag = json!({ "tag": "v1", "message": value, "object": base, "type": "commit" });
    vec![
        door("blob", Method::POST, &repo("git/blobs"), json!({ "content": value, "encoding": "utf-8" }), 201),
        door(
            "blob in base64",
            Method::POST,
            &repo("git/blobs"),
            json!({ "content": encoded, "encoding": "base64" }),
            201,
        ),
        door("tree", Method::POST, &repo("git/trees"), json!({ "base_tree": base, "tree": entry }), 201),
        door(
            "name in a tree",
            Method::POST,
            &repo("git/trees"),
            json!({ "base_tree": base, "tree": name }),
            201,
        ),
        door(
            "commit",
            Method::POST,
            &repo("git/commits"),
            json!({ "message": value, "tree": tree, "parents": [base] }),
            201,
        ),
        door("tag", Method::POST, &repo("git/tags"), tag, 201),
        door(
            "file",
            Method::PUT,
            &repo("contents/dir/file.txt"),
            json!({ "message": "x", "content": encoded }),
            201,
        ),
        door(
            "message of a file",
            Method::PUT,
            &repo("contents/other.txt"),
            json!({ "message": value, "content": "eA==" }),
            201,
        ),
        door(
            "merge",
            Method::POST,
            &repo("merges"),
            json!({ "base": "main", "head": "side", "commit_message": value }),
            201,
        ),
        door(
            "first commit",
            Method::POST,
            "user/repos",
            json!({ "name": "fresh", "auto_init": true, "description": value }),
            201,
        ),
    ]
}

async fn send(world: &World, door: &Door) -> Answer {
    world.alice.send_json(door.method.clone(), &door.path, &door.body).await
}

for_each_database! {
    async fn a96_every_door_that_stores_refuses_a_live_token_and_takes_a_dead_one(forge: TestForge) {
        let world = World::new(forge).await;
        let put = async |path: &str, body: Value| world.alice.put(&format!("/api/v3/repos/alice/project/{path}"), &body).await;
        let first = put("contents/README.md", json!({ "message": "first", "content": "eA==" })).await.expect(201).json();
        let (base, tree) = (first["commit"]["sha"].as_str().unwrap(), first["commit"]["tree"]["sha"].as_str().unwrap());
        let side = json!({ "ref": "refs/heads/side", "sha": base });
        let _ = world.alice.post("/api/v3/repos/alice/project/git/refs", &side).await.expect(201);
        let _ = put("contents/a", json!({ "message": "a", "content": "eA==", "branch": "side" })).await.expect(201);
        let _ = put("contents/b", json!({ "message": "b", "content": "eA==" })).await.expect(201);
        let token = live(&world).await;
        let value = token.expose();
        let doors = doors(value, base, tree);
        for door in &doors {
            let answer = send(&world, door).await;
            assert_eq!(answer.status, 422, "{}: {}", door.name, answer.text());
            let said = answer.text();
            assert!(said.contains("holds a live token") && !said.contains(value), "{}: {said}", door.name);
        }
        let said = send(&world, &doors[6]).await.text();
        assert!(said.contains("dir/file.txt:1 holds a live token"), "{said}");
        let head = world.alice.get("/api/v3/repos/alice/project/git/ref/heads/main").await.expect(200).json();
        let input = json!({
            "branch": { "repositoryNameWithOwner": "alice/project", "branchName": "main" },
            "expectedHeadOid": head["object"]["sha"],
            "message": { "headline": "x" },
            "fileChanges": { "additions": [{ "path": "g", "contents": data_encoding::BASE64.encode(value.as_bytes()) }] },
        });
        let said = world.alice.graphql(COMMIT, json!({ "input": input })).await.text();
        assert!(said.contains("g:1 holds a live token") && !said.contains(value), "{said}");

        revoke(&world, &token).await;
        let said = world.alice.graphql(COMMIT, json!({ "input": input })).await.text();
        assert!(said.contains("\"oid\""), "{said}");
        for door in &doors {
            let answer = send(&world, door).await;
            assert_eq!(answer.status, door.status, "{}: {}", door.name, answer.text());
        }
    }
}
