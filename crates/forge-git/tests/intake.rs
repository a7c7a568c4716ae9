//! Pushes of random, slightly wrong objects: what is taken in here must be what `git index-pack --strict` and `git rev-list`
//! take in. `FORGE_SEED` and `FORGE_CASES` choose the cases; a failure names its seed.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_types::ObjectId;
use support::random::{Clocks, Random, cases, first_seed, history};
use support::{Bench, Git};

/// The checks of the product, as it gives them to git.
const STRICT: &str = "--strict=badTimezone=ignore,missingSpaceBeforeDate=ignore,zeroPaddedFilemode=ignore";

const NAMES: [&[u8]; 16] = [
    b".",
    b"..",
    b".git",
    b".GIT",
    b"git~1",
    b".gitmodules",
    b".gitattributes",
    b".gitignore",
    b"a/b",
    b"",
    b"x ",
    b".g\xe2\x80\x8cit",
    b"a\\b",
    b"con",
    b".mailmap",
    b".git ",
];

const MODES: [&[u8]; 9] =
    [b"100644", b"100755", b"40000", b"120000", b"160000", b"040000", b"100664", b"0", b"100600"];

/// Changes some bytes, or something that git looks at.
fn spoil(random: &mut Random, data: &[u8], is_tree: bool) -> Vec<u8> {
    let mut data = data.to_vec();
    let at = random.below(data.len());
    match random.below(if is_tree { 6 } else { 4 }) {
        0 if !data.is_empty() => data[at] = random.next() as u8,
        1 if !data.is_empty() => drop(data.remove(at)),
        2 => data.insert(at, *random.pick(b"\n\0 <>a0-")),
        3 => {
            let end = (at + 1 + random.below(30)).min(data.len());
            let piece = data[at..end].to_vec();
            data.splice(at..at, piece);
        }
        _ => {
            let entry = [*random.pick(&MODES), b" ", *random.pick(&NAMES), b"\0", &[random.next() as u8; 20]]
                .concat();
            let at = if random.one_in(2) { 0 } else { data.len() };
            data.splice(at..at, entry);
        }
    }
    data
}

/// Writes an object that git would not write.
fn store(git: &Git, kind: &str, data: &[u8]) -> ObjectId {
    let args = ["hash-object", "--literally", "-w", "-t", kind, "--stdin"];
    String::from_utf8(git.pipe(&args, data)).unwrap().trim().parse().unwrap()
}

/// What stock git says of a push.
fn is_good_for_git(bench: &Bench, pack: &[u8], tip: ObjectId, current: &[ObjectId]) -> bool {
    let folder = tempfile::tempdir_in(bench.directory.path()).unwrap();
    let git = Git::init(folder.path().join("oracle"), &["--bare"]);
    let alternates = format!("{}\n", bench.repository.path().join("objects").display());
    std::fs::write(git.path.join("objects/info/alternates"), alternates).unwrap();
    if !git.try_pipe(&["index-pack", "--stdin", "--fix-thin", STRICT], pack).status.success() {
        return false;
    }
    let mut revisions = format!("{tip}\n");
    for id in current {
        revisions.push_str(&format!("^{id}\n"));
    }
    git.try_pipe(&["rev-list", "--objects", "--stdin", "--quiet"], revisions.as_bytes()).status.success()
}

async fn run(seed: u64, cases: usize) -> (usize, usize) {
    let mut random = Random::new(seed);
    let bench = Bench::new();
    let commits = 4 + random.below(8);
    history(&bench.work, &mut random, commits, Clocks::Right);
    let main = bench.work.id("main");
    bench.push(&bench.work.pack(&["main"]), &[main], &[]).await.unwrap();
    let (mut good, mut bad) = (0, 0);
    for case in 0..cases {
        let tree = bench.work.pipe(&["cat-file", "tree", &format!("{main}^{{tree}}")], b"");
        let blob = bench.work.pipe(&["hash-object", "-w", "--stdin"], format!("{seed} {case}").as_bytes());
        let blob: ObjectId = String::from_utf8(blob).unwrap().trim().parse().unwrap();
        let entry = [&b"100644 zzz\0"[..], blob.as_bytes()].concat();
        let mut tree = [tree, entry].concat();
        let (is_tree, is_spoilt) = (random.one_in(2), !random.one_in(4));
        if is_tree && is_spoilt {
            tree = spoil(&mut random, &tree, true);
        }
        let tree_id = store(&bench.work, "tree", &tree);
        let who = "A <a@example.com> 1700000000 +0000";
        let mut commit =
            format!("tree {tree_id}\nparent {main}\nauthor {who}\ncommitter {who}\n\nm\n").into_bytes();
        if !is_tree && is_spoilt {
            commit = spoil(&mut random, &commit, false);
        }
        let tip = store(&bench.work, "commit", &commit);
        let mut list = format!("{tip}\n{tree_id}\n");
        if !random.one_in(6) {
            list.push_str(&format!("{blob}\n"));
        }
        let pack = bench.work.pipe(&["pack-objects", "--stdout", "-q"], list.as_bytes());
        let expected = is_good_for_git(&bench, &pack, tip, &[main]);
        let taken = bench.push(&pack, &[tip], &[main]).await;
        let label = format!(
            "seed {seed}, case {case}: {taken:?}\n{}\n{}",
            commit.escape_ascii(),
            tree.escape_ascii()
        );
        assert_eq!(taken.is_ok(), expected, "{label}");
        assert!(bench.leftovers().is_empty());
        if let Ok(Some(pack)) = taken {
            let file = bench.repository.path().join(format!("objects/pack/{}.idx", pack.name));
            bench.work.run(&["verify-pack", file.to_str().unwrap()]);
            bench.repository.verify_pack(&pack.name).unwrap();
            bench.repository.remove_pack(&pack).unwrap();
        }
        *if expected { &mut good } else { &mut bad } += 1;
    }
    (good, bad)
}

#[tokio::test]
async fn pushes_are_taken_in_and_refused_as_by_git() {
    let cases = cases(120);
    let first = first_seed();
    let (mut good, mut bad) = (0, 0);
    for seed in first..first + cases.div_ceil(20) {
        let (more_good, more_bad) = run(seed, 20).await;
        (good, bad) = (good + more_good, bad + more_bad);
    }
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad");
}

/// Each of these was taken in, or was a fault of the server: a parent that is a tag, a file that is a directory, and the same in
/// a directory that nothing points to, yet.
#[tokio::test]
async fn what_is_of_another_kind_than_it_is_said_to_be_is_refused() {
    let bench = Bench::new();
    let mut random = Random::new(5);
    history(&bench.work, &mut random, 4, Clocks::Right);
    bench.work.run(&["tag", "-a", "v1", "-m", "one", "main"]);
    let (main, tag) = (bench.work.id("main"), bench.work.id("v1"));
    bench.push(&bench.work.pack(&["main", "v1"]), &[main, tag], &[]).await.unwrap();
    let old_tree = bench.work.id("main~1^{tree}");
    let who = "A <a@example.com> 1700000000 +0000";
    let commit = |tree: ObjectId, parent: ObjectId| {
        let text = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nm\n");
        store(&bench.work, "commit", text.as_bytes())
    };
    let file = store(&bench.work, "blob", b"a file");
    let good_tree = store(&bench.work, "tree", &[&b"100644 zzz\0"[..], file.as_bytes()].concat());
    let bad_tree = store(&bench.work, "tree", &[&b"100644 zzz\0"[..], old_tree.as_bytes()].concat());
    let good = commit(good_tree, main);
    for (what, tip, brings, is_good) in [
        ("a commit as always", good, vec![good, good_tree, file], true),
        (
            "a parent that is a tag",
            commit(good_tree, tag),
            vec![commit(good_tree, tag), good_tree, file],
            false,
        ),
        ("a file that is a directory", commit(bad_tree, main), vec![commit(bad_tree, main), bad_tree], false),
        ("such a directory beside", good, vec![good, good_tree, file, bad_tree], false),
    ] {
        let list: String = brings.iter().map(|id| format!("{id}\n")).collect();
        let pack = bench.work.pipe(&["pack-objects", "--stdout", "-q"], list.as_bytes());
        assert_eq!(is_good_for_git(&bench, &pack, tip, &[main, tag]), is_good, "git about {what}");
        match bench.push(&pack, &[tip], &[main, tag]).await {
            Ok(_) => assert!(is_good, "{what}"),
            Err(error) => assert!(!is_good && error.is_for_client(), "{what}: {error:?}"),
        }
    }
}
