//! <https://docs.github.com/rest/repos/repos>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{organization, repository};

for_each_database! {
    async fn a_new_repository_has_githubs_settings_and_labels(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let body = json!({ "name": "Hello", "description": " A greeting ", "private": true, "has_wiki": false });
        let answer = alice.post("/api/v3/user/repos", &body).await.expect(201);
        assert_eq!(answer.header("location"), Some("https://forge.example/api/v3/repos/alice/Hello"));
        let created = answer.json();
        assert_eq!(created["full_name"], "alice/Hello");
        assert_eq!(created["visibility"], "private");
        assert_eq!(created["description"], "A greeting");
        assert_eq!(created["default_branch"], "main");
        assert_eq!(created["has_wiki"], false);
        assert_eq!(created["has_issues"], true);
        assert_eq!(created["permissions"]["admin"], true);
        assert_eq!(created["clone_url"], "https://forge.example/alice/Hello.git");
        assert!(created["node_id"].as_str().expect("an id").starts_with("R_"));
        let labels = alice.get("/api/v3/repos/alice/hello/labels").await.expect(200).json();
        assert_eq!(labels.as_array().expect("labels").len(), 9);
    }

    async fn a_taken_or_broken_name_is_refused_in_githubs_words(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "one", "public").await;
        let taken = alice.post("/api/v3/user/repos", &json!({ "name": "ONE" })).await.expect(422).json();
        assert_eq!(taken["errors"][0]["message"], "name already exists on this account");
        for name in ["", "..", "a/b", "x.git", "a b"] {
            alice.post("/api/v3/user/repos", &json!({ "name": name })).await.expect(422);
        }
        alice.post("/api/v3/user/repos", &json!({ "name": 7 })).await.expect(422);
        alice.post("/api/v3/user/repos", &json!({})).await.expect(422);
        alice.post("/api/v3/user/repos", &json!({ "name": "x", "visibility": "secret" })).await.expect(422);
        let list = alice.get("/api/v3/user/repos").await.expect(200).json();
        assert_eq!(list.as_array().expect("a list").len(), 1);
    }

    async fn what_a_stranger_may_not_read_is_absent_byte_for_byte(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let stranger = forge.human_client("mallory").await;
        repository(&alice, "user", "secret", "private").await;
        for path in ["", "/topics", "/labels", "/labels/bug", "/collaborators", "/teams"] {
            let hidden = stranger.get(&format!("/api/v3/repos/alice/secret{path}")).await.expect(404);
            let absent = stranger.get(&format!("/api/v3/repos/alice/absent{path}")).await.expect(404);
            assert_eq!(hidden.body, absent.body, "{path}");
        }
        let anonymous = forge.client().get("/api/v3/repos/alice/secret").await;
        anonymous.expect(404);
        stranger.delete("/api/v3/repos/alice/secret").await.expect(404);
        stranger.patch("/api/v3/repos/alice/secret", &json!({ "name": "mine" })).await.expect(404);
    }

    async fn a_token_for_public_repositories_makes_and_sees_no_private_one(forge: TestForge) {
        let account = forge.human("alice").await;
        let public = forge.client_of(&account, Some("public_repo")).await;
        let whole = forge.client_of(&account, Some("repo")).await;
        let refused = public.post("/api/v3/user/repos", &json!({ "name": "a", "private": true })).await;
        assert_eq!(refused.expect(403).header("x-accepted-oauth-scopes"), Some("repo"));
        repository(&public, "user", "open", "public").await;
        repository(&whole, "user", "closed", "private").await;
        public.get("/api/v3/repos/alice/closed").await.expect(404);
        public.patch("/api/v3/repos/alice/open", &json!({ "private": true })).await.expect(404);
        let still = forge.client().get("/api/v3/repos/alice/open").await.expect(200).json();
        assert_eq!(still["private"], false);
    }

    async fn descriptive_settings_take_maintain_and_the_rest_takes_admin(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let maintainer = forge.human_client("mia").await;
        repository(&alice, "user", "tool", "public").await;
        alice.put("/api/v3/repos/alice/tool/collaborators/mia", &json!({ "permission": "maintain" })).await.expect(204);
        let path = "/api/v3/repos/alice/tool";
        let changed = maintainer.patch(path, &json!({ "description": "new", "has_wiki": false })).await.expect(200);
        assert_eq!(changed.json()["description"], "new");
        for body in [json!({ "name": "x" }), json!({ "private": true }), json!({ "archived": true })] {
            maintainer.patch(path, &body).await.expect(403);
        }
        maintainer.patch(path, &json!({ "name": "tool", "private": false })).await.expect(200);
        maintainer.delete(path).await.expect(403);
    }

    async fn every_field_that_gh_repo_edit_sends_is_taken(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "public").await;
        let body = json!({
            "description": "d", "homepage": "https://example.org", "visibility": "private", "has_issues": false,
            "has_projects": false, "has_wiki": false, "has_discussions": true, "allow_merge_commit": false,
            "allow_squash_merge": true, "allow_rebase_merge": false, "squash_merge_commit_title": "PR_TITLE",
            "squash_merge_commit_message": "PR_BODY", "allow_auto_merge": true, "delete_branch_on_merge": true,
            "allow_update_branch": true, "allow_forking": false, "is_template": true,
            "security_and_analysis": { "secret_scanning": { "status": "disabled" } },
        });
        let changed = alice.patch("/api/v3/repos/alice/tool", &body).await.expect(200).json();
        for (name, value) in body.as_object().expect("an object") {
            if name != "security_and_analysis" {
                assert_eq!(&changed[name], value, "{name}");
            }
        }
        let enable = json!({ "security_and_analysis": { "secret_scanning": { "status": "enabled" } } });
        alice.patch("/api/v3/repos/alice/tool", &enable).await.expect(422);
        let absent = json!({ "default_branch": "absent" });
        alice.patch("/api/v3/repos/alice/tool", &absent).await.expect(422);
    }

    async fn an_archived_repository_is_read_only_until_it_is_restored(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "old", "public").await;
        let path = "/api/v3/repos/alice/old";
        assert_eq!(alice.patch(path, &json!({ "archived": true })).await.expect(200).json()["archived"], true);
        let refused = alice.patch(path, &json!({ "description": "new" })).await.expect(403).json();
        assert_eq!(refused["message"], "Repository was archived so is read-only.");
        alice.post(&format!("{path}/labels"), &json!({ "name": "x" })).await.expect(403);
        let both = alice.patch(path, &json!({ "archived": false, "description": "new" })).await.expect(200).json();
        assert_eq!((both["archived"].clone(), both["description"].clone()), (json!(false), json!("new")));
    }

    async fn a_deleted_repository_is_gone_and_its_name_free(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "gone", "public").await;
        alice.delete("/api/v3/repos/alice/gone").await.expect(204);
        alice.get("/api/v3/repos/alice/gone").await.expect(404);
        alice.delete("/api/v3/repos/alice/gone").await.expect(404);
        repository(&alice, "user", "gone", "public").await;
    }

    async fn topics_are_replaced_as_a_whole(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "tool", "public").await;
        let path = "/api/v3/repos/alice/tool/topics";
        assert_eq!(alice.get(path).await.expect(200).json()["names"], json!([]));
        let put = alice.put(path, &json!({ "names": ["Rust", "cli", "rust"] })).await.expect(200).json();
        assert_eq!(put["names"], json!(["cli", "rust"]));
        alice.put(path, &json!({ "names": ["no spaces"] })).await.expect(422);
        let many: Vec<String> = (0..21).map(|number| format!("t{number}")).collect();
        alice.put(path, &json!({ "names": many })).await.expect(422);
        assert_eq!(alice.get("/api/v3/repos/alice/tool").await.expect(200).json()["topics"], json!(["cli", "rust"]));
    }

    async fn a_member_who_creates_a_repository_in_an_organization_administers_it(forge: TestForge) {
        let owner = forge.human_client("olivia").await;
        let member = forge.human_client("max").await;
        let stranger = forge.human_client("sam").await;
        organization(&owner, "acme").await;
        owner.put("/api/v3/orgs/acme/memberships/max", &json!({ "role": "member" })).await.expect(200);
        let created = repository(&member, "orgs/acme", "tool", "private").await;
        assert_eq!(created["organization"]["login"], "acme");
        member.patch("/api/v3/repos/acme/tool", &json!({ "private": false })).await.expect(200);
        stranger.post("/api/v3/orgs/acme/repos", &json!({ "name": "x" })).await.expect(403);
        owner.patch("/api/v3/orgs/acme", &json!({ "members_can_create_repositories": false })).await.expect(200);
        member.post("/api/v3/orgs/acme/repos", &json!({ "name": "x" })).await.expect(403);
        member.post("/api/v3/user/repos", &json!({ "name": "x", "visibility": "internal" })).await.expect(422);
    }
}
