//! Looking into what is stored: the check, and the audit log.

use std::fmt::Write as _;

use forge_service::{RequestContext, operations};
use forge_types::Result;
use forge_types::id::AuditEventId;

use crate::failure::Failure;

/// Returns one line for each finding; a forge with findings ends the command with exit code 1.
pub(super) async fn verify(ctx: &RequestContext) -> Result<std::result::Result<String, Failure>> {
    let findings = operations::verify(ctx).await?;
    if findings.is_empty() {
        return Ok(Ok("every ref resolves and every pack is whole\n".to_owned()));
    }
    let lines: Vec<String> =
        findings.iter().map(|finding| format!("{}: {}", finding.repository, finding.problem)).collect();
    Ok(Err(Failure::finding(lines.join("; "))))
}

/// Returns the entries after `after`, a line of JSON each.
pub(super) async fn export_audit(ctx: &RequestContext, after: i64) -> Result<String> {
    let entries = operations::export_audit(ctx, AuditEventId(after)).await?;
    let mut lines = String::new();
    for entry in entries {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{entry}");
    }
    Ok(lines)
}

/// Writes refs into repository directories and says which.
pub(super) async fn export_refs(ctx: &RequestContext, repository: Option<&str>) -> Result<String> {
    let exported = operations::export_refs(ctx, repository).await?;
    let mut lines = String::new();
    for one in exported {
        let _ = writeln!(lines, "{}: {} refs in {}", one.repository, one.count, one.directory);
    }
    Ok(lines)
}
