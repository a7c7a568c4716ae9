//! What lets `git` find things faster: bitmaps of reachability, and a graph of the commits.
//!
//! Both can be made again from the packs at any time; nothing but speed depends on them.

use std::ffi::OsStr;
use std::io::Write as _;

use super::pack::run;
use super::{Tips, lines};
use crate::durable::blocking;
use crate::process::{Processes, Purpose};
use crate::{Error, PackInfo, Repository, Result};

/// A file that a crash cut short would stop every later `git`.
const SETTINGS: [&str; 2] = ["core.fsync=objects,derived-metadata", "pack.threads=1"];

impl Repository {
    /// Indexes the pack that has what the visible tips reach. To be done before the pack is removed that was indexed so far:
    /// an index that names a pack which is gone leads `git` astray.
    pub async fn index(&self, processes: &Processes, pack: &PackInfo, tips: &Tips) -> Result<()> {
        // Bitmaps are best at the tips that are asked for.
        let visible = lines("", &tips.visible);
        let snapshot = blocking(move || {
            let mut file = tempfile::NamedTempFile::new().map_err(Error::io("create a list of tips"))?;
            file.write_all(visible.as_bytes()).map_err(Error::io("write a list of tips"))?;
            Ok(file)
        })
        .await?;
        let tips_file = format!("--refs-snapshot={}", snapshot.path().display());
        let args = ["multi-pack-index", "write", "--stdin-packs", "--bitmap", &tips_file];
        let input = format!("{}.idx\n", pack.name);
        let command = processes.command(self.path(), &SETTINGS);
        run(processes.start(Purpose::Sort, command, &args.map(OsStr::new)).await?, input).await?;
        let command = processes.command(self.path(), &SETTINGS);
        let args = ["commit-graph", "write", "--stdin-commits"];
        let commits = lines("", &tips.visible) + &lines("", &tips.hidden);
        run(processes.start(Purpose::Sort, command, &args.map(OsStr::new)).await?, commits).await
    }
}
