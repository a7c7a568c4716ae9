//! `cargo xtask bench git`: our Git beside a stock server, in one run on one machine.
//!
//! Servers: a, the release binary on SQLite; b, on PostgreSQL; c, nginx with `git http-backend`; d, the release binary with
//! `git.transport = "subprocess"`, once it has that. All serve the same repositories over plain HTTP on loopback. Each round
//! measures one server after the other, in an order that rotates; a number is the median of the rounds.
//! `audit` measures what the audit log costs, `authority` what a decided request costs, with the same servers.
//! INVARIANT: every answer is read to its end and checked; a wrong one fails the run.

mod answer;
mod audit;
mod authority;
mod ceiling;
mod http;
mod load;
mod options;
mod process;
mod report;
mod request;
mod rows;
mod servers;
mod sources;
mod statistics;
mod table;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use load::Bounds;
use servers::{Server, Variant};
use sources::{Scale, Source, Sources};
use table::{Column, Table, Unit};

pub(crate) use audit::{AuditOptions, run as run_audit};
pub(crate) use authority::{AuthorityOptions, run as run_authority};
pub(crate) use options::Options;
pub(crate) use table::aligned;

use crate::Result;
use crate::postgres::Cluster;

/// A run: who takes part, and what came out so far.
struct Bench {
    folder: PathBuf,
    sources: Sources,
    servers: Vec<Server>,
    table: Table,
    filled: HashSet<&'static str>,
    has_pushed_into_large: bool,
    rounds: usize,
    is_quick: bool,
}

/// Measures what was asked for, prints it and perhaps writes it down.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let rows = rows::chosen(options.only())?;
    let binary = servers::build(root)?;
    let sources = Sources::prepare(root, if options.is_quick() { Scale::QUICK } else { Scale::FULL })?;
    let folder = Folder::make(&root.join("target/bench"))?;
    let load_before = report::load_average();
    let ceiling = ceiling::measure()?;
    // Declared before the servers, so that it ends after them.
    let cluster = options.wants('b').then(Cluster::start_durable).transpose()?;
    let (servers, table) = start(&folder.0, &binary, options, cluster.as_ref())?;
    let (rounds, is_quick) = (options.rounds(), options.is_quick());
    let filled = HashSet::new();
    let folder = folder.0.clone();
    let has_pushed_into_large = false;
    let mut bench =
        Bench { folder, sources, servers, table, filled, has_pushed_into_large, rounds, is_quick };
    for row in &rows {
        eprintln!("── {}", row.name);
        let before = bench.table.len();
        (row.measure)(&mut bench).map_err(|error| format!("{}: {error}", row.name))?;
        // Whoever ends a run early has what was measured so far.
        eprint!("{}", bench.table.text_from(before));
    }
    let text = report::text(&bench, root, &ceiling, &load_before, &rows);
    println!("{text}");
    if options.writes() {
        let file = root.join("docs/benchmarks/git.md");
        let written = fs::create_dir_all(root.join("docs/benchmarks")).and_then(|()| fs::write(&file, &text));
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn start(
    folder: &Path,
    binary: &Path,
    options: &Options,
    cluster: Option<&Cluster>,
) -> Result<(Vec<Server>, Table)> {
    let (mut servers, mut columns) = (Vec::new(), Vec::new());
    if options.wants('c') {
        servers.push(Server::stock(servers.len(), &folder.join("c"))?);
    }
    let mut variants = Vec::new();
    if options.wants('a') {
        variants.push(('a', Variant::Sqlite));
    }
    if let Some(cluster) = cluster {
        variants.push(('b', Variant::Postgres(cluster.url())));
    }
    let offers_subprocess = servers::offers_subprocess(binary)?;
    if options.wants('d') && offers_subprocess {
        variants.push(('d', Variant::Subprocess));
    }
    for (letter, variant) in variants {
        servers.push(Server::forge(servers.len(), &folder.join(letter.to_string()), binary, variant)?);
    }
    for server in &servers {
        columns.push(Column { title: server.title.clone(), is_stock: server.is_stock(), is_absent: false });
    }
    if options.wants('d') && !offers_subprocess {
        let title = format!("{}: not offered by this binary", Variant::Subprocess.title());
        columns.push(Column { title, is_stock: false, is_absent: true });
    }
    Ok((servers, Table::new(columns)))
}

/// Where a round of one server writes its numbers.
struct Sheet<'a> {
    table: &'a mut Table,
    column: usize,
    round: usize,
}

impl Sheet<'_> {
    fn add(&mut self, key: &str, what: &str, unit: Unit, value: f64, samples: usize) {
        self.table.add(key, what, unit, self.column, value, samples);
    }
}

impl Bench {
    /// Measures each server in each round. The order rotates, so that none is always the first.
    fn each_round(
        &mut self,
        mut measure: impl FnMut(&Server, &Sources, &mut Sheet<'_>) -> Result<()>,
    ) -> Result<()> {
        for (round, at) in turns(self.rounds, self.servers.len()) {
            let server = &self.servers[at];
            let mut sheet = Sheet { table: &mut self.table, column: server.column, round };
            measure(server, &self.sources, &mut sheet)?;
        }
        Ok(())
    }

    /// Gives every server a repository of this name with everything of a source, unless it has it.
    fn fill(&mut self, name: &'static str, source: impl Fn(&Sources) -> &Source) -> Result<()> {
        if self.filled.insert(name) {
            for server in &self.servers {
                server.fill(name, source(&self.sources))?;
            }
        }
        Ok(())
    }

    /// Returns how many operations to make when this many are meant.
    fn count(&self, meant: usize) -> usize {
        if self.is_quick { meant.div_ceil(10) } else { meant }
    }

    /// Returns the bounds of a load that ends after so many seconds or operations.
    fn bounds(&self, seconds: f64, count: usize) -> Bounds {
        let seconds = if self.is_quick { seconds / 10.0 } else { seconds };
        Bounds { time: Duration::from_secs_f64(seconds), count: self.count(count) }
    }
}

/// Returns each round and who is measured in it, in order.
fn turns(rounds: usize, servers: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rounds).flat_map(move |round| (0..servers).map(move |at| (round, (round + at) % servers)))
}

/// The data of one run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    /// Makes a folder for this process, and removes those of processes that were killed.
    fn make(parent: &Path) -> Result<Self> {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix("run-"));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = parent.join(format!("run-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_its_turn_in_every_round_and_another_begins() {
        let order: Vec<_> = turns(3, 2).collect();
        assert_eq!(order, [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]);
    }
}
