//! Refs on disk, for administrators and their tools: a copy of what the database says, never read while serving.
//!
//! With it a repository directory can be cloned, checked and, when the database is lost, understood on its own: what was
//! written is read back by [`Repository::dumped_refs`], and by nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::durable::{remove_tree, sync, write_synced};
use crate::storage::list;
use crate::wire::RefSnapshot;
use crate::{Error, Repository, Result};

impl Repository {
    /// Writes all refs of a snapshot into the directory, in place of those that are there. Blocks.
    pub fn export_refs(&self, snapshot: &RefSnapshot) -> Result<()> {
        self.create()?;
        self.replace("packed-refs", &packed_refs(snapshot))?;
        // Loose refs that somebody made would hide the packed ones.
        let refs = self.path().join("refs");
        remove_tree(&refs)?;
        for directory in ["heads", "tags"] {
            let directory = refs.join(directory);
            fs::create_dir_all(&directory).map_err(Error::io(format!("create {}", directory.display())))?;
        }
        self.replace("HEAD", &format!("ref: {}\n", snapshot.head()))
    }

    /// Reads the refs that lie in the directory, as names with what is said to be their object: of the packed ones, and of
    /// those that somebody's tools put beside them, which win as they do for git. Nothing is checked. Blocks.
    pub fn dumped_refs(&self) -> Result<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let packed = self.path().join("packed-refs");
        let text = match fs::read(&packed) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(format!("read {}", packed.display()))(error)),
        };
        let is_ref = |line: &&str| !line.is_empty() && !line.starts_with(['#', '^']);
        for line in text.lines().filter(is_ref) {
            let (id, name) = line.split_once(' ').unwrap_or(("", line));
            found.insert(name.to_owned(), id.to_owned());
        }
        loose_refs(&self.path().join("refs"), "refs", &mut found)?;
        Ok(found)
    }

    /// Gives a file of the directory another content, as a whole and durably.
    fn replace(&self, name: &str, text: &str) -> Result<()> {
        let pending = self.path().join(format!("{name}.new"));
        write_synced(&pending, text.as_bytes())?;
        fs::rename(&pending, self.path().join(name)).map_err(Error::io(format!("name {name}")))?;
        sync(self.path())
    }
}

/// Reads every file below a directory as a ref.
fn loose_refs(directory: &Path, name: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    for path in list(directory)? {
        let own = path.file_name().map(|own| own.to_string_lossy()).unwrap_or_default();
        let name = format!("{name}/{own}");
        if path.is_dir() {
            loose_refs(&path, &name, found)?;
        } else if !own.ends_with(".lock") {
            let bytes = fs::read(&path).map_err(Error::io(format!("read {}", path.display())))?;
            found.insert(name, String::from_utf8_lossy(&bytes).trim_end().to_owned());
        }
    }
    Ok(())
}

/// Returns the refs as git packs them.
pub(crate) fn packed_refs(snapshot: &RefSnapshot) -> String {
    let mut text = String::with_capacity(64 + snapshot.refs().len() * 80);
    text.push_str("# pack-refs with: peeled fully-peeled sorted \n");
    for entry in snapshot.refs() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} {}", entry.id, entry.name);
        if let Some(peeled) = entry.peeled {
            let _ = writeln!(text, "^{peeled}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use forge_types::{ObjectFormat, RefName};

    use super::*;
    use crate::Storage;
    use crate::objects::{CommitDraft, PackBuilder, Signature};
    use crate::wire::Ref;

    #[test]
    fn git_reads_exactly_the_exported_refs() {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        let repository = storage.repository(1, ObjectFormat::Sha1);
        repository.create().unwrap();
        let mut builder = PackBuilder::new(ObjectFormat::Sha1);
        let tree = builder.tree(&[]).unwrap();
        let who = Signature { name: "A".into(), email: "a@example.com".into(), seconds: 0, offset: 0 };
        let draft = CommitDraft {
            tree_id: tree,
            parent_ids: Vec::new(),
            author: who.clone(),
            committer: who,
            message: "first".into(),
        };
        let commit = builder.commit(&draft).unwrap();
        builder.write(&repository, 1).unwrap();
        let stray = repository.path().join("refs/heads/stray");
        fs::write(stray, format!("{commit}\n")).unwrap();

        let stray_refs = repository.dumped_refs().unwrap();
        assert_eq!(
            stray_refs.into_iter().collect::<Vec<_>>(),
            [("refs/heads/stray".into(), commit.to_string())]
        );

        let name = |name: &str| RefName::new(name.to_owned()).unwrap();
        let entry = |text: &str| Ref { name: name(text), id: commit, peeled: None };
        let refs = vec![entry("refs/heads/trunk"), entry("refs/tags/v1")];
        repository
            .export_refs(&RefSnapshot::new(ObjectFormat::Sha1, name("refs/heads/trunk"), refs))
            .unwrap();

        let git = |words: &[&str]| {
            let output = Command::new("git").arg("-C").arg(repository.path()).args(words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/trunk\nrefs/tags/v1\n");
        assert_eq!(git(&["rev-parse", "HEAD"]).trim(), commit.to_string());
        let read: Vec<String> = repository.dumped_refs().unwrap().into_keys().collect();
        assert_eq!(read, ["refs/heads/trunk", "refs/tags/v1"]);
    }
}
