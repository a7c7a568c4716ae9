//! Small reads: what agents do all day.

use crate::Result;
use crate::bench::Bench;
use crate::bench::answer::Scan;
use crate::bench::http::Connection;
use crate::bench::load::run;
use crate::bench::request::{self, Fetch};
use crate::bench::servers::Server;
use crate::bench::sources::Source;
use crate::bench::table::Unit;

const FETCH: &str = "git-upload-pack";

pub(super) fn info_refs(bench: &mut Bench) -> Result<()> {
    bench.fill("tiny", |sources| &sources.tiny)?;
    let bounds = bench.bounds(3.0, 100_000);
    bench.each_round(|server, _, sheet| {
        let outcome = run(8, bounds, |connection| {
            let mut to = server.connect()?;
            let request = server.discovery("tiny", FETCH, connection);
            advertised(server, &mut to, &request)?;
            Ok(move |_| advertised(server, &mut to, &request))
        })?;
        let count = outcome.latencies.len();
        sheet.add("info-refs/8", "info/refs v2, 8 connections", Unit::PerSecond, outcome.per_second(), count);
        Ok(())
    })
}

pub(super) fn clone_tiny(bench: &mut Bench) -> Result<()> {
    bench.fill("tiny", |sources| &sources.tiny)?;
    for connections in [1, 8, 32] {
        let bounds = bench.bounds(3.0, 30_000);
        bench.each_round(|server, sources, sheet| {
            let outcome = run(connections, bounds, |connection| {
                let mut clone = Clone::new(server, "tiny", &sources.tiny, connection)?;
                clone.make()?;
                Ok(move |_| clone.make())
            })?;
            let (count, p50) = (outcome.latencies.len(), outcome.percentile(0.5));
            let plural = if connections == 1 { "" } else { "s" };
            let what = format!("tiny clone, 3 requests, {connections} connection{plural}");
            let key = format!("clone-tiny/{connections}");
            sheet.add(&key, &what, Unit::PerSecond, outcome.per_second(), count);
            sheet.add(&format!("{key}/p50"), &format!("{what}, p50"), Unit::Milliseconds, p50, count);
            Ok(())
        })?;
    }
    Ok(())
}

pub(super) fn ls_remote(bench: &mut Bench) -> Result<()> {
    bench.fill("refs", |sources| &sources.refs)?;
    let bounds = bench.bounds(3.0, 50);
    // Pushes may have added some.
    let expected = bench.sources.refs.refs.len();
    bench.each_round(|server, _, sheet| {
        let outcome = run(1, bounds, |connection| {
            let mut to = server.connect()?;
            let discovery = server.discovery("refs", FETCH, connection);
            let listing = post(server, "refs", FETCH, &request::ls_refs(&[]), connection);
            Ok(move |_| {
                advertised(server, &mut to, &discovery)?;
                let found = listed(server, &mut to, &listing)?;
                let is_whole = found > expected;
                if is_whole {
                    Ok(())
                } else {
                    Err(server.failed(&format!("{found} of {expected} refs are listed")))
                }
            })
        })?;
        let what = format!("ls-remote of {expected} refs, 2 requests, p50");
        sheet.add("ls-remote", &what, Unit::Milliseconds, outcome.percentile(0.5), outcome.latencies.len());
        Ok(())
    })
}

/// The three requests of `git clone`.
struct Clone<'a> {
    server: &'a Server,
    to: Connection,
    requests: [Vec<u8>; 3],
    objects: u32,
}

impl<'a> Clone<'a> {
    fn new(server: &'a Server, repository: &str, source: &Source, connection: usize) -> Result<Self> {
        let wants = source.tips();
        let fetch = request::fetch(Fetch { wants: &wants, ..Fetch::default() });
        let ls_refs = request::ls_refs(&["HEAD", "refs/heads/", "refs/tags/"]);
        let requests = [
            server.discovery(repository, FETCH, connection),
            post(server, repository, FETCH, &ls_refs, connection),
            post(server, repository, FETCH, &fetch, connection),
        ];
        Ok(Self { server, to: server.connect()?, requests, objects: source.objects })
    }

    fn make(&mut self) -> Result<()> {
        let [discovery, ls_refs, fetch] = &self.requests;
        advertised(self.server, &mut self.to, discovery)?;
        listed(self.server, &mut self.to, ls_refs)?;
        let mut scan = Scan::fetch();
        self.server.exchange(&mut self.to, &[fetch], &mut scan)?;
        match scan.finish_pack() {
            Ok(objects) if objects == self.objects => Ok(()),
            Ok(objects) => Err(self.server.failed(&format!("{objects} of {} objects came", self.objects))),
            Err(error) => Err(self.server.failed(&error)),
        }
    }
}

/// Returns head and body of a small request as one piece.
pub(super) fn post(
    server: &Server,
    repository: &str,
    service: &str,
    body: &[u8],
    connection: usize,
) -> Vec<u8> {
    [server.head(repository, service, body.len(), connection), body.to_vec()].concat()
}

/// Makes a discovery of protocol version 2.
fn advertised(server: &Server, to: &mut Connection, request: &[u8]) -> Result<()> {
    let mut scan = Scan::lines();
    server.exchange(to, &[request], &mut scan)?;
    scan.finish_lines("version 2\n").map(|_| ()).map_err(|error| server.failed(&error))
}

/// Makes an `ls-refs` and returns the number of lines.
fn listed(server: &Server, to: &mut Connection, request: &[u8]) -> Result<usize> {
    let mut scan = Scan::lines();
    server.exchange(to, &[request], &mut scan)?;
    scan.finish_lines(" refs/heads/main\n")
        .or_else(|_| scan.finish_lines(" HEAD "))
        .map_err(|error| server.failed(&error))
}

/// Returns how many refs the server lists, `HEAD` among them.
pub(super) fn count_refs(server: &Server, repository: &str) -> Result<usize> {
    let request = post(server, repository, FETCH, &request::ls_refs(&[]), 0);
    listed(server, &mut server.connect()?, &request)
}
