//! Pushing everything of a source: the request that `git push` makes, its pack being the one that lies there.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;

use super::Server;
use crate::Result;
use crate::bench::answer::Scan;
use crate::bench::http::Connection;
use crate::bench::request;
use crate::bench::sources::Source;

/// A push of all refs and objects of a source.
pub(in super::super) struct WholePush {
    commands: Vec<u8>,
    pack: PathBuf,
    pack_bytes: u64,
    /// How many refs it makes.
    pub(in super::super) refs: usize,
}

impl WholePush {
    /// Reads what is to be sent.
    pub(in super::super) fn of(source: &Source) -> Result<Self> {
        let commands = request::push(source.refs.iter().map(|(name, id)| (name.as_str(), id.as_str())));
        let pack = pack(source)?;
        let pack_bytes = fs::metadata(&pack).map_err(|error| format!("{}: {error}", pack.display()))?.len();
        Ok(Self { commands, pack, pack_bytes, refs: source.refs.len() })
    }

    /// Sends it into an empty repository and reads the report.
    pub(in super::super) fn send(
        &self,
        server: &Server,
        to: &mut Connection,
        repository: &str,
    ) -> Result<()> {
        let length = self.commands.len() as u64 + self.pack_bytes;
        let head = server.head(repository, "git-receive-pack", length as usize, 0);
        let mut scan = Scan::report();
        let pack = File::open(&self.pack).map_err(|error| format!("{}: {error}", self.pack.display()))?;
        let mut pack = BufReader::with_capacity(1 << 20, pack);
        server.exchange_with(to, &[&head, &self.commands], &mut pack, &mut scan)?;
        scan.finish_report(self.refs).map_err(|error| server.failed(&error))
    }
}

/// Returns a source's only pack.
fn pack(source: &Source) -> Result<PathBuf> {
    let folder = source.path.join("objects/pack");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let pack = files.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).last();
    pack.ok_or_else(|| format!("{} has no pack", folder.display()))
}
