//! Sealing the audit log: every event within a second, a checkpoint when one is due, at the start and at the end, and each
//! checkpoint in every place outside.
//!
//! A place that cannot be reached holds nobody up: checkpoints stay in the database until it has them. Each place is tried
//! again after a while that doubles.

mod file;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use forge_service::App;
use forge_service::audit::checkpoint::{Published, When};
use forge_service::audit::seal::Sealer;
use forge_types::Result;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often events are looked for. Less than half a second, so that each is sealed within one.
const TICK: Duration = Duration::from_millis(400);
/// How long after the start checkpoints are made at once: a node that died may still hold the chain for some of it.
const STARTING: Duration = Duration::from_secs(4);
/// How long a place that failed is left alone, at first and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What seals on this node.
pub(crate) struct Audit {
    sealer: Sealer,
    sinks: Vec<Sink>,
}

/// A place outside that has every checkpoint.
struct Sink {
    place: Place,
    wait: Duration,
    not_before: Option<Instant>,
}

enum Place {
    File(file::File),
    Webhook(webhook::Webhook),
}

impl Audit {
    /// Starts from the settings.
    pub(crate) fn new(app: &Arc<App>) -> Self {
        let settings = &app.settings().audit;
        let file = settings.checkpoint_file.as_ref().map(|path| Place::File(file::File::new(path)));
        let webhook =
            settings.checkpoint_webhook.as_ref().map(|url| Place::Webhook(webhook::Webhook::new(url)));
        let sinks = file.into_iter().chain(webhook);
        let sinks = sinks.map(|place| Sink { place, wait: FIRST_WAIT, not_before: None }).collect();
        Self { sealer: Sealer::new(app), sinks }
    }

    /// Seals until told to stop, and once more then.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let started = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wait = FIRST_WAIT;
        loop {
            let is_last = tokio::select! {
                _ = ticks.tick() => false,
                _ = stopped.changed() => true,
            };
            let when = if is_last || started.elapsed() < STARTING { When::Now } else { When::Due };
            match self.step(when).await {
                Ok(()) => wait = FIRST_WAIT,
                Err(error) => {
                    tracing::warn!(%error, "sealing the audit log has to wait");
                    if !is_last {
                        let _ = tokio::time::timeout(wait, stopped.changed()).await;
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                }
            }
            if is_last || *stopped.borrow() {
                break;
            }
        }
        if let Err(error) = self.sealer.release().await {
            tracing::warn!(%error, "the end of the audit log stays held for some seconds");
        }
    }

    /// Seals what waits, makes a checkpoint if it is time, and publishes what is not published.
    async fn step(&mut self, when: When) -> Result<()> {
        self.sealer.seal().await?;
        self.sealer.checkpoint(when).await?;
        for sink in &mut self.sinks {
            sink.publish(&self.sealer).await?;
        }
        Ok(())
    }

    /// Does everything once, and leaves the chain to others.
    pub(crate) async fn run_once(mut self) -> Result<()> {
        self.step(When::Now).await?;
        self.sealer.release().await
    }
}

impl Sink {
    async fn publish(&mut self, sealer: &Sealer) -> Result<()> {
        if self.not_before.is_some_and(|instant| Instant::now() < instant) {
            return Ok(());
        }
        let name = self.place.name();
        let lacking = sealer.unpublished(&name).await?;
        let Some((last, _)) = lacking.last() else { return Ok(()) };
        let checkpoints: Vec<Published> = lacking.iter().map(|(_, checkpoint)| checkpoint.clone()).collect();
        match self.place.write(checkpoints).await {
            Ok(()) => {
                (self.wait, self.not_before) = (FIRST_WAIT, None);
                sealer.published(&name, *last).await
            }
            Err(error) => {
                tracing::error!(%error, place = name, "audit checkpoints cannot be published");
                self.not_before = Some(Instant::now() + self.wait);
                self.wait = (self.wait * 2).min(LONGEST_WAIT);
                Ok(())
            }
        }
    }
}

impl Place {
    /// Returns what the database calls it.
    fn name(&self) -> String {
        match self {
            Self::File(file) => file.name(),
            Self::Webhook(webhook) => webhook.name(),
        }
    }

    /// Writes all or says why not; some may be written twice then.
    async fn write(&self, checkpoints: Vec<Published>) -> std::result::Result<(), String> {
        match self {
            Self::File(file) => file.append(checkpoints).await,
            Self::Webhook(webhook) => webhook.send(&checkpoints).await,
        }
    }
}
