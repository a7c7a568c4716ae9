//! The audit log at the console: taking it out, checking it, erasing what is personal.

use std::path::Path;

use forge_auth::signing::PublicKey;
use forge_service::audit::checkpoint::Published;
use forge_service::operations::{self, AuditFormat, ExportPlace};
use forge_service::{RequestContext, operations as service};
use forge_types::{Error, Result};

use super::failure;
use crate::failure::Failure;

/// Returns a part of the log with the place where to go on, as JSON.
pub(super) async fn export(ctx: &RequestContext, place: ExportPlace, format: AuditFormat) -> Result<String> {
    let exported = operations::export_audit(ctx, place, format).await?;
    serde_json::to_string(&exported).map_err(Error::internal)
}

/// Returns the report as JSON.
pub(super) async fn verify(
    ctx: &RequestContext,
    checkpoints: Option<&Path>,
    key: Option<&Path>,
) -> crate::failure::Result<String> {
    let (outside, unreadable) = checkpoints.map(read_checkpoints).transpose()?.unwrap_or_default();
    let keys = key.map(read_keys).transpose()?;
    let mut report = service::verify_audit(ctx, outside, keys).await.map_err(failure)?;
    report.notes.extend(unreadable);
    ctx.finish().await.map_err(failure)?;
    serde_json::to_string(&report).map_err(|error| Failure::io("the report cannot be written", error))
}

/// Empties the personal fields of an account and says of how many events.
pub(super) async fn erase(ctx: &RequestContext, login: &str) -> Result<String> {
    let erased = operations::erase_audit(ctx, login).await?;
    Ok(format!("personal fields of {erased} events erased\n"))
}

/// Reads a file of checkpoints, a line of JSON each. Lines that are none, such as one that a full disk cut off, are said
/// and passed over.
pub(crate) fn read_checkpoints(file: &Path) -> crate::failure::Result<(Vec<Published>, Vec<String>)> {
    let text = read(file)?;
    let (mut checkpoints, mut notes) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(checkpoint) => checkpoints.push(checkpoint),
            Err(_) => notes.push(format!("line {} of the checkpoints is no checkpoint", number + 1)),
        }
    }
    if checkpoints.is_empty() {
        return Err(Failure::unavailable(format!("`{}` holds no checkpoint", file.display())));
    }
    Ok((checkpoints, notes))
}

/// Reads a file of public keys: PEM or a JWK set.
pub(crate) fn read_keys(file: &Path) -> crate::failure::Result<Vec<PublicKey>> {
    let malformed =
        |_| Failure::usage(format!("`{}` holds no Ed25519 key in PEM or JWK form", file.display()));
    PublicKey::read_all(&read(file)?).map_err(malformed)
}

fn read(file: &Path) -> crate::failure::Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::io(format_args!("cannot read `{}`", file.display()), error))
}
