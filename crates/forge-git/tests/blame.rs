//! Blame against `git blame`.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::history::BlamedLines;
use forge_types::ObjectId;
use support::Bench;
use support::files::{Files, changed, commit, directory};
use support::random::{Random, cases, first_seed};

const PLENTY: u64 = 1 << 30;

/// One line for each line of the file: commit, line there, line here, path there.
fn ours(found: &[BlamedLines]) -> Vec<String> {
    let each = |range: &BlamedLines| {
        let range = range.clone();
        (0..range.count.get()).map(move |at| {
            let path = String::from_utf8_lossy(&range.path).into_owned();
            format!("{} {} {} {path}", range.commit_id, range.original_start + at, range.start + at)
        })
    };
    found.iter().flat_map(each).collect()
}

fn theirs(bench: &Bench, tip: &str, path: &str) -> Vec<String> {
    let output = bench.work.pipe(&["blame", "--line-porcelain", tip, "--", path], b"");
    let text = String::from_utf8_lossy(&output).into_owned();
    let mut lines = Vec::new();
    let mut head = String::new();
    for line in text.split('\n') {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0].len() == 40 && words.len() >= 3 && words[0].bytes().all(|byte| byte.is_ascii_hexdigit()) {
            head = format!("{} {} {}", words[0], words[1], words[2]);
        } else if let Some(name) = line.strip_prefix("filename ") {
            lines.push(format!("{head} {name}"));
        }
    }
    lines
}

#[test]
fn blame_is_that_of_git() {
    let first = first_seed();
    let (mut same, mut other) = (0, 0);
    for seed in first..first + cases(20) {
        let mut random = Random::new(seed);
        let bench = Bench::new();
        let mut files: Vec<(String, Files)> = Vec::new();
        for number in 0..8 {
            let (parents, content) = match files.len() {
                0 => (Vec::new(), directory(&mut random)),
                count => {
                    let parent = count - 1 - random.below(count.min(3));
                    let mut parents = vec![files[parent].0.clone()];
                    let side = random.below(count);
                    if random.one_in(3) && side != parent {
                        parents.push(files[side].0.clone());
                    }
                    (parents, changed(&mut random, &files[parent].1))
                }
            };
            let id = commit(&bench.work, "main", 1_700_000_000 + number * 60, "m\n", &content, &parents);
            files.push((id, content));
        }
        let mut objects = bench.objects();
        let (tip, content) = files.last().unwrap();
        let tip_id: ObjectId = tip.parse().unwrap();
        for (path, (mode, data)) in content {
            if !mode.starts_with("100") || data.contains(&0) || path.contains(['\t', '"', '\u{1}', '\u{e4}'])
            {
                continue;
            }
            let found = objects.blame(tip_id, path.as_bytes(), None, PLENTY).unwrap();
            let (ours, theirs) = (ours(&found), theirs(&bench, tip, path));
            assert_eq!(ours.len(), theirs.len(), "seed {seed}: {path}");
            *if ours == theirs { &mut same } else { &mut other } += 1;
            let Some(middle) = u32::try_from(ours.len()).ok().filter(|count| *count > 4) else { continue };
            let found = objects.blame(tip_id, path.as_bytes(), Some(2..=middle - 1), PLENTY).unwrap();
            let start = found.first().unwrap().start;
            let end = found.last().map(|last| last.start + last.count.get() - 1).unwrap();
            assert_eq!((start, end), (2, middle - 1), "seed {seed}: {path}");
        }
    }
    // Where a file came from when it moved and changed is a matter of likeness, of which gix has another measure.
    assert!(same > 0 && other * 30 <= same, "{same} the same, {other} others, from seed {first}");
}

#[test]
fn blame_ends_at_its_limits_and_tells_what_is_absent() {
    let bench = Bench::new();
    for number in 0..20 {
        bench.work.commit("a", &format!("same\n{number}\n"));
    }
    bench.work.commit("empty", "");
    let tip = bench.work.id("HEAD");
    let mut objects = bench.objects();
    assert_eq!(objects.blame(tip, b"a", None, PLENTY).unwrap().len(), 2);
    assert_eq!(objects.blame(tip, b"empty", None, PLENTY).unwrap(), []);
    assert!(matches!(objects.blame(tip, b"a", None, 2000), Err(Error::TooLarge(_))));
    assert!(matches!(objects.blame(tip, b"none", None, PLENTY), Err(Error::MissingObject(_))));
    assert!(matches!(objects.blame(tip, b"", None, PLENTY), Err(Error::WrongKind { .. })));
    // Lines that the file does not have are answered somehow, but answered.
    drop(objects.blame(tip, b"a", Some(5..=9), PLENTY));
}
