//! Refs of pull requests and the forge's own: what is shown, what can be fetched, and what nobody can push.

use std::path::Path;

use forge_git::objects::Objects;
use forge_service::admin;
use forge_service::operations;
use forge_service::refs::{PullRef, RefChange, Watch, update_pull};
use forge_testing::{TestForge, for_each_database};
use forge_types::repository::RepositoryAccess;
use forge_types::{ErrorKind, ObjectId, Permission, RefName, Result};
use serde_json::json;

use crate::bench::{Bench, Done, commit, git};

const PROJECT: &str = "/api/v3/repos/alice/project";

/// Commits something that no branch has, and has the forge store it.
async fn proposed(bench: &Bench, work: &Path, file: &str) -> String {
    let id = commit(work, file, &format!("{file}\n")).await;
    git(work, ["push", "--quiet", "--force", "origin", "HEAD:refs/heads/passing"]).await.good();
    git(work, ["reset", "--quiet", "--hard", "HEAD~1"]).await.good();
    assert!(bench.stored("refs/heads/passing").await.is_some());
    id
}

/// Moves a ref as a pull request would.
async fn change(bench: &Bench, name: RefName, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<()> {
    let ctx = admin::console(bench.forge.app());
    let mut objects = Objects::open(&bench.forge.app().git().repository(bench.id())).unwrap();
    let change = RefChange::inspect(&mut objects, &Watch::default(), name, old, new).unwrap();
    let mut tx = bench.forge.app().db().begin().await?;
    let found = forge_store::repositories::find(&mut tx, None, bench.id()).await?.unwrap();
    let found = RepositoryAccess { permission: Some(Permission::Read), ..found };
    update_pull(&ctx, &mut tx, &found, None, &[change]).await?.into_result()?;
    tx.commit().await?;
    ctx.finish().await
}

fn id(text: &str) -> Option<ObjectId> {
    Some(text.parse().unwrap())
}

/// Asks for an object by its id, as a client that has nothing.
async fn fetch(bench: &Bench, version: &str, url: &str, id: &str) -> Done {
    let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
    git(folder.path(), ["init", "--quiet", "--bare", "."]).await.good();
    git(folder.path(), ["-c", version, "fetch", "--quiet", url, id]).await
}

async fn sort(bench: &Bench) {
    operations::maintain(&admin::console(bench.forge.app()), None).await.unwrap();
}

for_each_database! {
    async fn refs_of_pull_requests_are_shown_and_fetched_and_no_part_of_a_clone(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let (first, second) = (proposed(&bench, &work, "first").await, proposed(&bench, &work, "second").await);
        let (head, merge) = (PullRef::Head(1).name().unwrap(), PullRef::Merge(1).name().unwrap());
        change(&bench, head.clone(), None, id(&first)).await.unwrap();
        change(&bench, merge.clone(), None, id(&second)).await.unwrap();
        git(&work, ["push", "--quiet", "origin", ":refs/heads/passing"]).await.good();
        for when in ["as it came", "sorted"] {
            let shown = git(&work, ["ls-remote", "origin"]).await.good();
            assert!(shown.contains(&format!("{first}\trefs/pull/1/head")) && shown.contains("refs/pull/1/merge"), "{shown}");
            for version in ["0", "2"] {
                let version = format!("protocol.version={version}");
                let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
                git(folder.path(), ["-c", &version, "clone", "--quiet", &bench.url(), "clone"]).await.good();
                let clone = folder.path().join("clone");
                git(&clone, ["cat-file", "-e", &first]).await.refused();
                git(&clone, ["-c", &version, "fetch", "--quiet", "origin", "refs/pull/1/head"]).await.good();
                assert_eq!(git(&clone, ["rev-parse", "FETCH_HEAD"]).await.good(), first, "{when}");
                git(&clone, ["-c", &version, "fetch", "--quiet", "origin", &second]).await.good();
                git(folder.path(), ["-c", &version, "clone", "--quiet", "--mirror", &bench.url(), "mirror"]).await.good();
                let mirror = folder.path().join("mirror");
                git(&mirror, ["fsck", "--strict", "--no-progress"]).await.good();
                assert_eq!(git(&mirror, ["rev-parse", "refs/pull/1/merge"]).await.good(), second);
            }
            sort(&bench).await;
        }
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let found = alice.get(&format!("{PROJECT}/git/ref/pull/1/head")).await.expect(200).json();
        assert_eq!(found["object"]["sha"], json!(first));
        alice.get(&format!("{PROJECT}/git/commits/{first}")).await.expect(200);
        let listed = alice.get(&format!("{PROJECT}/git/matching-refs/pull/1")).await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 2);

        // A fork is about what is the repository's own.
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "acme" })).await.expect(201);
        alice.post(&format!("{PROJECT}/forks"), &json!({ "organization": "acme" })).await.expect(202);
        let fork = bench.url().replace("alice/project", "acme/project");
        assert!(!git(&work, ["ls-remote", &fork]).await.good().contains("refs/pull"));
        fetch(&bench, "protocol.version=2", &fork, &first).await.refused();

        // What a pull request proposed before is gone with it.
        change(&bench, head.clone(), id(&first), id(&second)).await.unwrap();
        fetch(&bench, "protocol.version=2", &bench.url(), &first).await.refused();
        change(&bench, head, id(&second), None).await.unwrap();
        change(&bench, merge, id(&second), None).await.unwrap();
        fetch(&bench, "protocol.version=2", &bench.url(), &second).await.refused();
    }

    /// A26: names that are the forge's own, at the doors that move refs.
    async fn a26_nobody_pushes_refs_that_are_the_forges(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let first = proposed(&bench, &work, "first").await;
        let head = PullRef::Head(7).name().unwrap();
        change(&bench, head.clone(), None, id(&first)).await.unwrap();
        git(&work, ["push", "--quiet", "origin", ":refs/heads/passing"]).await.good();
        let names = ["refs/pull/7/head", "refs/pull/7/merge", "refs/pull/8/head", "refs/forge/held/1", "refs/keep-around/1"];
        for name in names {
            let said = git(&work, ["push", "origin", &format!("+main:{name}")]).await.refused();
            assert!(said.contains("deny updating a hidden ref"), "{said}");
        }
        let said = git(&work, ["push", "origin", ":refs/pull/7/head"]).await.refused();
        assert!(said.contains("hidden ref") || said.contains("remote ref does not exist"), "{said}");
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let main = git(&work, ["rev-parse", "main"]).await.good();
        for name in names {
            alice.post(&format!("{PROJECT}/git/refs"), &json!({ "ref": name, "sha": main })).await.expect(422);
        }
        let moved = json!({ "sha": main, "force": true });
        alice.patch(&format!("{PROJECT}/git/refs/pull/7/head"), &moved).await.expect(422);
        alice.delete(&format!("{PROJECT}/git/refs/pull/7/head")).await.expect(422);
        assert_eq!(bench.stored(head.as_str()).await, id(&first));
        // From inside nothing else moves.
        let branch = RefName::new("refs/heads/other").unwrap();
        let refused = change(&bench, branch, None, id(&first)).await.unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Internal);

        // What is hidden is neither shown nor fetched, by name or by id.
        let hidden = proposed(&bench, &work, "hidden").await;
        let name = RefName::new("refs/forge/held/1").unwrap();
        let mut tx = bench.forge.app().db().begin().await.unwrap();
        let creation = forge_store::refs::Creation { name: &name, new: id(&hidden).unwrap(), peeled: None };
        forge_store::refs::create(&mut tx, bench.id(), &[creation], bench.forge.now()).await.unwrap();
        tx.commit().await.unwrap();
        git(&work, ["push", "--quiet", "origin", ":refs/heads/passing"]).await.good();
        for version in ["protocol.version=0", "protocol.version=2"] {
            assert!(!git(&work, ["-c", version, "ls-remote", "origin"]).await.good().contains("refs/forge"));
            git(&work, ["-c", version, "fetch", "--quiet", "origin", "refs/forge/held/1"]).await.refused();
            fetch(&bench, version, &bench.url(), &hidden).await.refused();
        }
        alice.get(&format!("{PROJECT}/git/ref/forge/held/1")).await.expect(404);
    }
}
