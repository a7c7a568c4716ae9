//! Logs, merge bases and counts against `git log`, `git merge-base` and `git rev-list`, over random histories.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use std::collections::BTreeSet;

use forge_git::Error;
use forge_git::diff::TouchLimits;
use forge_git::history::{LogOrder, LogQuery};
use forge_git::objects::Objects;
use forge_types::ObjectId;
use support::random::{Clocks, PATHS, Random, cases, first_seed, history};
use support::{Bench, Git};

const PLENTY: usize = 1_000_000;

fn ids(text: &str) -> Vec<ObjectId> {
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// Makes a query and the arguments that ask git the same.
fn query(random: &mut Random, commits: &[ObjectId]) -> (LogQuery, Vec<String>) {
    let mut query = LogQuery { limit: PLENTY, max_visited: PLENTY, ..LogQuery::default() };
    let mut args = vec!["log".to_owned(), "--format=%H".to_owned()];
    for _ in 0..=random.below(2) {
        query.tips.push(*random.pick(commits));
    }
    if random.one_in(3) {
        query.hidden.push(*random.pick(commits));
    }
    if random.one_in(4) {
        query.order = LogOrder::Topological;
        args.push("--topo-order".into());
    }
    if random.one_in(4) {
        query.first_parent = true;
        args.push("--first-parent".into());
    }
    if random.one_in(6) {
        let since = 1_700_000_000 + random.below(60) as i64 * 60;
        query.since = Some(since);
        args.push(format!("--since={since} +0000"));
    }
    if random.one_in(6) {
        let until = 1_700_000_000 + random.below(60) as i64 * 60;
        query.until = Some(until);
        args.push(format!("--until={until} +0000"));
    }
    if random.one_in(5) {
        query.authors = vec![b"B <b@".to_vec(), b"c@example".to_vec()];
        args.extend(["-F", "--author=B <b@", "--author=c@example"].map(str::to_owned));
    }
    if random.one_in(8) {
        query.skip = random.below(5);
        query.limit = 1 + random.below(5);
        args.extend([format!("--skip={}", query.skip), format!("-n{}", query.limit)]);
    }
    args.extend(query.tips.iter().map(ToString::to_string));
    args.extend(query.hidden.iter().map(|id| format!("^{id}")));
    args.push("--".into());
    if random.one_in(2) {
        for _ in 0..=random.below(2) {
            let path = *random.pick(&["d", "d/deep", "a", "e", "link1", "none"]);
            let path = if random.one_in(2) { path } else { random.pick(&PATHS) };
            query.paths.push(path.into());
            args.push(path.into());
        }
    }
    (query, args)
}

/// Merges two commits twice, once from each side.
fn criss_cross(bench: &Bench, random: &mut Random, number: usize) {
    let commits = ids(&bench.work.run(&["rev-list", "--all"]));
    let pair = [*random.pick(&commits), *random.pick(&commits)].map(|id| id.to_string());
    for (side, parents) in [[&pair[0], &pair[1]], [&pair[1], &pair[0]]].iter().enumerate() {
        let text = format!(
            "commit refs/heads/cross{number}-{side}\ncommitter A <a@example.com> {} +0000\ndata 1\nx\n\
             from {}\nmerge {}\n",
            1_700_010_000 + number,
            parents[0],
            parents[1]
        );
        bench.work.pipe(&["fast-import", "--quiet"], text.as_bytes());
    }
}

fn fixture(seed: u64, random: &mut Random, clocks: Clocks) -> (Bench, Objects, Vec<ObjectId>) {
    let bench = Bench::new();
    let commits = 5 + random.below(70);
    history(&bench.work, random, commits, clocks);
    for number in 0..3 {
        criss_cross(&bench, random, number);
    }
    let objects = bench.objects();
    let commits = ids(&bench.work.run(&["rev-list", "--all"]));
    eprintln!("seed {seed}: {} commits", commits.len());
    (bench, objects, commits)
}

#[test]
fn logs_are_those_of_git() {
    let first = first_seed();
    for seed in first..first + cases(200).div_ceil(40) {
        let mut random = Random::new(seed);
        let (bench, mut objects, commits) = fixture(seed, &mut random, Clocks::Right);
        for case in 0..40 {
            let (query, args) = query(&mut random, &commits);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let theirs = ids(&bench.work.run(&args));
            let page = objects.log(&query).unwrap();
            assert_eq!(page.ids, theirs, "seed {seed}, case {case}: git {}", args.join(" "));
            let total = objects.log(&LogQuery { skip: 0, limit: PLENTY, ..query.clone() }).unwrap().ids.len();
            assert_eq!(page.has_more, total > query.skip + page.ids.len(), "seed {seed}, case {case}");
        }
    }
}

#[test]
fn merge_bases_and_counts_are_those_of_git() {
    let first = first_seed();
    let mut several = 0;
    for seed in first..first + cases(200).div_ceil(20) {
        let mut random = Random::new(seed);
        let clocks = if seed % 2 == 0 { Clocks::Wrong } else { Clocks::Right };
        let (bench, mut objects, commits) = fixture(seed, &mut random, clocks);
        for case in 0..20 {
            let newest = if random.one_in(2) { &commits[..] } else { &commits[..commits.len().min(12)] };
            let (ours, theirs) = (*random.pick(newest), *random.pick(newest));
            let label = format!("seed {seed}, case {case}: {ours} {theirs}");
            let (a, b) = (ours.to_string(), theirs.to_string());
            let output = bench.work.try_pipe(&["merge-base", "--all", &a, &b], b"");
            let expected = ids(&String::from_utf8(output.stdout).unwrap());
            let mut sorted = objects.merge_bases(ours, theirs, PLENTY).unwrap();
            several += usize::from(sorted.len() > 1);
            assert_eq!(sorted.first(), expected.first(), "{label}");
            sorted.sort();
            let mut expected = expected;
            expected.sort();
            assert_eq!(sorted, expected, "{label}");
            if clocks == Clocks::Wrong {
                continue;
            }
            let range = format!("{a}...{b}");
            let counts = bench.work.run(&["rev-list", "--left-right", "--count", &range]);
            let found = objects.ahead_behind(ours, theirs, PLENTY).unwrap();
            assert_eq!(format!("{}\t{}", found.behind, found.ahead), counts, "{label}");
            let is_ancestor = bench.work.try_pipe(&["merge-base", "--is-ancestor", &a, &b], b"");
            assert_eq!(objects.is_ancestor(ours, theirs).unwrap(), is_ancestor.status.success(), "{label}");
        }
    }
    assert!(several > 0, "no criss-cross merge among the cases");
}

#[test]
fn walks_end_where_the_caller_says() {
    let bench = Bench::new();
    for number in 0..30 {
        bench.work.commit("a", &number.to_string());
    }
    let mut objects = bench.objects();
    let tip = bench.work.id("HEAD");
    let query = LogQuery { tips: vec![tip], limit: 5, max_visited: 6, ..LogQuery::default() };
    let page = objects.log(&query).unwrap();
    assert_eq!((page.ids.len(), page.has_more, page.is_cut), (5, true, false));
    let page = objects.log(&LogQuery { limit: 10, ..query.clone() }).unwrap();
    assert_eq!((page.ids.len(), page.has_more, page.is_cut), (6, false, true));
    let hidden = vec![bench.work.id("HEAD~20")];
    let error = objects.log(&LogQuery { hidden, ..query.clone() }).unwrap_err();
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
    assert!(matches!(objects.merge_bases(tip, bench.work.id("HEAD~20"), 5), Err(Error::TooLarge(_))));
    let tree = bench.work.id("HEAD^{tree}");
    let error = objects.log(&LogQuery { tips: vec![tree], ..query }).unwrap_err();
    assert!(matches!(error, Error::WrongKind { .. }), "{error}");
}

#[test]
fn absent_parent_is_named() {
    let bench = Bench::new();
    let first = bench.work.commit("a", "1");
    let second = bench.work.commit("a", "2");
    let list = format!("{second}\n{}\n", bench.work.id("HEAD^{tree}"));
    let pack = bench.work.pipe(&["pack-objects", "--stdout", "-q"], list.as_bytes());
    bench.repository.create().unwrap();
    let stored = Git { path: bench.repository.path().to_owned() };
    let _ = stored.pipe(&["index-pack", "--stdin"], &pack);
    let mut objects = Objects::open(&bench.repository).unwrap();
    let query = LogQuery { tips: vec![second], limit: 5, max_visited: 50, ..LogQuery::default() };
    for error in [objects.log(&query).unwrap_err(), objects.merge_bases(second, second, 50).unwrap_err()] {
        assert!(matches!(error, Error::MissingObject(id) if id == first), "{error:?}");
    }
}

/// A clock that went wrong hides for a while that one common ancestor is behind another.
#[test]
fn merge_base_that_another_one_reaches_is_dropped() {
    let bench = Bench::new();
    let mut text = String::new();
    for (mark, time, parents) in
        [(1, 80, &[][..]), (2, 10, &[1]), (3, 90, &[2]), (4, 100, &[3, 1]), (5, 100, &[3, 1])]
    {
        text.push_str(&format!("commit refs/heads/b{mark}\nmark :{mark}\n"));
        text.push_str(&format!("committer A <a@example.com> {time} +0000\ndata 1\n{mark}"));
        for (at, parent) in parents.iter().enumerate() {
            text.push_str(&format!("\n{} :{parent}", if at == 0 { "from" } else { "merge" }));
        }
        text.push('\n');
    }
    bench.work.pipe(&["fast-import", "--quiet"], text.as_bytes());
    let mut objects = bench.objects();
    let found = objects.merge_bases(bench.work.id("b4"), bench.work.id("b5"), PLENTY).unwrap();
    assert_eq!(found, [bench.work.id("b3")]);
}

const FAR: TouchLimits = TouchLimits { commits: 10_000, visited: 1_000_000, changes: 10_000, trees: 10_000 };

/// Git names with `-c`, of a merge, what differs from every parent, and of a first commit everything.
#[test]
fn the_paths_that_new_commits_touch_are_those_git_names() {
    let first = first_seed();
    for seed in first..first + cases(200).div_ceil(20) {
        let mut random = Random::new(seed);
        let clocks = if seed % 2 == 0 { Clocks::Wrong } else { Clocks::Right };
        let (bench, mut objects, commits) = fixture(seed, &mut random, clocks);
        for case in 0..20 {
            let (new, known) = (*random.pick(&commits), *random.pick(&commits));
            let (tip, hidden) = (new.to_string(), format!("^{known}"));
            let args =
                ["log", "--format=", "--name-only", "-z", "-c", "--no-renames", "--root", &tip, &hidden];
            let output = bench.work.pipe(&args, b"");
            let theirs: BTreeSet<Vec<u8>> =
                output.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
            let ours = objects.touched_paths(new, &[known], &FAR).unwrap();
            assert_eq!(ours, Some(theirs), "seed {seed}, case {case}: {known}..{new}");
        }
        let none = TouchLimits { commits: 0, ..FAR };
        assert_eq!(objects.touched_paths(commits[0], &[], &none).unwrap(), None, "seed {seed}");
    }
}
