//! Repositories made from a template
//! (<https://docs.github.com/rest/repos/repos#create-a-repository-using-a-template>).

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::bench::{Bench, commit, git};

const GENERATE: &str = "/api/v3/repos/alice/project/generate";

for_each_database! {
    async fn a_repository_from_a_template_has_its_files_in_one_commit_of_its_own(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        std::fs::create_dir_all(work.join("src/deep")).unwrap();
        std::os::unix::fs::symlink("README.md", work.join("link")).unwrap();
        commit(&work, "src/deep/run.sh", "#!/bin/sh\n").await;
        git(&work, ["update-index", "--chmod=+x", "src/deep/run.sh"]).await.good();
        git(&work, ["commit", "--quiet", "-m", "executable"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main", "main:other"]).await.good();
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let body = json!({ "name": "copy", "description": "Mine", "private": true });
        let refused = alice.post(GENERATE, &body).await.expect(422).json();
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("not a template"), "{refused}");

        alice.patch("/api/v3/repos/alice/project", &json!({ "is_template": true })).await.expect(200);
        let created = alice.post(GENERATE, &body).await.expect(201).json();
        assert_eq!((&created["full_name"], &created["description"], &created["private"]), (&json!("alice/copy"), &json!("Mine"), &json!(true)));
        let url = bench.url().replace("/project.git", "/copy.git");
        git(&bench.path("."), ["clone", "--quiet", &url, "copy"]).await.good();
        let copy = bench.path("copy");
        let tree = |folder| git(folder, ["rev-parse", "HEAD^{tree}"]);
        assert_eq!(tree(&copy).await.good(), tree(&work).await.good(), "the same files, modes and links");
        assert_eq!(git(&copy, ["rev-list", "--count", "--all"]).await.good(), "1", "none of its history");
        assert_eq!(git(&copy, ["log", "-1", "--format=%an %s"]).await.good(), "alice Initial commit");
        assert_eq!(git(&copy, ["ls-remote", "--heads", "origin"]).await.good().lines().count(), 1);
        git(&copy, ["fsck", "--strict", "--no-progress"]).await.good();
    }

    async fn a_template_is_copied_by_those_who_may_read_it_alone(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.patch("/api/v3/repos/alice/project", &json!({ "is_template": true })).await.expect(200);
        let bob = bench.forge.human_client("bob").await;
        bob.post(GENERATE, &json!({ "name": "copy" })).await.expect(404);
        bench.forge.client().post(GENERATE, &json!({ "name": "copy" })).await.expect(404);
        alice.post(GENERATE, &json!({ "name": "copy", "owner": "bob" })).await.expect(404);
        alice.post(GENERATE, &json!({ "name": "copy", "include_all_branches": true })).await.expect(422);
        alice.post(GENERATE, &json!({ "name": "project" })).await.expect(422);
        alice.get("/api/v3/repos/alice/copy").await.expect(404);
        let bob_reads = json!({ "private": false });
        alice.patch("/api/v3/repos/alice/project", &bob_reads).await.expect(200);
        let copied = bob.post(GENERATE, &json!({ "name": "copy" })).await.expect(201).json();
        assert_eq!(copied["full_name"], "bob/copy");
        bob.get("/api/v3/repos/bob/copy/contents/README.md").await.expect(200);
    }

    async fn gh_repo_create_copies_a_template_through_graphql(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, Some("repo,read:org,gist")).await;
        alice.patch("/api/v3/repos/alice/project", &json!({ "is_template": true })).await.expect(200);
        let ids = "{ viewer { id } repository(owner: \"alice\", name: \"project\") { id } }";
        let ids = alice.graphql(ids, json!({})).await.expect(200).json()["data"].clone();
        let query = "mutation CloneTemplateRepository($input: CloneTemplateRepositoryInput!) { \
                     cloneTemplateRepository(input: $input) { repository { id name owner { login } url } } }";
        let input = json!({ "name": "copy", "visibility": "PRIVATE", "ownerId": ids["viewer"]["id"],
                            "repositoryId": ids["repository"]["id"], "includeAllBranches": false });
        let made = alice.graphql(query, json!({ "input": input })).await.expect(200).json();
        let made = &made["data"]["cloneTemplateRepository"]["repository"];
        assert_eq!((&made["name"], &made["owner"]["login"]), (&json!("copy"), &json!("alice")), "{made}");
        alice.get("/api/v3/repos/alice/copy/contents/README.md").await.expect(200);
        let input = json!({ "name": "again", "visibility": "PRIVATE", "ownerId": ids["viewer"]["id"],
                            "repositoryId": ids["viewer"]["id"] });
        let refused = alice.graphql(query, json!({ "input": input })).await.expect(200).json();
        assert!(refused["errors"].is_array(), "{refused}");
    }
}
