//! Running the driver on one target.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::outcome::Outcome;
use crate::Result;

/// How often the processor time of the driver is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// An input that takes longer, in seconds, is a finding. The clock is that on the wall: others may have the processor meanwhile.
const SLOW: u32 = 120;

/// Where the inputs of a target lie.
pub(super) struct Place {
    name: &'static str,
    /// What is committed.
    committed: PathBuf,
    /// What belongs to this machine: inputs, findings, what the driver said.
    pub(super) work: PathBuf,
    /// Inputs that were worth keeping.
    inputs: PathBuf,
    /// Inputs that broke the target.
    pub(super) found: PathBuf,
}

impl Place {
    /// Makes the folders.
    pub(super) fn prepare(root: &Path, work: &Path, name: &'static str) -> Result<Self> {
        let committed = root.join("fuzz/corpus").join(name);
        let work = work.join(name);
        let place = Self { name, committed, inputs: work.join("inputs"), found: work.join("found"), work };
        for folder in [&place.inputs, &place.found] {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(place)
    }

    fn driver(&self, program: &Path) -> Command {
        let mut driver = Command::new("nice");
        driver.args(["-n", "19"]).arg(program).env("FORGE_FUZZ_TARGET", self.name);
        driver.current_dir(&self.work).stdin(Stdio::null());
        driver
    }
}

/// Looks for inputs until the driver has had so many seconds of processor time, or has found one.
pub(super) fn target(program: &Path, place: &Place, max_len: usize, seconds: u64) -> Result<Outcome> {
    let log = place.work.join("log");
    let said = |file: &Path| File::create(file).map_err(|error| format!("{}: {error}", file.display()));
    let mut driver = place.driver(program);
    driver.arg(format!("-max_len={max_len}")).arg(format!("-timeout={SLOW}"));
    // It calls what takes ten seconds slow and keeps it like a finding, however long others had the processor.
    driver.arg(format!("-report_slow_units={SLOW}"));
    driver.args(["-rss_limit_mb=3000", "-print_final_stats=1", "-artifact_prefix=found/"]);
    driver.arg(&place.inputs).arg(&place.committed);
    driver.stdout(Stdio::null()).stderr(said(&log)?);
    eprintln!("── {}: {seconds} s, what it says is in {}", place.name, log.display());
    let mut child = driver.spawn().map_err(|error| format!("cannot start the driver: {error}"))?;
    let used = wait(&mut child, seconds as f64);
    let text = fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    Outcome::read(&text, used?)
}

/// Waits until it has used that much processor time, asks it to end, and returns how much it has used.
fn wait(child: &mut Child, seconds: f64) -> Result<f64> {
    let (mut used, mut is_asked) = (0.0, false);
    loop {
        if let Some(now) = processor_seconds(child.id()) {
            used = now;
        }
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(used),
            Err(error) => return Err(format!("cannot wait for the driver: {error}")),
        }
        if used >= seconds && !is_asked {
            // It says what it has seen when it is interrupted.
            is_asked = true;
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Returns how much processor time a process has used.
fn processor_seconds(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    // Fields 14 and 15 of proc_pid_stat(5), in hundredths on every Linux.
    let (user, system): (f64, f64) = (fields.get(11)?.parse().ok()?, fields.get(12)?.parse().ok()?);
    Some((user + system) / 100.0)
}

/// Replaces the committed inputs by the fewest that come by every edge that any input comes by.
pub(super) fn keep(program: &Path, place: &Place) -> Result<()> {
    let merged = place.work.join("merged");
    let _ = fs::remove_dir_all(&merged);
    fs::create_dir_all(&merged).map_err(|error| format!("{}: {error}", merged.display()))?;
    let mut driver = place.driver(program);
    driver.args(["-merge=1", "-use_counters=0"]).args([&merged, &place.committed, &place.inputs]);
    crate::command::run(driver.stderr(Stdio::null()))?;
    let _ = fs::remove_dir_all(&place.committed);
    fs::create_dir_all(&place.committed).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(&merged).map_err(|error| error.to_string())?.flatten() {
        let copied = fs::copy(entry.path(), place.committed.join(entry.file_name()));
        copied.map_err(|error| format!("{}: {error}", entry.path().display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_processor_time_is_seen() {
        assert!(processor_seconds(std::process::id()).is_some_and(|seconds| seconds >= 0.0));
        assert_eq!(processor_seconds(u32::MAX), None);
    }
}
