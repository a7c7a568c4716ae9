//! Many connections at once, each a thread that sends and waits. Every load ends by time and by count.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::statistics::percentile;
use crate::Result;

/// When a load ends: whichever comes first.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) count: usize,
}

/// How long each operation took, and all of them together.
pub(super) struct Outcome {
    /// In milliseconds.
    pub(super) latencies: Vec<f64>,
    pub(super) took: Duration,
}

impl Outcome {
    pub(super) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// Returns the latency that this share of the operations did not exceed.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share).unwrap_or(f64::NAN)
    }
}

/// Runs the operations that each connection's worker carries out by number. The first failure ends the load.
pub(super) fn run<W: FnMut(usize) -> Result<()>>(
    connections: usize,
    bounds: Bounds,
    worker: impl Fn(usize) -> Result<W> + Sync,
) -> Result<Outcome> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ready = Barrier::new(connections);
    let work = |connection: usize| -> Result<(Vec<f64>, Instant, Instant)> {
        let mut made = worker(connection);
        ready.wait();
        let started = Instant::now();
        let mut latencies = Vec::new();
        let outcome = made.as_mut().map_err(|error| error.clone()).and_then(|work| {
            while started.elapsed() < bounds.time && !failed.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= bounds.count {
                    break;
                }
                let began = Instant::now();
                work(number)?;
                latencies.push(milliseconds(began.elapsed()));
            }
            Ok(())
        });
        if outcome.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        outcome.map(|()| (latencies, started, Instant::now()))
    };
    let work = &work;
    let parts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|number| scope.spawn(move || work(number))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a worker panicked".into())))
            .collect()
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>>>()?;
    let started = parts.iter().map(|part| part.1).min().unwrap_or_else(Instant::now);
    let ended = parts.iter().map(|part| part.2).max().unwrap_or(started);
    let latencies: Vec<f64> = parts.into_iter().flat_map(|part| part.0).collect();
    if latencies.is_empty() {
        return Err("the load ended before its first operation".to_owned());
    }
    Ok(Outcome { latencies, took: ended - started })
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_ends_by_count_and_each_number_is_worked_on_once() {
        let seen = std::sync::Mutex::new(Vec::new());
        let bounds = Bounds { time: Duration::from_secs(60), count: 20 };
        let worker = |_| {
            Ok(|number| {
                seen.lock().unwrap().push(number);
                Ok(())
            })
        };
        assert_eq!(run(4, bounds, worker).unwrap().latencies.len(), 20);
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn load_ends_by_time() {
        let bounds = Bounds { time: Duration::from_millis(20), count: usize::MAX };
        let outcome = run(2, bounds, |_| {
            Ok(|_| {
                std::thread::sleep(Duration::from_millis(1));
                Ok(())
            })
        })
        .unwrap();
        assert!(outcome.latencies.len() < 100 && outcome.per_second() > 0.0);
    }

    #[test]
    fn one_wrong_answer_fails_the_load() {
        let bounds = Bounds { time: Duration::from_secs(60), count: 100 };
        let worker = |_| Ok(|number| if number == 7 { Err("wrong".to_owned()) } else { Ok(()) });
        assert_eq!(run(3, bounds, worker).err().as_deref(), Some("wrong"));
        let none = |connection| if connection == 1 { Err("no".to_owned()) } else { Ok(|_| Ok(())) };
        assert_eq!(run(2, bounds, none).err().as_deref(), Some("no"));
    }
}
