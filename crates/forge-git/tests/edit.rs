//! New trees, commits and tags against what `git update-index`, `git write-tree` and `git fsck` make of the same.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::objects::{EntryKind, ExactCommit, ObjectKind, PackBuilder, Signature, TagDraft, TreeEdit};
use forge_types::{ObjectFormat, ObjectId};
use support::files::{Files, changed, commit, directory};
use support::random::{Random, cases, first_seed};
use support::{Bench, Git};

fn put(path: &str, kind: EntryKind, id: ObjectId) -> TreeEdit {
    TreeEdit::Put { path: path.into(), kind, id }
}

fn delete(path: &str) -> TreeEdit {
    TreeEdit::Delete { path: path.into() }
}

/// Returns the edits that turn one directory into another.
fn edits(pack: &mut PackBuilder, before: &Files, after: &Files) -> Vec<TreeEdit> {
    let mut edits: Vec<TreeEdit> =
        before.keys().filter(|name| !after.contains_key(*name)).map(|name| delete(name)).collect();
    for (name, (mode, data)) in after {
        if before.get(name) == after.get(name) {
            continue;
        }
        let (kind, id) = match *mode {
            "160000" => (EntryKind::Submodule, String::from_utf8(data.clone()).unwrap().parse().unwrap()),
            "120000" => (EntryKind::Link, pack.blob(data).unwrap()),
            "100755" => (EntryKind::Executable, pack.blob(data).unwrap()),
            _ => (EntryKind::File, pack.blob(data).unwrap()),
        };
        edits.push(put(name, kind, id));
    }
    edits
}

#[test]
fn edited_trees_are_those_that_git_writes() {
    let first = first_seed();
    for seed in first..first + cases(25) {
        let mut random = Random::new(seed);
        let bench = Bench::new();
        let before = directory(&mut random);
        let mut after = changed(&mut random, &before);
        after.retain(|_, _| !random.one_in(4));
        let first = commit(&bench.work, "main", 1_700_000_000, "first\n", &before, &[]);
        let second =
            commit(&bench.work, "other", 1_700_000_100, "second\n", &after, std::slice::from_ref(&first));
        let expected = bench.work.id(&format!("{second}^{{tree}}"));
        bench.work.run(&["update-ref", "-d", "refs/heads/other"]);
        let mut objects = bench.objects();
        let base = objects.commit(first.parse().unwrap()).unwrap().tree_id;
        let mut pack = PackBuilder::new(ObjectFormat::Sha1);
        let mut edits = edits(&mut pack, &before, &after);
        if random.one_in(2) {
            edits.reverse();
        }
        let found = pack.edit_tree(&mut objects, Some(base), &edits).unwrap();
        assert_eq!(found, expected, "seed {seed}");
        let line = b"A <a@example.com> 1700000000 +0000";
        let made = ExactCommit {
            tree_id: found,
            parent_ids: &[first.parse().unwrap()],
            author: line,
            committer: line,
            signature: None,
            message: b"\xff no line feed at the end",
        };
        let tip = pack.exact_commit(&made).unwrap();
        pack.write(&bench.repository, bench.unique()).unwrap();
        bench.fsck(&[tip]);
    }
}

#[test]
fn edits_that_contradict_the_tree_or_one_another_are_refused() {
    let bench = Bench::new();
    bench.work.commit("d/file", "1");
    bench.work.commit("top", "2");
    let mut objects = bench.objects();
    let base = Some(bench.work.id("HEAD^{tree}"));
    let (blob, tree) = (bench.work.id("HEAD:top"), bench.work.id("HEAD:d"));
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let file = |path: &str| put(path, EntryKind::File, blob);
    for (edits, why) in [
        (vec![file("top/x")], "is not a directory"),
        (vec![file("d")], "is a directory"),
        (vec![delete("none")], "does not exist"),
        (vec![delete("d/none")], "does not exist"),
        (vec![file("a"), file("a")], "is changed twice"),
        (vec![file("a"), file("a/b")], "as a whole and in parts"),
        (vec![file("")], "not allowed"),
        (vec![file("/a")], "not allowed"),
        (vec![file("a//b")], "not allowed"),
        (vec![file("a/")], "not allowed"),
        (vec![file("x/../y")], "not allowed"),
        (vec![file("x/.GIT/config")], "not allowed"),
        (vec![file("a\0b")], "not allowed"),
        (vec![put(".gitmodules", EntryKind::Link, blob)], "not allowed"),
        (vec![file(&"x/".repeat(1000))], "not allowed"),
        (vec![file(&"x".repeat(5000))], "not allowed"),
        (vec![put("a", EntryKind::Submodule, ObjectId::null(ObjectFormat::Sha1))], "no object"),
    ] {
        let error = pack.edit_tree(&mut objects, base, &edits).unwrap_err();
        assert!(matches!(&error, Error::Protocol(text) if text.contains(why)), "{edits:?}: {error:?}");
    }
    let wrong = pack.edit_tree(&mut objects, base, &[put("a", EntryKind::File, tree)]).unwrap_err();
    assert!(matches!(wrong, Error::WrongKind { .. }));
    let absent = put("a", EntryKind::File, "1".repeat(40).parse().unwrap());
    assert!(matches!(pack.edit_tree(&mut objects, base, &[absent]), Err(Error::MissingObject(_))));
    assert!(pack.edit_tree(&mut objects, base, &[file(&("x/".repeat(256) + "y"))]).is_ok());
    // A directory may be replaced when it is deleted too, and what is emptied goes.
    let replaced = pack.edit_tree(&mut objects, base, &[file("d"), delete("d")]).unwrap();
    let moved =
        pack.edit_tree(&mut objects, base, &[delete("d/file"), put("e", EntryKind::Tree, tree)]).unwrap();
    let nothing = pack.edit_tree(&mut objects, base, &[delete("d"), delete("top")]).unwrap();
    assert_eq!(nothing, ObjectId::empty_tree(ObjectFormat::Sha1));
    pack.write(&bench.repository, bench.unique()).unwrap();
    let git = Git { path: bench.repository.path().to_owned() };
    assert_eq!(git.run(&["ls-tree", "-r", "--name-only", &replaced.to_string()]), "d\ntop");
    assert_eq!(git.run(&["ls-tree", "-r", "--name-only", &moved.to_string()]), "e/file\ntop");
}

#[test]
fn tags_and_signed_commits_are_what_git_reads() {
    let bench = Bench::new();
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let tree_id = pack.tree(&[]).unwrap();
    let line = b"A B <a@example.com> 1700000000 -0130";
    let signature = b"-----BEGIN SSH SIGNATURE-----\nabc\n\ndef\n-----END SSH SIGNATURE-----\n";
    let commit = ExactCommit {
        tree_id,
        parent_ids: &[],
        author: line,
        committer: line,
        signature: Some(signature),
        message: b"words\n",
    };
    let commit_id = pack.exact_commit(&commit).unwrap();
    let tagger = Signature { name: "T".into(), email: "t@example.com".into(), seconds: 1, offset: 0 };
    let draft = TagDraft {
        target_id: commit_id,
        target_kind: ObjectKind::Commit,
        name: "v1.0".into(),
        tagger,
        message: "tagged".into(),
    };
    let tag_id = pack.tag(&draft).unwrap();
    for name in ["", "a b", "../x", "x.lock", "-"] {
        let refused = pack.tag(&TagDraft { name: name.into(), ..draft.clone() });
        assert!(refused.is_err() || name == "-", "{name}");
    }
    assert!(pack.exact_commit(&ExactCommit { author: b"nobody", ..commit.clone() }).is_err());
    assert!(pack.exact_commit(&ExactCommit { message: b"a\0b", ..commit.clone() }).is_err());
    pack.write(&bench.repository, bench.unique()).unwrap();
    bench.fsck(&[tag_id]);
    let git = Git { path: bench.repository.path().to_owned() };
    let text = git.run(&["cat-file", "commit", &commit_id.to_string()]);
    assert!(text.contains("gpgsig -----BEGIN SSH SIGNATURE-----\n abc\n \n def\n -----END"), "{text}");
    assert!(
        git.run(&["cat-file", "tag", &tag_id.to_string()])
            .ends_with("tag v1.0\ntagger T <t@example.com> 1 +0000\n\ntagged")
    );
    let mut objects = forge_git::objects::Objects::open(&bench.repository).unwrap();
    let read = objects.commit(commit_id).unwrap();
    assert_eq!(read.signed.unwrap().signature.as_bytes(), signature.trim_ascii_end());
    let tag = objects.tag(tag_id).unwrap();
    assert_eq!(
        (tag.target_id, tag.target_kind, tag.tagger),
        (commit_id, ObjectKind::Commit, Some(draft.tagger))
    );
    assert_eq!((tag.name.as_str(), tag.message.as_str(), tag.signed), ("v1.0", "tagged\n", None));
}

#[test]
fn an_object_names_what_it_is_made_of() {
    let bench = Bench::new();
    bench.work.commit("d/file", "1\n");
    let second = bench.work.commit("other", "2\n");
    bench.work.run(&["update-index", "--add", "--cacheinfo", &format!("160000,{second},module")]);
    bench.work.run(&["commit", "--quiet", "-m", "module"]);
    bench.work.run(&["tag", "-a", "-m", "words\n\n-----BEGIN SSH SIGNATURE-----\nabc", "v1"]);
    let mut objects = bench.objects();
    let mut named = |revision: &str| objects.named_by(bench.work.id(revision)).unwrap();
    let ids =
        |revisions: &[&str]| -> Vec<ObjectId> { revisions.iter().map(|name| bench.work.id(name)).collect() };
    assert_eq!(named("main"), ids(&["main^{tree}", "main~1"]));
    assert_eq!(named("main~1^{tree}"), ids(&["main:d", "main:other"]));
    assert_eq!(named("main^{tree}"), ids(&["main:d", "main:other"]), "a submodule is elsewhere");
    assert_eq!(named("v1"), ids(&["main"]));
    assert_eq!(named("main:other"), []);
    let tag = objects.tag(bench.work.id("v1")).unwrap();
    assert_eq!(tag.message, "words\n\n", "the signature is apart");
    assert_eq!(tag.signed.unwrap().signature, "-----BEGIN SSH SIGNATURE-----\nabc");
}
