//! Labels of a repository.

use crate::Timestamp;
use crate::id::{LabelId, RepositoryId};

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label's id.
    pub id: LabelId,
    /// The repository it belongs to.
    pub repository_id: RepositoryId,
    /// The name; unique in the repository without regard to case.
    pub name: String,
    /// Six hexadecimal digits.
    pub color: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// Whether every new repository has it.
    pub is_default: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The labels of a new repository: name, colour, description, as on GitHub
/// (<https://docs.github.com/issues/using-labels-and-milestones-to-track-work/managing-labels#about-default-labels>).
pub const DEFAULT_LABELS: [(&str, &str, &str); 9] = [
    ("bug", "d73a4a", "Something isn't working"),
    ("documentation", "0075ca", "Improvements or additions to documentation"),
    ("duplicate", "cfd3d7", "This issue or pull request already exists"),
    ("enhancement", "a2eeef", "New feature or request"),
    ("good first issue", "7057ff", "Good for newcomers"),
    ("help wanted", "008672", "Extra attention is needed"),
    ("invalid", "e4e669", "This doesn't seem right"),
    ("question", "d876e3", "Further information is requested"),
    ("wontfix", "ffffff", "This will not be worked on"),
];
