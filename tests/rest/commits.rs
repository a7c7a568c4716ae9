//! <https://docs.github.com/rest/commits/commits>: lists of commits, one commit, two compared.

use forge_testing::{TestForge, for_each_database};
use http::header::{ACCEPT, LINK};
use serde_json::{Value, json};

use crate::world::{Tool, sha};

fn messages(list: &Value) -> Vec<String> {
    let commits = list.as_array().expect("a list");
    commits
        .iter()
        .map(|commit| commit["commit"]["message"].as_str().expect("what was asked for").to_owned())
        .collect()
}

async fn listed(tool: &Tool, query: &str) -> Vec<String> {
    messages(&tool.get(&format!("commits?{query}")).await.expect(200).json())
}

/// `main` with three commits on top of the first, `topic` with two more.
async fn grown(forge: &TestForge) -> Tool {
    let tool = Tool::new(forge, "public").await;
    for (file, text) in [("a", "1\n"), ("d/b", "2\n"), ("a", "1\n3\n")] {
        forge.advance(std::time::Duration::from_secs(60));
        tool.put(file, text).await;
    }
    tool.branch("topic", "main").await;
    for (file, text) in [("c", "4\n"), ("d/b", "5\n")] {
        forge.advance(std::time::Duration::from_secs(60));
        tool.put_on("topic", file, text).await;
    }
    tool
}

for_each_database! {
    async fn commits_are_listed_newest_first_and_filtered(forge: TestForge) {
        let tool = grown(&forge).await;
        assert_eq!(listed(&tool, "").await, ["change a", "change d/b", "change a", "Initial commit"]);
        assert_eq!(listed(&tool, "sha=topic&per_page=2").await, ["change d/b", "change c"]);
        assert_eq!(listed(&tool, "sha=topic&per_page=2&page=2").await, ["change a", "change d/b"]);
        assert_eq!(listed(&tool, "path=a").await, ["change a", "change a"]);
        assert_eq!(listed(&tool, "path=d&sha=topic").await, ["change d/b", "change d/b"]);
        assert_eq!(listed(&tool, "path=none").await, Vec::<String>::new());
        assert_eq!(listed(&tool, "author=alice").await.len(), 4);
        assert_eq!(listed(&tool, "committer=alice&author=bob").await.len(), 0, "nobody is called bob");
        assert_eq!(listed(&tool, "author=nobody@forge.example").await.len(), 0);
        let all = tool.get("commits").await.expect(200).json();
        let second = all[1]["commit"]["committer"]["date"].as_str().expect("what was asked for");
        assert_eq!(listed(&tool, &format!("since={second}")).await, ["change a", "change d/b"]);
        assert_eq!(listed(&tool, &format!("until={second}")).await, ["change d/b", "change a", "Initial commit"]);
        let by_id = tool.get(&format!("commits?sha={}", sha(&all[2]))).await.expect(200).json();
        assert_eq!(messages(&by_id), ["change a", "Initial commit"]);
        for query in ["sha=none", "sha=refs/pull/1/head", "sha=../main"] {
            tool.get(&format!("commits?{query}")).await.expect(404);
        }
        tool.get("commits?since=yesterday").await.expect(422);
        let page = tool.get("commits?per_page=3").await.expect(200);
        assert!(page.headers[LINK].to_str().expect("what was asked for").contains("per_page=3&page=2>; rel=\"next\""));
        assert!(!tool.get("commits?per_page=4").await.expect(200).headers.contains_key(LINK));
    }

    async fn one_commit_says_what_it_changed(forge: TestForge) {
        let tool = grown(&forge).await;
        for name in ["main", "heads/main", "refs/heads/main", &tool.tip("main").await] {
            let found = tool.get(&format!("commits/{name}")).await.expect(200).json();
            assert_eq!(found["stats"], json!({ "total": 1, "additions": 1, "deletions": 0 }), "{name}");
            let file = &found["files"][0];
            assert_eq!((&file["filename"], &file["status"]), (&json!("a"), &json!("modified")));
            assert_eq!(file["patch"], "@@ -1 +1,2 @@\n 1\n+3");
        }
        let first = tool.get("commits?per_page=1&page=4").await.expect(200).json();
        let first = tool.get(&format!("commits/{}", sha(&first[0]))).await.expect(200).json();
        assert_eq!((&first["parents"], &first["files"][0]["status"]), (&json!([]), &json!("added")));
        for name in ["none", "1111111111111111111111111111111111111111", "refs/pull/1/head", "main~1", "@"] {
            let refused = tool.get(&format!("commits/{name}")).await.expect(422).json();
            assert_eq!(refused["message"], json!(format!("No commit found for SHA: {name}")));
        }
    }

    async fn files_of_a_large_commit_come_in_pages(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        let entries: Vec<Value> = (0..305)
            .map(|number| json!({ "path": format!("f{number:03}"), "mode": "100644", "content": "x\n" }))
            .collect();
        let main = tool.tip("main").await;
        let tree = tool.post("git/trees", json!({ "base_tree": main, "tree": entries })).await.expect(201).json();
        let body = json!({ "message": "many", "tree": tree["sha"], "parents": [main] });
        let made = tool.post("git/commits", body).await.expect(201).json();
        tool.patch("git/refs/heads/main", json!({ "sha": made["sha"] })).await.expect(200);
        let count = |found: &Value| found["files"].as_array().expect("what was asked for").len();
        let page = tool.get("commits/main").await.expect(200);
        assert!(page.headers.contains_key(LINK));
        let page = page.json();
        assert_eq!((count(&page), &page["stats"]["additions"]), (300, &json!(305)));
        assert_eq!(count(&tool.get("commits/main?page=4&per_page=100").await.expect(200).json()), 5);
    }

    async fn diffs_patches_and_ids_come_as_text(forge: TestForge) {
        let tool = grown(&forge).await;
        let asked = async |kind: &str, path: &str| {
            let client = tool.client.clone().with_header(ACCEPT, &format!("application/vnd.github.{kind}"));
            client.get(&format!("/api/v3/repos/alice/tool/{path}")).await.expect(200).text()
        };
        assert_eq!(asked("sha", "commits/main").await, tool.tip("main").await);
        let diff = asked("diff", "commits/main").await;
        assert!(diff.starts_with("diff --git a/a b/a\n") && diff.ends_with("@@ -1 +1,2 @@\n 1\n+3\n"), "{diff}");
        let patch = asked("v3.patch", "commits/main").await;
        assert!(patch.starts_with(&format!("From {} Mon Sep 17", tool.tip("main").await)), "{patch}");
        assert!(patch.contains("Subject: [PATCH] change a\n"), "{patch}");
        let diff = asked("diff", "compare/main...topic").await;
        assert_eq!(diff.matches("diff --git").count(), 2, "{diff}");
        let patch = asked("patch", "compare/main...topic").await;
        assert!(patch.contains("[PATCH 1/2] change c") && patch.contains("[PATCH 2/2] change d/b"), "{patch}");
    }

    async fn two_branches_are_compared_from_where_they_went_apart(forge: TestForge) {
        let tool = grown(&forge).await;
        let base = tool.tip("main").await;
        let found = tool.get("compare/main...topic").await.expect(200).json();
        assert_eq!((&found["status"], &found["ahead_by"], &found["behind_by"]), (&json!("ahead"), &json!(2), &json!(0)));
        assert_eq!(messages(&found["commits"]), ["change c", "change d/b"], "oldest first");
        assert_eq!(found["files"].as_array().expect("what was asked for").len(), 2);
        tool.put("e", "6\n").await;
        let found = tool.get("compare/main...alice:topic").await.expect(200).json();
        assert_eq!((&found["status"], &found["behind_by"]), (&json!("diverged"), &json!(1)));
        assert_eq!(sha(&found["merge_base_commit"]), base);
        assert_eq!(found["files"].as_array().expect("what was asked for").len(), 2, "what the base did since is not shown");
        let found = tool.get(&format!("compare/main...{base}")).await.expect(200).json();
        assert_eq!((&found["status"], &found["commits"]), (&json!("behind"), &json!([])));
        assert_eq!(tool.get("compare/topic...topic").await.expect(200).json()["status"], "identical");
        let page = tool.get("compare/main...topic?per_page=1&page=2").await.expect(200);
        assert_eq!((messages(&page.json()["commits"]), &page.json()["files"]), (vec!["change d/b".to_owned()], &json!([])));
        for names in ["main...none", "none...main", "main..topic", "main", "...main", "main...", "bob:main...topic"] {
            tool.get(&format!("compare/{names}")).await.expect(404);
        }
    }

    async fn branches_with_slashes_are_found_however_they_are_written(forge: TestForge) {
        let tool = Tool::new(&forge, "public").await;
        tool.branch("feature/x", "main").await;
        for path in ["commits/feature/x", "commits/feature%2Fx", "compare/main...feature/x", "compare/main...feature%2Fx", "git/trees/feature/x"] {
            tool.get(path).await.expect(200);
        }
        tool.get("commits/feature%252Fx").await.expect(422);
    }
}
