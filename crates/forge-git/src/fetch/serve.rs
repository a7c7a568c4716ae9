//! Serving a fetch by `git upload-pack` over a view.
//!
//! A task of its own moves bytes from the process to a short queue: a client that reads slowly slows the process down, one
//! that stops for too long or hangs up ends it, and so does the time limit.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::request::Fetch;
use super::view::View;
use super::wants::check_wants;
use crate::durable::blocking;
use crate::process::{Processes, Purpose, Running, read_bounded};
use crate::wire::{Protocol, RefSnapshot};
use crate::{Error, Repository, Result, Storage};

/// The size of one piece of the answer.
const CHUNK: usize = 64 * 1024;

/// What the process may do. Wants are checked already, so it need not.
const SETTINGS: [&str; 12] = [
    "uploadpack.allowAnySHA1InWant=true",
    "uploadpack.allowFilter=true",
    "uploadpackfilter.allow=false",
    "uploadpackfilter.blob:none.allow=true",
    "uploadpackfilter.blob:limit.allow=true",
    "uploadpackfilter.tree.allow=true",
    "uploadpackfilter.object:type.allow=true",
    "uploadpackfilter.combine.allow=true",
    "uploadpack.keepAlive=5",
    "pack.threads=2",
    "pack.windowMemory=128m",
    "core.bigFileThreshold=32m",
];

/// The answer to a fetch, as it comes.
#[derive(Debug)]
pub struct PackStream {
    chunks: mpsc::Receiver<Result<Bytes>>,
}

impl PackStream {
    /// Returns the next bytes, `None` at the end. An error means that the answer must be cut off, not ended.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        self.chunks.recv().await
    }
}

/// Checks every want and begins to answer. Dropping the stream ends the process.
pub async fn serve(
    processes: &Processes,
    storage: &Storage,
    repository: &Repository,
    snapshot: &RefSnapshot,
    fetch: Fetch,
) -> Result<PackStream> {
    check_wants(processes, repository, snapshot, fetch.wants()).await?;
    let view = {
        let (storage, repository, snapshot) = (storage.clone(), repository.clone(), snapshot.clone());
        blocking(move || View::create(&storage, &repository, &snapshot)).await?
    };
    let mut command = processes.command(view.path(), &SETTINGS);
    // The view is named on the command line: `upload-pack` does not ask the environment.
    command.env_remove("GIT_DIR").stderr(Stdio::piped());
    match fetch.protocol() {
        Protocol::V0 => {}
        Protocol::V1 => drop(command.env("GIT_PROTOCOL", "version=1")),
        Protocol::V2 => drop(command.env("GIT_PROTOCOL", "version=2")),
    }
    let args =
        ["upload-pack".as_ref(), "--stateless-rpc".as_ref(), "--strict".as_ref(), view.path().as_os_str()];
    let running = processes.start(Purpose::Serve, command, &args as &[&OsStr]).await?;
    let (to, chunks) = mpsc::channel(8);
    let limits = processes.limits();
    let pump = Pump { running, view, to, stall: limits.stall, deadline: Instant::now() + limits.run };
    tokio::spawn(pump.run(fetch));
    Ok(PackStream { chunks })
}

struct Pump {
    running: Running,
    view: View,
    to: mpsc::Sender<Result<Bytes>>,
    stall: Duration,
    deadline: Instant,
}

impl Pump {
    async fn run(mut self, fetch: Fetch) {
        let deadline = self.deadline;
        let outcome = match timeout_at(deadline, self.pump(&fetch)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Busy("the transfer took too long".into())),
        };
        self.running.kill();
        if let Err(error) = outcome {
            tracing::warn!(%error, "a fetch was cut off");
            // Whoever hung up does not hear it.
            let _ = self.to.try_send(Err(error));
        }
        drop(self.view);
    }

    async fn pump(&mut self, fetch: &Fetch) -> Result<()> {
        let child = &mut self.running.child;
        let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Program("`git upload-pack` has no pipes".into()));
        };
        let feed = async move {
            // If it stops reading, it has said why.
            let _ = stdin.write_all(fetch.replay()).await;
        };
        let (to, stall) = (&self.to, self.stall);
        let answer = async {
            loop {
                let mut chunk = BytesMut::with_capacity(CHUNK);
                let count =
                    stdout.read_buf(&mut chunk).await.map_err(Error::io("read from `git upload-pack`"))?;
                if count == 0 {
                    return Ok(true);
                }
                match timeout(stall, to.send(Ok(chunk.freeze()))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Ok(false),
                    Err(_) => return Err(Error::Busy("the client stopped reading".into())),
                }
            }
        };
        let talk = async { Ok::<_, Error>(read_bounded(stderr).await) };
        // A client that hangs up while Git still counts objects ends it, too.
        let whole = tokio::select! {
            whole = async { tokio::try_join!(answer, talk, async { feed.await; Ok(()) }) } => whole,
            () = self.to.closed() => return Ok(()),
        };
        let (is_whole, said, ()) = whole?;
        let status = self.running.child.wait().await.map_err(Error::io("wait for `git upload-pack`"))?;
        let said = String::from_utf8_lossy(&said);
        if is_whole && !status.success() {
            tracing::info!(%status, said = said.trim(), "a fetch failed");
        }
        // With an exit code it has told the client in its own words; without one the answer just stops.
        match status.code() {
            None if is_whole => Err(Error::Program(format!("`git upload-pack` ended with {status}"))),
            _ => Ok(()),
        }
    }
}
