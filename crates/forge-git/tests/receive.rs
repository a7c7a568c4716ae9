//! Packs on their way in, made by real `git`, whole and broken.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use forge_git::objects::{ObjectKind, Objects};
use forge_git::receive::{Capabilities, IngestLimits, Quarantine, Reply};
use forge_git::{Error, ProcessLimits};
use forge_types::ObjectId;
use support::Bench;

#[tokio::test]
async fn pushed_history_is_whole_for_git_and_for_us() {
    let bench = Bench::new();
    bench.work.commit("a.txt", "one\n");
    let tip = bench.work.commit("dir/b.txt", "two\n");
    let pack = bench.work.pack(&["main"]);
    let info = bench.push(&pack, &[tip], &[]).await.unwrap().unwrap();
    assert_eq!(info.object_count, 7);
    bench.fsck(&[tip]);
    let mut objects = Objects::open(&bench.repository).unwrap();
    let commit = objects.commit(tip).unwrap();
    assert_eq!((commit.author.name.as_str(), commit.author.offset), ("A U Thor", 3600));
    assert_eq!(commit.message, "change dir/b.txt\n");
    let entry = objects.entry_at(tip, b"dir/b.txt").unwrap().unwrap();
    assert_eq!(objects.blob(entry.id, 100).unwrap(), b"two\n");
    assert!(matches!(objects.blob(entry.id, 3), Err(Error::TooLarge(_))));
    assert!(objects.entry_at(tip, b"dir/none").unwrap().is_none());
    assert!(bench.leftovers().is_empty());
}

#[tokio::test]
async fn thin_pack_is_completed_from_the_repository() {
    let bench = Bench::new();
    let text: String = (0..2000).map(|n| format!("line {n} of a long file\n")).collect();
    let first = bench.work.commit("long", &text);
    bench.push(&bench.work.pack(&["main"]), &[first], &[]).await.unwrap();
    let second = bench.work.commit("long", &(text + "one more\n"));
    let thin = bench.work.pack(&["main", &format!("^{first}")]);
    let info = bench.push(&thin, &[second], &[first]).await.unwrap().unwrap();
    assert_eq!(info.object_count, 4, "three new objects and the base of the delta");
    bench.fsck(&[second]);
    let mut objects = Objects::open(&bench.repository).unwrap();
    assert!(objects.is_ancestor(first, second).unwrap());
    assert!(!objects.is_ancestor(second, first).unwrap());
}

#[tokio::test]
async fn thin_pack_without_its_base_is_refused() {
    let bench = Bench::new();
    let text: String = (0..2000).map(|n| format!("line {n} of a long file\n")).collect();
    let first = bench.work.commit("long", &text);
    let second = bench.work.commit("long", &(text + "one more\n"));
    let thin = bench.work.pack(&["main", &format!("^{first}")]);
    let error = bench.push(&thin, &[second], &[]).await.unwrap_err();
    assert!(matches!(error, Error::BadPack(_)), "{error:?}");
    assert!(bench.leftovers().is_empty() && bench.pack_count() == 0);
}

#[tokio::test]
async fn pack_cut_short_anywhere_or_with_a_flipped_bit_is_refused_without_trace() {
    let bench = Bench::new();
    let tip = bench.work.commit("a.txt", "one\n");
    let pack = bench.work.pack(&["main"]);
    for len in [0, 3, 11, 12, 13, pack.len() / 2, pack.len() - 20, pack.len() - 1] {
        let error = bench.push(&pack[..len], &[tip], &[]).await.unwrap_err();
        assert!(matches!(error, Error::BadPack(_)), "{len}: {error:?}");
    }
    for at in [0, 4, 9, 15, pack.len() / 2, pack.len() - 1] {
        let mut broken = pack.clone();
        broken[at] ^= 0x10;
        let error = bench.push(&broken, &[tip], &[]).await.unwrap_err();
        assert!(matches!(error, Error::BadPack(_)), "{at}: {error:?}");
        assert!(!error.to_string().contains("repositories"), "{error} tells a path of the server");
    }
    assert!(bench.leftovers().is_empty() && bench.pack_count() == 0);
}

#[tokio::test]
async fn tip_whose_history_is_missing_is_refused() {
    let bench = Bench::new();
    let first = bench.work.commit("a.txt", "one\n");
    let second = bench.work.commit("a.txt", "two\n");
    let only_second = bench.work.pack(&["main", &format!("^{first}")]);
    let error = bench.push(&only_second, &[second], &[]).await.unwrap_err();
    assert!(matches!(error, Error::BadPack(_)), "{error:?}");
    assert!(bench.leftovers().is_empty() && bench.pack_count() == 0);
}

#[tokio::test]
async fn presence_of_an_object_is_not_enough_for_a_tip() {
    let bench = Bench::new();
    let first = bench.work.commit("a.txt", "one\n");
    let second = bench.work.commit("a.txt", "two\n");
    // An empty pack and a tip that is nowhere.
    let empty = bench.work.pack(&["main", "^main"]);
    assert!(bench.push(&empty, &[second], &[]).await.is_err());
    bench.push(&bench.work.pack(&["main"]), &[second], &[]).await.unwrap();
    // The same without a pack of its own: everything is there.
    assert_eq!(bench.push(&empty, &[first], &[second]).await.unwrap(), None);
}

#[tokio::test]
async fn dangerous_trees_are_refused_by_name() {
    let bench = Bench::new();
    let blob = String::from_utf8(bench.work.pipe(&["hash-object", "-w", "--stdin"], b"x")).unwrap();
    for name in [".git", ".GIT", "git~1", ".g\u{200c}it", ".."] {
        let entry = [b"100644 ", name.as_bytes(), b"\0", blob.trim().parse::<ObjectId>().unwrap().as_bytes()]
            .concat();
        let tree = bench.work.pipe(&["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], &entry);
        let tree = String::from_utf8(tree).unwrap();
        let commit = bench.work.run(&["commit-tree", "-m", "evil", tree.trim()]);
        let pack = bench.work.pack(&[&commit]);
        let error = bench.push(&pack, &[commit.parse().unwrap()], &[]).await.unwrap_err();
        assert!(matches!(&error, Error::BadPack(text) if text.contains("object ")), "{name}: {error:?}");
    }
    assert!(bench.leftovers().is_empty() && bench.pack_count() == 0);
}

#[tokio::test]
async fn pack_over_the_limit_is_refused_before_it_is_read_whole() {
    let bench = Bench::new();
    bench.work.commit("a.txt", &"incompressible? ".repeat(10));
    let pack = bench.work.pack(&["main"]);
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let (reply, _body) = Reply::channel(&Capabilities::default());
    let limits = IngestLimits { pack_bytes: 50, ..IngestLimits::default() };
    let error = quarantine.ingest(&bench.processes, &mut &pack[..], &limits, &reply).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error:?}");
    drop(quarantine);
    assert!(bench.leftovers().is_empty() && bench.pack_count() == 0);
}

#[tokio::test]
async fn client_that_stops_sending_is_given_up() {
    let limits = ProcessLimits { stall: Duration::from_millis(100), ..ProcessLimits::default() };
    let bench = Bench::with_limits(limits);
    bench.work.commit("a.txt", "one\n");
    let pack = bench.work.pack(&["main"]);
    let (mut sending, mut receiving) = tokio::io::duplex(1 << 16);
    tokio::io::AsyncWriteExt::write_all(&mut sending, &pack[..20]).await.unwrap();
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let (reply, _body) = Reply::channel(&Capabilities::default());
    let error = quarantine
        .ingest(&bench.processes, &mut receiving, &IngestLimits::default(), &reply)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn equal_packs_of_two_pushes_do_not_share_a_file() {
    let bench = Bench::new();
    let tip = bench.work.commit("a.txt", "one\n");
    let pack = bench.work.pack(&["main"]);
    let first = bench.push(&pack, &[tip], &[]).await.unwrap().unwrap();
    let second = bench.push(&pack, &[tip], &[]).await.unwrap().unwrap();
    assert_ne!(first.name, second.name);
    bench.repository.remove_pack(&first).unwrap();
    bench.fsck(&[tip]);
}

#[tokio::test]
async fn progress_and_report_reach_a_client_with_side_band() {
    let bench = Bench::new();
    // Large and hard to compress: small packs are taken in without a word.
    let text: String =
        (0..120_000).map(|n: u64| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    bench.work.commit("long", &text);
    bench.work.commit("long", &(text + "more\n"));
    let pack = bench.work.pack(&["main"]);
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let capabilities = Capabilities { side_band_64k: true, ..Capabilities::default() };
    let (reply, mut body) = Reply::channel(&capabilities);
    quarantine.ingest(&bench.processes, &mut &pack[..], &IngestLimits::default(), &reply).await.unwrap();
    reply.message("hello").await;
    reply.finish(b"000eunpack ok\n0000").await;
    let mut all = Vec::new();
    while let Some(bytes) = body.recv().await {
        all.extend_from_slice(&bytes);
    }
    let text = String::from_utf8_lossy(&all);
    assert!(text.contains("\u{2}Resolving deltas: 100%"), "{text}");
    assert!(text.contains("\u{2}hello\n") && text.ends_with("\u{1}000eunpack ok\n00000000"), "{text}");
}

#[tokio::test]
async fn server_killed_in_the_middle_leaves_only_what_the_sweep_takes() {
    let bench = Bench::new();
    let tip = bench.work.commit("a.txt", "one\n");
    let pack = bench.work.pack(&["main"]);
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let (reply, _body) = Reply::channel(&Capabilities::default());
    quarantine.ingest(&bench.processes, &mut &pack[..], &IngestLimits::default(), &reply).await.unwrap();
    std::mem::forget(quarantine);
    assert_eq!(bench.leftovers().len(), 1);
    assert!(!Objects::open(&bench.repository).unwrap().contains(tip), "not published is not there");
    let claims = bench.storage.claims().unwrap();
    assert_eq!(claims.len(), 1);
    claims[0].settle().unwrap();
    assert!(bench.leftovers().is_empty());
}

#[tokio::test]
async fn ordinary_small_push_needs_no_process() {
    let limits = ProcessLimits { concurrent: 0, queue: Duration::from_millis(1), ..ProcessLimits::default() };
    let bench = Bench::with_limits(limits);
    let text: String = (0..500).map(|n| format!("line {n}\n")).collect();
    let first = bench.work.commit("src/long", &text);
    bench.work.commit(".gitattributes", "* text\n");
    let second = bench.work.commit("src/long", &(text.clone() + "more\n"));
    bench.push(&bench.work.pack(&["main"]), &[second], &[]).await.unwrap();
    // A difference to a base that the push does not bring, on a branch from an older commit.
    bench.work.run(&["switch", "--quiet", "--create", "side", &first.to_string()]);
    let side = bench.work.commit("src/long", &(text + "else\n"));
    let pack = bench.work.pack(&["side", "^main"]);
    bench.push(&pack, &[side], &[second]).await.unwrap();
    bench.work.run(&["tag", "-a", "v1", "-m", "first"]);
    let tag = bench.work.id("v1");
    bench.push(&bench.work.pack(&["v1", "^side"]), &[tag], &[second, side]).await.unwrap();
    bench.fsck(&[second, side, tag]);
}

/// Shows what a pack brings to a repository that has the objects of `current`.
async fn brought(
    bench: &Bench,
    pack: &[u8],
    limit: u64,
) -> (Quarantine, BTreeMap<ObjectId, (ObjectKind, Vec<u8>)>) {
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let (reply, _body) = Reply::channel(&Capabilities::default());
    quarantine.ingest(&bench.processes, &mut &pack[..], &IngestLimits::default(), &reply).await.unwrap();
    let mut shown = BTreeMap::new();
    let mut visit = |id, kind, data: &[u8]| {
        assert!(shown.insert(id, (kind, data.to_vec())).is_none(), "shown twice");
        Ok(())
    };
    quarantine.each_brought(limit, &mut visit).unwrap();
    (quarantine, shown)
}

/// A file that does not compress makes git take the pack in, instead of this process.
#[tokio::test]
async fn what_a_push_brings_is_shown_and_found_whoever_takes_it_in() {
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + (state >> 58) as u8)
    };
    let noise: String = (0..3 << 20).map(|_| noise()).collect();
    for (large, count) in [("small", 0), (noise.as_str(), 1)] {
        let bench = Bench::new();
        let text: String = (0..2000).map(|n| format!("line {n} of a long file\n")).collect();
        let first = bench.work.commit("dir/long", &text);
        bench.push(&bench.work.pack(&["main"]), &[first], &[]).await.unwrap();
        bench.work.commit("noise", large);
        bench.work.commit("dir/long", &format!("{text}one more\n"));
        let pack = bench.work.pack(&["main", &format!("^{first}")]);
        let (quarantine, shown) = brought(&bench, &pack, 1 << 20).await;
        let former = quarantine.former().unwrap();
        let new = |kind| shown.iter().filter(move |(id, shown)| shown.0 == kind && !former.contains(**id));
        let blobs: Vec<&(ObjectKind, Vec<u8>)> = new(ObjectKind::Blob).map(|(_, shown)| shown).collect();
        assert_eq!(blobs.len(), 2 - count, "what is over the limit is not shown");
        assert!(blobs.iter().any(|(_, data)| data.ends_with(b"one more\n")), "a difference is shown whole");
        assert_eq!(shown.values().filter(|(kind, _)| *kind == ObjectKind::Commit).count(), 2);
        let long = shown.iter().find(|(_, (_, data))| data.ends_with(b"one more\n")).unwrap();
        let paths = quarantine.paths_to(&HashSet::from([*long.0, first])).unwrap();
        assert_eq!(paths, HashMap::from([(*long.0, b"dir/long".to_vec())]));
        drop(quarantine);
        assert!(bench.leftovers().is_empty());
    }
}
