//! Taking a pack in: a small one here, any other streamed into `git index-pack`, which completes thin packs and checks every
//! object.
//!
//! `--strict` refuses what is dangerous in a working copy (`.git` spellings, `.gitmodules` tricks, bad modes and names).
//! Three findings that old, honest histories are full of are let pass, as other hosts do.

use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::time::timeout;

use super::small::{self, MAX_PACK};
use super::{Quarantine, Reply};
use crate::durable::blocking;
use crate::process::{Processes, Purpose, read_bounded};
use crate::{Error, Result};

/// What is kept of what the process says.
const SAID_LIMIT: usize = 16 * 1024;

const STRICT: &str = "--strict=badTimezone=ignore,missingSpaceBeforeDate=ignore,zeroPaddedFilemode=ignore";

/// What a pack may be.
#[derive(Clone, Copy, Debug)]
pub struct IngestLimits {
    /// How many bytes the pack may have.
    pub pack_bytes: u64,
    /// How many bytes a file may have; larger ones belong elsewhere.
    pub file_bytes: u64,
    /// How many bytes one object may have while a delta is applied to it, or it to another.
    pub object_bytes: u64,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self { pack_bytes: 4 << 30, file_bytes: 100 << 20, object_bytes: 1 << 30 }
    }
}

impl Quarantine {
    /// Reads a pack from the stream into the quarantine, checking it. After an error the stream may have a rest to
    /// [`drain`](super::drain).
    pub async fn ingest(
        &mut self,
        processes: &Processes,
        from: &mut (impl AsyncRead + Unpin),
        limits: &IngestLimits,
        reply: &Reply,
    ) -> Result<()> {
        let small = usize::try_from(limits.pack_bytes).unwrap_or(usize::MAX).min(MAX_PACK);
        let begin = read_begin(from, small, processes.limits().stall).await?;
        if begin.len() <= small {
            if self.take_small(begin.clone()).await? {
                return Ok(());
            }
            return self.ingest_by_git(processes, &mut &begin[..], limits, reply).await;
        }
        self.ingest_by_git(processes, &mut (&begin[..]).chain(from), limits, reply).await
    }

    /// Takes a small pack in; returns whether it could be judged here.
    async fn take_small(&mut self, bytes: Vec<u8>) -> Result<bool> {
        let (packs, directory) = (self.packs().clone(), self.pack_directory());
        let take = move || small::take(&bytes, &packs.open()?, &directory);
        self.taken = blocking(take).await?.map(Arc::new);
        Ok(self.taken.is_some())
    }

    /// Has git look through a pack that was taken in here.
    pub(super) async fn check_strictly(&self, processes: &Processes) -> Result<()> {
        let mut command = processes.command(self.repository().path(), &[]);
        command.env("GIT_OBJECT_DIRECTORY", self.directory()).stdout(Stdio::null());
        let pack = self.pack_directory().join(small::PACK);
        let args = ["index-pack", "--verify", STRICT].map(OsStr::new);
        let args = args.into_iter().chain([pack.as_os_str()]).collect::<Vec<_>>();
        let mut running = processes.start(Purpose::Check, command, &args).await?;
        let Some(stderr) = running.child.stderr.take() else {
            return Err(Error::Program("`git index-pack` has no pipes".into()));
        };
        let work = async {
            let said = read_bounded(stderr).await;
            let status = running.child.wait().await.map_err(Error::io("wait for `git index-pack`"))?;
            let said = String::from_utf8_lossy(&said);
            if status.success() { Ok(()) } else { Err(refusal(&said, status.code().is_some())) }
        };
        match timeout(processes.limits().run, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::TooLarge("the push took too long".into())),
        }
    }

    async fn ingest_by_git(
        &self,
        processes: &Processes,
        from: &mut (impl AsyncRead + Unpin),
        limits: &IngestLimits,
        reply: &Reply,
    ) -> Result<()> {
        let settings = ["core.bigFileThreshold=32m", "core.deltaBaseCacheLimit=64m"];
        let mut command = processes.command(self.repository().path(), &settings);
        command.env("GIT_OBJECT_DIRECTORY", self.directory());
        command.env("GIT_ALLOC_LIMIT", limits.object_bytes.to_string());
        let args =
            ["index-pack", "--stdin", "--fix-thin", STRICT, "--show-resolving-progress", "--threads=2"];
        let mut running = processes.start(Purpose::Take, command, &args.map(OsStr::new)).await?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take())
        else {
            return Err(Error::Program("`git index-pack` has no pipes".into()));
        };
        let work = async {
            let feed = async {
                feed(from, stdin, limits.pack_bytes, processes.limits().stall).await?;
                reply.keep_alive();
                Ok(())
            };
            let listen = async { Ok(listen(stderr, reply).await) };
            let discard = async {
                read_bounded(stdout).await;
                Ok(())
            };
            // A feed that fails ends it all at once: the process is killed when this returns.
            let ((), said, ()) = tokio::try_join!(feed, listen, discard)?;
            let status = running.child.wait().await.map_err(Error::io("wait for `git index-pack`"))?;
            if status.success() { Ok(()) } else { Err(refusal(&said, status.code().is_some())) }
        };
        match timeout(processes.limits().run, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::TooLarge("the push took too long".into())),
        }
    }
}

/// Reads a pack that is small to its end, or the beginning of one that is not.
async fn read_begin(from: &mut (impl AsyncRead + Unpin), small: usize, stall: Duration) -> Result<Vec<u8>> {
    let mut begin = Vec::with_capacity(8 * 1024);
    while begin.len() <= small {
        begin.reserve(16 * 1024);
        match timeout(stall, from.read_buf(&mut begin)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(Error::Protocol(format!("the pack could not be read: {error}"))),
            Err(_) => return Err(Error::protocol("the client stopped sending the pack")),
        }
    }
    Ok(begin)
}

/// Copies the pack into the process. A process that stops reading has said why on its standard error.
async fn feed(
    from: &mut (impl AsyncRead + Unpin),
    mut to: ChildStdin,
    limit: u64,
    stall: Duration,
) -> Result<()> {
    let mut buffer = vec![0u8; 128 * 1024];
    let mut total = 0u64;
    loop {
        let read = timeout(stall, from.read(&mut buffer)).await;
        let count = match read {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(count)) => count,
            Ok(Err(error)) => return Err(Error::Protocol(format!("the pack could not be read: {error}"))),
            Err(_) => return Err(Error::protocol("the client stopped sending the pack")),
        };
        total += count as u64;
        if total > limit {
            return Err(Error::TooLarge(format!(
                "the pack is over the limit of {} MiB for one push",
                limit >> 20
            )));
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return Ok(());
        }
    }
}

/// Passes progress on, a line at a time, and returns everything else that was said.
///
/// A read of the pipe may hold several lines, or end in the middle of one.
async fn listen(mut stderr: impl AsyncRead + Unpin, reply: &Reply) -> String {
    let mut said = Vec::new();
    let mut line = Vec::new();
    let mut buffer = [0u8; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        for piece in buffer[..count].split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let room = SAID_LIMIT.saturating_sub(line.len()).min(piece.len());
            line.extend_from_slice(&piece[..room]);
            if piece.ends_with(b"\r") || piece.ends_with(b"\n") {
                sort_line(&line, &mut said, reply);
                line.clear();
            }
        }
    }
    sort_line(&line, &mut said, reply);
    String::from_utf8_lossy(&said).into_owned()
}

/// Gives a line to the client if it is progress, and keeps it otherwise.
fn sort_line(line: &[u8], said: &mut Vec<u8>, reply: &Reply) {
    if line.starts_with(b"Resolving deltas:") {
        reply.progress(line);
    } else {
        let room = SAID_LIMIT.saturating_sub(said.len()).min(line.len());
        said.extend_from_slice(&line[..room]);
    }
}

/// Turns what the process said into a refusal for the client, or into a fault of the server.
fn refusal(said: &str, exited: bool) -> Error {
    let is_ours = [
        "No space left",
        "unable to create",
        "unable to open",
        "cannot open",
        "write error",
        "Permission denied",
        "Input/output error",
        "cannot store",
        "unable to write",
    ]
    .iter()
    .any(|word| said.contains(word));
    if is_ours || !exited {
        return Error::Program(format!("`git index-pack` failed: {}", said.trim()));
    }
    if said.contains("attempting to allocate") {
        return Error::BadPack("an object of the pack is too large".into());
    }
    let is_reason = |line: &&str| line.starts_with("error: ") || line.starts_with("fatal: ");
    let mut reasons: Vec<&str> = said.split(['\n', '\r']).filter(is_reason).map(|line| &line[7..]).collect();
    // The last line sums up what the lines before it say.
    if reasons.len() > 1 && reasons.last().is_some_and(|last| last.starts_with("fsck error")) {
        reasons.pop();
    }
    reasons.truncate(5);
    match reasons.is_empty() {
        true => Error::BadPack("the pack is broken".into()),
        false => Error::BadPack(reasons.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::Capabilities;

    #[test]
    fn faults_of_the_pack_are_told_and_faults_of_the_server_are_not() {
        let said = "error: object 12ab: hasDotgit: contains '.git'\nfatal: fsck error in packed object\n";
        assert_eq!(refusal(said, true).to_string(), "object 12ab: hasDotgit: contains '.git'");
        assert_eq!(refusal("Resolving deltas: 1%\rfatal: early EOF\n", true).to_string(), "early EOF");
        let full = refusal("fatal: unable to create temporary file '/srv/x': No space left on device", true);
        assert!(!full.is_for_client());
        assert!(!refusal("", false).is_for_client(), "killed by a signal");
    }

    /// The pipe gave two lines in one read, and the client one line with the other inside it.
    #[tokio::test]
    async fn progress_is_told_line_by_line_however_the_pipe_cuts_it() {
        let text = b"Resolving deltas:   0% (0/1)\rResolving deltas: 100% (1/1), done.\nfatal: fsck error\n";
        for size in [1, 7, 40, text.len()] {
            let capabilities = Capabilities { side_band_64k: true, ..Capabilities::default() };
            let (reply, mut body) = Reply::channel(&capabilities);
            let (mut to, from) = tokio::io::duplex(size);
            let write = async move { to.write_all(text).await };
            let (said, written) = tokio::join!(listen(from, &reply), write);
            written.unwrap();
            drop(reply);
            assert_eq!(said, "fatal: fsck error\n");
            let mut told = Vec::new();
            while let Some(bytes) = body.recv().await {
                told.push(bytes.slice(4..));
            }
            assert_eq!(told.len(), 2, "{told:?}");
            assert_eq!(&told[0][..], b"\x02Resolving deltas:   0% (0/1)\r");
            assert_eq!(&told[1][..], b"\x02Resolving deltas: 100% (1/1), done.\n");
        }
    }
}
