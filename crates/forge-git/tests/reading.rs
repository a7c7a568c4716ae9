//! Trees and blobs as `git ls-tree` and `git cat-file` show them, and repositories that mean harm.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::objects::{EntryKind, Listing, ListingLimits, Objects, PackBuilder, TreeEntry};
use forge_types::{ObjectFormat, ObjectId};
use support::Bench;
use support::random::{Clocks, Random, cases, first_seed, history};

const PLENTY: ListingLimits = ListingLimits { entries: 100_000, bytes: 10 << 20 };

fn lines(listing: &Listing) -> Vec<String> {
    let line = |entry: &forge_git::objects::PathEntry| {
        let kind = entry.kind.object_kind().as_str();
        format!("{} {kind} {}\t{}", entry.kind.mode(), entry.id, entry.path.escape_ascii())
    };
    listing.entries.iter().map(line).collect()
}

#[test]
fn listings_and_entries_are_those_of_git() {
    let first = first_seed();
    for seed in first..first + cases(60).div_ceil(20) {
        let bench = Bench::new();
        history(&bench.work, &mut Random::new(seed), 20, Clocks::Right);
        let mut objects = bench.objects();
        for commit in bench.work.run(&["rev-list", "--all"]).lines() {
            let theirs = bench.work.run(&["ls-tree", "-r", "-t", commit]);
            let commit_id: ObjectId = commit.parse().unwrap();
            let tree_id = objects.commit(commit_id).unwrap().tree_id;
            let ours = objects.list(tree_id, PLENTY).unwrap();
            let theirs: Vec<&str> = theirs.lines().collect();
            assert_eq!(lines(&ours), theirs, "seed {seed}, commit {commit}");
            assert!(!ours.is_truncated);
            for entry in &ours.entries {
                let found = objects.entry_at(commit_id, &entry.path).unwrap().unwrap();
                assert_eq!((found.kind, found.id), (entry.kind, entry.id), "seed {seed}, commit {commit}");
                let below = [&entry.path[..], b"/none"].concat();
                assert_eq!(objects.entry_in(tree_id, &below).unwrap(), None);
            }
            let cut = objects.list(tree_id, ListingLimits { entries: 3, ..PLENTY }).unwrap();
            assert_eq!(cut.entries[..], ours.entries[..ours.entries.len().min(3)], "seed {seed}");
            assert_eq!(cut.is_truncated, ours.entries.len() > 3);
        }
    }
}

#[test]
fn bytes_of_files_are_read_up_to_a_limit() {
    let bench = Bench::new();
    let text: String = (0..5000).map(|line| format!("this is line {line}\n")).collect();
    bench.work.commit("long", &text);
    bench.work.commit("long", &text.replace("line 77", "LINE 77"));
    bench.work.run(&["repack", "-adq"]);
    let mut objects = bench.objects();
    for revision in ["HEAD:long", "HEAD~1:long"] {
        let id = bench.work.id(revision);
        let expected = bench.work.pipe(&["cat-file", "blob", revision], b"");
        assert_eq!(objects.blob_size(id).unwrap(), expected.len() as u64);
        let start = objects.blob_start(id, 1000).unwrap();
        assert_eq!((start.data.as_slice(), start.size), (&expected[..1000], expected.len() as u64));
        let mut written = Vec::new();
        objects.write_blob(id, &mut written).unwrap();
        assert!(written == expected, "{revision}");
        assert!(matches!(objects.blob(id, 1000), Err(Error::TooLarge(_))));
    }
    let tree = bench.work.id("HEAD^{tree}");
    assert!(matches!(objects.blob_start(tree, 10), Err(Error::WrongKind { .. })));
}

fn entry(name: &str, kind: EntryKind, id: ObjectId) -> TreeEntry {
    TreeEntry { name: name.into(), kind, id }
}

#[test]
fn wide_deep_and_multiplying_trees_are_cut() {
    let bench = Bench::new();
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let blob = pack.blob(b"x").unwrap();
    let many: Vec<_> = (0..100_000).map(|at| entry(&format!("f{at:06}"), EntryKind::File, blob)).collect();
    let wide = pack.tree(&many).unwrap();
    let mut deep = pack.tree(&[entry("end", EntryKind::File, blob)]).unwrap();
    for _ in 0..3000 {
        deep = pack.tree(&[entry("a-directory", EntryKind::Tree, deep)]).unwrap();
    }
    // Thirty small trees that hold 10^30 files.
    let mut bomb = blob;
    for level in 0..30 {
        let kind = if level == 0 { EntryKind::File } else { EntryKind::Tree };
        let ten: Vec<_> = (0..10).map(|at| entry(&format!("e{at}"), kind, bomb)).collect();
        bomb = pack.tree(&ten).unwrap();
    }
    pack.write(&bench.repository, bench.unique()).unwrap();
    let mut objects = Objects::open(&bench.repository).unwrap();
    let limits = ListingLimits { entries: 5000, bytes: 1 << 20 };
    let list = objects.list(wide, limits).unwrap();
    assert_eq!((list.entries.len(), list.is_truncated), (5000, true));
    assert_eq!(list.entries[4999].path, b"f004999");
    let list = objects.list(wide, PLENTY).unwrap();
    assert_eq!((list.entries.len(), list.is_truncated), (100_000, false));
    let list = objects.list(deep, limits).unwrap();
    assert!(list.is_truncated && list.entries.iter().map(|entry| entry.path.len()).sum::<usize>() <= 1 << 20);
    let list = objects.list(bomb, limits).unwrap();
    assert_eq!((list.entries.len(), list.is_truncated), (5000, true));
    assert_eq!(list.entries[29].path.len(), 30 * 3 - 1);
}

#[test]
fn damaged_trees_and_absent_objects_are_told_and_do_not_panic() {
    let bench = Bench::new();
    let blob = String::from_utf8(bench.work.pipe(&["hash-object", "-w", "--stdin"], b"x")).unwrap();
    let blob: ObjectId = blob.trim().parse().unwrap();
    let stored = |data: &[u8]| {
        let args = ["hash-object", "--literally", "-w", "-t", "tree", "--stdin"];
        let id = String::from_utf8(bench.work.pipe(&args, data)).unwrap();
        id.trim().parse::<ObjectId>().unwrap()
    };
    let bogus = [
        stored(b"100644 a"),
        stored(&[b"1006449999999999999 a\0", blob.as_bytes()].concat()),
        stored(&[b"40000 a\0", &[7u8; 20][..]].concat()),
        stored(&[b"0 a\0", blob.as_bytes()].concat()),
        stored(&[b"40000 a\0", blob.as_bytes()].concat()),
    ];
    let list: String = bogus.iter().chain([&blob]).map(|id| format!("{id}\n")).collect();
    let pack = bench.work.pipe(&["pack-objects", "--stdout", "-q"], list.as_bytes());
    bench.repository.create().unwrap();
    let stored = support::Git { path: bench.repository.path().to_owned() };
    let _ = stored.pipe(&["index-pack", "--stdin"], &pack);
    let mut objects = Objects::open(&bench.repository).unwrap();
    let mut outcomes = bogus.map(|id| objects.list(id, PLENTY).map_err(|error| format!("{error:?}")));
    assert!(outcomes[0].as_ref().unwrap_err().contains("Corrupt"), "{outcomes:?}");
    assert!(outcomes[1].as_ref().unwrap_err().contains("Corrupt"), "{outcomes:?}");
    assert!(outcomes[2].as_ref().unwrap_err().contains("MissingObject"), "{outcomes:?}");
    assert!(outcomes[4].as_mut().unwrap_err().contains("WrongKind"), "{outcomes:?}");
}
