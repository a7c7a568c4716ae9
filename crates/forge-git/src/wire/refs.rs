//! The refs that one caller may see, as one consistent snapshot.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use forge_types::{ObjectFormat, ObjectId, RefName};

/// One ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The full name.
    pub name: RefName,
    /// The object it points to.
    pub id: ObjectId,
    /// For an annotated tag, the object that it stands for in the end.
    pub peeled: Option<ObjectId>,
}

/// Every ref that a caller may see, and where `HEAD` points. Cheap to clone.
///
/// INVARIANT: what is not in the snapshot is not there for this caller. It is the measure of every want.
#[derive(Clone, Debug)]
pub struct RefSnapshot {
    format: ObjectFormat,
    head: RefName,
    refs: Arc<[Ref]>,
    tips: Arc<OnceLock<HashSet<ObjectId>>>,
}

impl RefSnapshot {
    /// Makes a snapshot; refs are put in the order of their names' bytes, as clients expect.
    pub fn new(format: ObjectFormat, head: RefName, mut refs: Vec<Ref>) -> Self {
        if !refs.is_sorted_by(|a, b| a.name < b.name) {
            refs.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Self { format, head, refs: refs.into(), tips: Arc::default() }
    }

    /// Returns the hash function of the repository.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Returns the default branch, which need not exist.
    pub fn head(&self) -> &RefName {
        &self.head
    }

    /// Returns the refs in order.
    pub fn refs(&self) -> &[Ref] {
        &self.refs
    }

    /// Returns the ref of that name.
    pub fn find(&self, name: &RefName) -> Option<&Ref> {
        self.refs.binary_search_by(|entry| entry.name.cmp(name)).ok().map(|at| &self.refs[at])
    }

    /// Returns what a full name, or `HEAD`, stands for.
    pub fn id_of(&self, name: &str) -> Option<ObjectId> {
        match name {
            "HEAD" => self.head_id(),
            name => RefName::new(name).ok().and_then(|name| self.find(&name)).map(|found| found.id),
        }
    }

    /// Resolves a name as git does: as it stands, then below `refs/`, `refs/tags/` and `refs/heads/`.
    pub fn resolve(&self, name: &str) -> Option<ObjectId> {
        if name == "HEAD" {
            return self.head_id();
        }
        let names =
            ["", "refs/", "refs/tags/", "refs/heads/"].map(|place| RefName::new(format!("{place}{name}")));
        names.into_iter().flatten().find_map(|name| self.find(&name)).map(|found| found.id)
    }

    /// Returns what `HEAD` resolves to, if the default branch exists.
    pub fn head_id(&self) -> Option<ObjectId> {
        self.find(&self.head).map(|entry| entry.id)
    }

    /// Returns every object that is named outright, peeled ones included.
    pub fn tips(&self) -> &HashSet<ObjectId> {
        let tips = || self.refs.iter().flat_map(|entry| [Some(entry.id), entry.peeled]).flatten().collect();
        self.tips.get_or_init(tips)
    }
}
