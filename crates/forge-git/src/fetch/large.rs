//! A large pack, written by `git pack-objects`: it reads the bitmaps that maintenance writes, and its memory is its own.
//!
//! It is told object ids alone, those that were checked; it sees no ref.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::framed::Framed;
use super::local::Order;
use super::stream::Sender;
use crate::process::{Processes, Purpose, Running};
use crate::wire::sideband::KEEP_ALIVE;
use crate::{Error, Repository, Result};

const SETTINGS: [&str; 4] =
    ["pack.threads=2", "pack.windowMemory=128m", "core.bigFileThreshold=32m", "pack.useSparse=true"];

/// How often a sign of life is sent while objects are counted: proxies cut idle connections.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);

const CHUNK: usize = 256 * 1024;

/// Starts the process.
pub(super) async fn start(
    processes: &Processes,
    repository: &Repository,
    order: &Order,
    no_progress: bool,
) -> Result<Running> {
    let mut command = processes.command(repository.path(), &SETTINGS);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut args = vec!["--shallow-file", "", "pack-objects", "--revs", "--stdout"];
    args.push(if no_progress { "-q" } else { "--progress" });
    if order.reading.ofs_delta {
        args.push("--delta-base-offset");
    }
    if order.reading.thin {
        args.push("--thin");
    }
    let filter = order.filter.as_ref().map(|filter| format!("--filter={filter}"));
    args.extend(filter.as_deref());
    let args: Vec<&OsStr> = args.into_iter().map(OsStr::new).collect();
    processes.start(Purpose::Serve, command, &args).await
}

/// Moves the pack to the client.
pub(super) async fn pump(mut running: Running, order: Order, mut framed: Framed, to: Sender) -> Result<()> {
    let child = &mut running.child;
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Error::Program("`git pack-objects` has no pipes".into()));
    };
    let feed = async move {
        // If it stops reading, it has failed and its exit code says so.
        let _ = stdin.write_all(order.revisions.as_bytes()).await;
    };
    let move_on = async {
        let mut said = Vec::new();
        let (mut data, mut words) = (vec![0u8; CHUNK], vec![0u8; 4096]);
        let (mut has_data, mut has_words) = (true, true);
        while has_data || has_words {
            let next = async {
                tokio::select! {
                    read = read(&mut stdout, &mut data), if has_data => read.map(|count| (true, count)),
                    read = read(&mut stderr, &mut words), if has_words => read.map(|count| (false, count)),
                }
            };
            match timeout(KEEP_ALIVE_EVERY, next).await {
                Err(_) if framed.has_side_band() => to.send(Bytes::from_static(KEEP_ALIVE)).await?,
                Err(_) => {}
                Ok(Err(error)) => return Err(error),
                Ok(Ok((true, 0))) => has_data = false,
                Ok(Ok((false, 0))) => has_words = false,
                Ok(Ok((true, count))) => {
                    let mut pieces = Vec::new();
                    let _ = framed.data(&data[..count], |piece| {
                        pieces.push(piece);
                        Ok::<_, std::convert::Infallible>(())
                    });
                    for piece in pieces {
                        to.send(piece).await?;
                    }
                }
                Ok(Ok((false, count))) => {
                    said.extend_from_slice(&words[..count]);
                    said.drain(..said.len().saturating_sub(2000));
                    framed.progress(&words[..count]);
                    to.send(framed.take()).await?;
                }
            }
        }
        Ok(String::from_utf8_lossy(&said).into_owned())
    };
    let ((), said) = tokio::join!(feed, move_on);
    let said = said?;
    let status = running.child.wait().await.map_err(Error::io("wait for `git pack-objects`"))?;
    if !status.success() {
        return Err(Error::Program(format!("`git pack-objects` ended with {status}: {}", said.trim())));
    }
    to.send(framed.end()).await
}

async fn read(from: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> Result<usize> {
    from.read(buffer).await.map_err(Error::io("read from `git pack-objects`"))
}
