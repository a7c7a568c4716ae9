//! Merges against `git merge-tree`, rebases and cherry-picks against `git rebase` and `git cherry-pick`.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::merge::{Confirmation, ConflictKind, Merge, MergeLimits, Merger, Rebased};
use forge_git::objects::{Objects, PackBuilder, Signature};
use forge_types::{ObjectFormat, ObjectId};
use support::Bench;
use support::files::{Files, changed, commit, directory};
use support::random::{Random, cases, first_seed};

const LIMITS: MergeLimits = MergeLimits { bytes: 1 << 28, renames: 1000, changes: 10_000 };

struct Case {
    bench: Bench,
    objects: Objects,
    ours: ObjectId,
    theirs: ObjectId,
    label: String,
}

/// Two random branches of one history; sometimes with two merge bases.
fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let bench = Bench::new();
    let base = directory(&mut random);
    let mut time = 1_700_000_000;
    let mut write = |branch: &str, files: &Files, parents: &[&String]| {
        time += 60;
        let parents: Vec<String> = parents.iter().map(|parent| (*parent).clone()).collect();
        commit(&bench.work, branch, time, "m\n", files, &parents)
    };
    let first = write("base", &base, &[]);
    let (mut a_files, mut b_files) = (changed(&mut random, &base), changed(&mut random, &base));
    let (mut a, mut b) = (write("a", &a_files, &[&first]), write("b", &b_files, &[&first]));
    if random.one_in(4) {
        // Each side merges the other, and takes what suits it.
        (a_files, b_files) = (changed(&mut random, &a_files), changed(&mut random, &a_files));
        let cross = (write("a", &a_files, &[&a, &b]), write("b", &b_files, &[&b, &a]));
        (a, b) = (
            write("a", &changed(&mut random, &a_files), &[&cross.0]),
            write("b", &changed(&mut random, &b_files), &[&cross.1]),
        );
    }
    let objects = bench.objects();
    Case {
        bench,
        objects,
        ours: a.parse().unwrap(),
        theirs: b.parse().unwrap(),
        label: format!("seed {seed}: {a} {b}"),
    }
}

/// What git makes of a merge: the tree if it is clean.
fn expected(case: &Case) -> Option<ObjectId> {
    let args =
        ["merge-tree", "--write-tree", "--no-messages", &case.ours.to_string(), &case.theirs.to_string()];
    let output = case.bench.work.try_pipe(&args, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim().parse().unwrap())
}

fn confirmation(bench: &Bench, runtime: &tokio::runtime::Runtime) -> Confirmation {
    Confirmation::new(
        bench.processes.clone(),
        bench.repository.clone(),
        bench.unique(),
        runtime.handle().clone(),
    )
}

#[test]
fn merges_are_those_of_git() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = first_seed();
    let (mut clean, mut conflicted) = (0, 0);
    for seed in first..first + cases(40) {
        let mut case = case(seed);
        let expected = expected(&case);
        let confirmation = confirmation(&case.bench, &runtime);
        let merger = Merger::new(&mut case.objects, LIMITS, Some(confirmation));
        let merged = merger.merge(case.ours, case.theirs).unwrap();
        match (&merged, expected) {
            (Merge::Clean { tree_id }, Some(expected)) if *tree_id == expected => clean += 1,
            (Merge::Conflicted(found), None) if !found.is_empty() => conflicted += 1,
            (found, expected) => panic!("{}: {found:?}, but {expected:?} with git", case.label),
        }
        assert_eq!(case.bench.leftovers(), Vec::<String>::new());
        let Merge::Clean { tree_id } = merged else { continue };
        store(&case.bench, &merger, &[tree_id]);
        let git = support::Git { path: case.bench.repository.path().to_owned() };
        git.run(&["rev-list", "--objects", "--quiet", &tree_id.to_string()]);
    }
    assert!(clean > 0 && conflicted > 0, "{clean} clean, {conflicted} conflicted");
}

/// Stores what a merger made and checks that it is what git accepts.
fn store(bench: &Bench, merger: &Merger<'_>, roots: &[ObjectId]) {
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    merger.gather(roots, &mut pack).unwrap();
    if !pack.is_empty() {
        pack.write(&bench.repository, bench.unique()).unwrap();
    }
}

fn committer() -> Signature {
    Signature {
        name: "A U Thor".into(),
        email: "author@example.com".into(),
        seconds: 1_700_000_000,
        offset: 3600,
    }
}

#[test]
fn cherry_picks_reverts_and_rebases_are_those_of_git() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = first_seed();
    let (mut clean, mut replayed) = (0, 0);
    for seed in first..first + cases(24).div_ceil(2) {
        let mut random = Random::new(seed);
        let bench = Bench::new();
        let base = directory(&mut random);
        let root = commit(&bench.work, "a", 1_700_000_000, "root\n", &base, &[]);
        let onto = changed(&mut random, &base);
        let onto = commit(&bench.work, "a", 1_700_000_100, "onto\n", &onto, std::slice::from_ref(&root));
        let (mut files, mut topic) = (base, vec![root]);
        for number in 0..1 + random.below(3) {
            files = changed(&mut random, &files);
            let parent = topic.last().unwrap().clone();
            topic.push(commit(
                &bench.work,
                "b",
                1_700_000_200 + number,
                &format!("topic {number}"),
                &files,
                &[parent],
            ));
        }
        let mut objects = bench.objects();
        let confirmation = confirmation(&bench, &runtime);
        let merger = Merger::new(&mut objects, LIMITS, Some(confirmation));
        let ids: Vec<ObjectId> = topic.iter().map(|id| id.parse().unwrap()).collect();
        let onto_id: ObjectId = onto.parse().unwrap();
        let tip = topic.last().unwrap();
        for (base, theirs, found) in [
            (&topic[topic.len() - 2], tip, merger.cherry_pick(ids[ids.len() - 1], onto_id, None).unwrap()),
            (&topic[1], &topic[0], merger.revert(ids[1], onto_id, None).unwrap()),
        ] {
            let base = format!("--merge-base={base}");
            let output = bench
                .work
                .try_pipe(&["merge-tree", "--write-tree", "--no-messages", &base, &onto, theirs], b"");
            match found {
                Merge::Clean { tree_id } => {
                    assert_eq!(
                        String::from_utf8(output.stdout).unwrap().trim(),
                        tree_id.to_string(),
                        "seed {seed}"
                    );
                    clean += 1;
                }
                found => {
                    assert!(!output.status.success() && found != Merge::Unrelated, "seed {seed}: {found:?}");
                }
            }
        }
        let range = format!("{}..b", topic[0]);
        let output = bench.work.try_pipe(&["replay", "--onto", &onto, &range], b"");
        let text = String::from_utf8(output.stdout).unwrap();
        match merger.rebase(&ids[1..], onto_id, &committer()).unwrap() {
            // Git replays a commit whose change is there already as an empty one.
            Rebased::Done { commit_ids, tip_id } if commit_ids.len() == ids.len() - 1 => {
                assert!(
                    text.starts_with(&format!("update refs/heads/b {tip_id} ")),
                    "seed {seed}: {tip_id} {text}"
                );
                store(&bench, &merger, &[tip_id]);
                bench.fsck(&[tip_id]);
                replayed += 1;
            }
            Rebased::Done { .. } => {}
            Rebased::Conflicted { .. } => assert!(!output.status.success(), "seed {seed}: {text}"),
        }
    }
    assert!(clean > 0 && replayed > 0, "{clean} picked, {replayed} replayed");
}

#[test]
fn rebase_leaves_out_what_is_there_and_refuses_merges() {
    let bench = Bench::new();
    let root = bench.work.commit("a", "1\n");
    bench.work.run(&["checkout", "-q", "-b", "topic"]);
    let same = bench.work.commit("b", "same\n");
    let own = bench.work.commit("c", "own\n");
    bench.work.run(&["checkout", "-q", "-b", "other", &root.to_string()]);
    bench.work.commit("b", "same\n");
    let onto = bench.work.commit("d", "4\n");
    bench.work.run(&["merge", "-q", "--no-edit", "topic"]);
    let merge = bench.work.id("HEAD");
    let mut objects = bench.objects();
    let merger = Merger::new(&mut objects, LIMITS, None);
    let Rebased::Done { commit_ids, tip_id } = merger.rebase(&[same, own], onto, &committer()).unwrap()
    else {
        panic!("conflict");
    };
    bench.work.run(&["rebase", "-q", "--onto", &onto.to_string(), &root.to_string(), "topic"]);
    assert_eq!((commit_ids.len(), tip_id), (1, bench.work.id("topic")));
    assert!(matches!(merger.rebase(&[merge], onto, &committer()), Err(Error::Protocol(_))));
    assert!(matches!(merger.cherry_pick(merge, root, Some(3)), Err(Error::Protocol(_))));
    let Merge::Clean { tree_id } = merger.revert(merge, merge, Some(1)).unwrap() else { panic!("conflict") };
    assert_eq!(tree_id, bench.work.id(&format!("{onto}^{{tree}}")));
    let Merge::Clean { tree_id } = merger.cherry_pick(root, root, None).unwrap() else { panic!("conflict") };
    assert_eq!(tree_id, bench.work.id(&format!("{root}^{{tree}}")));
}

#[test]
fn conflicts_are_named_by_path_and_kind() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = Bench::new();
    bench.work.commit("text", "1\n2\n3\n");
    bench.work.commit("gone", "a file that one side deletes\n");
    bench.work.run(&["checkout", "-q", "-b", "topic"]);
    bench.work.commit("text", "1\ntheirs\n3\n");
    bench.work.commit("gone", "a file that one side changes\n");
    let theirs = bench.work.commit("fresh", "theirs\n");
    bench.work.run(&["checkout", "-q", "main"]);
    bench.work.commit("text", "1\nours\n3\n");
    bench.work.run(&["rm", "-q", "gone"]);
    let ours = bench.work.commit("fresh", "ours\n");
    bench.work.run(&["checkout", "-q", "--orphan", "alone"]);
    let alone = bench.work.commit("x", "x");
    let mut objects = bench.objects();
    for confirmation in [None, Some(confirmation(&bench, &runtime))] {
        let merger = Merger::new(&mut objects, LIMITS, confirmation);
        let Merge::Conflicted(mut found) = merger.merge(ours, theirs).unwrap() else { panic!("clean") };
        found.sort_by(|one, other| one.path.cmp(&other.path));
        let found: Vec<_> = found.iter().map(|found| (&found.path[..], found.kind)).collect();
        let expected = [
            (&b"fresh"[..], ConflictKind::AddAdd),
            (b"gone", ConflictKind::ModifyDelete),
            (b"text", ConflictKind::Content),
        ];
        assert_eq!(found, expected);
        assert_eq!(merger.merge(ours, alone).unwrap(), Merge::Unrelated);
        let null = ObjectId::null(ObjectFormat::Sha1);
        assert!(matches!(merger.merge(ours, null), Err(Error::MissingObject(_))));
    }
    let merger = Merger::new(&mut objects, MergeLimits { bytes: 300, ..LIMITS }, None);
    assert!(matches!(merger.merge(ours, theirs), Err(Error::TooLarge(_))));
}

/// Prints how long a mergeability check takes on a history of some thousand commits and files.
#[test]
#[ignore = "a measurement, to be run in a release build"]
fn measure_mergeability() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = Bench::new();
    let mut text = String::new();
    for number in 1..=4000usize {
        let branch = ["main", "clean", "conflict"][number.saturating_sub(3851) / 50];
        text += &format!(
            "commit refs/heads/{branch}\nmark :{number}\ncommitter A <a@b> {} +0000\ndata 1\nm\n",
            1_700_000_000 + number
        );
        if number > 1 {
            // The topics began a hundred commits before main ended.
            text += &format!("from :{}\n", if matches!(number, 3901 | 3951) { 3800 } else { number - 1 });
        }
        let first = if branch == "conflict" { number - 51 } else { number } % 2000;
        for file in if number == 1 { 0..2000 } else { first..first + 1 } {
            let lines: String = (0..80)
                .map(|line| {
                    format!("line {line} of {file} says {}\n", if line == number % 80 { number } else { 0 })
                })
                .collect();
            text += &format!(
                "M 100644 inline src/d{}/d{}/f{file}\ndata {}\n{lines}",
                file % 20,
                file % 7,
                lines.len()
            );
        }
    }
    bench.work.pipe(&["fast-import", "--quiet"], text.as_bytes());
    drop(bench.objects());
    let ours = bench.work.id("main");
    for (branch, is_confirmed) in [("clean", true), ("conflict", false), ("conflict", true)] {
        let theirs = bench.work.id(branch);
        let mut times = Vec::new();
        for _ in 0..50 {
            let begin = std::time::Instant::now();
            let mut objects = Objects::open(&bench.repository).unwrap();
            let confirmation = is_confirmed.then(|| confirmation(&bench, &runtime));
            let merged = Merger::new(&mut objects, LIMITS, confirmation).merge(ours, theirs).unwrap();
            assert_eq!(matches!(merged, Merge::Clean { .. }), branch == "clean", "{merged:?}");
            times.push(begin.elapsed());
        }
        times.sort();
        println!("{branch}, confirmed: {is_confirmed}: p50 {:?}, p95 {:?}", times[25], times[47]);
    }
}
