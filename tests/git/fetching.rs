//! Shallow, partial and by id: what a fetch may ask for beyond all refs.

use std::time::Duration;

use forge_testing::{Database, TestForge, for_each_database};
use forge_types::Permission;
use forge_types::account::{Account, AccountRef};
use forge_types::credential::CredentialKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bench::{Bench, commit, git, pkt};
use crate::pushing::noise;

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

    async fn readers_that_stop_reading_hold_up_nobody_else(database: Database) {
        let builder = TestForge::builder(database).git_limits(|limits| {
            limits.processes.concurrent = 4;
            limits.processes.queue = Duration::from_millis(200);
            limits.per_caller = 2;
        });
        let bench = Bench::new(builder.start().await).await;
        let work = bench.pushed("work").await;
        commit(&work, "noise", &noise(8_000_000)).await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let body = format!("{}0001{}{}0000", pkt("command=fetch"), pkt(&format!("want {tip}")), pkt("done"));
        let version = [("git-protocol", "version=2")];
        let mut sleepers = Vec::new();
        for _ in 0..2 {
            let mut stream = bench.open_post("git-upload-pack", body.len(), &version).await;
            stream.write_all(body.as_bytes()).await.unwrap();
            let mut head = [0; 15];
            stream.read_exact(&mut head).await.unwrap();
            assert_eq!(&head, b"HTTP/1.1 200 OK");
            sleepers.push(stream);
        }
        let third = bench.post_with("git-upload-pack", body.as_bytes(), &version).await;
        assert_eq!(third.status, 429, "{}", third.text());
        let bob = bench.forge.human("bob").await;
        let_read(&bench, &bob).await;
        let token = bench.forge.token(&bob, CredentialKind::Personal, None).await;
        let url = format!("{}/alice/project", bench.listening.url_as("bob", token.expose()));
        git(bench.folder.path(), ["clone", "--quiet", &url, "clone"]).await.good();
        commit(&work, "file", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        drop(sleepers);
        git(bench.folder.path(), ["clone", "--quiet", &bench.url(), "after"]).await.good();
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

/// Lets someone read the repository.
async fn let_read(bench: &Bench, account: &Account) {
    let mut tx = bench.forge.app().db().begin().await.unwrap();
    let (account, by, now) = (AccountRef::from(account), bench.alice.id, bench.forge.now());
    let given = forge_store::collaborators::upsert(&mut tx, bench.id(), &account, Permission::Read, by, now);
    given.await.unwrap();
    tx.commit().await.unwrap();
}
