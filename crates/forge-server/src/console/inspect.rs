//! Looking into what is stored: the check, and refs as they lie in repository directories.

use std::fmt::Write as _;

use forge_service::{RequestContext, operations};
use forge_types::Result;
use forge_types::id::RepositoryId;

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

/// Writes refs into repository directories and says which.
pub(super) async fn export_refs(ctx: &RequestContext, repository: Option<&str>) -> Result<String> {
    let exported = operations::export_refs(ctx, repository).await?;
    let mut lines = String::new();
    for one in exported {
        let _ = writeln!(lines, "{}: {} refs in {}", one.repository, one.count, one.directory);
    }
    Ok(lines)
}

/// Sorts packs anew and says how many became how many.
pub(super) async fn maintain(ctx: &RequestContext, repository: Option<&str>) -> Result<String> {
    let mut lines = String::new();
    for one in operations::maintain(ctx, repository).await? {
        let _ = match one.packs.from {
            0 => writeln!(lines, "{}: nothing to do", one.repository),
            from => writeln!(
                lines,
                "{}: {from} packs became {} of {} objects",
                one.repository, one.packs.to, one.packs.objects
            ),
        };
    }
    Ok(lines)
}

/// Puts back refs that the database lost and says what was done; what could not be put back ends the command with exit
/// code 1.
pub(super) async fn import_refs(
    ctx: &RequestContext,
    repository: Option<&str>,
) -> Result<std::result::Result<String, Failure>> {
    let done = operations::import_refs(ctx, repository).await?;
    let mut lines: Vec<String> = done
        .iter()
        .map(|one| {
            format!(
                "{}: {} refs put back, {} there already, {} packs taken up",
                one.repository, one.imported, one.unchanged, one.packs
            )
        })
        .collect();
    if done.iter().all(|one| one.problems.is_empty()) {
        return Ok(Ok(lines.iter().map(|line| format!("{line}\n")).collect()));
    }
    for one in &done {
        let problem =
            |(name, why): &(String, String)| format!("{}: {name} was not put back: {why}", one.repository);
        lines.extend(one.problems.iter().map(problem));
    }
    Ok(Err(Failure::finding(lines.join("; "))))
}

/// Says which repositories can be had back, one a line.
pub(super) async fn list_deleted(ctx: &RequestContext) -> Result<String> {
    let mut lines = String::new();
    for one in operations::list_deleted(ctx).await? {
        let _ = writeln!(
            lines,
            "{}: {}/{}, {}, {} bytes, deleted {}, files go {}",
            one.id.0,
            one.owner_login,
            one.name,
            one.visibility.as_str(),
            one.size_bytes,
            one.deleted_at,
            one.remove_after
        );
    }
    Ok(lines)
}

/// Has back a repository and says what of it; a ref that could not come back ends the command with exit code 1.
pub(super) async fn restore_deleted(
    ctx: &RequestContext,
    id: i64,
    to: Option<&str>,
) -> Result<std::result::Result<String, Failure>> {
    let done = operations::restore_deleted(ctx, RepositoryId(id), to).await?;
    let line = format!("{}: {} refs came back", done.repository, done.refs);
    if done.problems.is_empty() {
        return Ok(Ok(format!("{line}\n")));
    }
    let problem = |(name, why): &(String, String)| format!("{name} did not: {why}");
    let lines: Vec<String> = std::iter::once(line).chain(done.problems.iter().map(problem)).collect();
    Ok(Err(Failure::finding(lines.join("; "))))
}
