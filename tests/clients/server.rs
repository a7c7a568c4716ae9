//! The release binary, running.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a start or an end may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; dropping it ends it.
pub(crate) struct Server {
    child: Child,
    output: Arc<Mutex<String>>,
    log: PathBuf,
}

impl Server {
    /// Starts the command and waits until `is_ready`.
    pub(crate) fn start(mut command: Command, log: &Path, is_ready: impl Fn() -> bool) -> Self {
        let errors = File::options().create(true).append(true).open(log).expect("a log file");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::<Mutex<String>>::default();
        collect(child.stdout.take().expect("the pipe was asked for"), &output);
        let mut server = Self { child, output, log: log.to_owned() };
        let started = Instant::now();
        while !is_ready() {
            if let Some(status) = server.child.try_wait().expect("the server can be asked") {
                panic!("the server ended with {status}:\n{}", server.log());
            }
            assert!(started.elapsed() < PATIENCE, "the server does not answer:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Returns what it has printed, once that holds `awaited`.
    #[track_caller]
    pub(crate) fn output(&self, awaited: &str) -> String {
        let asked = Instant::now();
        loop {
            let output = self.output.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if output.contains(awaited) {
                return output;
            }
            assert!(asked.elapsed() < PATIENCE, "the server did not print `{awaited}`: {output}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end and returns how it did.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the server can be asked") {
                return status;
            }
            if asked.elapsed() > PATIENCE {
                let _ = self.child.kill();
                return self.child.wait().expect("a killed process ends");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(6000);
            eprintln!("── the server's log\n{}", log.get(from..).unwrap_or(&log));
        }
    }
}

fn collect(pipe: impl std::io::Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&line);
            text.push('\n');
        }
    });
}
