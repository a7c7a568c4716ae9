//! <https://docs.github.com/rest/git>: objects made and read without a clone.

use std::time::Duration;

use forge_testing::{Client, TestForge, for_each_database};
use http::header::ACCEPT;
use serde_json::{Value, json};

use crate::world::{Tool, decoded, sha};

const NOWHERE: &str = "1111111111111111111111111111111111111111";

async fn blob(tool: &Tool, text: &str) -> String {
    let made = tool.post("git/blobs", json!({ "content": text, "encoding": "utf-8" })).await;
    sha(&made.expect(201).json())
}

async fn tree(tool: &Tool, body: Value) -> Value {
    tool.post("git/trees", body).await.expect(201).json()
}

async fn commit(tool: &Tool, tree: &str, parents: &[&str]) -> Value {
    let body = json!({ "message": "made\n\nby hand", "tree": tree, "parents": parents });
    tool.post("git/commits", body).await.expect(201).json()
}

/// Commits `file` with this text on top of `main`, without moving a ref.
async fn loose_commit(tool: &Tool, file: &str, text: &str) -> Value {
    let entry = json!({ "path": file, "mode": "100644", "type": "blob", "content": text });
    let made = tree(tool, json!({ "base_tree": tool.tip("main").await, "tree": [entry] })).await;
    commit(tool, &sha(&made), &[&tool.tip("main").await]).await
}

async fn reads(client: &Client, path: &str) -> u16 {
    client.get(&format!("/api/v3/repos/alice/tool/{path}")).await.status.as_u16()
}

for_each_database! {
    async fn a_commit_is_made_from_blob_to_ref_and_git_sees_it(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let main = tool.tip("main").await;
        let made = blob(&tool, "hello\n").await;
        assert_eq!(made, "ce013625030ba8dba906f756967f9e9ca394464a", "as git hash-object says");
        let made = tree(&tool, json!({ "base_tree": main, "tree": [
            { "path": "src/deep/hello.txt", "mode": "100755", "type": "blob", "sha": made },
            { "path": "inline", "mode": "100644", "type": "blob", "content": "inline\n" },
        ] })).await;
        let paths: Vec<_> = made["tree"].as_array().expect("what was asked for").iter().map(|entry| entry["path"].as_str().expect("what was asked for")).collect();
        assert_eq!(paths, ["README.md", "inline", "src"]);
        let body = json!({
            "message": "words", "tree": made["sha"], "parents": [main],
            "author": { "name": "Mona", "email": "mona@forge.example", "date": "2024-02-03T04:05:06+02:00" },
        });
        let made = tool.post("git/commits", body).await.expect(201).json();
        assert_eq!(made["author"], json!({ "name": "Mona", "email": "mona@forge.example", "date": "2024-02-03T02:05:06Z" }));
        assert_eq!(made["committer"], made["author"], "the author stands for the committer");
        assert_eq!(made["verification"]["reason"], "unsigned");
        tool.post("git/refs", json!({ "ref": "refs/heads/topic", "sha": made["sha"] })).await.expect(201);
        assert_eq!(tool.tip("topic").await, sha(&made));
        let file = tool.get("contents/src/deep/hello.txt?ref=topic").await.expect(200).json();
        assert_eq!(decoded(&file), "hello\n");
        let listed = tool.get("git/trees/topic?recursive=1").await.expect(200).json();
        let deep = listed["tree"].as_array().expect("what was asked for").iter().find(|entry| entry["path"] == "src/deep/hello.txt");
        assert_eq!(deep.map(|entry| (&entry["mode"], &entry["size"])), Some((&json!("100755"), &json!(6))));
    }

    async fn entries_with_a_null_sha_go_and_directories_give_way_to_files(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        tool.put("dir/one", "1\n").await;
        tool.put("dir/two", "2\n").await;
        let main = tool.tip("main").await;
        let paths = |made: Value| -> Vec<String> {
            made["tree"].as_array().expect("what was asked for").iter().map(|entry| entry["path"].as_str().expect("what was asked for").to_owned()).collect()
        };
        let gone = json!({ "base_tree": main, "tree": [{ "path": "dir/one", "mode": "100644", "type": "blob", "sha": null }] });
        assert_eq!(paths(tree(&tool, gone).await), ["README.md", "dir"]);
        let file = json!({ "base_tree": main, "tree": [{ "path": "dir", "mode": "100644", "type": "blob", "content": "x" }] });
        assert_eq!(paths(tree(&tool, file).await), ["README.md", "dir"]);
        let alone = json!({ "tree": [{ "path": "only", "mode": "120000", "type": "blob", "content": "README.md" }] });
        assert_eq!(paths(tree(&tool, alone).await), ["only"]);
    }

    async fn an_annotated_tag_is_an_object_and_a_ref(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let main = tool.tip("main").await;
        let body = json!({ "tag": "v1", "message": "first\n", "object": main, "type": "commit" });
        let tag = tool.post("git/tags", body).await.expect(201).json();
        assert_eq!((&tag["tag"], &tag["object"]["sha"]), (&json!("v1"), &json!(main)));
        assert_eq!(tag["tagger"]["name"], "alice");
        assert_eq!(tool.get("git/ref/tags/v1").await.status, 404, "no ref moved");
        tool.post("git/refs", json!({ "ref": "refs/tags/v1", "sha": tag["sha"] })).await.expect(201);
        let found = tool.get("git/ref/tags/v1").await.expect(200).json();
        assert_eq!((&found["object"]["type"], &found["object"]["sha"]), (&json!("tag"), &tag["sha"]));
        assert_eq!(tool.get(&format!("git/tags/{}", sha(&tag))).await.expect(200).json(), tag);
        assert_eq!(tool.get("commits/v1").await.expect(200).json()["sha"], json!(main));
        for body in [
            json!({ "tag": "v2", "message": "x", "object": main, "type": "tree" }),
            json!({ "tag": "../v2", "message": "x", "object": main, "type": "commit" }),
            json!({ "tag": "v2", "message": "x", "object": NOWHERE, "type": "commit" }),
            json!({ "tag": "v2", "message": "x", "object": "main", "type": "commit" }),
            json!({ "tag": "v2", "message": "x", "object": main, "type": "branch" }),
        ] {
            tool.post("git/tags", body).await.expect(422);
        }
    }

    async fn a_blob_comes_as_base64_or_raw(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let body = json!({ "content": "AP8K\n", "encoding": "base64" });
        let made = sha(&tool.post("git/blobs", body).await.expect(201).json());
        let found = tool.get(&format!("git/blobs/{made}")).await.expect(200).json();
        assert_eq!((&found["size"], &found["encoding"]), (&json!(3), &json!("base64")));
        let raw = tool.client.clone().with_header(ACCEPT, "application/vnd.github.raw+json");
        let raw = raw.get(&format!("/api/v3/repos/alice/tool/git/blobs/{made}")).await.expect(200);
        assert_eq!(raw.body.as_ref(), [0, 255, 10]);
        for body in [json!({ "content": "?", "encoding": "base64" }), json!({ "content": "x", "encoding": "latin1" }), json!({})] {
            tool.post("git/blobs", body).await.expect(422);
        }
    }

    async fn nonsense_is_refused_and_never_a_fault_of_ours(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let main = tool.tip("main").await;
        let file = sha(&tool.get("contents/README.md").await.expect(200).json());
        let entry = |path: &str, mode: &str, sha: &str| json!({ "tree": [{ "path": path, "mode": mode, "sha": sha }] });
        for body in [
            json!({ "tree": [] }), entry("a", "100645", &file), entry("a", "100644", "zz"), entry("a", "100644", NOWHERE),
            entry("a", "040000", &file), entry("a", "100644", &main), entry("", "100644", &file), entry("/a", "100644", &file),
            entry("a/../b", "100644", &file), entry(".git/config", "100644", &file), entry("a//b", "100644", &file),
            entry("a\0b", "100644", &file), entry(&"a/".repeat(3000), "100644", &file),
            json!({ "tree": [{ "path": "a", "mode": "100644", "sha": file, "content": "x" }] }),
            json!({ "tree": [{ "path": "a", "mode": "100644" }] }),
            json!({ "tree": [{ "path": "none", "mode": "100644", "sha": null }] }),
            json!({ "tree": [{ "path": "a", "mode": "100644", "type": "tree", "sha": file }] }),
            json!({ "base_tree": NOWHERE, "tree": [{ "path": "a", "mode": "100644", "sha": file }] }),
            json!({ "base_tree": file, "tree": [{ "path": "a", "mode": "100644", "sha": file }] }),
            json!({ "tree": [{ "path": "a", "mode": "100644", "sha": file }, { "path": "a/b", "mode": "100644", "sha": file }] }),
        ] {
            assert_eq!(tool.post("git/trees", body.clone()).await.status, 422, "{body}");
        }
        let tree = sha(&tool.get("git/trees/main").await.expect(200).json());
        let person = |name: &str, email: &str| json!({ "name": name, "email": email });
        for body in [
            json!({ "message": "x", "tree": NOWHERE }), json!({ "message": "x", "tree": main }), json!({ "message": "x", "tree": "HEAD" }),
            json!({ "message": "x", "tree": tree, "parents": [NOWHERE] }), json!({ "message": "x", "tree": tree, "parents": [tree] }),
            json!({ "message": "x", "tree": tree, "parents": ["main"] }), json!({ "message": "a\0b", "tree": tree }),
            json!({ "message": "x", "tree": tree, "author": person("", "a@b") }),
            json!({ "message": "x", "tree": tree, "author": person("a\nparent b", "a@b") }),
            json!({ "message": "x", "tree": tree, "author": { "name": "a", "email": "a@b", "date": "yesterday" } }),
            json!({ "message": "x", "tree": tree, "author": { "name": "a", "email": "a@b", "date": "1960-01-01T00:00:00Z" } }),
            json!({ "tree": tree }),
        ] {
            assert_eq!(tool.post("git/commits", body.clone()).await.status, 422, "{body}");
        }
        for path in ["git/blobs", "git/commits", "git/tags"] {
            for id in ["main", "zz", "e83c5163316f89bfbde7d9ab23ca2e25604af29g"] {
                assert_eq!(reads(&tool.client, &format!("{path}/{id}")).await, 422, "{path}/{id}");
            }
            assert_eq!(reads(&tool.client, &format!("{path}/{NOWHERE}")).await, 404);
        }
        for path in [format!("git/blobs/{main}"), format!("git/commits/{file}"), format!("git/tags/{main}"), format!("git/trees/{file}")] {
            assert_eq!(reads(&tool.client, &path).await, 404, "{path}");
        }
    }

    async fn an_empty_repository_is_said_to_be_empty(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        crate::repository(&alice, "user", "tool", "public").await;
        let tool = Tool { client: alice };
        for path in ["commits", "commits/main", "git/trees/main"] {
            assert_eq!(tool.get(path).await.expect(409).json()["message"], "Git Repository is empty.");
        }
        tool.post("git/blobs", json!({ "content": "x" })).await.expect(409);
        tool.post("git/refs", json!({ "ref": "refs/heads/main", "sha": NOWHERE })).await.expect(409);
    }

    async fn what_no_ref_reaches_is_its_makers_alone_for_a_day(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let other = tool.writer(&forge, "bob").await;
        let made = loose_commit(&tool, "secret", "secret\n").await;
        let (commit, tree) = (sha(&made), sha(&made["tree"]));
        let listed = tool.get(&format!("git/trees/{tree}")).await.expect(200).json();
        let secret = listed["tree"].as_array().expect("what was asked for").iter().find(|entry| entry["path"] == "secret").map(sha).expect("what was asked for");
        let paths = [
            format!("git/commits/{commit}"), format!("git/trees/{tree}"), format!("git/trees/{commit}"), format!("git/blobs/{secret}"),
            format!("contents/secret?ref={commit}"), format!("compare/main...{commit}"), format!("commits?sha={commit}"),
            format!("readme?ref={commit}"),
        ];
        for path in &paths {
            assert_eq!(reads(&tool.client, path).await, 200, "{path}");
            for client in [&other, &forge.client()] {
                assert_eq!(reads(client, path).await, 404, "{path}");
            }
        }
        assert_eq!(reads(&other, &format!("commits/{commit}")).await, 422);
        let naming = json!({ "tree": [{ "path": "mine", "mode": "100644", "sha": secret }] });
        other.post("/api/v3/repos/alice/tool/git/trees", &naming).await.expect(422);
        let naming = json!({ "message": "x", "tree": tree });
        other.post("/api/v3/repos/alice/tool/git/commits", &naming).await.expect(422);
        let naming = json!({ "ref": "refs/heads/mine", "sha": commit });
        other.post("/api/v3/repos/alice/tool/git/refs", &naming).await.expect(422);
        forge.advance(Duration::from_secs(24 * 3600 + 1));
        for path in &paths {
            assert_eq!(reads(&tool.client, path).await, 404, "{path}, a day later");
        }
        tool.post("git/refs", json!({ "ref": "refs/heads/late", "sha": commit })).await.expect(422);
        forge.run_jobs().await;
        let again = loose_commit(&tool, "secret", "secret\n").await;
        tool.post("git/refs", json!({ "ref": "refs/heads/known", "sha": again["sha"] })).await.expect(201);
        assert_eq!(reads(&forge.client(), &format!("git/blobs/{secret}")).await, 200, "a ref reaches it");
    }

    /// What was pushed and taken back must not be had by building on it either.
    async fn an_object_that_builds_on_removed_history_is_not_readable(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let before = tool.tip("main").await;
        tool.put("secret", "secret\n").await;
        let removed = tool.tip("main").await;
        let secret = sha(&tool.get("contents/secret").await.expect(200).json());
        let entry = json!({ "path": "note", "mode": "100644", "type": "blob", "content": "note\n" });
        let on_top = tree(&tool, json!({ "base_tree": removed, "tree": [entry] })).await;
        let built = commit(&tool, &sha(&on_top), &[&removed]).await;
        let paths = [
            format!("git/commits/{}", sha(&built)), format!("git/trees/{}", sha(&on_top)), format!("commits?sha={}", sha(&built)),
            format!("git/blobs/{secret}"), format!("git/commits/{removed}"), format!("contents/secret?ref={removed}"),
            format!("compare/{before}...{removed}"), format!("git/trees/{removed}"),
        ];
        for path in &paths {
            assert_eq!(reads(&tool.client, path).await, 200, "{path}");
        }
        tool.patch("git/refs/heads/main", json!({ "sha": before, "force": true })).await.expect(200);
        for path in &paths {
            assert_eq!(reads(&tool.client, path).await, 404, "{path}");
        }
        assert_eq!(reads(&tool.client, &format!("commits/{removed}")).await, 422);
        for (path, body) in [
            ("git/trees", json!({ "tree": [{ "path": "back", "mode": "100644", "sha": secret }] })),
            ("git/commits", json!({ "message": "x", "tree": on_top["sha"] })),
            ("git/commits", json!({ "message": "x", "tree": sha(&tool.get("git/trees/main").await.expect(200).json()), "parents": [removed] })),
            ("git/tags", json!({ "tag": "back", "message": "x", "object": removed, "type": "commit" })),
            ("git/refs", json!({ "ref": "refs/heads/back", "sha": removed })),
            ("git/refs", json!({ "ref": "refs/heads/back", "sha": built["sha"] })),
        ] {
            assert_eq!(tool.post(path, body.clone()).await.status, 422, "{path} {body}");
        }
        forge.run_jobs().await;
        for path in &paths {
            assert_eq!(reads(&tool.client, path).await, 404, "{path}, after maintenance");
        }
    }

    async fn a_private_repository_is_as_an_absent_one(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let main = tool.tip("main").await;
        let mallory = forge.human_client("mallory").await;
        let file = sha(&tool.get("contents/README.md").await.expect(200).json());
        for path in [
            "commits".to_owned(), "commits/main".into(), format!("git/commits/{main}"), format!("git/blobs/{file}"),
            "git/trees/main".into(), "compare/main...main".into(), "git/ref/heads/main".into(), format!("git/tags/{main}"),
            "git/blobs/zz".into(), "commits/none".into(),
        ] {
            let answers = [
                mallory.get(&format!("/api/v3/repos/alice/tool/{path}")).await,
                mallory.get(&format!("/api/v3/repos/alice/none/{path}")).await,
            ];
            assert_eq!(answers[0].status, answers[1].status, "{path}");
            assert_eq!(answers[0].text(), answers[1].text(), "{path}");
        }
        for (path, body) in [
            ("git/blobs", json!({ "content": "x" })), ("git/refs", json!({ "ref": "refs/heads/x", "sha": main })),
            ("git/trees", json!({ "tree": [{ "path": "a", "mode": "100644", "content": "x" }] })),
            ("git/commits", json!({ "message": "x", "tree": main })), ("merges", json!({ "base": "main", "head": "main" })),
            ("git/tags", json!({ "tag": "v", "message": "x", "object": main, "type": "commit" })),
            ("branches/main/rename", json!({ "new_name": "x" })),
        ] {
            let hidden = mallory.post(&format!("/api/v3/repos/alice/tool/{path}"), &body).await.expect(404).text();
            assert_eq!(hidden, mallory.post(&format!("/api/v3/repos/alice/none/{path}"), &body).await.expect(404).text());
        }
    }

    async fn an_object_of_another_repository_is_none_of_this_one(forge: TestForge) {
        let tool = Tool::new(&forge, "private").await;
        let body = json!({ "name": "other", "visibility": "private", "auto_init": true });
        tool.client.post("/api/v3/user/repos", &body).await.expect(201);
        let made = blob(&tool, "only here\n").await;
        let commit = tool.tip("main").await;
        for path in [format!("git/blobs/{made}"), format!("git/commits/{commit}"), format!("contents/?ref={commit}")] {
            tool.client.get(&format!("/api/v3/repos/alice/other/{path}")).await.expect(404);
        }
        let other = "/api/v3/repos/alice/other";
        let body = json!({ "ref": "refs/heads/x", "sha": commit });
        tool.client.post(&format!("{other}/git/refs"), &body).await.expect(422);
        let body = json!({ "tree": [{ "path": "a", "mode": "100644", "sha": made }] });
        tool.client.post(&format!("{other}/git/trees"), &body).await.expect(422);
        let body = json!({ "base": "main", "head": commit });
        tool.client.post(&format!("{other}/merges"), &body).await.expect(404);
    }

    async fn many_objects_are_gathered_into_few_packs(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let mut last = String::new();
        for number in 0..15 {
            last = blob(&tool, &number.to_string()).await;
        }
        let id = tool.get("").await.expect(200).json()["id"].as_i64().expect("what was asked for");
        let packs = async || {
            let mut conn = forge.app().db().read().await.expect("what was asked for");
            forge_store::inventory::count_packs(&mut conn, forge_types::id::RepositoryId(id)).await.expect("what was asked for")
        };
        assert_eq!(packs().await, 16);
        forge.run_jobs().await;
        assert!(packs().await < 8, "maintenance was asked for");
        assert_eq!(reads(&tool.client, &format!("git/blobs/{last}")).await, 200);
    }
}
