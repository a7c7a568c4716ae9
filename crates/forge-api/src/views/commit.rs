//! Commits.
//!
//! INVARIANT: whom a commit names as its author is a claim, and no account is shown as the one who made it: addresses
//! here are not verified. What is known is who pushed it, and that stands in the audit log.

use forge_service::objects::{Commit, Signature as CommitSignature, Signed};
use forge_types::node_id::ObjectNodeKind;
use forge_types::repository::Repository;
use forge_types::{NodeId, ObjectId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::Links;

/// GitHub's `commit`, without the files it changes.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct CommitView {
    pub sha: ObjectId,
    pub node_id: NodeId,
    pub commit: CommitDetails,
    pub url: String,
    pub html_url: String,
    pub comments_url: String,
    /// The account that made it; none, as above.
    pub author: Option<()>,
    /// The account that committed it; none, as above.
    pub committer: Option<()>,
    pub parents: Vec<Value>,
}

/// What the commit itself says.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct CommitDetails {
    pub author: CommitUser,
    pub committer: CommitUser,
    pub message: String,
    pub tree: Value,
    pub url: String,
    pub comment_count: u32,
    pub verification: Verification,
}

/// GitHub's `git-user`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct CommitUser {
    pub name: String,
    pub email: String,
    pub date: Timestamp,
}

impl From<&CommitSignature> for CommitUser {
    fn from(signature: &CommitSignature) -> Self {
        let seconds = signature.seconds.clamp(i64::MIN / 1_000_000, i64::MAX / 1_000_000);
        Self {
            name: signature.name.clone(),
            email: signature.email.clone(),
            date: Timestamp::from_seconds(seconds),
        }
    }
}

/// Whether the signature was found to be good
/// (<https://docs.github.com/rest/commits/commits#signature-verification-object>).
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct Verification {
    pub verified: bool,
    pub reason: &'static str,
    pub signature: Option<String>,
    pub payload: Option<String>,
    pub verified_at: Option<Timestamp>,
}

impl Verification {
    /// A signature is shown and, since nothing here verifies it, not vouched for.
    pub(crate) fn of(signed: Option<&Signed>) -> Self {
        Self {
            verified: false,
            reason: if signed.is_some() { "gpgverify_unavailable" } else { "unsigned" },
            signature: signed.map(|signed| signed.signature.clone()),
            payload: signed.map(|signed| signed.payload.clone()),
            verified_at: None,
        }
    }
}

/// GitHub's `git-commit`: a commit as an object.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are GitHub's")]
pub struct GitCommitView {
    pub sha: ObjectId,
    pub node_id: NodeId,
    pub url: String,
    pub html_url: String,
    pub author: CommitUser,
    pub committer: CommitUser,
    pub tree: Value,
    pub message: String,
    pub parents: Vec<Value>,
    pub verification: Verification,
}

impl GitCommitView {
    /// Creates the view of a commit.
    #[must_use]
    pub fn new(links: &Links, repository: &Repository, commit: &Commit) -> Self {
        let full_name = repository.full_name();
        let git = |kind: &str, id: ObjectId| links.api(&format!("repos/{full_name}/git/{kind}/{id}"));
        let page = |id: ObjectId| links.web(&format!("{full_name}/commit/{id}"));
        let parent = |id: &ObjectId| json!({ "sha": id, "url": git("commits", *id), "html_url": page(*id) });
        Self {
            sha: commit.id,
            node_id: NodeId::Object(ObjectNodeKind::Commit, repository.id, commit.id),
            url: git("commits", commit.id),
            html_url: page(commit.id),
            author: CommitUser::from(&commit.author),
            committer: CommitUser::from(&commit.committer),
            tree: json!({ "sha": commit.tree_id, "url": git("trees", commit.tree_id) }),
            message: commit.message.trim_end_matches('\n').to_owned(),
            parents: commit.parent_ids.iter().map(parent).collect(),
            verification: Verification::of(commit.signed.as_ref()),
        }
    }
}

impl CommitView {
    /// Creates the view of a commit.
    #[must_use]
    pub fn new(links: &Links, repository: &Repository, commit: &Commit) -> Self {
        let full_name = repository.full_name();
        let git = |kind: &str, id: ObjectId| links.api(&format!("repos/{full_name}/git/{kind}/{id}"));
        let url = |id: ObjectId| links.api(&format!("repos/{full_name}/commits/{id}"));
        let page = |id: ObjectId| links.web(&format!("{full_name}/commit/{id}"));
        let parent = |id: &ObjectId| json!({ "sha": id, "url": url(*id), "html_url": page(*id) });
        Self {
            sha: commit.id,
            node_id: NodeId::Object(ObjectNodeKind::Commit, repository.id, commit.id),
            commit: CommitDetails {
                author: CommitUser::from(&commit.author),
                committer: CommitUser::from(&commit.committer),
                message: commit.message.trim_end_matches('\n').to_owned(),
                tree: json!({ "sha": commit.tree_id, "url": git("trees", commit.tree_id) }),
                url: git("commits", commit.id),
                comment_count: 0,
                verification: Verification::of(commit.signed.as_ref()),
            },
            url: url(commit.id),
            html_url: page(commit.id),
            comments_url: format!("{}/comments", url(commit.id)),
            author: None,
            committer: None,
            parents: commit.parent_ids.iter().map(parent).collect(),
        }
    }
}
