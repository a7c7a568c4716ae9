//! What `.gitattributes` leave out of archives.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use gix::attrs::search::{MetadataCollection, Outcome};
use gix::attrs::{Search, StateRef};
use gix::bstr::ByteSlice;

use crate::objects::{EntryKind, Objects, PathEntry};
use crate::{Error, Result};

/// Longer files of attributes are not read; git has a limit too.
const MAX_BYTES: u64 = 1 << 20;

/// The attributes of the directories on the way to where the walk is.
#[derive(Default)]
pub(super) struct Attributes {
    search: Search,
    names: MetadataCollection,
    outcome: Outcome,
    /// For each directory, whether it has attributes.
    levels: Vec<bool>,
}

impl Attributes {
    /// Reads the attributes of a directory.
    pub(super) fn enter(
        &mut self,
        objects: &mut Objects,
        directory: &[u8],
        entries: &[PathEntry],
    ) -> Result<()> {
        let is_file = |kind| matches!(kind, EntryKind::File | EntryKind::Executable);
        let found = entries.iter().find(|entry| {
            is_file(entry.kind) && entry.path.rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes")
        });
        let mut has_some = false;
        if let Some(entry) = found
            && objects.blob_size(entry.id)? <= MAX_BYTES
        {
            let text = objects.blob(entry.id, MAX_BYTES)?;
            // The path says below which directory the patterns hold; nothing is read from it.
            let source = Path::new("/").join(OsStr::from_bytes(&entry.path));
            let is_root = directory.is_empty();
            self.search
                .add_patterns_buffer(&text, source, Some(Path::new("/")), &mut self.names, is_root)
                .map_err(Error::io("read attributes"))?;
            self.outcome.initialize_with_selection(&self.names, ["export-ignore"]);
            has_some = true;
        }
        self.levels.push(has_some);
        Ok(())
    }

    /// Forgets the attributes of the directory that was entered last.
    pub(super) fn leave(&mut self) {
        if self.levels.pop() == Some(true) {
            self.search.pop_pattern_list();
        }
    }

    /// Is what is at this path left out?
    pub(super) fn is_ignored(&mut self, path: &[u8], is_directory: bool) -> bool {
        if !self.levels.contains(&true) {
            return false;
        }
        self.outcome.reset();
        let case = gix::glob::pattern::Case::Sensitive;
        self.search.pattern_matching_relative_path(
            path.as_bstr(),
            case,
            Some(is_directory),
            &mut self.outcome,
        );
        self.outcome.iter_selected().any(|found| found.assignment.state == StateRef::Set)
    }
}
