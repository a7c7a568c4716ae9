//! A task token at every door by which REST and GraphQL move refs: within the task it opens, beside it it does not.

use forge_testing::{Answer, Client, TestForge, for_each_database};
use serde_json::{Value, json};

use super::{PREFIX, World};

const REPOSITORY: &str = "/api/v3/repos/alice/project";

/// What has to be there for each door: `main` with a file, two branches within the task and one beside it.
struct Scene {
    client: Client,
    /// The commit that `main` and the branches began at.
    base: String,
    /// A commit that follows it.
    next: String,
    node: String,
}

async fn scene(world: &World) -> Scene {
    let put = async |branch: Option<&str>, path: &str| {
        let mut body = json!({ "message": path, "content": "eA==" });
        if let Some(branch) = branch {
            body["branch"] = branch.into();
        }
        let answer = world.alice.put(&format!("{REPOSITORY}/contents/{path}"), &body).await.expect(201);
        answer.json()["commit"]["sha"].as_str().unwrap().to_owned()
    };
    let base = put(None, "README.md").await;
    for name in [format!("{PREFIX}a"), format!("{PREFIX}b"), "other".to_owned()] {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": base });
        let _ = world.alice.post(&format!("{REPOSITORY}/git/refs"), &body).await.expect(201);
    }
    let next = put(Some(&format!("{PREFIX}b")), "next").await;
    let constraints = json!({ "branch_prefix": PREFIX, "paths_deny": [".github/workflows/**"] });
    let (_, client) = world.tasked(&json!({ "constraints": constraints })).await;
    let found = world.alice.get(REPOSITORY).await.expect(200).json();
    Scene { client, base, next, node: found["node_id"].as_str().unwrap().to_owned() }
}

/// Each door of REST, told which branch to move and which path to touch.
async fn rest(scene: &Scene, door: &str, branch: &str, path: &str) -> Answer {
    let client = &scene.client;
    let at = |rest: &str| format!("{REPOSITORY}/{rest}");
    match door {
        "create" => {
            let body = json!({ "ref": format!("refs/heads/{branch}-new"), "sha": scene.base });
            client.post(&at("git/refs"), &body).await
        }
        "update" => {
            client.patch(&at(&format!("git/refs/heads/{branch}")), &json!({ "sha": scene.next })).await
        }
        "force" => {
            let sha = if branch.ends_with("/b") { &scene.base } else { &scene.next };
            let body = json!({ "sha": sha, "force": true });
            client.patch(&at(&format!("git/refs/heads/{branch}")), &body).await
        }
        "delete" => client.delete(&at(&format!("git/refs/heads/{branch}"))).await,
        "put" => {
            let body = json!({ "message": "m", "content": "eQ==", "branch": branch });
            client.put(&at(&format!("contents/{path}")), &body).await
        }
        "rename" => {
            let name = branch.replace('/', "%2F");
            client
                .post(&at(&format!("branches/{name}/rename")), &json!({ "new_name": format!("{PREFIX}r") }))
                .await
        }
        "rename-to" => {
            let name = format!("{PREFIX}a").replace('/', "%2F");
            client
                .post(&at(&format!("branches/{name}/rename")), &json!({ "new_name": format!("{branch}-r") }))
                .await
        }
        "merge" => client.post(&at("merges"), &json!({ "base": branch, "head": format!("{PREFIX}b") })).await,
        other => unreachable!("{other}"),
    }
}

async fn graphql(scene: &Scene, mutation: &str, input: Value) -> Value {
    let query = format!(
        "mutation($input: {}Input!) {{ {mutation}(input: $input) {{ clientMutationId }} }}",
        capital(mutation)
    );
    scene.client.graphql(&query, json!({ "input": input })).await.expect(200).json()
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

async fn tips(world: &World) -> Vec<(String, String)> {
    let path = format!("{REPOSITORY}/git/matching-refs/heads/?per_page=100");
    let refs = world.alice.get(&path).await.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    refs.as_array().unwrap().iter().map(|one| (text(&one["ref"]), text(&one["object"]["sha"]))).collect()
}

for_each_database! {
    async fn a35_a36_a37_a_task_token_moves_nothing_beside_its_task_by_any_door_of_rest(forge: TestForge) {
        let world = World::new(forge).await;
        let scene = scene(&world).await;
        let before = tips(&world).await;
        for door in ["create", "update", "force", "delete", "put", "rename", "rename-to", "merge"] {
            for branch in ["main", "other"] {
                if (door, branch) == ("delete", "main") {
                    // Nobody deletes the default branch.
                    continue;
                }
                let answer = rest(&scene, door, branch, "new").await;
                assert_eq!(answer.status, 403, "{door} {branch}: {}", answer.text());
                assert!(answer.text().contains("grant tg_"), "{door} {branch}: {}", answer.text());
            }
        }
        // Within the task, what was not granted is refused as well.
        for door in ["force", "delete", "rename"] {
            let answer = rest(&scene, door, &format!("{PREFIX}b"), "new").await;
            assert_eq!(answer.status, 403, "{door}: {}", answer.text());
        }
        let denied = rest(&scene, "put", &format!("{PREFIX}a"), ".github/workflows/ci.yml").await;
        assert_eq!(denied.status, 403, "{}", denied.text());
        assert_eq!(tips(&world).await, before, "nothing was moved");
        for (door, status) in [("create", 201), ("put", 201), ("merge", 201)] {
            let answer = rest(&scene, door, &format!("{PREFIX}a"), "honest").await;
            assert_eq!(answer.status, status, "{door}: {}", answer.text());
        }
    }

    async fn a34_a43_a_task_token_moves_nothing_beside_its_task_by_any_mutation(forge: TestForge) {
        let world = World::new(forge).await;
        let scene = scene(&world).await;
        let before = tips(&world).await;
        let found = async |name: &str| {
            let query = "query($name: String!) { repository(owner: \"alice\", name: \"project\") { ref(qualifiedName: $name) { id } } }";
            let answer = world.alice.graphql(query, json!({ "name": name })).await.expect(200).json();
            answer["data"]["repository"]["ref"]["id"].clone()
        };
        let commit = |branch: &str, path: &str, head: &str| {
            json!({
                "branch": { "repositoryNameWithOwner": "alice/project", "branchName": branch },
                "message": { "headline": "m" }, "expectedHeadOid": head,
                "fileChanges": { "additions": [{ "path": path, "contents": "eA==" }] },
            })
        };
        let update = |name: &str| {
            json!({ "repositoryId": scene.node, "refUpdates": [{ "name": name, "afterOid": scene.next }] })
        };
        let id = found("refs/heads/other").await;
        let refused = [
            ("createRef", json!({ "repositoryId": scene.node, "name": "refs/heads/new", "oid": scene.base })),
            ("updateRef", json!({ "refId": id, "oid": scene.next })),
            ("updateRefs", update("refs/heads/other")),
            ("deleteRef", json!({ "refId": id })),
            ("createCommitOnBranch", commit("other", "x", &scene.base)),
            ("createCommitOnBranch", commit(&format!("{PREFIX}a"), ".github/workflows/ci.yml", &scene.base)),
            ("mergeBranch", json!({ "repositoryId": scene.node, "base": "other", "head": format!("{PREFIX}b") })),
        ];
        for (mutation, input) in refused {
            let answer = graphql(&scene, mutation, input).await;
            assert_eq!(answer["errors"][0]["type"], "FORBIDDEN", "{mutation}: {answer}");
        }
        assert_eq!(tips(&world).await, before, "nothing was moved");
        let honest = [
            ("createRef", json!({ "repositoryId": scene.node, "name": format!("refs/heads/{PREFIX}new"), "oid": scene.base })),
            ("createCommitOnBranch", commit(&format!("{PREFIX}a"), "x", &scene.base)),
        ];
        for (mutation, input) in honest {
            let answer = graphql(&scene, mutation, input).await;
            assert_eq!(answer["errors"], Value::Null, "{mutation}: {answer}");
        }
    }

    async fn a29_where_signatures_are_required_no_door_of_rest_or_graphql_moves_a_ref(forge: TestForge) {
        let world = World::new(forge).await;
        let scene = scene(&world).await;
        let agent = format!("{}/agents/{}", super::EXT, world.agent.login);
        let signed_only = async |value: bool| {
            let _ = world.alice.patch(&agent, &json!({ "signed_only": value })).await.expect(200);
        };
        let before = tips(&world).await;
        let branch = format!("{PREFIX}a");
        let name = format!("refs/heads/{PREFIX}new");
        let commit = json!({
            "branch": { "repositoryNameWithOwner": "alice/project", "branchName": branch },
            "message": { "headline": "m" }, "expectedHeadOid": scene.base,
            "fileChanges": { "additions": [{ "path": "x", "contents": "eA==" }] },
        });
        let mutations = [
            ("createRef", json!({ "repositoryId": scene.node, "name": name, "oid": scene.base })),
            ("createCommitOnBranch", commit),
        ];
        signed_only(true).await;
        for door in ["create", "update", "put", "merge"] {
            let answer = rest(&scene, door, &branch, "honest").await;
            assert_eq!(answer.status, 403, "{door}: {}", answer.text());
            assert!(answer.text().contains("must be signed"), "{door}: {}", answer.text());
        }
        for (mutation, input) in &mutations {
            let answer = graphql(&scene, mutation, input.clone()).await;
            assert!(answer.to_string().contains("must be signed"), "{mutation}: {answer}");
        }
        assert_eq!(tips(&world).await, before, "nothing was moved");
        signed_only(false).await;
        for (mutation, input) in mutations {
            let answer = graphql(&scene, mutation, input).await;
            assert_eq!(answer["errors"], Value::Null, "{mutation}: {answer}");
        }
        for (door, status) in [("create", 201), ("put", 201), ("merge", 201)] {
            let answer = rest(&scene, door, &branch, "honest").await;
            assert_eq!(answer.status, status, "{door}: {}", answer.text());
        }
    }
}
