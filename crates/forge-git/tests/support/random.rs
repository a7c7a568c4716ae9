//! Random numbers from a printed seed, and random histories.

use std::fmt::Write as _;

use super::Git;

/// Returns how many cases a test runs: `FORGE_CASES`, or what it takes by itself.
pub(crate) fn cases(default: u64) -> u64 {
    number("FORGE_CASES", default)
}

/// Returns the seed of the first case: `FORGE_SEED`, or 1.
pub(crate) fn first_seed() -> u64 {
    number("FORGE_SEED", 1)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A source of random numbers; the same seed gives the same numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end.max(1)
    }

    /// Is it so, in one of so many cases?
    pub(crate) fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The files of random histories.
pub(crate) const PATHS: [&str; 9] =
    ["a", "b.txt", "d/one", "d/two", "d/deep/x", "d/deep/y", "d/deep/er/z", "e/one", "e.txt"];

/// Whether the times of commits can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocks {
    Right,
    Wrong,
}

/// Writes a random history: merges, renames, modes, links, submodules, annotated tags.
pub(crate) fn history(git: &Git, random: &mut Random, commits: usize, clocks: Clocks) {
    let mut text = String::new();
    let mut tips: Vec<usize> = Vec::new();
    for number in 1..=commits {
        let branch = random.below(4);
        let is_wrong = clocks == Clocks::Wrong && random.one_in(8);
        let skew = if is_wrong { random.below(5000) } else { 0 };
        let time = 1_700_000_000 + number * 60 - skew.min(number * 50);
        let _ = writeln!(text, "commit refs/heads/b{branch}\nmark :{number}");
        let author = ["A <a@example.com>", "B <b@example.com>", "C <c@example.com>"][number % 3];
        let _ = writeln!(text, "author {author} {time} +0000");
        let _ = writeln!(text, "committer A <a@example.com> {time} +0000\ndata 2\nm");
        let parents = parents(random, &tips, number);
        for (at, parent) in parents.iter().enumerate() {
            let _ = writeln!(text, "{} :{parent}", if at == 0 { "from" } else { "merge" });
        }
        changes(&mut text, random, number);
        tips.push(number);
        if random.one_in(6) {
            let _ = writeln!(
                text,
                "tag v{number}\nfrom :{number}\ntagger A <a@example.com> {time} +0000\ndata 2\nt"
            );
        }
        if random.one_in(9) {
            let _ = writeln!(text, "reset refs/tags/light{number}\nfrom :{number}\n");
        }
    }
    git.pipe(&["fast-import", "--quiet", "--force"], text.as_bytes());
    let first = git.run(&["for-each-ref", "--count=1", "--format=%(objectname)", "refs/heads"]);
    git.run(&["update-ref", "refs/heads/main", &first]);
}

fn parents(random: &mut Random, before: &[usize], number: usize) -> Vec<usize> {
    if before.is_empty() || random.one_in(25) {
        return Vec::new();
    }
    let recent = |random: &mut Random| before[before.len() - 1 - random.below(before.len().min(6))];
    let mut parents = vec![recent(random)];
    if random.one_in(4) {
        let other = if random.one_in(3) { before[random.below(before.len())] } else { recent(random) };
        if other != parents[0] && other != number {
            parents.push(other);
        }
    }
    parents
}

fn changes(text: &mut String, random: &mut Random, number: usize) {
    if random.one_in(12) {
        return;
    }
    for _ in 0..=random.below(3) {
        let path = *random.pick(&PATHS);
        match random.below(14) {
            0 => drop(writeln!(text, "D {path}")),
            1 => drop(writeln!(text, "M 120000 inline link{}\ndata 1\na", random.below(3))),
            2 => drop(writeln!(text, "M 160000 {:040x} sub{}", number, random.below(2))),
            3 => drop(writeln!(text, "M 040000 {} wrapped{}", EMPTY_TREE, random.below(2))),
            _ => {
                let mode = if random.one_in(7) { "100755" } else { "100644" };
                let content = content(random);
                let _ = writeln!(text, "M {mode} inline {path}\ndata {}\n{content}", content.len());
            }
        }
    }
}

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// Mostly the same lines, so that packs have differences.
fn content(random: &mut Random) -> String {
    let lines = 20 + random.below(60);
    let changed = random.below(lines);
    let mut text = String::new();
    for line in 0..lines {
        let word = if line == changed { random.next() } else { line as u64 };
        let _ = writeln!(text, "this is line {line} and it says {word}");
    }
    text
}
