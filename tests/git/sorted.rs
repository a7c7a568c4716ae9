//! Packs that maintenance has sorted: clones from them, and what must not be in them any more.

use forge_service::{admin, operations};
use forge_testing::{TestForge, for_each_database};
use forge_types::{ObjectId, RefName};
use tokio::io::AsyncWriteExt;

use crate::bench::{Answer, Bench, commit, git, pack, pkt, push_body, read_answer};

/// Sorts the packs of the repository as an operator would.
async fn sort(bench: &Bench) -> operations::Maintained {
    let ctx = admin::console(bench.forge.app());
    let done = operations::maintain(&ctx, Some("alice/project")).await.unwrap();
    ctx.finish().await.unwrap();
    done.into_iter().next().unwrap()
}

/// Returns whether a manifest row names the pack that holds just what visible refs reach, as long as it does.
async fn has_closure(bench: &Bench) -> bool {
    let mut conn = bench.forge.app().db().read().await.unwrap();
    let packs = forge_store::inventory::list_manifest(&mut conn, bench.id()).await.unwrap();
    packs.iter().any(|pack| pack.is_closure)
}

/// Asks for objects as a client without any does.
async fn ask(bench: &Bench, wants: &[&str]) -> Answer {
    let wants: String = wants.iter().map(|want| pkt(&format!("want {want}\n"))).collect();
    let body = format!("{}0001{}{wants}{}0000", pkt("command=fetch"), pkt("ofs-delta\n"), pkt("done\n"));
    let answer = bench.post_with("git-upload-pack", body.as_bytes(), &[("git-protocol", "version=2")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// Asks how large objects are.
async fn sizes(bench: &Bench, ids: &[&str]) -> String {
    let ids: String = ids.iter().map(|id| pkt(&format!("oid {id}\n"))).collect();
    let body = format!("{}0001{}{ids}0000", pkt("command=object-info"), pkt("size\n"));
    bench.post_with("git-upload-pack", body.as_bytes(), &[("git-protocol", "version=2")]).await.text()
}

/// Asks for objects and returns the pack.
async fn whole_pack(bench: &Bench, wants: &[&str]) -> Vec<u8> {
    let answer = ask(bench, wants).await;
    let start = answer.body.windows(4).position(|window| window == b"PACK");
    let mut pack = Vec::new();
    let mut rest = &answer.body[start.unwrap_or_else(|| panic!("{}", answer.text())) - 5..];
    while rest.len() > 4 {
        let len = usize::from_str_radix(std::str::from_utf8(&rest[..4]).unwrap(), 16).unwrap();
        if rest[4] == 1 {
            pack.extend_from_slice(&rest[5..len]);
        }
        rest = &rest[len..];
    }
    pack
}

/// Returns the ids of the objects of a pack.
async fn objects_of(bench: &Bench, pack: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
    git(folder.path(), ["init", "--quiet", "--bare", "."]).await.good();
    let file = folder.path().join("objects/pack/pack-x.pack");
    std::fs::write(&file, pack).unwrap();
    git(folder.path(), ["index-pack", "--strict", file.to_str().unwrap()]).await.good();
    let listed =
        git(folder.path(), ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).await.good();
    listed.lines().map(str::to_owned).collect()
}

for_each_database! {
    async fn a_clone_is_a_copy_of_the_sorted_pack_and_of_what_came_since(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        for number in 0..5 {
            commit(&work, "counter", &format!("{number}\n")).await;
            git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        }
        git(&work, ["tag", "-a", "v1", "-m", "one"]).await.good();
        git(&work, ["push", "--quiet", "origin", "v1"]).await.good();
        let done = sort(&bench).await;
        assert_eq!((done.packs.from, done.packs.to), (7, 1));
        assert!(has_closure(&bench).await);
        assert_eq!(sort(&bench).await.packs.from, 0, "sorted already");
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let tag = git(&work, ["rev-parse", "v1"]).await.good();
        let stored = std::fs::read_dir(bench.directory().join("objects/pack")).unwrap();
        let stored = stored.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "pack"));
        let stored = std::fs::read(stored.unwrap()).unwrap();
        assert!(whole_pack(&bench, &[&tip, &tag]).await == stored, "the file as it lies on disk");

        for number in 5..8 {
            commit(&work, "counter", &format!("{number}\n")).await;
            git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        }
        assert!(has_closure(&bench).await, "nothing was taken away");
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let pack = whole_pack(&bench, &[&tip, &tag]).await;
        assert!(pack[12..stored.len() - 20] == stored[12..stored.len() - 20], "it begins with the stored one");
        let wanted = git(&work, ["rev-list", "--objects", "--no-object-names", "--all"]).await.good();
        let mut wanted: Vec<&str> = wanted.lines().collect();
        wanted.sort_unstable();
        assert_eq!(objects_of(&bench, &pack).await, wanted);
        git(bench.folder.path(), ["clone", "--quiet", &bench.url(), "copy"]).await.good();
        git(&bench.path("copy"), ["fsck", "--strict", "--no-progress"]).await.good();
        assert_eq!(git(&bench.path("copy"), ["rev-parse", "origin/main"]).await.good(), tip);
    }

    async fn history_that_was_removed_is_not_delivered(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let first = git(&work, ["rev-parse", "HEAD"]).await.good();
        let secret = commit(&work, "secret", "password\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        sort(&bench).await;
        let all = objects_of(&bench, &whole_pack(&bench, &[&secret]).await).await;
        assert!(all.contains(&secret), "honest until it is removed");
        let blob = git(&work, ["rev-parse", "main:secret"]).await.good();
        assert_eq!(objects_of(&bench, &whole_pack(&bench, &[&blob]).await).await, [blob.as_str()]);
        assert_eq!(sizes(&bench, &[&blob]).await, format!("0009size\n{}0000", pkt(&format!("{blob} 9\n"))));

        git(&work, ["push", "--quiet", "--force", "origin", &format!("{first}:main")]).await.good();
        assert!(!has_closure(&bench).await, "in the same transaction");
        let rest = objects_of(&bench, &whole_pack(&bench, &[&first]).await).await;
        assert_eq!(rest.len(), 3, "commit, directory and file: {rest:?}");
        for id in [&secret, &blob] {
            let refused = ask(&bench, &[id]).await.text();
            assert!(refused.contains(&format!("not our ref {id}")), "{refused}");
            let refused = sizes(&bench, &[id]).await;
            assert!(refused.contains(&format!("not our ref {id}")), "{refused}");
        }

        // Sorted again, what no ref reaches has a pack of its own, which no clone gets.
        assert_eq!(sort(&bench).await.packs.to, 2);
        assert!(has_closure(&bench).await);
        let rest = objects_of(&bench, &whole_pack(&bench, &[&first]).await).await;
        assert_eq!(rest.len(), 3);
        assert!(ask(&bench, &[&blob]).await.text().contains("not our ref"));
        // Whoever has it may put it back.
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), secret);
    }

    async fn a_deleted_branch_takes_the_sorted_pack_out_of_use_and_a_hidden_ref_never_gets_into_it(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["checkout", "--quiet", "-b", "side"]).await.good();
        let side = commit(&work, "side", "x\n").await;
        git(&work, ["push", "--quiet", "origin", "side"]).await.good();
        let side_id: ObjectId = side.parse().unwrap();
        let hidden = RefName::new("refs/pull/1/head").unwrap();
        let mut tx = bench.forge.app().db().begin().await.unwrap();
        let creation = forge_store::refs::Creation { name: &hidden, new: side_id, peeled: None };
        forge_store::refs::create(&mut tx, bench.id(), &[creation], bench.forge.app().now()).await.unwrap();
        tx.commit().await.unwrap();
        sort(&bench).await;
        git(&work, ["push", "--quiet", "origin", "--delete", "side"]).await.good();
        assert!(!has_closure(&bench).await);
        assert_eq!(sort(&bench).await.packs.to, 2, "visible, and what the hidden ref alone reaches");
        let main = git(&work, ["rev-parse", "main"]).await.good();
        let all = objects_of(&bench, &whole_pack(&bench, &[&main]).await).await;
        assert!(!all.contains(&side), "{all:?}");
        let findings = operations::verify(&admin::console(bench.forge.app())).await.unwrap();
        assert_eq!(findings, [], "the hidden ref has its objects");
    }

    async fn a_push_whose_objects_were_checked_before_packs_were_sorted_is_checked_again(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        commit(&work, "more", "x\n").await;
        // The client has sent its commands and waits with the pack while everything is sorted anew.
        let old = git(&work, ["rev-parse", "main~1"]).await.good();
        let new = git(&work, ["rev-parse", "main"]).await.good();
        let pack = pack(&work, &format!("{new}\n^{old}\n")).await;
        let body = push_body(&old, &new, "refs/heads/main", &pack);
        let commands = body.len() - pack.len();
        let mut stream = bench.open_post("git-receive-pack", body.len(), &[]).await;
        stream.write_all(&body[..commands]).await.unwrap();
        // Its quarantine is there once the commands were read.
        let temporary = bench.forge.folder().join("repositories/tmp");
        let is_begun = || {
            std::fs::read_dir(&temporary).unwrap().any(|entry| {
                entry.unwrap().file_name().to_string_lossy().starts_with("incoming-")
            })
        };
        while !is_begun() {
            tokio::task::yield_now().await;
        }
        let ctx = admin::console(bench.forge.app());
        commit(&work, "other", "y\n").await;
        git(&work, ["push", "--quiet", "origin", "HEAD:refs/heads/other"]).await.good();
        assert_eq!(operations::maintain(&ctx, None).await.unwrap()[0].packs.from, 2);
        stream.write_all(&pack).await.unwrap();
        let answer = read_answer(stream).await;
        assert!(answer.text().contains("ok refs/heads/main"), "{}", answer.text());
        assert_eq!(bench.stored("refs/heads/main").await.unwrap().to_string(), new);
        assert_eq!(operations::verify(&ctx).await.unwrap(), []);
    }
}
