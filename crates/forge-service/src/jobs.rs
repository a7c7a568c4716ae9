//! Jobs: work that a transaction asked for and that is done after it, at least once, so every job must be harmless to
//! repeat. A claimed job whose worker dies is claimed again when its lease is over; one that fails waits longer each
//! time.

use std::sync::Arc;
use std::time::Duration;

pub use forge_store::jobs::Job;
use forge_types::id::RepositoryId;
use forge_types::{Error, Result};
use serde::Deserialize;

use crate::app::App;
use crate::git::{self, REBUILD, ROLL_UP};
use crate::repositories::{REMOVE_FILES, remove_files};

/// How long a claimed job is left to its worker.
const LEASE: Duration = Duration::from_secs(10 * 60);
/// How long a job waits after its first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3600);

/// Claims the job that has waited longest, if one is due.
///
/// # Errors
/// `Unavailable` if the database is.
pub async fn claim(app: &Arc<App>) -> Result<Option<Job>> {
    let now = app.now();
    // Looking costs no writer; most of the time there is nothing to do.
    let mut conn = app.db.read().await?;
    if !forge_store::jobs::is_due(&mut conn, now).await? {
        return Ok(None);
    }
    drop(conn);
    let mut tx = app.db.begin().await?;
    let job = forge_store::jobs::claim(&mut tx, now, now.plus(LEASE)).await?;
    tx.commit().await?;
    Ok(job)
}

/// Does a claimed job, and says so or when it is to be tried again.
///
/// # Errors
/// `Unavailable` if the database is; then the job is claimed again when its lease is over.
pub async fn perform(app: &Arc<App>, job: &Job) -> Result<()> {
    let outcome = work(app, job).await;
    let mut tx = app.db.begin().await?;
    match outcome {
        Ok(()) => forge_store::jobs::delete(&mut tx, job.id).await?,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.unwrap_or_else(|| error.to_string());
            tracing::warn!(job = %job.id, kind = job.kind, attempts = job.attempts, %cause, "job failed");
            let again = app.now().plus(wait(job.attempts));
            forge_store::jobs::retry(&mut tx, job.id, again, &cause).await?;
        }
    }
    Ok(tx.commit().await?)
}

fn wait(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

async fn work(app: &Arc<App>, job: &Job) -> Result<()> {
    match job.kind.as_str() {
        REMOVE_FILES => remove_files(app, of_repository(&job.payload)?).await,
        ROLL_UP | REBUILD => git::look_after(app, of_repository(&job.payload)?).await,
        other => Err(Error::internal(format!("no worker knows jobs of kind `{other}`"))),
    }
}

#[derive(Deserialize)]
struct OfRepository {
    repository_id: RepositoryId,
}

fn of_repository(payload: &str) -> Result<RepositoryId> {
    let OfRepository { repository_id } = serde_json::from_str(payload).map_err(Error::internal)?;
    Ok(repository_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        assert_eq!(wait(1), FIRST_WAIT);
        assert_eq!(wait(2), 2 * FIRST_WAIT);
        assert_eq!(wait(60), LONGEST_WAIT);
        assert_eq!(wait(0), FIRST_WAIT);
    }
}
