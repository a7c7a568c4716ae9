//! What a grant can convey. The list is closed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;

named! {
    /// Something a grant lets an agent do.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum GrantAction {
        /// Clone, fetch and read files, commits and refs.
        ReadCode = "read_code",
        /// Create a branch.
        CreateBranch = "create_branch",
        /// Move a branch forward.
        PushBranch = "push_branch",
        /// Move a branch or tag to something that does not contain what it pointed to.
        ForcePush = "force_push",
        /// Delete a branch or tag.
        DeleteRef = "delete_ref",
        /// Create a tag.
        CreateTag = "create_tag",
        /// Open a pull request.
        OpenPr = "open_pr",
        /// Merge a pull request.
        MergePr = "merge_pr",
        /// Comment on issues and pull requests.
        Comment = "comment",
        /// Create, label, assign and close issues.
        ManageIssues = "manage_issues",
        /// Read a secret.
        ReadSecret = "read_secret",
        /// Start a workflow.
        RunWorkflow = "run_workflow",
        /// Publish a release.
        Release = "release",
    }
}

impl fmt::Display for GrantAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
