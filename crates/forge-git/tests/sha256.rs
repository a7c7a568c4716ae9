//! A repository of the other hash function answers like any other.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::archive::{ArchiveFormat, ArchiveRequest};
use forge_git::diff::{DiffOptions, PatchLimits, RenameOptions};
use forge_git::history::LogQuery;
use forge_git::merge::{Merge, MergeLimits, Merger};
use forge_git::objects::{CommitDraft, EntryKind, Objects, PackBuilder, Signature, TreeEdit};
use forge_types::{ObjectFormat, ObjectId};
use support::{Bench, Git};

/// Adds a commit that puts files into the tree of another one.
fn commit(
    pack: &mut PackBuilder,
    objects: &mut Objects,
    seconds: i64,
    parent: Option<ObjectId>,
    files: &[(&str, &str)],
) -> ObjectId {
    let base = parent.map(|parent| objects.commit(parent).unwrap().tree_id);
    let mut edits = Vec::new();
    for (path, text) in files {
        let id = pack.blob(text.as_bytes()).unwrap();
        edits.push(TreeEdit::Put { path: (*path).into(), kind: EntryKind::File, id });
    }
    let person = Signature { name: "A".into(), email: "a@example.com".into(), seconds, offset: 0 };
    let tree_id = pack.edit_tree(objects, base, &edits).unwrap();
    let draft = CommitDraft {
        tree_id,
        parent_ids: parent.into_iter().collect(),
        author: person.clone(),
        committer: person,
        message: format!("at {seconds}"),
    };
    pack.commit(&draft).unwrap()
}

#[test]
fn sha256_repository_is_read_compared_merged_and_archived() {
    let bench = Bench::new();
    let repository = bench.storage.repository(2, ObjectFormat::Sha256);
    let write = |parent: Option<ObjectId>, seconds: i64, files: &[(&str, &str)]| {
        let mut objects = Objects::open(&repository).unwrap();
        let mut pack = PackBuilder::new(ObjectFormat::Sha256);
        let id = commit(&mut pack, &mut objects, seconds, parent, files);
        pack.write(&repository, bench.unique()).unwrap();
        id
    };
    let root = write(None, 1, &[("a", "1\n2\n3\n4\n5\n"), ("d/b", "b\n")]);
    let ours = write(Some(root), 2, &[("a", "ours\n2\n3\n4\n5\n")]);
    let theirs = write(Some(root), 3, &[("a", "1\n2\n3\n4\ntheirs\n"), ("d/c", "c\n")]);
    let git = Git { path: repository.path().to_owned() };
    let mut objects = Objects::open(&repository).unwrap();

    let query = LogQuery { tips: vec![ours, theirs], limit: 9, max_visited: 9, ..LogQuery::default() };
    assert_eq!(objects.log(&query).unwrap().ids, [theirs, ours, root]);
    assert_eq!(objects.merge_bases(ours, theirs, 9).unwrap(), [root]);
    let blamed = objects.blame(ours, b"a", None, 1 << 20).unwrap();
    assert_eq!(blamed.iter().map(|range| range.commit_id).collect::<Vec<_>>(), [ours, root]);

    let renames = RenameOptions { similarity: 50, candidates: 100, bytes: 1 << 20, copies: false };
    let options = DiffOptions { renames: Some(renames), changes: 100, trees: 100 };
    let limits = PatchLimits { file_bytes: 1 << 20, lines: 1000, bytes: 1 << 20 };
    let mail = objects.mail(theirs, None, &options, &limits, 64, 1 << 20).unwrap();
    let args = ["format-patch", "--stdout", "--no-signature", "--full-index", "-1", &theirs.to_string()];
    assert_eq!(String::from_utf8(mail.text).unwrap().trim(), git.run(&args));

    let request =
        ArchiveRequest { commit_id: theirs, prefix: "x/".into(), max_entries: 10, max_bytes: 1 << 20 };
    let mut tar = Vec::new();
    objects.archive(ArchiveFormat::Tar, &request, &mut tar).unwrap();
    assert!(tar == git.pipe(&["archive", "--format=tar", "--prefix=x/", &theirs.to_string()], b""));

    let limits = MergeLimits { bytes: 1 << 20, renames: 100, changes: 100 };
    let merger = Merger::new(&mut objects, limits, None);
    let Merge::Clean { tree_id } = merger.merge(ours, theirs).unwrap() else { panic!("conflict") };
    let args = ["merge-tree", "--write-tree", &ours.to_string(), &theirs.to_string()];
    assert_eq!(git.run(&args), tree_id.to_string());
}
