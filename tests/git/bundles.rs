//! Bundles: `bundle-uri` of gitprotocol-v2(5), with real `git` that asks for one, and what must not be in them.

use forge_service::{admin, operations};
use forge_testing::{Database, TestForge, for_each_database};

use crate::bench::{Bench, commit, git, pkt};

const BUNDLE: &str = "/alice/project.git/info/bundle";

async fn sort(bench: &Bench) {
    operations::maintain(&admin::console(bench.forge.app()), None).await.unwrap();
}

/// Clones as a client that asks for bundles; returns the refs that came by one.
async fn clone(bench: &Bench, args: &[&str]) -> String {
    let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
    let url = bench.url();
    let args = [args, &["clone", "--quiet", &url, "clone"]].concat();
    git(folder.path(), args).await.good();
    let clone = folder.path().join("clone");
    git(&clone, ["fsck", "--strict", "--no-progress"]).await.good();
    let shown = git(&clone, ["ls-remote", "origin", "refs/heads/main"]).await.good();
    let tip = git(&clone, ["rev-parse", "HEAD"]).await.good();
    assert!(shown.starts_with(&tip), "{shown} {tip}");
    git(&clone, ["for-each-ref", "--format=%(refname)", "refs/bundles"]).await.good()
}

/// Asks where bundles lie.
async fn asked(bench: &Bench) -> String {
    let body = format!("{}0000", pkt("command=bundle-uri\n"));
    bench.post_with("git-upload-pack", body.as_bytes(), &[("git-protocol", "version=2")]).await.text()
}

for_each_database! {
    async fn a_clone_begins_with_the_bundle_of_a_sorted_repository(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let asks = ["-c", "transfer.bundleURI=true"];
        assert_eq!((clone(&bench, &asks).await.as_str(), asked(&bench).await.as_str()), ("", "0000"));
        git(&work, ["tag", "-a", "-m", "one", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main:topic", "v1"]).await.good();
        sort(&bench).await;
        assert!(asked(&bench).await.contains("bundle.all.uri=info/bundle"));
        assert_eq!(clone(&bench, &asks).await, "refs/bundles/main\nrefs/bundles/topic");
        // What was pushed since is in it, too.
        commit(&work, "later", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        assert_eq!(clone(&bench, &asks).await, "refs/bundles/main\nrefs/bundles/topic");
        assert_eq!(clone(&bench, &[]).await, "", "who does not ask is served as ever");
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let answer = alice.get(BUNDLE).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/x-git-bundle"));
        let file = bench.path("all.bundle");
        std::fs::write(&file, &answer.body).unwrap();
        let heads = git(&work, ["bundle", "list-heads", file.to_str().unwrap()]).await.good();
        assert_eq!(heads, git(&work, ["ls-remote", "--refs", "origin"]).await.good().replace('\t', " "));
        git(&bench.path("."), ["clone", "--quiet", "--mirror", file.to_str().unwrap(), "copy"]).await.good();
        git(&bench.path("copy"), ["fsck", "--strict", "--no-progress"]).await.good();
    }

    /// A password for the repository is one for the bundle, and nothing else is.
    async fn who_may_not_read_the_repository_has_no_bundle(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        sort(&bench).await;
        bench.forge.client().get(BUNDLE).await.expect(401);
        let mallory = bench.forge.human_client("mallory").await;
        mallory.get(BUNDLE).await.expect(404);
        assert_eq!(mallory.get(BUNDLE).await.body, mallory.get("/alice/absent.git/info/bundle").await.body);
        bench.forge.client_of(&bench.alice, Some("read:user")).await.get(BUNDLE).await.expect(404);
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.get(BUNDLE).await.expect(200);
    }

    async fn what_was_removed_is_in_no_bundle(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let kept = git(&work, ["rev-parse", "HEAD"]).await.good();
        let secret = commit(&work, "secret", "hunter2\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        sort(&bench).await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.get(BUNDLE).await.expect(200);
        git(&work, ["push", "--quiet", "--force", "origin", &format!("{kept}:main")]).await.good();
        assert_eq!(asked(&bench).await, "0000");
        alice.get(BUNDLE).await.expect(409);
        assert_eq!(clone(&bench, &["-c", "transfer.bundleURI=true"]).await, "");
        sort(&bench).await;
        let file = bench.path("all.bundle");
        std::fs::write(&file, &alice.get(BUNDLE).await.expect(200).body).unwrap();
        git(&bench.path("."), ["clone", "--quiet", "--bare", file.to_str().unwrap(), "copy"]).await.good();
        git(&bench.path("copy"), ["cat-file", "-e", &kept]).await.good();
        git(&bench.path("copy"), ["cat-file", "-e", &secret]).await.refused();
    }
}

#[tokio::test]
async fn an_operator_who_wants_none_has_none() {
    let forge =
        TestForge::builder(Database::Sqlite).settings(|settings| settings.bundles = false).start().await;
    let bench = Bench::new(forge).await;
    bench.pushed("work").await;
    sort(&bench).await;
    assert_eq!(asked(&bench).await, "0000");
    assert_eq!(clone(&bench, &["-c", "transfer.bundleURI=true"]).await, "");
    bench.forge.client_of(&bench.alice, None).await.get(BUNDLE).await.expect(409);
}
