//! Random directories of files, and what people do to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Git;
use super::random::Random;

/// A file of a directory: mode and bytes.
pub(crate) type File = (&'static str, Vec<u8>);

/// A directory in memory.
pub(crate) type Files = BTreeMap<String, File>;

const NAMES: [&str; 15] = [
    "a",
    "\u{1}2",
    "b.txt",
    "src/main.rs",
    "src/lib.rs",
    "src/deep/er/mod.rs",
    "docs/readme.md",
    "docs/old/readme.md",
    "x y/z",
    "t\tab",
    "\u{e4}\u{f6}",
    "quote\"d",
    "lib",
    "lib.rs",
    "src.old/main.rs",
];

const WORDS: [&str; 12] = [
    "fn open() {",
    "}",
    "",
    "    let x = 1;",
    "    return x;",
    "\tindented",
    "alpha",
    "_under",
    "$dollar",
    "  }",
    "# note",
    "beta",
];

/// Returns a text that looks like code: many equal lines, blocks, indentation.
pub(crate) fn code(random: &mut Random) -> String {
    let mut text = String::new();
    // Some texts are long, some have few lines that begin without a space.
    let lines = if random.one_in(12) { 300 } else { random.below(60) };
    let is_indented = random.one_in(4);
    for _ in 0..lines {
        if is_indented && !random.one_in(20) {
            text.push_str("    ");
        }
        line(random, &mut text);
    }
    if random.one_in(6) {
        text.truncate(text.trim_end_matches('\n').len());
    }
    text
}

fn line(random: &mut Random, text: &mut String) {
    let end = if random.one_in(40) { "\r\n" } else { "\n" };
    let _ = match random.below(10) {
        0..4 => write!(text, "line {} of many {end}", random.below(1000)),
        4..6 => write!(text, "{}{end}", random.pick(&WORDS)),
        6 => write!(text, "{} {} {0}{end}", "long ".repeat(random.below(30)), random.below(10)),
        _ => write!(text, "{}{}{end}", "    ".repeat(random.below(3)), random.pick(&WORDS)),
    };
}

/// Returns a directory of files that are much alike, and one in which they were moved and edited.
pub(crate) fn alike(random: &mut Random) -> (Files, Files) {
    let text = code(random);
    let (mut before, mut after) = (Files::new(), Files::new());
    for at in 0..8 {
        let name = if random.one_in(3) { "same".to_owned() } else { format!("n{at}") };
        let text = edited(random, &text);
        let edited = edited(random, &text);
        before.insert(format!("old{at}/{name}"), ("100644", text.into_bytes()));
        let name = if random.one_in(3) { format!("m{}", random.below(9)) } else { name };
        after.insert(format!("new{}/{name}", random.below(9)), ("100644", edited.into_bytes()));
    }
    (before, after)
}

/// Changes some lines of a text.
pub(crate) fn edited(random: &mut Random, text: &str) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..=random.below(4) {
        let at = random.below(lines.len() + 1);
        let end = (at + random.below(6)).min(lines.len());
        let mut fresh = String::new();
        for _ in 0..random.below(5) {
            line(random, &mut fresh);
        }
        let fresh: Vec<String> = match random.below(5) {
            // A block is repeated or moved.
            0 => lines[at..end].to_vec(),
            _ => fresh.split_inclusive('\n').map(str::to_owned).collect(),
        };
        let at = if random.one_in(6) { random.below(lines.len() + 1).min(end) } else { at };
        lines.splice(at..end, fresh);
    }
    lines.concat()
}

/// Returns a random directory.
pub(crate) fn directory(random: &mut Random) -> Files {
    let mut files = Files::new();
    for name in NAMES {
        if random.one_in(4) || files.keys().any(|known| is_inside(known, name)) {
            continue;
        }
        files.insert(name.to_owned(), file(random));
    }
    files
}

fn file(random: &mut Random) -> File {
    match random.below(14) {
        0 => ("120000", b"a/target".to_vec()),
        1 => ("100644", [code(random).as_bytes(), &[0, 1, 2][..]].concat()),
        2 => ("100644", Vec::new()),
        3 => ("100755", code(random).into_bytes()),
        4 => ("160000", format!("{:040x}", random.next()).into_bytes()),
        _ => ("100644", code(random).into_bytes()),
    }
}

fn is_inside(one: &str, other: &str) -> bool {
    let below =
        |path: &str, directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    below(one, other) || below(other, one)
}

/// Does to a directory what a commit may do.
pub(crate) fn changed(random: &mut Random, before: &Files) -> Files {
    let mut files = before.clone();
    for _ in 0..=random.below(8) {
        let names: Vec<String> = files.keys().cloned().collect();
        let fresh = format!("{}{}", random.pick(&["new", "src/new", "docs/"]), random.below(5));
        if names.is_empty() {
            files.insert(fresh, file(random));
            continue;
        }
        let name = random.pick(&names).clone();
        let (mode, data) = files[&name].clone();
        let is_text = mode.starts_with("100") && !data.contains(&0);
        match random.below(12) {
            0 => drop(files.remove(&name)),
            1 => drop(files.insert(fresh, file(random))),
            2 => drop(files.insert(name, file(random))),
            3 | 4 => {
                let target = if random.one_in(2) { fresh } else { format!("moved/{name}") };
                if names.iter().any(|known| is_inside(known, &target)) {
                    continue;
                }
                files.remove(&name);
                let data = match std::str::from_utf8(&data) {
                    Ok(text) if is_text && random.one_in(2) => edited(random, text).into_bytes(),
                    _ => data,
                };
                files.insert(target, (mode, data));
            }
            5 if mode.starts_with("100") => {
                let mode = if mode == "100644" { "100755" } else { "100644" };
                files.insert(name, (mode, data));
            }
            _ => {
                if let (true, Ok(text)) = (is_text, std::str::from_utf8(&data)) {
                    let data = edited(random, text).into_bytes();
                    files.insert(name, (mode, data));
                }
            }
        }
    }
    files
}

/// Commits a directory to a branch, with these parents; returns the commit.
pub(crate) fn commit(
    git: &Git,
    branch: &str,
    time: usize,
    message: &str,
    files: &Files,
    parents: &[String],
) -> String {
    let mut text = format!("commit refs/heads/{branch}\nauthor A U Thor <author@example.com> {time} +0130\n")
        .into_bytes();
    text.extend_from_slice(
        format!("committer C <c@example.com> {time} +0000\ndata {}\n{message}\n", message.len()).as_bytes(),
    );
    for (at, parent) in parents.iter().enumerate() {
        text.extend_from_slice(format!("{} {parent}\n", if at == 0 { "from" } else { "merge" }).as_bytes());
    }
    text.extend_from_slice(b"deleteall\n");
    for (name, (mode, data)) in files {
        let name: String = name.bytes().map(|byte| format!("\\{byte:03o}")).collect();
        if *mode == "160000" {
            let id = String::from_utf8(data.clone()).unwrap();
            text.extend_from_slice(format!("M {mode} {id} \"{name}\"\n").as_bytes());
            continue;
        }
        text.extend_from_slice(format!("M {mode} inline \"{name}\"\ndata {}\n", data.len()).as_bytes());
        text.extend_from_slice(data);
        text.push(b'\n');
    }
    if parents.is_empty() {
        let _ = git.try_pipe(&["update-ref", "-d", &format!("refs/heads/{branch}")], b"");
    }
    git.pipe(&["fast-import", "--quiet", "--force"], &text);
    git.run(&["rev-parse", branch])
}
