//! Files that changed (<https://docs.github.com/rest/commits/commits#get-a-commit>).

use forge_service::commits::{ChangeStatus, ChangedFile};
use forge_types::ObjectId;
use forge_types::repository::Repository;
use serde_json::{Value, json};

use super::{Links, in_path};

/// Returns GitHub's `diff-entry` of a file that changed up to `commit_id`.
#[must_use]
pub fn file_view(links: &Links, repository: &Repository, commit_id: ObjectId, file: &ChangedFile) -> Value {
    let full_name = repository.full_name();
    let path = in_path(&file.path);
    let mut view = json!({
        "sha": file.id,
        "filename": file.path,
        "status": status(file.status),
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": links.web(&format!("{full_name}/blob/{commit_id}/{path}")),
        "raw_url": links.web(&format!("{full_name}/raw/{commit_id}/{path}")),
        "contents_url": links.api(&format!("repos/{full_name}/contents/{path}?ref={commit_id}")),
    });
    if let Some(patch) = &file.patch {
        view["patch"] = Value::from(patch.as_str());
    }
    if let Some(previous) = &file.previous_path {
        view["previous_filename"] = Value::from(previous.as_str());
    }
    view
}

const fn status(status: ChangeStatus) -> &'static str {
    match status {
        ChangeStatus::Added => "added",
        ChangeStatus::Removed => "removed",
        ChangeStatus::Modified => "modified",
        ChangeStatus::Renamed => "renamed",
        ChangeStatus::Copied => "copied",
        ChangeStatus::Changed => "changed",
    }
}
