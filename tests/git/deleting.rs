//! What is deleted cannot be reached by anybody, its name is free at once, and the operator can have it back for a while.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use forge_service::{admin, operations};
use forge_testing::{TestForge, for_each_database};
use forge_types::ErrorKind;
use serde_json::json;

use crate::bench::{Bench, commit, git};

const PROJECT: &str = "/api/v3/repos/alice/project";
const DAY: Duration = Duration::from_secs(86_400);

/// Returns all files below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => drop(found.insert(entry.path().to_string_lossy().into_owned())),
            }
        }
    }
    found
}

async fn restore(bench: &Bench, to: Option<&str>) -> forge_types::Result<operations::Restored> {
    let ctx = admin::console(bench.forge.app());
    let done = operations::restore_deleted(&ctx, bench.id(), to).await;
    ctx.finish().await.unwrap();
    done
}

async fn check(bench: &Bench) {
    let clean = operations::verify(&admin::console(bench.forge.app())).await.unwrap();
    assert!(clean.is_empty(), "{clean:?}");
}

for_each_database! {
    async fn what_was_deleted_is_out_of_reach_and_comes_back_whole(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        git(&work, ["tag", "-a", "-m", "one", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main:topic", "v1"]).await.good();
        alice.patch(PROJECT, &json!({ "description": "kept" })).await.expect(200);
        alice.put(&format!("{PROJECT}/topics"), &json!({ "names": ["a", "b"] })).await.expect(200);
        let before = git(&work, ["ls-remote", "origin"]).await.good();
        let tip = git(&work, ["rev-parse", "HEAD"]).await.good();
        assert_eq!(restore(&bench, None).await.unwrap_err().kind(), &ErrorKind::NotFound);
        alice.delete(PROJECT).await.expect(204);
        bench.forge.run_jobs().await;
        git(&work, ["ls-remote", "origin"]).await.refused();
        alice.get(&format!("/api/v3/repositories/{}", bench.id().0)).await.expect(404);
        alice.get(&format!("{PROJECT}/git/commits/{tip}")).await.expect(404);
        let listed = alice.get("/api/v3/user/repos").await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 0);

        // Who takes the name has nothing of what was there.
        alice.post("/api/v3/user/repos", &json!({ "name": "project" })).await.expect(201);
        alice.get(&format!("{PROJECT}/git/commits/{tip}")).await.expect(404);
        assert_eq!(git(&work, ["ls-remote", "origin"]).await.good(), "");
        let deleted = operations::list_deleted(&admin::console(bench.forge.app())).await.unwrap();
        assert_eq!((deleted.len(), deleted[0].id, deleted[0].name.as_str()), (1, bench.id(), "project"));
        for (to, why) in [(None, "taken"), (Some("nobody/x"), "no account"), (Some("x"), "OWNER/NAME"), (Some("alice/a b"), "Validation Failed")] {
            let refused = restore(&bench, to).await.unwrap_err();
            assert!(refused.to_string().contains(why), "{to:?}: {refused}");
        }
        let done = restore(&bench, Some("alice/again")).await.unwrap();
        assert_eq!((done.repository.as_str(), done.refs, done.problems.len()), ("alice/again", 3, 0));
        let url = bench.url().replace("project", "again");
        assert_eq!(git(&work, ["ls-remote", &url]).await.good(), before);
        let back = alice.get("/api/v3/repos/alice/again").await.expect(200).json();
        assert_eq!((&back["description"], &back["topics"]), (&json!("kept"), &json!(["a", "b"])));
        assert_eq!(back["visibility"], "private");
        assert_eq!(restore(&bench, None).await.unwrap_err().kind(), &ErrorKind::NotFound);
        check(&bench).await;

        // The time that was set when it was deleted is nothing to what came back.
        bench.forge.advance(31 * DAY);
        bench.forge.run_jobs().await;
        git(&bench.path("."), ["clone", "--quiet", "--mirror", &url, "mirror"]).await.good();
        git(&bench.path("mirror"), ["fsck", "--strict", "--no-progress"]).await.good();
        commit(&work, "more", "1\n").await;
        git(&work, ["push", "--quiet", &url, "main"]).await.good();
        check(&bench).await;
    }

    async fn the_files_of_what_was_deleted_go_when_their_time_is_over(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.delete(PROJECT).await.expect(204);
        bench.forge.advance(29 * DAY);
        bench.forge.run_jobs().await;
        assert!(bench.directory().exists());
        restore(&bench, None).await.unwrap();
        alice.delete(PROJECT).await.expect(204);
        // The job of the first deletion is due, that of the second is not.
        bench.forge.advance(2 * DAY);
        bench.forge.run_jobs().await;
        assert!(bench.directory().exists());
        bench.forge.advance(28 * DAY);
        bench.forge.run_jobs().await;
        assert!(!bench.directory().exists());
        assert_eq!(restore(&bench, None).await.unwrap_err().kind(), &ErrorKind::NotFound);
    }

    async fn a_rename_and_a_transfer_move_no_file(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "acme" })).await.expect(201);
        let before = files(&bench.forge.folder().join("repositories"));
        alice.patch(PROJECT, &json!({ "name": "renamed" })).await.expect(200);
        let body = json!({ "new_owner": "acme", "new_name": "given" });
        alice.post("/api/v3/repos/alice/renamed/transfer", &body).await.expect(202);
        assert_eq!(files(&bench.forge.folder().join("repositories")), before);
        let url = bench.url().replace("alice/project", "acme/given");
        assert_eq!(git(&work, ["ls-remote", &url, "main"]).await.good().split('\t').next().unwrap(), git(&work, ["rev-parse", "HEAD"]).await.good());
        check(&bench).await;
    }
}
