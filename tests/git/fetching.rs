//! Shallow, partial and by id: what a fetch may ask for beyond all refs.

use forge_testing::{TestForge, for_each_database};

use crate::bench::{Bench, commit, git};

for_each_database! {
    async fn shallow_clone_is_deepened_and_unshallowed(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        for number in 0..5 {
            commit(&work, "file", &format!("{number}\n")).await;
        }
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        for version in ["protocol.version=0", "protocol.version=2"] {
            let name = version.replace(['.', '='], "-");
            git(bench.folder.path(), ["-c", version, "clone", "--quiet", "--depth=1", &bench.url(), &name]).await.good();
            let clone = bench.path(&name);
            let count = async || git(&clone, ["rev-list", "--count", "HEAD"]).await.good();
            assert_eq!(count().await, "1");
            git(&clone, ["-c", version, "fetch", "--quiet", "--deepen=2"]).await.good();
            assert_eq!(count().await, "3");
            git(&clone, ["-c", version, "fetch", "--quiet", "--unshallow"]).await.good();
            assert_eq!(count().await, "6");
            git(&clone, ["fsck", "--strict"]).await.good();
        }
    }

    async fn push_from_a_shallow_clone_is_whole(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        commit(&work, "file", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        git(bench.folder.path(), ["clone", "--quiet", "--depth=1", &bench.url(), "shallow"]).await.good();
        let tip = commit(&bench.path("shallow"), "file", "2\n").await;
        git(&bench.path("shallow"), ["push", "--quiet", "origin", "main"]).await.good();
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), tip);
        git(bench.folder.path(), ["clone", "--quiet", &bench.url(), "whole"]).await.good();
        git(&bench.path("whole"), ["fsck", "--strict"]).await.good();
    }

    async fn partial_clone_fetches_blobs_when_it_needs_them(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        commit(&work, "old", "old\n").await;
        commit(&work, "old", "new\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        for filter in ["--filter=blob:none", "--filter=tree:0", "--filter=blob:limit=1"] {
            let name = filter.replace(|c: char| !c.is_ascii_alphanumeric(), "");
            git(bench.folder.path(), ["clone", "--quiet", filter, &bench.url(), &name]).await.good();
            let clone = bench.path(&name);
            assert_eq!(git(&clone, ["show", "HEAD~1:old"]).await.good(), "old", "{filter}");
        }
        let refused =
            git(bench.folder.path(), ["clone", "--filter=sparse:oid=main:old", &bench.url(), "sparse"]).await.refused();
        assert!(refused.contains("filter"), "{refused}");
    }

    async fn removed_history_is_not_served_by_id(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["checkout", "--quiet", "-b", "secret"]).await.good();
        let secret = commit(&work, "secret.txt", "secret\n").await;
        git(&work, ["push", "--quiet", "origin", "secret"]).await.good();
        git(bench.folder.path(), ["init", "--quiet", "--bare", "elsewhere"]).await.good();
        let elsewhere = bench.path("elsewhere");
        git(&elsewhere, ["fetch", "--quiet", &bench.url(), &secret]).await.good();
        git(&work, ["push", "--quiet", "origin", ":secret"]).await.good();
        let blob = git(&work, ["rev-parse", "secret:secret.txt"]).await.good();
        git(bench.folder.path(), ["init", "--quiet", "--bare", "fresh"]).await.good();
        let fresh = bench.path("fresh");
        for version in ["protocol.version=0", "protocol.version=2"] {
            for id in [&secret, &blob] {
                let refused = git(&fresh, ["-c", version, "fetch", &bench.url(), id]).await.refused();
                assert!(refused.contains("not our ref") || refused.contains("unadvertised"), "{refused}");
            }
        }
    }

    async fn included_tags_and_single_branches_come_as_asked(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "1", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main", "main:other", "v1"]).await.good();
        git(bench.folder.path(), ["clone", "--quiet", "--single-branch", &bench.url(), "clone"]).await.good();
        let refs = git(&bench.path("clone"), ["for-each-ref", "--format=%(refname)"]).await.good();
        assert_eq!(refs, "refs/heads/main\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main\nrefs/tags/v1");
    }
}
