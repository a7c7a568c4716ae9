//! Which refs a push may make, move and delete.

use forge_testing::{TestForge, for_each_database};

use crate::bench::{Bench, ZERO, commit, git, pack, push_body};

for_each_database! {
    async fn branches_and_tags_are_moved_forced_and_deleted(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "1", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main:topic", "v1"]).await.good();
        let tag = git(&work, ["rev-parse", "v1"]).await.good();
        assert_eq!(bench.stored("refs/tags/v1").await.unwrap().to_string(), tag);
        git(&work, ["commit", "--quiet", "--amend", "-m", "other"]).await.good();
        let refused = git(&work, ["push", "origin", "main:topic"]).await.refused();
        assert!(refused.contains("non-fast-forward"), "{refused}");
        git(&work, ["push", "--quiet", "--force", "origin", "main:topic"]).await.good();
        git(&work, ["tag", "-f", "-a", "-m", "2", "v1"]).await.good();
        git(&work, ["push", "--quiet", "--force", "origin", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", ":topic", ":v1"]).await.good();
        assert_eq!(bench.stored("refs/heads/topic").await, None);
        assert_eq!(bench.stored("refs/tags/v1").await, None);
    }

    async fn default_branch_cannot_be_deleted(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let refused = git(&work, ["push", "origin", ":main"]).await.refused();
        assert!(refused.contains("refusing to delete the current branch: refs/heads/main"), "{refused}");
        assert!(bench.stored("refs/heads/main").await.is_some());
    }

    async fn names_that_mislead_or_belong_to_the_forge_are_refused(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        for name in [
            "refs/pull/1/head", "refs/forge/held/1", "refs/replace/x", "refs/remotes/origin/x", "refs/stash",
            "refs/keep-around/1", "refs/heads/HEAD", "refs/heads/refs/heads/main", "refs/heads/-x",
            "refs/heads/ma\u{200b}in", "refs/heads/e\u{301}", "refs/tags/\u{202e}x", "refs/heads/main/sub",
            "refs/heads/4b825dc642cb6eb9a060e54bf8d69288fbee4904", "refs/heads/Main",
        ] {
            let refused = git(&work, ["push", "origin", &format!("main:{name}")]).await.refused();
            assert!(refused.contains("[remote rejected]"), "{name}: {refused}");
            assert_eq!(bench.stored(name).await, None, "{name}");
        }
        for name in ["refs/notes/commits", "refs/heads/feature/é", "refs/heads/a#b", "refs/custom/x"] {
            git(&work, ["push", "--quiet", "origin", &format!("main:{name}")]).await.good();
        }
    }

    async fn directory_and_file_conflicts_are_refused_both_ways(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["push", "--quiet", "origin", "main:a/b"]).await.good();
        for name in ["a", "a/b/c"] {
            let refused = git(&work, ["push", "origin", &format!("main:refs/heads/{name}")]).await.refused();
            assert!(refused.contains("`refs/heads/a/b` exists; cannot create"), "{refused}");
        }
        let refused = git(&work, ["push", "origin", "main:x", "main:x/y", "main:fine"]).await.refused();
        assert_eq!(refused.matches("[remote rejected]").count(), 2, "{refused}");
        assert!(bench.stored("refs/heads/fine").await.is_some());
        assert_eq!(bench.stored("refs/heads/x").await, None);
        git(&work, ["push", "--quiet", "origin", ":a/b", "main:a"]).await.good();
        assert!(bench.stored("refs/heads/a").await.is_some());
    }

    async fn good_refs_go_and_bad_ones_stay_unless_the_push_is_atomic(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let refused = git(&work, ["push", "origin", "main:good", "main:refs/pull/1/head"]).await.refused();
        assert!(refused.contains("[new branch]") && refused.contains("hidden ref"), "{refused}");
        assert!(bench.stored("refs/heads/good").await.is_some());
        commit(&work, "file", "1\n").await;
        let refused =
            git(&work, ["push", "--atomic", "origin", "main:fine", "main:good", "main:refs/pull/1/head"]).await.refused();
        assert!(refused.contains("atomic push failure"), "{refused}");
        assert_eq!(bench.stored("refs/heads/fine").await, None);
        assert_ne!(bench.stored("refs/heads/good").await.unwrap().to_string(), git(&work, ["rev-parse", "main"]).await.good());
        assert_eq!(bench.packs(), 1);
        git(&work, ["push", "--quiet", "--atomic", "origin", "main:fine", "main:good"]).await.good();
    }

    async fn atomic_push_with_a_conflict_found_late_changes_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        commit(&work, "file", "1\n").await;
        git(&work, ["push", "--atomic", "origin", "main:one", "main:main/sub"]).await.refused();
        assert_eq!(bench.stored("refs/heads/one").await, None);
        assert_eq!(bench.packs(), 1, "the pack of the refused push is gone");
    }

    async fn lie_about_the_old_object_changes_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let first = git(&work, ["rev-parse", "main"]).await.good();
        let second = commit(&work, "file", "1\n").await;
        let pack = pack(&work, "main\n").await;
        for (old, new, name) in [
            (second.as_str(), second.as_str(), "refs/heads/main"),
            (ZERO, &second, "refs/heads/main"),
            (&first, &second, "refs/heads/absent"),
            (&second, ZERO, "refs/heads/main"),
            (&first, ZERO, "refs/heads/absent"),
        ] {
            let answer = bench.post("git-receive-pack", &push_body(old, new, name, &pack)).await;
            let text = answer.text();
            assert!(text.contains("unpack ok") && text.contains(&format!("ng {name} ")), "{old} {new} {name}: {text}");
        }
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), first);
        assert_eq!(bench.packs(), 1);
        let honest = push_body(&first, &second, "refs/heads/main", &pack);
        assert!(bench.post("git-receive-pack", &honest).await.text().contains("ok refs/heads/main"));
    }

    async fn ref_that_is_named_twice_is_refused(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let line = format!("{ZERO} {tip} refs/heads/twice");
        let mut body = crate::bench::pkt(&format!("{line}\0report-status")).into_bytes();
        body.extend_from_slice(format!("{}0000", crate::bench::pkt(&line)).as_bytes());
        body.extend_from_slice(&pack(&work, "main\n^main\n").await);
        let text = bench.post("git-receive-pack", &body).await.text();
        assert_eq!(text.matches("ng refs/heads/twice").count(), 2, "{text}");
        assert_eq!(bench.stored("refs/heads/twice").await, None);
    }

    async fn branch_cannot_point_to_anything_but_a_commit(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "1", "v1"]).await.good();
        for object in ["main^{tree}", "main:README.md", "v1"] {
            let id = git(&work, ["rev-parse", object]).await.good();
            let pack = pack(&work, &format!("{id}\n")).await;
            let answer = bench.post("git-receive-pack", &push_body(ZERO, &id, "refs/heads/odd", &pack)).await;
            assert!(answer.text().contains("ng refs/heads/odd a branch points to a commit"), "{}", answer.text());
        }
        assert_eq!(bench.packs(), 1);
        let tree = git(&work, ["rev-parse", "main^{tree}"]).await.good();
        git(&work, ["push", "--quiet", "origin", &format!("{tree}:refs/tags/tree")]).await.good();
    }
}
