//! Serving a fetch by `git upload-pack` over a view: the measure of what is answered in process, and the way back to it.

use std::ffi::OsStr;
use std::process::Stdio;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::request::Fetch;
use super::stream::{PackStream, Sender};
use super::view::View;
use crate::durable::blocking;
use crate::process::{Processes, Purpose, Running, read_bounded};
use crate::wire::{Protocol, RefSnapshot};
use crate::{Error, Repository, Result, Storage};

/// The size of one piece of the answer.
const CHUNK: usize = 64 * 1024;

/// What the process may do. Wants are checked already, so it need not.
const SETTINGS: [&str; 13] = [
    "uploadpack.allowAnySHA1InWant=true",
    "uploadpack.allowFilter=true",
    "uploadpack.allowRefInWant=true",
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

/// Begins to answer. Wants must have been checked. Dropping the stream ends the process.
pub(super) async fn serve(
    processes: &Processes,
    storage: &Storage,
    repository: &Repository,
    snapshot: &RefSnapshot,
    fetch: Fetch,
) -> Result<PackStream> {
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
    let (to, stream) = PackStream::channel(processes.limits());
    tokio::spawn(to.run(move |to| pump(running, view, fetch, to)));
    Ok(stream)
}

/// Feeds the request and moves the answer.
async fn pump(mut running: Running, _view: View, fetch: Fetch, to: Sender) -> Result<()> {
    let child = &mut running.child;
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Error::Program("`git upload-pack` has no pipes".into()));
    };
    let feed = async move {
        // If it stops reading, it has said why.
        let _ = stdin.write_all(fetch.lines()).await;
        drop(stdin);
        Ok(())
    };
    let answer = async {
        loop {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let count =
                stdout.read_buf(&mut chunk).await.map_err(Error::io("read from `git upload-pack`"))?;
            if count == 0 {
                return Ok(());
            }
            to.send(chunk.freeze()).await?;
        }
    };
    let talk = async { Ok::<_, Error>(read_bounded(stderr).await) };
    let ((), said, ()) = tokio::try_join!(answer, talk, feed)?;
    let status = running.child.wait().await.map_err(Error::io("wait for `git upload-pack`"))?;
    if !status.success() {
        tracing::info!(%status, said = String::from_utf8_lossy(&said).trim(), "a fetch failed");
    }
    // With an exit code it has told the client in its own words; without one the answer just stops.
    match status.code() {
        None => Err(Error::Program(format!("`git upload-pack` ended with {status}"))),
        Some(_) => Ok(()),
    }
}
