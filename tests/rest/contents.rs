//! <https://docs.github.com/rest/repos/contents>, and what a new repository can begin with.

use std::time::Duration;

use forge_testing::{Client, TestForge, for_each_database};
use http::header::ACCEPT;
use serde_json::json;

use crate::{names, organization, repository};

async fn with_files(client: &Client, visibility: &str) -> String {
    let body = json!({
        "name": "tool", "description": "Does it", "visibility": visibility, "auto_init": true,
        "gitignore_template": "Rust", "license_template": "mit",
    });
    let created = client.post("/api/v3/user/repos", &body).await.expect(201).json();
    assert_eq!(created["license"]["spdx_id"], "MIT");
    let branches = client.get("/api/v3/repos/alice/tool/branches").await.expect(200).json();
    assert_eq!(names(&branches, "name"), ["main"]);
    branches[0]["commit"]["sha"].as_str().expect("a commit").to_owned()
}

fn text(content: &serde_json::Value) -> String {
    let encoded = content["content"].as_str().expect("content").replace('\n', "");
    let bytes = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base64");
    String::from_utf8(bytes).expect("text")
}

for_each_database! {
    async fn a_repository_begins_with_the_files_asked_for(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        with_files(&alice, "private").await;
        let root = alice.get("/api/v3/repos/alice/tool/contents").await.expect(200).json();
        assert_eq!(names(&root, "name"), [".gitignore", "LICENSE", "README.md"]);
        let readme = alice.get("/api/v3/repos/alice/tool/readme").await.expect(200).json();
        assert_eq!((text(&readme), &readme["path"]), ("# tool\n\nDoes it\n".to_owned(), &json!("README.md")));
        let license = alice.get("/api/v3/repos/alice/tool/contents/LICENSE").await.expect(200).json();
        assert!(text(&license).contains("Copyright (c) 2026 alice"));
        let stranger = forge.human_client("mallory").await;
        for path in ["readme", "contents", "contents/LICENSE", "branches", "git/ref/heads/main"] {
            stranger.get(&format!("/api/v3/repos/alice/tool/{path}")).await.expect(404);
        }
    }

    async fn an_empty_repository_has_no_readme_and_no_branches(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "public").await;
        alice.get("/api/v3/repos/alice/tool/readme").await.expect(404);
        alice.get("/api/v3/repos/alice/tool/contents").await.expect(404);
        assert_eq!(alice.get("/api/v3/repos/alice/tool/branches").await.expect(200).json(), json!([]));
    }

    async fn unknown_templates_create_nothing(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for body in [
            json!({ "name": "tool", "gitignore_template": "Nothing" }),
            json!({ "name": "tool", "license_template": "none-such" }),
        ] {
            alice.post("/api/v3/user/repos", &body).await.expect(422);
        }
        alice.get("/api/v3/repos/alice/tool").await.expect(404);
    }

    async fn files_are_read_by_branch_commit_and_in_the_form_asked_for(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let commit = with_files(&alice, "public").await;
        let path = "/api/v3/repos/alice/tool/contents/README.md";
        for revision in ["main", "refs/heads/main", &commit] {
            alice.get(&format!("{path}?ref={revision}")).await.expect(200);
        }
        for revision in ["absent", "0123456789012345678901234567890123456789", "refs/pull/1/head", "../x"] {
            alice.get(&format!("{path}?ref={revision}")).await.expect(404);
        }
        let raw = alice.clone().with_header(ACCEPT, "application/vnd.github.raw").get(path).await.expect(200);
        assert_eq!(raw.text(), "# tool\n\nDoes it\n");
        let object = alice.clone().with_header(ACCEPT, "application/vnd.github.object+json");
        let root = object.get("/api/v3/repos/alice/tool/contents/").await.expect(200).json();
        assert_eq!((&root["type"], names(&root["entries"], "type")), (&json!("dir"), vec!["file".to_owned(); 3]));
        alice.get("/api/v3/repos/alice/tool/contents/absent").await.expect(404);
        alice.get("/api/v3/repos/alice/tool/contents/README.md/inner").await.expect(404);
    }

    async fn refs_are_found_with_encoded_and_plain_slashes(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let commit = with_files(&alice, "public").await;
        for path in ["git/ref/heads/main", "git/ref/heads%2Fmain"] {
            let found = alice.get(&format!("/api/v3/repos/alice/tool/{path}")).await.expect(200).json();
            assert_eq!((&found["ref"], &found["object"]["sha"]), (&json!("refs/heads/main"), &json!(commit)));
            assert_eq!(found["object"]["type"], "commit");
        }
        alice.get("/api/v3/repos/alice/tool/git/ref/heads/absent").await.expect(404);
        alice.get("/api/v3/repos/alice/tool/git/ref/heads").await.expect(404);
        let matching = alice.get("/api/v3/repos/alice/tool/git/matching-refs/heads/ma").await.expect(200).json();
        assert_eq!(names(&matching, "ref"), ["refs/heads/main"]);
    }

    async fn the_default_branch_changes_to_one_that_exists(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        with_files(&alice, "public").await;
        let body = json!({ "default_branch": "main" });
        alice.patch("/api/v3/repos/alice/tool", &body).await.expect(200);
        let refused = alice.patch("/api/v3/repos/alice/tool", &json!({ "default_branch": "next" })).await;
        assert_eq!(refused.expect(422).json()["errors"][0]["field"], "default_branch");
    }

    async fn an_organizations_repository_names_the_organization_in_its_licence(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        organization(&alice, "acme").await;
        let body = json!({ "name": "tool", "license_template": "isc" });
        alice.post("/api/v3/orgs/acme/repos", &body).await.expect(201);
        let license = alice.get("/api/v3/repos/acme/tool/contents/LICENSE").await.expect(200).json();
        assert!(text(&license).contains("2026 acme"));
        alice.get("/api/v3/repos/acme/tool/contents/README.md").await.expect(404);
    }

    async fn the_files_of_a_deleted_repository_go_once_its_time_is_over(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        with_files(&alice, "public").await;
        let id = alice.get("/api/v3/repos/alice/tool").await.expect(200).json()["id"].as_i64().expect("a number");
        let folder = forge.app().git().repository(forge_types::id::RepositoryId(id)).path().to_owned();
        assert!(folder.exists());
        alice.delete("/api/v3/repos/alice/tool").await.expect(204);
        assert!(folder.exists(), "files go after the transaction, not in it");
        forge.run_jobs().await;
        assert!(folder.exists(), "it may come back for a while");
        forge.advance(Duration::from_secs(31 * 24 * 3600));
        forge.run_jobs().await;
        assert!(!folder.exists());
        forge.run_jobs().await;
    }
}
