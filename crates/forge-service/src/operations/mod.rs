//! What the operator does to the forge as a whole: check what is stored, take the audit log out, write refs where the
//! tools of administrators see them, put them back from there, and sort packs.

mod audit;
mod backup;
mod deleted;
mod export;
mod import;
mod maintain;
mod refs;
mod verify;

pub use audit::{erase_audit, verify_audit};
pub use backup::begin_backup;
pub use deleted::{Restored, list_deleted, restore_deleted};
pub use export::{AuditFormat, ExportPlace, Exported, export_audit};
pub use import::{ImportedRefs, import_refs};
pub use maintain::{Maintained, maintain};
pub use refs::{ExportedRefs, export_refs};
pub use verify::{Finding, verify};

use forge_store::Conn;
use forge_store::inventory::{InventoryEntry, list_repositories};
use forge_types::id::RepositoryId;
use forge_types::{Error, ErrorKind, Result};

/// How many repositories are listed at a time.
const BATCH: i64 = 100;

/// Returns the repository called `only`, or all.
///
/// # Errors
/// `NotFound` if there is no such repository.
async fn each_repository(conn: &mut Conn, only: Option<&str>) -> Result<Vec<InventoryEntry>> {
    let mut found = Vec::new();
    let mut after = RepositoryId(0);
    loop {
        let batch = list_repositories(conn, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        found.extend(
            batch
                .into_iter()
                .filter(|entry| only.is_none_or(|name| name.eq_ignore_ascii_case(&entry.full_name))),
        );
    }
    match only {
        Some(name) if found.is_empty() => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no repository `{name}`")))
        }
        _ => Ok(found),
    }
}
