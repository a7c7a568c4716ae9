//! Objects that this crate writes, read by real `git`.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::objects::{CommitDraft, EntryKind, ObjectKind, Objects, PackBuilder, Signature, TreeEntry};
use forge_types::{ObjectFormat, ObjectId};
use support::{Bench, Git};

fn signature() -> Signature {
    Signature {
        name: "Ada <x>".into(),
        email: "ada@example.com".into(),
        seconds: 1_700_000_000,
        offset: -19_800,
    }
}

fn entry(name: &str, kind: EntryKind, id: ObjectId) -> TreeEntry {
    TreeEntry { name: name.into(), kind, id }
}

#[test]
fn commit_with_a_tree_of_files_is_what_git_would_make() {
    let bench = Bench::new();
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let readme = pack.blob(b"# Project\n").unwrap();
    let sub = pack.tree(&[entry("x", EntryKind::Executable, readme)]).unwrap();
    // Git sorts a directory as if its name ended with a slash: `a.b` goes before `a/`.
    let entries = [
        entry("a", EntryKind::Tree, sub),
        entry("a.b", EntryKind::File, readme),
        entry("README.md", EntryKind::File, readme),
    ];
    let tree_id = pack.tree(&entries).unwrap();
    let draft = CommitDraft {
        tree_id,
        parent_ids: Vec::new(),
        author: signature(),
        committer: signature(),
        message: "Initial commit".into(),
    };
    let commit_id = pack.commit(&draft).unwrap();
    let info = pack.write(&bench.repository, bench.unique()).unwrap();
    assert_eq!(info.object_count, 4);
    bench.repository.settle(&info.name).unwrap();
    bench.fsck(&[commit_id]);
    let git = Git { path: bench.repository.path().to_owned() };
    let shown = git.run(&["show", "--format=%an %ae %ad%n%B", "--stat", &commit_id.to_string()]);
    assert!(shown.starts_with("Ada x ada@example.com") && shown.contains("-0530"), "{shown}");
    let listed = git.run(&["ls-tree", "-r", "--name-only", &commit_id.to_string()]);
    assert_eq!(listed, "README.md\na.b\na/x");
    let mut objects = Objects::open(&bench.repository).unwrap();
    let commit = objects.commit(commit_id).unwrap();
    assert_eq!((commit.tree_id, commit.message.as_str()), (tree_id, "Initial commit\n"));
    assert_eq!(objects.tree(tree_id).unwrap().len(), 3);
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn file_names_that_a_working_copy_must_not_have_are_refused() {
    let mut pack = PackBuilder::new(ObjectFormat::Sha1);
    let blob = pack.blob(b"").unwrap();
    for name in ["", ".", "..", ".git", ".GIT", "git~1", ".git ", ".g\u{200c}it", "a/b", "a\0b"] {
        let error = pack.tree(&[entry(name, EntryKind::File, blob)]).unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{name:?}: {error:?}");
    }
    assert!(pack.tree(&[entry("a", EntryKind::File, blob), entry("a", EntryKind::Tree, blob)]).is_err());
    assert!(
        pack.tree(&[entry("aux", EntryKind::File, blob), entry(".github", EntryKind::Tree, blob)]).is_ok()
    );
}

#[tokio::test]
async fn annotated_tags_are_peeled() {
    let bench = Bench::new();
    let commit = bench.work.commit("a", "1");
    bench.work.run(&["tag", "-a", "-m", "inner", "inner"]);
    bench.work.run(&["tag", "-a", "-m", "outer", "outer", "inner"]);
    let (inner, outer) = (bench.work.id("inner"), bench.work.id("outer"));
    bench.push(&bench.work.pack(&["outer"]), &[outer], &[]).await.unwrap();
    let mut objects = Objects::open(&bench.repository).unwrap();
    for tag in [inner, outer] {
        let peeled = objects.peel(tag).unwrap();
        assert_eq!(
            (peeled.kind, peeled.target_id, peeled.target_kind),
            (ObjectKind::Tag, commit, ObjectKind::Commit)
        );
    }
    assert_eq!(objects.peel(commit).unwrap().kind, ObjectKind::Commit);
    assert!(matches!(objects.read(ObjectId::null(ObjectFormat::Sha1)), Err(Error::MissingObject(_))));
    assert!(matches!(objects.commit(outer), Err(Error::WrongKind { .. })));
}

#[test]
fn repository_without_a_directory_reads_as_empty() {
    let bench = Bench::new();
    let mut objects = Objects::open(&bench.repository).unwrap();
    assert!(!objects.contains(ObjectId::empty_tree(ObjectFormat::Sha1)));
    assert_eq!(objects.tree(ObjectId::empty_tree(ObjectFormat::Sha1)).unwrap(), []);
    assert_eq!(bench.repository.size_bytes().unwrap(), 0);
}
