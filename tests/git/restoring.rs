//! Putting back refs that the database lost, from what the repository's directory says.

use forge_service::{admin, operations};
use forge_store::refs::Deletion;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::{ObjectId, RefName};

use crate::bench::{Bench, commit, git};

impl Bench {
    async fn import(&self) -> operations::ImportedRefs {
        let ctx = admin::console(self.forge.app());
        operations::import_refs(&ctx, Some("ALICE/project")).await.unwrap().remove(0)
    }

    async fn export(&self) {
        operations::export_refs(&admin::console(self.forge.app()), None).await.unwrap();
    }

    /// Lets the database forget a ref, as no door can.
    async fn lose(&self, name: &str) -> ObjectId {
        let old = self.stored(name).await.unwrap();
        let name = RefName::new(name).unwrap();
        let mut tx = self.forge.app().db().begin().await.unwrap();
        let lost =
            forge_store::refs::delete(&mut tx, self.id(), &[Deletion { name: &name, old }]).await.unwrap();
        assert_eq!(lost.len(), 1);
        tx.commit().await.unwrap();
        old
    }
}

for_each_database! {
    async fn lost_refs_come_back_through_the_gate_and_only_once(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "1", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main:feature/x", "v1"]).await.good();
        bench.export().await;
        let lost = [bench.lose("refs/heads/feature/x").await, bench.lose("refs/tags/v1").await];
        let done = bench.import().await;
        assert_eq!((done.imported, done.unchanged, done.packs), (2, 1, 0), "{done:?}");
        assert_eq!(done.problems, []);
        assert_eq!(bench.stored("refs/heads/feature/x").await, Some(lost[0]));
        assert_eq!(bench.stored("refs/tags/v1").await, Some(lost[1]));
        git(&bench.path("."), ["clone", "--quiet", &bench.url(), "again"]).await.good();
        let root = bench.forge.site_admin("root1").await;
        let root = bench.forge.client_of(&root, None).await;
        let events = audit(&root).await;
        assert_eq!(events, ["import of 2 by nobody's account"]);
        let again = bench.import().await;
        assert_eq!((again.imported, again.unchanged, again.problems.len()), (0, 3, 0), "{again:?}");
        assert_eq!(audit(&root).await.len(), 1, "nothing changed, so nothing is recorded");
        assert!(operations::verify(&admin::console(bench.forge.app())).await.unwrap().is_empty());
    }

    async fn what_does_not_resolve_to_whole_objects_is_left_out_and_told(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["push", "--quiet", "origin", "main:kept"]).await.good();
        bench.export().await;
        let main = bench.lose("refs/heads/main").await;
        // A commit whose tree and parent are not there, in a pack that somebody put beside the others.
        commit(&work, "more.txt", "more\n").await;
        let torn = git(&work, ["rev-parse", "HEAD"]).await.good();
        let script = format!("echo {torn} | git pack-objects --quiet \"$1\"/objects/pack/pack");
        let made = std::process::Command::new("/bin/sh").args(["-c", &script, "sh"]).arg(bench.directory()).current_dir(&work).status().unwrap();
        assert!(made.success());
        git(&work, ["commit", "--quiet", "--allow-empty", "-m", "absent"]).await.good();
        let absent = git(&work, ["rev-parse", "HEAD"]).await.good();
        let blob = git(&work, ["rev-parse", "main~2:README.md"]).await.good();
        let packed = bench.directory().join("packed-refs");
        let mut text = std::fs::read_to_string(&packed).unwrap();
        for line in [
            format!("{absent} refs/heads/absent"),
            format!("{blob} refs/heads/blob"),
            format!("{main} refs/heads/../escape"),
            format!("{main} refs/heads/-x"),
            format!("{main} refs/pull/1/head"),
            format!("{main} refs/heads/kept/below"),
            "nonsense refs/heads/nonsense".to_owned(),
            format!("{torn} refs/heads/torn"),
        ] {
            text.push_str(&line);
            text.push('\n');
        }
        std::fs::write(&packed, text).unwrap();
        std::fs::write(bench.directory().join("refs/heads/symbolic"), "ref: refs/heads/main\n").unwrap();

        let done = bench.import().await;
        assert_eq!((done.imported, done.unchanged), (1, 1), "{done:?}");
        assert_eq!(bench.stored("refs/heads/main").await, Some(main));
        let told: Vec<&str> = done.problems.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(told, [
            "refs/heads/-x", "refs/heads/../escape", "refs/heads/absent", "refs/heads/blob", "refs/heads/kept/below",
            "refs/heads/nonsense", "refs/heads/symbolic", "refs/heads/torn", "refs/pull/1/head",
        ]);
        for (name, why) in &done.problems {
            assert!(!why.is_empty(), "{name}");
            if let Ok(name) = RefName::new(name.as_str()) {
                assert_eq!(bench.stored(name.as_str()).await, None, "{name}");
            }
        }
    }

    async fn what_the_database_knows_stays_as_it_is(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        bench.export().await;
        commit(&work, "more.txt", "more\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        let newer = bench.stored("refs/heads/main").await;
        let done = bench.import().await;
        assert_eq!((done.imported, done.unchanged), (0, 0));
        assert!(done.problems[0].1.contains("the database has it at"), "{done:?}");
        assert_eq!(bench.stored("refs/heads/main").await, newer);
    }

    async fn packs_that_the_database_lost_are_taken_up_with_the_refs_and_so_is_an_archived_repository(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let main = git(&work, ["rev-parse", "HEAD"]).await.good();
        // A repository of which only the directory is left: its pack and its refs are in no table.
        operations::export_refs(&admin::console(bench.forge.app()), None).await.unwrap();
        let script = "git rev-list --objects HEAD | cut -d' ' -f1 | git pack-objects --quiet \"$1\"/objects/pack/pack";
        let made = std::process::Command::new("/bin/sh").args(["-c", script, "sh"]).arg(bench.directory()).current_dir(&work).status().unwrap();
        assert!(made.success());
        std::fs::write(bench.directory().join("refs/heads/main"), format!("{main}\n")).unwrap();
        let client = bench.forge.client_of(&bench.alice, None).await;
        client.patch("/api/v3/repos/alice/project", &serde_json::json!({ "archived": true })).await.expect(200);

        let done = bench.import().await;
        assert_eq!((done.imported, done.packs), (1, 1), "{done:?}");
        assert!(operations::verify(&admin::console(bench.forge.app())).await.unwrap().is_empty());
        assert_eq!(git(&bench.path("."), ["ls-remote", &bench.url(), "refs/heads/main"]).await.good(), format!("{main}\trefs/heads/main"));
    }
}

/// Returns what the audit log says of imports.
async fn audit(root: &Client) -> Vec<String> {
    let events =
        root.get("/api/ext/v1/audit-events?action=refs.updated&per_page=100").await.expect(200).json();
    let events =
        events.as_array().unwrap().iter().filter(|event| event["details"]["door"] == "console:import");
    let told = |event: &serde_json::Value| {
        let who = if event["actor"].is_null() { "nobody's account" } else { "somebody" };
        format!("import of {} by {who}", event["details"]["count"])
    };
    events.map(told).collect()
}
