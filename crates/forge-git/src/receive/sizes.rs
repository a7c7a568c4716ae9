//! Is a file of a push too large for a repository?
//!
//! Sizes stand at the beginning of each entry of a pack, so that nothing needs to be inflated whole. Only when a file is too
//! large is its name looked for, so that its owner knows which to take out.

use std::ffi::OsStr;
use std::process::Stdio;

use forge_types::ObjectId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::Quarantine;
use super::connectivity::input;
use crate::durable::blocking;
use crate::objects::from_gix;
use crate::packs::entry::delta_result_size;
use crate::packs::{Form, PackSet};
use crate::process::{Processes, Purpose};
use crate::{Error, Result};

impl Quarantine {
    /// Checks that no object that came has more than `limit` bytes. The first that has is [`Error::TooLarge`], with the path
    /// by which one of the commits `new` reaches it.
    pub async fn check_sizes(&self, processes: &Processes, new: &[ObjectId], limit: u64) -> Result<()> {
        // What was read here is small.
        if self.taken.is_some() {
            return Ok(());
        }
        let (format, directory) = (self.repository().format(), self.pack_directory());
        let find = move || find_larger(&PackSet::open_directories(format, &[directory])?, limit);
        let Some((id, size)) = blocking(find).await? else { return Ok(()) };
        let path = match timeout(processes.limits().run, self.path_of(processes, new, id)).await {
            Ok(path) => path?,
            Err(_) => None,
        };
        let name = path.unwrap_or_else(|| id.to_string());
        let (size, limit) = (size as f64 / MEGABYTE, limit as f64 / MEGABYTE);
        Err(Error::TooLarge(format!(
            "`{name}` has {size:.1} MB, and a file may have {limit:.0} MB: keep large files in Git LFS, \
             https://git-lfs.com"
        )))
    }

    /// Finds the path of an object among what the new commits bring.
    async fn path_of(&self, processes: &Processes, new: &[ObjectId], id: ObjectId) -> Result<Option<String>> {
        let mut command = processes.command(self.repository().path(), &[]);
        command.env("GIT_OBJECT_DIRECTORY", self.directory()).stderr(Stdio::null());
        let args = ["rev-list", "--objects", "--stdin", "--in-commit-order"].map(OsStr::new);
        let mut running = processes.start(Purpose::Check, command, &args).await?;
        let (Some(mut stdin), Some(stdout)) = (running.child.stdin.take(), running.child.stdout.take())
        else {
            return Err(Error::Program("`git rev-list` has no pipes".into()));
        };
        let input = input(new, []);
        let feed = async move {
            // It reads all of it before it writes; if it ends early, no name is found.
            let _ = stdin.write_all(input.as_bytes()).await;
        };
        let look = async {
            let mut lines = BufReader::with_capacity(64 * 1024, stdout).split(b'\n');
            let wanted = format!("{id} ");
            while let Ok(Some(line)) = lines.next_segment().await {
                if let Some(path) = line.strip_prefix(wanted.as_bytes()) {
                    return Some(String::from_utf8_lossy(path).into_owned());
                }
            }
            None
        };
        let ((), path) = tokio::join!(feed, look);
        Ok(path)
    }
}

const MEGABYTE: f64 = 1_048_576.0;

fn find_larger(set: &PackSet, limit: u64) -> Result<Option<(ObjectId, u64)>> {
    for slot in set.slots() {
        let stored = set.stored(slot)?;
        let size = match stored.form {
            Form::Whole(_) => stored.size,
            Form::Delta(_) => delta_result_size(stored.deflated)
                .ok_or_else(|| Error::Corrupt("a difference that does not read".into()))?,
        };
        if size > limit {
            return Ok(Some((from_gix(set.id(slot)), size)));
        }
    }
    Ok(None)
}
