//! Pushing everything of a source: the request that `git push` makes, its pack being the one that lies there.

use std::fs;

use super::Server;
use crate::Result;
use crate::bench::answer::Scan;
use crate::bench::http::Connection;
use crate::bench::request;
use crate::bench::sources::Source;

/// A push of all refs and objects of a source.
pub(in super::super) struct WholePush {
    commands: Vec<u8>,
    pack: Vec<u8>,
    /// How many refs it makes.
    pub(in super::super) refs: usize,
}

impl WholePush {
    /// Reads what is to be sent.
    pub(in super::super) fn of(source: &Source) -> Result<Self> {
        let commands = request::push(source.refs.iter().map(|(name, id)| (name.as_str(), id.as_str())));
        Ok(Self { commands, pack: pack(source)?, refs: source.refs.len() })
    }

    /// Sends it into an empty repository and reads the report.
    pub(in super::super) fn send(
        &self,
        server: &Server,
        to: &mut Connection,
        repository: &str,
    ) -> Result<()> {
        let head = server.head(repository, "git-receive-pack", self.commands.len() + self.pack.len(), 0);
        let mut scan = Scan::report();
        server.exchange(to, &[&head, &self.commands, &self.pack], &mut scan)?;
        scan.finish_report(self.refs).map_err(|error| server.failed(&error))
    }
}

/// Returns the bytes of a source's only pack.
fn pack(source: &Source) -> Result<Vec<u8>> {
    let folder = source.path.join("objects/pack");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let pack = files.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).last();
    let pack = pack.ok_or_else(|| format!("{} has no pack", folder.display()))?;
    fs::read(&pack).map_err(|error| format!("{}: {error}", pack.display()))
}
