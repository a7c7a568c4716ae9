//! The doors by which REST moves refs: <https://docs.github.com/rest/git/refs>, contents, branches and merges. Each does what
//! it is for, and no more.

use forge_testing::{TestForge, for_each_database};
use forge_types::RefName;
use forge_types::id::RepositoryId;
use serde_json::{Value, json};

use crate::world::{Tool, decoded, encoded, sha};

async fn id(tool: &Tool) -> RepositoryId {
    RepositoryId(tool.get("").await.expect(200).json()["id"].as_i64().expect("what was asked for"))
}

/// Returns where every ref is.
async fn refs(forge: &TestForge, tool: &Tool) -> Vec<(String, String)> {
    let mut conn = forge.app().db().read().await.expect("what was asked for");
    let stored =
        forge_store::refs::list_visible(&mut conn, id(tool).await).await.expect("what was asked for");
    stored.into_iter().map(|found| (found.name.to_string(), found.object_id.to_string())).collect()
}

/// Returns how many changes of a ref the reflog has.
async fn logged(forge: &TestForge, tool: &Tool, name: &str) -> Vec<(Option<String>, Option<String>, bool)> {
    let mut conn = forge.app().db().read().await.expect("what was asked for");
    let name = RefName::new(name).expect("what was asked for");
    let entries = forge_store::pushes::list_reflog(&mut conn, id(tool).await, &name, 100)
        .await
        .expect("what was asked for");
    let text = |id: Option<forge_types::ObjectId>| id.map(|id| id.to_string());
    entries.into_iter().map(|entry| (text(entry.old_id), text(entry.new_id), entry.is_forced)).collect()
}

/// Returns the doors that the audit log names, newest first.
async fn doors(tool: &Tool) -> Vec<String> {
    let path = "/api/ext/v1/audit-events?action=refs.updated&per_page=100";
    let events = tool.client.get(path).await.expect(200).json();
    let door = |event: &Value| event["details"]["door"].as_str().expect("what was asked for").to_owned();
    events.as_array().expect("what was asked for").iter().rev().map(door).collect()
}

for_each_database! {
    async fn refs_are_created_moved_and_deleted(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let first = tool.tip("main").await;
        tool.put("a", "1\n").await;
        let second = tool.tip("main").await;
        let made = tool.post("git/refs", json!({ "ref": "refs/heads/topic", "sha": first })).await.expect(201);
        assert!(made.headers["location"].to_str().expect("what was asked for").ends_with("/repos/alice/tool/git/refs/heads/topic"));
        assert_eq!(made.json()["object"], tool.get("git/ref/heads/topic").await.expect(200).json()["object"]);
        let moved = tool.patch("git/refs/heads/topic", json!({ "sha": second })).await.expect(200).json();
        assert_eq!(sha(&moved["object"]), second);
        tool.patch("git/refs/heads/topic", json!({ "sha": second })).await.expect(200);
        let refused = tool.patch("git/refs/heads/topic", json!({ "sha": first })).await.expect(422).json();
        assert_eq!(refused["message"], "Update is not a fast forward");
        tool.patch("git/refs/heads/topic", json!({ "sha": first, "force": true })).await.expect(200);
        tool.delete("git/refs/heads/topic").await.expect(204);
        tool.get("git/ref/heads/topic").await.expect(404);
        assert_eq!(logged(&forge, &tool, "refs/heads/topic").await, [
            (Some(first.clone()), None, false),
            (Some(second.clone()), Some(first.clone()), true),
            (Some(first.clone()), Some(second), false),
            (None, Some(first), false),
        ]);
        assert_eq!(doors(&tool).await[..4], ["rest:refs/delete", "rest:refs/update", "rest:refs/update", "rest:refs/create"]);
    }

    async fn what_cannot_be_done_to_a_ref_is_said_as_on_github(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let main = tool.tip("main").await;
        let said = async |answer: forge_testing::Answer| answer.expect(422).json()["message"].as_str().expect("what was asked for").to_owned();
        let create = async |name: &str, sha: &str| said(tool.post("git/refs", json!({ "ref": name, "sha": sha })).await).await;
        assert_eq!(create("refs/heads/main", &main).await, "Reference already exists");
        assert_eq!(create("refs/heads/x", "1111111111111111111111111111111111111111").await, "Object does not exist");
        assert_eq!(create("refs/heads/x", "0000000000000000000000000000000000000000").await, "Object does not exist");
        assert!(create("refs/heads/x", "main").await.contains("40 characters"));
        let moved = tool.patch("git/refs/heads/none", json!({ "sha": main })).await;
        assert_eq!(said(moved).await, "Reference does not exist");
        assert_eq!(said(tool.delete("git/refs/heads/none").await).await, "Reference does not exist");
        assert!(said(tool.delete("git/refs/heads/main").await).await.contains("current branch"));
        let tree = sha(&tool.get("git/trees/main").await.expect(200).json());
        assert!(create("refs/heads/x", &tree).await.contains("a branch points to a commit"));
        tool.post("git/refs", json!({ "ref": "refs/tags/tree", "sha": tree })).await.expect(201);
        tool.post("git/refs", json!({ "ref": "refs/heads/x" })).await.expect(422);
        tool.post("git/refs", json!([])).await.expect(400);
    }

    /// A16, A23, A26, A27: names that mislead, and names that are the forge's own.
    async fn a16_a23_a26_a27_names_that_mislead_are_refused_at_every_door(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let main = tool.tip("main").await;
        tool.branch("own/ok", "main").await;
        tool.branch("spare", "main").await;
        tool.branch("kept", "main").await;
        let before = refs(&forge, &tool).await;
        for name in [
            "refs/pull/1/head", "refs/forge/held/1", "refs/replace/x", "refs/remotes/origin/x", "refs/stash", "refs/keep-around/1",
            "HEAD", "main", "heads/x", "refs/x", "refs//x", "refs/heads/", "refs/heads/../main", "refs/heads/own/../main",
            "refs/heads/.x", "refs/heads/x.lock", "refs/heads/x..y", "refs/heads/x y", "refs/heads/x@{1}", "refs/heads/-x",
            "refs/heads/HEAD", "refs/heads/@", "refs/heads/refs/heads/main", "refs/heads/ma\u{200b}in", "refs/heads/e\u{301}",
            "refs/tags/\u{202e}x", "refs/heads/Main", "refs/heads/OWN/OK", "refs/heads/main/sub", "refs/heads/own",
            "refs/heads/4b825dc642cb6eb9a060e54bf8d69288fbee4904", "refs/heads/\u{212a}ept", "refs/heads/x\0y", "refs/heads/x\ny",
        ] {
            let answer = tool.post("git/refs", json!({ "ref": name, "sha": main })).await;
            assert_eq!(answer.status, 422, "{name:?}: {}", answer.text());
            if let Some(short) = name.strip_prefix("refs/heads/") {
                let answer = tool.post("branches/spare/rename", json!({ "new_name": short })).await;
                assert_eq!(answer.status, 422, "{name:?}: {}", answer.text());
            }
        }
        assert_eq!(refs(&forge, &tool).await, before);
        for (method, path) in [
            ("PATCH", "heads/own/../main"), ("PATCH", "heads/own/%2e%2e/main"), ("PATCH", "heads/own%2F..%2Fmain"),
            ("PATCH", "heads/own/%252e%252e/main"), ("PATCH", "heads/own%252Fok"), ("DELETE", "heads/own/%252e%252e/ok"),
            ("PATCH", "pull/1/head"), ("DELETE", "pull/1/head"), ("PATCH", "forge/x"), ("PATCH", "HEAD"), ("DELETE", "heads/own"),
            ("DELETE", "heads/own/ok%20"), ("DELETE", "heads/own/ok%23x"), ("DELETE", "refs/refs/heads/own/ok"), ("DELETE", "heads/own/ok%00"),
        ] {
            let path = format!("git/refs/{path}");
            let answer = match method {
                "PATCH" => tool.patch(&path, json!({ "sha": main, "force": true })).await,
                _ => tool.delete(&path).await,
            };
            assert!(matches!(answer.status.as_u16(), 404 | 422), "{method} {path}: {} {}", answer.status, answer.text());
        }
        assert_eq!(refs(&forge, &tool).await, before);
        for name in ["refs/heads/a#b", "refs/heads/main?ref=x", "refs/heads/100%", "refs/heads/%2e%2e", "refs/notes/commits", "refs/heads/feature/é"] {
            let made = tool.post("git/refs", json!({ "ref": name, "sha": main })).await;
            assert!(made.status == 201 || name.contains('?'), "{name}: {}", made.text());
        }
        tool.get("git/ref/heads/a%23b").await.expect(200);
        tool.delete("git/refs/heads/%252e%252e").await.expect(204);
        tool.get("git/ref/heads/100%25").await.expect(200);
    }

    /// A22: whoever names what it saw last changes nothing of what came since.
    async fn a22_a_stale_sha_changes_nothing(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let before = sha(&tool.get("contents/README.md").await.expect(200).json());
        tool.put("README.md", "theirs\n").await;
        let tip = tool.tip("main").await;
        let path = "/api/v3/repos/alice/tool/contents/README.md";
        let mut body = json!({ "message": "mine", "content": encoded("mine\n") });
        assert!(tool.client.put(path, &body).await.expect(422).text().contains("wasn't supplied"));
        for stale in [before.as_str(), "1111111111111111111111111111111111111111", "main", ""] {
            body["sha"] = json!(stale);
            tool.client.put(path, &body).await.expect(409);
            tool.client.send_json(http::Method::DELETE, path, &json!({ "message": "x", "sha": stale })).await.expect(409);
        }
        let new = "/api/v3/repos/alice/tool/contents/new";
        tool.client.put(new, &json!({ "message": "x", "content": "", "sha": before })).await.expect(409);
        assert_eq!(tool.tip("main").await, tip);
    }

    async fn files_are_created_changed_and_deleted_by_commits(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let path = "/api/v3/repos/alice/tool/contents/src/a%20b.txt";
        let body = json!({
            "message": "add", "content": encoded("1\n"),
            "author": { "name": "Mona", "email": "mona@forge.example", "date": "2024-01-01T00:00:00Z" },
        });
        let made = tool.client.put(path, &body).await.expect(201).json();
        assert_eq!((&made["content"]["path"], &made["content"]["name"]), (&json!("src/a b.txt"), &json!("a b.txt")));
        assert_eq!((&made["commit"]["author"]["name"], &made["commit"]["committer"]["name"]), (&json!("Mona"), &json!("alice")));
        assert_eq!(made["commit"]["sha"], json!(tool.tip("main").await));
        let body = json!({ "message": "change", "content": encoded("2\n"), "sha": made["content"]["sha"] });
        let changed = tool.client.put(path, &body).await.expect(200).json();
        assert_eq!(changed["commit"]["parents"][0]["sha"], made["commit"]["sha"]);
        assert_eq!(decoded(&tool.get("contents/src/a%20b.txt").await.expect(200).json()), "2\n");
        tool.branch("topic", "main").await;
        let body = json!({ "message": "gone", "sha": changed["content"]["sha"], "branch": "topic" });
        let gone = tool.client.send_json(http::Method::DELETE, path, &body).await.expect(200).json();
        assert_eq!(gone["content"], Value::Null);
        tool.get("contents/src?ref=topic").await.expect(404);
        tool.get("contents/src/a%20b.txt").await.expect(200);
        let query = format!("{path}?message=gone&sha={}", sha(&changed["content"]));
        tool.client.delete(&query).await.expect(200);
        tool.client.delete(&query).await.expect(404);
        assert_eq!(doors(&tool).await[..3], ["rest:contents/delete", "rest:contents/delete", "rest:refs/create"]);
        assert_eq!(doors(&tool).await[3..5], ["rest:contents/put", "rest:contents/put"]);
    }

    async fn a_file_of_an_empty_repository_makes_its_first_branch(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        crate::repository(&alice, "user", "tool", "public").await;
        let tool = Tool { client: alice };
        let body = json!({ "message": "first", "content": encoded("1\n") });
        let made = tool.client.put("/api/v3/repos/alice/tool/contents/a", &body).await.expect(201).json();
        assert_eq!(made["commit"]["parents"], json!([]));
        assert_eq!(tool.tip("main").await, sha(&made["commit"]));
    }

    async fn paths_and_branches_that_are_none_change_nothing(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        tool.put("dir/file", "1\n").await;
        let tip = tool.tip("main").await;
        for path in ["README.md/inner", "dir", "a/%2e%2e/b", ".git/config", "a/.GIT/config", "a//b", "a%00b", ".git", "dir%2F..%2Fx", "x/"] {
            let body = json!({ "message": "x", "content": encoded("x"), "sha": null });
            let answer = tool.client.put(&format!("/api/v3/repos/alice/tool/contents/{path}"), &body).await;
            assert!(matches!(answer.status.as_u16(), 404 | 422), "{path}: {} {}", answer.status, answer.text());
        }
        let put = async |body: Value| tool.client.put("/api/v3/repos/alice/tool/contents/new", &body).await;
        for branch in ["none", "../main", "refs/heads/main", "", "main#x", "v1"] {
            let body = json!({ "message": "x", "content": "", "branch": branch });
            put(body).await.expect(404);
        }
        put(json!({ "message": "x", "content": "?" })).await.expect(422);
        put(json!({ "content": "" })).await.expect(422);
        put(json!({ "message": "x", "content": "", "author": { "name": "x" } })).await.expect(422);
        put(json!({ "message": "x", "content": "", "committer": { "name": "x>", "email": "y" } })).await.expect(422);
        assert_eq!(tool.tip("main").await, tip);
    }

    async fn a_branch_is_renamed_and_a_default_one_stays_the_default(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let tip = tool.tip("main").await;
        tool.branch("topic", "main").await;
        let renamed = tool.post("branches/topic/rename", json!({ "new_name": "Topic" })).await.expect(201).json();
        assert_eq!((&renamed["name"], &renamed["commit"]["sha"]), (&json!("Topic"), &json!(tip)));
        tool.post("branches/Topic/rename", json!({ "new_name": "Topic/deeper" })).await.expect(201);
        tool.post("branches/topic/rename", json!({ "new_name": "x" })).await.expect(404);
        tool.post("branches/main/rename", json!({ "new_name": "Topic%2Fdeeper" })).await.expect(201);
        tool.post("branches/Topic%252Fdeeper/rename", json!({ "new_name": "trunk" })).await.expect(201);
        assert_eq!(tool.get("").await.expect(200).json()["default_branch"], "trunk");
        let names: Vec<String> = refs(&forge, &tool).await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["refs/heads/Topic/deeper", "refs/heads/trunk"]);
        tool.delete("git/refs/heads/trunk").await.expect(422);
        assert_eq!(logged(&forge, &tool, "refs/heads/trunk").await, [(None, Some(tip), false)]);
    }

    /// A36: a name that is taken is not taken over, and the default branch is renamed by those who administer alone.
    async fn a36_a_branch_is_not_renamed_into_another(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        tool.branch("own", "main").await;
        tool.put("a", "1\n").await;
        let before = refs(&forge, &tool).await;
        for name in ["main", "own", "refs/heads/own/x", "own/../main"] {
            tool.post("branches/own/rename", json!({ "new_name": name })).await.expect(422);
        }
        let bob = tool.writer(&forge, "bob").await;
        let rename = async |from: &str| {
            let path = format!("/api/v3/repos/alice/tool/branches/{from}/rename");
            bob.post(&path, &json!({ "new_name": "mine" })).await
        };
        rename("main").await.expect(403);
        assert_eq!(refs(&forge, &tool).await, before);
        assert_eq!(tool.get("").await.expect(200).json()["default_branch"], "main");
        rename("own").await.expect(201);
    }

    async fn branches_are_merged_or_have_nothing_to_merge_or_contradict_one_another(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        for branch in ["ours", "theirs", "clash"] {
            tool.branch(branch, "main").await;
        }
        tool.put_on("ours", "a", "ours\n").await;
        tool.put_on("theirs", "b", "theirs\n").await;
        tool.put_on("clash", "a", "clash\n").await;
        let (ours, theirs) = (tool.tip("ours").await, tool.tip("theirs").await);
        let merged = tool.post("merges", json!({ "base": "ours", "head": "theirs" })).await.expect(201).json();
        assert_eq!(merged["commit"]["message"], "Merge theirs into ours");
        let parents: Vec<String> = merged["parents"].as_array().expect("what was asked for").iter().map(sha).collect();
        assert_eq!(parents, [ours, theirs.clone()]);
        assert_eq!(tool.tip("ours").await, sha(&merged));
        assert_eq!(decoded(&tool.get("contents/b?ref=ours").await.expect(200).json()), "theirs\n");
        tool.post("merges", json!({ "base": "ours", "head": theirs })).await.expect(204);
        tool.post("merges", json!({ "base": "ours", "head": "main" })).await.expect(204);
        let conflict = tool.post("merges", json!({ "base": "ours", "head": "clash" })).await.expect(409).json();
        assert_eq!(conflict["message"], "Merge conflict");
        assert_eq!(tool.tip("ours").await, sha(&merged));
        let body = json!({ "base": "main", "head": sha(&merged), "commit_message": "Forward" });
        assert_eq!(tool.post("merges", body).await.expect(201).json()["commit"]["message"], "Forward");
        for (base, head) in [("none", "main"), ("main", "none"), ("main", "1111111111111111111111111111111111111111"), (&theirs, "main"), ("refs/heads/main", "clash")] {
            tool.post("merges", json!({ "base": base, "head": head })).await.expect(404);
        }
        assert_eq!(doors(&tool).await[0], "rest:branches/merge");
    }

    /// A35: the doors of REST are for those who may push.
    async fn a35_whoever_may_only_read_moves_nothing_by_any_door(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        tool.branch("topic", "main").await;
        tool.put_on("topic", "a", "1\n").await;
        let topic = tool.tip("topic").await;
        let file = sha(&tool.get("contents/README.md").await.expect(200).json());
        let before = refs(&forge, &tool).await;
        let mallory = forge.human_client("mallory").await;
        for (client, status) in [(&mallory, 403), (&forge.client(), 401)] {
            let at = |path: &str| format!("/api/v3/repos/alice/tool/{path}");
            for (method, path, body) in [
                ("POST", "git/refs", json!({ "ref": "refs/heads/x", "sha": topic })),
                ("PATCH", "git/refs/heads/main", json!({ "sha": topic })),
                ("DELETE", "git/refs/heads/topic", json!({})),
                ("PUT", "contents/README.md", json!({ "message": "x", "content": "", "sha": file })),
                ("DELETE", "contents/README.md", json!({ "message": "x", "sha": file })),
                ("POST", "branches/topic/rename", json!({ "new_name": "x" })),
                ("POST", "merges", json!({ "base": "main", "head": "topic" })),
                ("POST", "git/blobs", json!({ "content": "x" })),
                ("POST", "git/trees", json!({ "tree": [{ "path": "a", "mode": "100644", "content": "x" }] })),
                ("POST", "git/commits", json!({ "message": "x", "tree": file })),
                ("POST", "git/tags", json!({ "tag": "v", "message": "x", "object": topic, "type": "commit" })),
            ] {
                let answer = client.send_json(method.parse().expect("what was asked for"), &at(path), &body).await;
                assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
            }
        }
        assert_eq!(refs(&forge, &tool).await, before);
    }

    async fn an_archived_repository_moves_no_ref(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let main = tool.tip("main").await;
        tool.patch("", json!({ "archived": true })).await.expect(200);
        tool.post("git/refs", json!({ "ref": "refs/heads/x", "sha": main })).await.expect(403);
        tool.post("git/blobs", json!({ "content": "x" })).await.expect(403);
        tool.get(&format!("git/commits/{main}")).await.expect(200);
    }

    /// A44: a former name and a number lead to the same decision as the present name.
    async fn a44_a_former_name_moves_nothing_that_the_present_one_would_not(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let main = tool.tip("main").await;
        let number = id(&tool).await;
        tool.patch("", json!({ "name": "renamed" })).await.expect(200);
        let mallory = forge.human_client("mallory").await;
        let body = json!({ "ref": "refs/heads/x", "sha": main });
        for place in ["repos/alice/tool".to_owned(), "repos/alice/renamed".into(), format!("repositories/{number}")] {
            mallory.post(&format!("/api/v3/{place}/git/refs"), &body).await.expect(404);
        }
        tool.client.post("/api/v3/repos/alice/tool/git/refs", &body).await.expect(307);
        tool.client.get("/api/v3/repos/alice/renamed/git/ref/heads/x").await.expect(404);
    }

    async fn two_who_commit_at_once_both_stand_or_one_is_told(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let put = |name: &'static str| {
            let client = tool.client.clone();
            let body = json!({ "message": name, "content": encoded(name) });
            async move { client.put(&format!("/api/v3/repos/alice/tool/contents/{name}"), &body).await.status.as_u16() }
        };
        let done = tokio::join!(put("a"), put("b"), put("c"), put("d"));
        let done = [("a", done.0), ("b", done.1), ("c", done.2), ("d", done.3)];
        assert!(done.iter().any(|(_, status)| *status == 201), "{done:?}");
        for (name, status) in done {
            assert!(matches!(status, 201 | 409), "{name}: {status}");
            let found = tool.get(&format!("contents/{name}")).await.status;
            assert_eq!(found == 200, status == 201, "{name}");
        }
    }
}
