//! One change of one ref, with the facts that decide about it.

use forge_auth::policy::Touched;
use forge_git::objects::{ObjectKind, Objects};
use forge_types::approval::HeldChange;
use forge_types::{ObjectId, RefKind, RefName};

use super::{Step, Watch};

/// A change of a ref whose facts are known. It can only be had from [`RefChange::inspect`], so that no door decides about
/// facts of its own making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    name: RefName,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    peeled: Option<ObjectId>,
    is_forced: bool,
    touched: Touched,
    /// How often the repository had lost history when it was looked which files are touched; none if nobody looked.
    looked_at: Option<i64>,
}

impl RefChange {
    /// Finds the facts about moving a ref from `old` to `new`; a null id counts as none. Which files are touched is found if
    /// the watch asks for it. Blocks.
    ///
    /// # Errors
    /// A reason for the client if the ref cannot point to that object, or if the object cannot be read.
    pub fn inspect(
        objects: &mut Objects,
        watch: &Watch,
        name: RefName,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<Self, String> {
        let (old, new) = (old.filter(|id| !id.is_null()), new.filter(|id| !id.is_null()));
        let mut change = Self {
            name,
            old,
            new,
            peeled: None,
            is_forced: false,
            touched: Touched::Unknown,
            looked_at: watch.rewrites(),
        };
        if old.is_none() && new.is_none() {
            return Err("the ref is neither created nor deleted".to_owned());
        }
        let Some(new) = new else {
            change.touched = Touched::nothing();
            return Ok(change);
        };
        let target = objects.peel(new).map_err(|_| "missing necessary objects".to_owned())?;
        if change.name.kind() == RefKind::Branch && target.kind != ObjectKind::Commit {
            return Err(format!("a branch points to a commit, not to a {}", target.kind.as_str()));
        }
        change.peeled = (target.kind == ObjectKind::Tag).then_some(target.target_id);
        if let Some(old) = old {
            change.is_forced = !follows(objects, old, new);
        }
        change.touched = watch.touched(objects, new);
        Ok(change)
    }

    /// Returns which files the new commits touch.
    pub(crate) fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Returns how often the repository had lost history when it was looked which files are touched; none if nobody looked.
    pub(crate) const fn looked_at(&self) -> Option<i64> {
        self.looked_at
    }

    /// Returns the ref.
    #[must_use]
    pub const fn name(&self) -> &RefName {
        &self.name
    }

    /// Returns what the ref is expected to point to; none if it is to be created.
    #[must_use]
    pub const fn old_id(&self) -> Option<ObjectId> {
        self.old
    }

    /// Returns what the ref is to point to; none if it is to be deleted.
    #[must_use]
    pub const fn new_id(&self) -> Option<ObjectId> {
        self.new
    }

    /// Returns what the new object stands for, if it is an annotated tag.
    #[must_use]
    pub const fn peeled_id(&self) -> Option<ObjectId> {
        self.peeled
    }

    /// Returns whether the ref would lose history.
    #[must_use]
    pub const fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// Returns whether a branch is to come into being.
    pub(crate) fn creates_branch(&self) -> bool {
        self.old.is_none() && self.name.branch_name().is_some()
    }

    /// Returns whether objects that readers of the repository saw may be reached no more.
    pub(crate) fn loses_visible_history(&self) -> bool {
        self.name.kind().is_own() && (self.is_forced || self.new.is_none())
    }

    /// Returns what is done to the ref.
    pub(crate) const fn step(&self) -> Step {
        match (self.old, self.new) {
            (None, _) => Step::Create,
            (Some(_), None) => Step::Delete,
            (Some(_), Some(_)) if self.is_forced => Step::Force,
            (Some(_), Some(_)) => Step::Update,
        }
    }

    /// Returns the change as it waits for a human.
    pub(super) fn held(&self, signed: bool) -> HeldChange {
        HeldChange { name: self.name.clone(), old: self.old, new: self.new, forced: self.is_forced, signed }
    }

    /// Returns the change as a line, for digests.
    pub(crate) fn line(&self) -> String {
        let shown = |id: Option<ObjectId>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        format!("{} {} {}\n", shown(self.old), shown(self.new), self.name)
    }
}

/// Does the new object contain the old one's history? What cannot be read does not.
fn follows(objects: &mut Objects, old: ObjectId, new: ObjectId) -> bool {
    old == new || objects.is_ancestor(old, new).unwrap_or(false)
}
