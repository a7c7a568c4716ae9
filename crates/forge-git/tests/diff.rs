//! Diffs against `git diff`: which files, which renames, how many lines, and the text byte for byte.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::diff::{Change, Comparison, DiffOptions, PatchLimits, RenameOptions};
use forge_git::objects::{EntryKind, Objects, PackBuilder, TreeEntry};
use forge_types::{ObjectFormat, ObjectId};
use support::Bench;
use support::files::{alike, changed, commit, directory};
use support::random::{Random, cases, first_seed};

const RENAMES: RenameOptions =
    RenameOptions { similarity: 50, candidates: 1000, bytes: 1 << 26, copies: false };
const OPTIONS: DiffOptions = DiffOptions { renames: Some(RENAMES), changes: 10_000, trees: 100_000 };
const LIMITS: PatchLimits = PatchLimits { file_bytes: 1 << 22, lines: 100_000, bytes: 1 << 24 };

/// What `git diff --raw` says of a change: status and paths.
fn raw(change: &Change) -> String {
    let (status, old, new) = match change {
        Change::Added(new) => ("A".to_owned(), new, new),
        Change::Deleted(old) => ("D".to_owned(), old, old),
        Change::Modified { old, new } => ("M".to_owned(), old, new),
        Change::TypeChanged { old, new } => ("T".to_owned(), old, new),
        Change::Renamed { old, new, similarity } => (format!("R{similarity:03}"), old, new),
        Change::Copied { old, new, similarity } => (format!("C{similarity:03}"), old, new),
    };
    let name = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    match old.path == new.path {
        true => format!("{status}\0{}\0", name(&old.path)),
        false => format!("{status}\0{}\0{}\0", name(&old.path), name(&new.path)),
    }
}

struct Pair {
    bench: Bench,
    objects: Objects,
    ids: [String; 2],
    trees: [ObjectId; 2],
    label: String,
}

/// Two random directories, the second made from the first.
fn pair(seed: u64) -> Pair {
    let mut random = Random::new(seed);
    let bench = Bench::new();
    let (before, mut after) = match random.below(4) {
        0 => alike(&mut random),
        _ => {
            let before = directory(&mut random);
            let after = changed(&mut random, &before);
            (before, after)
        }
    };
    if random.one_in(3) {
        after = changed(&mut random, &after);
    }
    let message = *random.pick(&[
        "one line\n",
        "subject\nof two lines\n\nbody\n\n  more  \n\n\n",
        "\u{fc}ber \u{e4}pfel = _ ?\n\nb\u{f6}dy\n",
        "a subject that is so long that no header line of a mail has room for all of its many words, so that it is folded\n",
    ]);
    let first = commit(&bench.work, "main", 1_700_000_000, "first\n", &before, &[]);
    let second = commit(&bench.work, "main", 1_700_000_100, message, &after, std::slice::from_ref(&first));
    let objects = bench.objects();
    let ids = [first, second];
    let trees = ids.each_ref().map(|id| bench.work.id(&format!("{id}^{{tree}}")));
    Pair { bench, objects, ids, trees, label: format!("seed {seed}") }
}

impl Pair {
    fn git(&self, args: &[&str]) -> String {
        let args = [args, &[&self.ids[0], &self.ids[1]]].concat();
        String::from_utf8_lossy(&self.bench.work.pipe(&args, b"")).into_owned()
    }
}

#[test]
fn changed_files_and_renames_are_those_of_git() {
    let first = first_seed();
    let mut renames = 0;
    for seed in first..first + cases(40) {
        let mut pair = pair(seed);
        let [old, new] = pair.trees.map(Some);
        for (copies, args) in [(false, &["-M"][..]), (true, &["-C"])] {
            let options = DiffOptions { renames: Some(RenameOptions { copies, ..RENAMES }), ..OPTIONS };
            let diff = pair.objects.diff_trees(old, new, &options).unwrap();
            let ours: String = diff.changes.iter().map(raw).collect();
            let theirs = pair.git(&[&["diff-tree", "-r", "-z", "--name-status"], args].concat());
            assert_eq!(ours, theirs, "{} {args:?}", pair.label);
            assert!(!diff.is_truncated && !diff.has_unsearched_renames);
            renames += ours.matches('R').count();
        }
        let plain = pair.objects.diff_trees(old, new, &DiffOptions { renames: None, ..OPTIONS }).unwrap();
        let ours: String = plain.changes.iter().map(raw).collect();
        assert_eq!(ours, pair.git(&["diff-tree", "-r", "-z", "--name-status"]), "{}", pair.label);
        let cut =
            pair.objects.diff_trees(old, new, &DiffOptions { renames: None, changes: 2, ..OPTIONS }).unwrap();
        assert_eq!(cut.changes[..], plain.changes[..plain.changes.len().min(2)]);
        assert_eq!(cut.is_truncated, plain.changes.len() > 2);
    }
    assert!(renames > 0);
}

#[test]
fn texts_and_counts_are_those_of_git() {
    let first = first_seed();
    for seed in first..first + cases(40) {
        let mut pair = pair(seed);
        let [old, new] = pair.trees.map(Some);
        let diff = pair.objects.diff_trees(old, new, &OPTIONS).unwrap();
        let ours = pair.objects.diff_text(&diff, &LIMITS, 40, usize::MAX).unwrap();
        let theirs = pair.git(&["diff", "--full-index", "-M"]);
        assert_eq!(String::from_utf8_lossy(&ours.text), theirs, "{}", pair.label);
        let mut counts = String::new();
        for change in diff.changes.iter().filter(|change| !matches!(change, Change::TypeChanged { .. })) {
            let patch = pair.objects.file_patch(change, &LIMITS).unwrap();
            let kind = change.after().or(change.before()).unwrap().kind;
            let is_binary = patch.comparison == Comparison::Binary;
            if is_binary || patch.comparison == Comparison::Same {
                counts += if is_binary { "-\t-\n" } else { "0\t0\n" };
            } else {
                counts += &format!("{}\t{}\n", patch.additions, patch.deletions);
            }
            assert!(kind != EntryKind::Tree);
        }
        let theirs = pair.git(&["diff", "--numstat", "-M", "--diff-filter=t"]);
        let theirs: String = theirs
            .lines()
            .map(|line| line.split('\t').take(2).collect::<Vec<_>>().join("\t") + "\n")
            .collect();
        // Git says of a binary file with another name or mode that it has no lines.
        if !theirs.contains('-') {
            assert_eq!(counts, theirs, "{}", pair.label);
        }
    }
}

#[test]
fn mails_are_those_of_git() {
    let first = first_seed();
    for seed in first..first + cases(40) {
        let mut pair = pair(seed);
        let commit_id = pair.ids[1].parse().unwrap();
        let ours = pair.objects.mail(commit_id, None, &OPTIONS, &LIMITS, 40, usize::MAX).unwrap();
        let args =
            ["format-patch", "--stdout", "--no-signature", "--no-binary", "--full-index", "-1", &pair.ids[1]];
        let theirs = pair.bench.work.pipe(&args, b"");
        if theirs.is_empty() {
            continue;
        }
        assert_eq!(String::from_utf8_lossy(&ours.text), String::from_utf8_lossy(&theirs), "{}", pair.label);
    }
}

/// Stores files as two trees of one name each and returns how they differ.
fn compare(old: &[u8], new: &[u8]) -> (Objects, Change, Bench) {
    let bench = Bench::new();
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let trees = [old, new].map(|data| {
        let id = pack.blob(data).unwrap();
        let entry = TreeEntry { name: b"file".to_vec(), kind: EntryKind::File, id };
        pack.tree(&[entry]).unwrap()
    });
    pack.write(&bench.repository, bench.unique()).unwrap();
    let mut objects = Objects::open(&bench.repository).unwrap();
    let mut diff = objects.diff_trees(Some(trees[0]), Some(trees[1]), &OPTIONS).unwrap();
    (objects, diff.changes.remove(0), bench)
}

#[test]
fn patches_of_large_files_are_cut_at_whole_lines() {
    let old: String = (0..2000).map(|line| format!("line {line}\n")).collect();
    let new = old.replace("0\n", "zero\n");
    let (mut objects, change, _bench) = compare(old.as_bytes(), new.as_bytes());
    let patch = objects.file_patch(&change, &PatchLimits { lines: 30, ..LIMITS }).unwrap();
    assert_eq!((patch.additions, patch.deletions, patch.is_truncated), (200, 200, true));
    assert_eq!(patch.hunks.iter().filter(|byte| **byte == b'\n').count(), 30);
    let patch = objects.file_patch(&change, &PatchLimits { bytes: 500, ..LIMITS }).unwrap();
    assert!(patch.is_truncated && patch.hunks.len() <= 500 && patch.hunks.ends_with(b"\n"));
    let patch = objects.file_patch(&change, &PatchLimits { file_bytes: 500, ..LIMITS }).unwrap();
    assert_eq!((patch.comparison, patch.is_truncated), (Comparison::TooLarge, true));
}

#[test]
fn files_that_are_hard_to_compare_end_in_time() {
    let mut random = Random::new(7);
    // One line of many megabytes; nothing in common; very few different lines, all of them everywhere.
    let long = vec![b'x'; 8 << 20];
    let mut noise = |from: usize| -> Vec<u8> {
        (0..30_000).flat_map(|_| format!("{}\n", random.below(from)).into_bytes()).collect()
    };
    let pairs = [
        (long.clone(), [&long[..], b"y"].concat()),
        (noise(usize::MAX), noise(usize::MAX)),
        (noise(3), noise(3)),
        (vec![b'\n'; 1 << 20], vec![b'\n'; (1 << 20) + 7]),
    ];
    for (old, new) in pairs {
        let (mut objects, change, _bench) = compare(&old, &new);
        let limits = PatchLimits { file_bytes: 1 << 24, lines: 3000, bytes: 1 << 20 };
        let patch = objects.file_patch(&change, &limits).unwrap();
        assert_eq!(patch.comparison, Comparison::Lines);
        assert!(patch.hunks.len() <= 1 << 20);
    }
}

#[test]
fn hostile_trees_are_refused_or_cut() {
    let bench = Bench::new();
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let blob = pack.blob(b"x").unwrap();
    let entry = |name: &str, kind, id| TreeEntry { name: name.into(), kind, id };
    let mut deep = pack.tree(&[entry("end", EntryKind::File, blob)]).unwrap();
    for _ in 0..3000 {
        deep = pack.tree(&[entry("a-directory", EntryKind::Tree, deep)]).unwrap();
    }
    let mut bomb = blob;
    for level in 0..30 {
        let kind = if level == 0 { EntryKind::File } else { EntryKind::Tree };
        let ten: Vec<_> = (0..10).map(|at| entry(&format!("e{at}"), kind, bomb)).collect();
        bomb = pack.tree(&ten).unwrap();
    }
    let absent = pack.tree(&[entry("a", EntryKind::Tree, blob), entry("b", EntryKind::File, deep)]).unwrap();
    pack.write(&bench.repository, bench.unique()).unwrap();
    let mut objects = Objects::open(&bench.repository).unwrap();
    let error = objects.diff_trees(None, Some(deep), &OPTIONS).unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
    let diff = objects.diff_trees(None, Some(bomb), &DiffOptions { changes: 300, ..OPTIONS }).unwrap();
    assert_eq!((diff.changes.len(), diff.is_truncated), (300, true));
    let error = objects.diff_trees(None, Some(bomb), &DiffOptions { trees: 20, ..OPTIONS }).unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
    assert!(matches!(objects.diff_trees(None, Some(absent), &OPTIONS), Err(Error::WrongKind { .. })));
    let null = ObjectId::null(ObjectFormat::Sha1);
    assert!(matches!(objects.diff_trees(None, Some(null), &OPTIONS), Err(Error::MissingObject(_))));
}

#[test]
fn rename_search_keeps_to_its_limits() {
    let mut pair =
        (1..).map(pair).find(|pair| pair.git(&["diff", "--name-status", "-M"]).contains("R0")).unwrap();
    let [old, new] = pair.trees.map(Some);
    let mut search = |renames| {
        let diff =
            pair.objects.diff_trees(old, new, &DiffOptions { renames: Some(renames), ..OPTIONS }).unwrap();
        let is_inexact = |change: &Change| matches!(change, Change::Renamed { similarity: ..100, .. });
        (diff.changes.iter().any(is_inexact), diff.has_unsearched_renames)
    };
    assert_eq!(search(RENAMES), (true, false));
    assert_eq!(search(RenameOptions { bytes: 10, ..RENAMES }), (false, true));
    assert!(!search(RenameOptions { similarity: 100, ..RENAMES }).0);
}

fn numbered(lines: usize, changed: std::ops::Range<usize>, word: &str) -> (&'static str, Vec<u8>) {
    let line =
        |at: usize| format!("  line {at} says {}\n", if changed.contains(&at) { word } else { "this" });
    ("100644", (0..lines).map(line).collect::<String>().into_bytes())
}

/// Compares the mail of a commit that turns one directory into another with that of git.
fn check_mail(before: &[(&str, support::files::File)], after: &[(&str, support::files::File)]) -> String {
    let bench = Bench::new();
    let files = |named: &[(&str, support::files::File)]| -> support::files::Files {
        named.iter().map(|(name, file)| ((*name).to_owned(), file.clone())).collect()
    };
    let first = commit(&bench.work, "main", 1_700_000_000, "first\n", &files(before), &[]);
    let second = commit(&bench.work, "main", 1_700_000_100, "second\n", &files(after), &[first]);
    let args = ["format-patch", "--stdout", "--no-signature", "--no-binary", "--full-index", "-1", &second];
    let theirs = String::from_utf8(bench.work.pipe(&args, b"")).unwrap();
    let mut objects = bench.objects();
    let ours = objects.mail(second.parse().unwrap(), None, &OPTIONS, &LIMITS, 40, usize::MAX).unwrap();
    assert_eq!(String::from_utf8(ours.text).unwrap(), theirs);
    theirs
}

#[test]
fn file_that_kept_its_name_is_preferred_to_one_that_is_more_alike() {
    let text = check_mail(
        &[("one/same", numbered(100, 0..0, ""))],
        &[("two/same", numbered(100, 0..18, "that")), ("two/other", numbered(100, 0..3, "that"))],
    );
    assert!(text.contains("rename {one => two}/same (8"), "{text}");
}

#[test]
fn hunk_without_a_function_of_its_own_names_the_last_one() {
    let with_head = |(mode, data): support::files::File| (mode, [b"fn head() {\n", &data[..]].concat());
    let text = check_mail(
        &[("a", with_head(numbered(100, 0..0, "")))],
        &[("a", with_head(numbered(100, 20..21, "that").clone()))],
    );
    assert!(text.contains("@@ fn head() {"), "{text}");
    let (mode, mut data) = with_head(numbered(100, 20..21, "that"));
    data.extend_from_slice(b"  end\n");
    let text = check_mail(&[("a", with_head(numbered(100, 0..0, "")))], &[("a", (mode, data))]);
    assert_eq!(text.matches("@@ fn head() {").count(), 2, "{text}");
}

#[test]
fn table_shows_both_signs_of_a_small_change_beside_a_large_one() {
    let text = check_mail(
        &[("large", numbered(1, 0..0, "")), ("small", numbered(5, 0..0, ""))],
        &[("large", numbered(900, 0..0, "")), ("small", numbered(5, 2..3, "that"))],
    );
    assert!(text.contains("small |   2 +-\n"), "{text}");
}
