//! The job runner: does what transactions asked for, and the housekeeping of every minute; `audit` seals the audit log.
//!
//! What a job does stands in `forge_service::jobs`; here is only when. Several nodes may run side by side on one
//! database: a job is claimed before it is done, and doing one twice is harmless.

mod audit;

use std::sync::Arc;
use std::time::Duration;

use forge_service::{App, housekeeping, jobs};
use forge_types::Result;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

/// How often the database is asked for due jobs.
const POLL: Duration = Duration::from_secs(1);
/// How often credentials' last use is written and what is over is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// A runner at work.
pub struct Runner {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    stop_sealing: watch::Sender<bool>,
    sealing: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts to do jobs.
    #[must_use]
    pub fn start(app: &Arc<App>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(do_jobs(Arc::clone(app), stopped.clone())),
            tokio::spawn(keep_house(Arc::clone(app), stopped)),
        ];
        let (stop_sealing, sealing_stopped) = watch::channel(false);
        let is_sealing = app.settings().audit.is_sealing;
        let sealing = is_sealing.then(|| tokio::spawn(audit::Audit::new(app).run(sealing_stopped)));
        Self { stop, tasks, stop_sealing, sealing }
    }

    /// Stops after the job in hand, writes what was noted in memory, and seals what all that left in the audit log.
    pub async fn stop(self) {
        // Without receivers the tasks have ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            ended(task).await;
        }
        let _ = self.stop_sealing.send(true);
        if let Some(task) = self.sealing {
            ended(task).await;
        }
    }
}

async fn ended(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a job task did not end well");
    }
}

async fn do_jobs(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut polls = interval(POLL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stopped.borrow() {
        tokio::select! {
            _ = polls.tick() => {}
            _ = stopped.changed() => return,
        }
        while !*stopped.borrow() {
            match do_one(&app).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "jobs have to wait");
                    break;
                }
            }
        }
    }
}

async fn keep_house(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut minutes = interval_at(Instant::now() + HOUSEKEEPING, HOUSEKEEPING);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            _ = minutes.tick() => false,
            _ = stopped.changed() => true,
        };
        if let Err(error) = housekeeping::run(&app).await {
            tracing::warn!(%error, "housekeeping has to wait");
        }
        if is_last {
            return;
        }
    }
}

/// Does the job that has waited longest; returns whether there was one.
async fn do_one(app: &Arc<App>) -> Result<bool> {
    let Some(job) = jobs::claim(app).await? else { return Ok(false) };
    jobs::perform(app, &job).await?;
    Ok(true)
}

/// Does the housekeeping and every due job, and seals the audit log, for tests and for maintenance from the shell.
///
/// # Errors
/// `Unavailable` if the database is. A job that fails is no error: it waits for its next attempt.
pub async fn run_all(app: &Arc<App>) -> Result<()> {
    housekeeping::run(app).await?;
    while do_one(app).await? {}
    audit::Audit::new(app).run_once().await
}
