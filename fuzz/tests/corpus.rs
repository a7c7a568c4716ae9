//! The committed inputs of every target, tried without the program that looks for more.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use forge_fuzz::{Push, TARGETS, Target, find, is_accepted, push};
use forge_types::ObjectFormat;

/// The checks of the product, as it gives them to git.
const STRICT: &str = "--strict=badTimezone=ignore,missingSpaceBeforeDate=ignore,zeroPaddedFilemode=ignore";

fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(target.corpus()).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

#[test]
fn no_input_breaks_a_target() {
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 5, "{}: {} inputs", target.name, inputs.len());
        for (path, bytes) in inputs {
            let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(outcome.is_ok(), "{path}");
        }
    }
}

/// What is accepted without git is what git accepts, too.
#[test]
fn git_takes_every_pack_that_is_accepted_without_it() {
    let mut accepted = 0;
    for (path, bytes) in inputs(find("pack").unwrap()) {
        let push = push(&bytes);
        if is_accepted(&push) {
            accepted += 1;
            assert!(is_good_for_git(&push), "{path}");
        }
    }
    assert!(accepted >= 3, "only {accepted} packs are accepted: the inputs try nothing");
}

fn is_good_for_git(push: &Push) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let format = match push.format {
        ObjectFormat::Sha1 => "--object-format=sha1",
        ObjectFormat::Sha256 => "--object-format=sha256",
    };
    assert!(git(folder.path(), &["init", "--quiet", "--bare", format, "."], b""));
    let packs = folder.path().join("objects/pack");
    for extension in ["pack", "idx"] {
        let name = format!("pack-{}.{extension}", "0".repeat(push.format.hex_len()));
        fs::copy(push.known.join("small").with_extension(extension), packs.join(name)).unwrap();
    }
    git(folder.path(), &["index-pack", "--stdin", "--fix-thin", STRICT], &push.pack)
}

fn git(folder: &Path, words: &[&str], input: &[u8]) -> bool {
    let mut git = Command::new("git");
    git.current_dir(folder).args(words).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = git.spawn().unwrap();
    // It may have said no before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait().unwrap().success()
}
