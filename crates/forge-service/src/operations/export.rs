//! The audit log as lines, in the order of its chain, for whoever keeps or watches it elsewhere.

use forge_store::audit::AuditEvent;
use forge_types::id::AuditEventId;
use forge_types::{Action, Result};
use serde::{Deserialize, Serialize};

use crate::audit::{formats, line};
use crate::context::RequestContext;
use crate::target::Site;

/// How many entries one call returns.
const BATCH: i64 = 1000;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// What can be verified.
    #[default]
    Native,
    /// JSON of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// Lines of the Common Event Format.
    Cef,
}

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPlace {
    /// After this position of the chain.
    Chain(i64),
    /// After this event of those that are not sealed yet.
    Unsealed(i64),
}

/// A part of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The lines, each with its end.
    pub lines: String,
    /// Where to go on; none at the end.
    pub next: Option<ExportPlace>,
}

/// Returns the entries after a place, as many as one answer holds: first those of the chain, in its order, then those that
/// are not sealed yet.
///
/// # Errors
/// `Forbidden` unless asked by an administrator.
pub async fn export_audit(ctx: &RequestContext, place: ExportPlace, format: AuditFormat) -> Result<Exported> {
    let mut conn = ctx.read().await?;
    ctx.authorize(&mut conn, Site, Action::SiteAuditRead).await?;
    let chain = forge_store::audit::find_head(&mut conn).await?.map(|head| head.chain_id).unwrap_or_default();
    let (entries, next) = match place {
        ExportPlace::Chain(after) => {
            let entries = forge_store::audit::list_chain(&mut conn, after, after + BATCH).await?;
            let last = forge_store::audit::find_last_position(&mut conn).await?;
            let is_over = after + BATCH >= last;
            let next = if is_over { ExportPlace::Unsealed(0) } else { ExportPlace::Chain(after + BATCH) };
            (entries, Some(next))
        }
        ExportPlace::Unsealed(after) => {
            let entries = forge_store::audit::list_unsealed(&mut conn, AuditEventId(after), BATCH).await?;
            let is_full = i64::try_from(entries.len()).is_ok_and(|count| count == BATCH);
            let next = entries.last().filter(|_| is_full).map(|last| ExportPlace::Unsealed(last.id.0));
            (entries, next)
        }
    };
    let lines = entries.iter().map(|entry| written(&chain, entry, format) + "\n").collect();
    Ok(Exported { lines, next })
}

fn written(chain: &str, entry: &AuditEvent, format: AuditFormat) -> String {
    match format {
        AuditFormat::Native => line::write(chain, entry),
        AuditFormat::Ocsf => formats::ocsf(chain, entry).to_string(),
        AuditFormat::Cef => formats::cef(chain, entry),
    }
}
