//! Asking `git merge-tree` whether a conflict is one. See git-merge-tree(1), "OUTPUT".
//!
//! Git writes what it makes into a quarantine directory, where it also finds the objects that are in no pack yet. If git
//! merges what gix did not, its objects are taken over and the directory is removed either way.

use std::ffi::OsStr;
use std::time::Duration;

use forge_types::ObjectId;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Conflict, ConflictKind, Merge, loose};
use crate::objects::{PackBuilder, Source};
use crate::process::{Processes, Purpose, read_bounded};
use crate::receive::Quarantine;
use crate::{Error, Packs, Repository, Result};

/// How long git may take for one merge.
const LONGEST: Duration = Duration::from_secs(60);

/// What git says about conflicts is read up to this size.
const MAX_OUTPUT: u64 = 4 << 20;

const SETTINGS: [&str; 3] =
    ["merge.conflictStyle=merge", "merge.directoryRenames=conflict", "core.attributesFile=/dev/null"];

/// Where and how to ask git.
#[derive(Clone, Debug)]
pub struct Confirmation {
    processes: Processes,
    repository: Repository,
    unique: u128,
    runtime: tokio::runtime::Handle,
}

impl Confirmation {
    /// Asks about a repository. `unique` is a number that no other pack was or will be given; `runtime` runs the process
    /// while the thread that merges waits: it must not be one of the runtime's own.
    pub fn new(
        processes: Processes,
        repository: Repository,
        unique: u128,
        runtime: tokio::runtime::Handle,
    ) -> Self {
        Self { processes, repository, unique, runtime }
    }

    /// Merges with git. `None` if this git cannot do such a merge.
    pub(super) fn ask(
        &self,
        source: &Source<'_>,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<Option<Merge>> {
        let quarantine = Quarantine::open(&Packs::of_directory(self.repository.clone()), self.unique)?;
        let mut pack = PackBuilder::new(self.repository.format());
        source.gather(&[ours, theirs], &mut pack)?;
        if !pack.is_empty() {
            pack.write_into(&quarantine.pack_directory())?;
        }
        let (code, output) = self.runtime.block_on(self.run(&quarantine, base, ours, theirs))?;
        match code {
            Some(0) => {
                let tree_id = first_id(&output)?;
                loose::take_over(source, quarantine.directory(), tree_id)?;
                Ok(Some(Merge::Clean { tree_id }))
            }
            Some(1) => Ok(Some(Merge::Conflicted(conflicts(&output)))),
            _ => Ok(None),
        }
    }

    async fn run(
        &self,
        quarantine: &Quarantine,
        base: Option<ObjectId>,
        ours: ObjectId,
        theirs: ObjectId,
    ) -> Result<(Option<i32>, Vec<u8>)> {
        let mut command = self.processes.command(self.repository.path(), &SETTINGS);
        command.env("GIT_OBJECT_DIRECTORY", quarantine.directory());
        let mut args =
            vec!["merge-tree".to_owned(), "--write-tree".into(), "-z".into(), "--name-only".into()];
        args.extend(base.map(|base| format!("--merge-base={base}")));
        args.extend([ours.to_string(), theirs.to_string()]);
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let mut running = self.processes.start(Purpose::Check, command, &args).await?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take())
        else {
            return Err(Error::Program("`git merge-tree` has no pipes".into()));
        };
        drop(stdin);
        let work = async {
            let (output, _) = tokio::join!(read_output(stdout), read_bounded(stderr));
            let status = running.child.wait().await.map_err(Error::io("wait for `git merge-tree`"))?;
            Ok((status.code(), output?))
        };
        match tokio::time::timeout(LONGEST, work).await {
            Ok(done) => done,
            Err(_) => Err(Error::Busy("merging took too long, try again in a moment".into())),
        }
    }
}

async fn read_output(from: impl AsyncRead + Unpin) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    from.take(MAX_OUTPUT).read_to_end(&mut output).await.map_err(Error::io("read from `git merge-tree`"))?;
    Ok(output)
}

fn first_id(output: &[u8]) -> Result<ObjectId> {
    let end = output.iter().position(|byte| *byte == 0).unwrap_or(output.len());
    ObjectId::from_hex(output[..end].trim_ascii())
        .map_err(|_| Error::Program("`git merge-tree` named no tree".into()))
}

/// Reads the conflicts: after the tree and the paths, an empty field, then messages of their number of paths, these, a type
/// and a text.
fn conflicts(output: &[u8]) -> Vec<Conflict> {
    let mut fields = output.split(|byte| *byte == 0);
    let paths: Vec<&[u8]> = fields.by_ref().skip(1).take_while(|path| !path.is_empty()).collect();
    let mut found: Vec<Conflict> = Vec::new();
    while let Some(count) =
        fields.next().and_then(|field| std::str::from_utf8(field).ok()?.parse::<usize>().ok())
    {
        let named: Vec<&[u8]> = fields.by_ref().take(count).collect();
        let (kind, text) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        // The type of two added files is that of a conflict of their lines; the text tells them apart.
        if let (Some(kind), Some(path)) = (kind_of(text).or(kind_of(kind)), named.first()) {
            let conflict = Conflict { path: path.to_vec(), kind };
            if !found.contains(&conflict) {
                found.push(conflict);
            }
        }
    }
    let unnamed = paths.into_iter().filter(|path| !found.iter().any(|conflict| conflict.path == **path));
    let unnamed: Vec<Conflict> =
        unnamed.map(|path| Conflict { path: path.to_vec(), kind: ConflictKind::Other }).collect();
    found.extend(unnamed);
    found
}

/// Returns the kind that a type or a text begins with; none if it is no conflict.
fn kind_of(text: &[u8]) -> Option<ConflictKind> {
    let text = String::from_utf8_lossy(text);
    let (kind, _) = text.strip_prefix("CONFLICT (")?.split_once(')')?;
    Some(match kind {
        "content" | "contents" => ConflictKind::Content,
        "binary" => ConflictKind::Binary,
        "add/add" => ConflictKind::AddAdd,
        "modify/delete" => ConflictKind::ModifyDelete,
        "rename/delete" => ConflictKind::RenameDelete,
        "rename/rename" | "rename involved in collision" => ConflictKind::RenameRename,
        "file/directory" => ConflictKind::FileDirectory,
        "distinct modes" | "distinct types" => ConflictKind::TypeMismatch,
        kind if kind.starts_with("submodule") => ConflictKind::Submodule,
        _ => ConflictKind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_merge_tree_are_read() {
        let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let output = format!(
            "{tree}\0a\0b\0c\0\01\0a\0Auto-merging\0Auto-merging a\n\01\0a\0CONFLICT (contents)\0x\n\0\
             2\0b\0d\0CONFLICT (rename/delete)\0x\n\0"
        );
        let found = conflicts(output.as_bytes());
        let found: Vec<_> = found.iter().map(|found| (&found.path[..], found.kind)).collect();
        let expected = [
            (&b"a"[..], ConflictKind::Content),
            (b"b", ConflictKind::RenameDelete),
            (b"c", ConflictKind::Other),
        ];
        assert_eq!(found, expected);
        assert_eq!(first_id(output.as_bytes()).unwrap().to_string(), tree);
    }
}
