//! Does a new tip reach only objects that are there?
//!
//! `git rev-list` walks from the new tips to what is reachable from the refs the repository has now, whose closures are
//! whole. Presence of an object says nothing: it may be the leftover of a push that was refused.

use std::ffi::OsStr;

use forge_types::ObjectId;
use tokio::io::AsyncWriteExt;

use super::Quarantine;
use crate::process::{Processes, Purpose, read_bounded};
use crate::{Error, Result};

impl Quarantine {
    /// Checks that everything reachable from `new` is in the quarantine or reachable from `current`, the ids of *all* refs of
    /// the repository, hidden ones too. A lack is [`Error::BadPack`].
    pub async fn check_connectivity(
        &self,
        processes: &Processes,
        new: &[ObjectId],
        current: impl IntoIterator<Item = ObjectId>,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let mut input = String::new();
        for id in new {
            input.push_str(&format!("{id}\n"));
        }
        for id in current {
            input.push_str(&format!("^{id}\n"));
        }
        let mut command = processes.command(self.repository().path(), &[]);
        command.env("GIT_OBJECT_DIRECTORY", self.directory()).stdout(std::process::Stdio::null());
        let args = ["rev-list", "--objects", "--stdin", "--quiet"];
        let mut running = processes.start(Purpose::Check, command, &args.map(OsStr::new)).await?;
        let (Some(mut stdin), Some(stderr)) = (running.child.stdin.take(), running.child.stderr.take())
        else {
            return Err(Error::Program("`git rev-list` has no pipes".into()));
        };
        let work = async {
            let feed = async move {
                // It stops reading when it has found a lack, and says so.
                let _ = stdin.write_all(input.as_bytes()).await;
            };
            let ((), said) = tokio::join!(feed, read_bounded(stderr));
            let status = running.child.wait().await.map_err(Error::io("wait for `git rev-list`"))?;
            match status.code() {
                Some(0) => Ok(()),
                Some(_) => {
                    tracing::info!(said = %String::from_utf8_lossy(&said), "a push lacks objects");
                    Err(Error::BadPack("missing necessary objects".into()))
                }
                None => Err(Error::Program("`git rev-list` was killed".into())),
            }
        };
        match tokio::time::timeout(processes.limits().run, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::TooLarge("checking the push took too long".into())),
        }
    }
}
