//! Thousands of refs.

use std::fmt::Write as _;

use forge_testing::{TestForge, for_each_database};

use crate::bench::{Bench, commit, git};

for_each_database! {
    async fn two_thousand_refs_are_pushed_listed_moved_and_deleted(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let packed = |tip: &str| {
            (0..2000).fold(String::from("# pack-refs with: peeled fully-peeled sorted \n"), |mut text, number| {
                let _ = writeln!(text, "{tip} refs/tags/t/{number:05}");
                text
            })
        };
        std::fs::write(work.join(".git/packed-refs"), packed(&tip)).unwrap();
        let before = bench.forge.statements();
        git(&work, ["push", "--quiet", "origin", "--tags"]).await.good();
        let spent = bench.forge.statements() - before;
        assert!(spent < 150, "{spent} statements");
        let listed = git(&work, ["ls-remote", "--tags", "origin"]).await.good();
        assert_eq!(listed.lines().count(), 2000);
        let next = commit(&work, "file", "1\n").await;
        std::fs::write(work.join(".git/packed-refs"), packed(&next)).unwrap();
        git(&work, ["push", "--quiet", "--force", "origin", "--tags"]).await.good();
        assert_eq!(bench.stored("refs/tags/t/01999").await.unwrap().to_string(), next);
        git(&work, ["push", "origin", "main:refs/tags/t"]).await.refused();
        std::fs::remove_file(work.join(".git/packed-refs")).unwrap();
        git(&work, ["push", "--quiet", "--prune", "origin", "refs/tags/*"]).await.good();
        assert_eq!(git(&work, ["ls-remote", "--tags", "origin"]).await.good(), "");
    }

    async fn conflict_among_thousands_of_refs_is_found(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let mut specs: Vec<String> = (0..100).map(|number| format!("main:refs/heads/b/{number}")).collect();
        specs.extend(["main:refs/heads/main/sub".to_owned(), "main:refs/heads/c".to_owned(), "main:refs/heads/c/d".to_owned()]);
        let args = ["push".to_owned(), "origin".to_owned()].into_iter().chain(specs);
        let refused = git(&work, args).await.refused();
        assert_eq!(refused.matches("[remote rejected]").count(), 3, "{refused}");
        let listed = git(&work, ["ls-remote", "--heads", "origin"]).await.good();
        assert_eq!(listed.lines().count(), 101);
    }
}

for_each_database! {
    async fn packs_of_many_pushes_are_combined_and_everything_stays_reachable(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let mut tips = Vec::new();
        for number in 0..40 {
            commit(&work, "counter", &format!("{number}\n")).await;
            git(&work, ["push", "--quiet", "origin", &format!("HEAD:refs/heads/b{number}")]).await.good();
            tips.push(git(&work, ["rev-parse", "HEAD"]).await.good());
        }
        assert_eq!(bench.packs(), 41);
        bench.forge.run_jobs().await;
        assert!(bench.packs() < 20, "{} packs", bench.packs());
        let mut conn = bench.forge.app().db().read().await.unwrap();
        let manifest = forge_store::inventory::list_packs(&mut conn, bench.id()).await.unwrap();
        assert_eq!(manifest.len(), bench.packs(), "the manifest is what lies there");
        drop(conn);
        git(bench.folder.path(), ["clone", "--quiet", "--mirror", &bench.url(), "copy"]).await.good();
        let copy = bench.path("copy");
        git(&copy, ["fsck", "--strict", "--no-progress"]).await.good();
        for (number, tip) in tips.iter().enumerate() {
            assert_eq!(git(&copy, ["rev-parse", &format!("refs/heads/b{number}")]).await.good(), *tip);
        }
        // Nothing is left to do, and doing it again does nothing.
        let before = bench.packs();
        bench.forge.run_jobs().await;
        assert_eq!(bench.packs(), before);
    }
}
