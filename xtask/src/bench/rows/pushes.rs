//! Pushes of one commit to a new branch each, from packs made beforehand, and one push of many refs.

use std::time::{Duration, Instant};

use super::reads::count_refs;
use crate::Result;
use crate::bench::answer::Scan;
use crate::bench::http::Connection;
use crate::bench::load::{Bounds, milliseconds, run};
use crate::bench::servers::{Server, WholePush};
use crate::bench::sources::Push;
use crate::bench::table::Unit;
use crate::bench::{Bench, Sources, request};

const PUSH: &str = "git-receive-pack";

/// Pushes of each kind in a round. Five rounds of all must not be more than were made.
const ALONE: usize = 150;
const WITH_DISCOVERY: usize = 100;
const TOGETHER: usize = 400;
/// Enough for any server that works at all.
const WARMING: Duration = Duration::from_secs(900);

pub(super) fn tiny(bench: &mut Bench) -> Result<()> {
    bench.fill("pushed", |sources| &sources.tiny)?;
    single(bench, "pushed", "push-tiny", "push of one commit")
}

pub(super) fn refs(bench: &mut Bench) -> Result<()> {
    bench.fill("refs", |sources| &sources.refs)?;
    let what = format!("push of one commit, {} refs", bench.sources.scale.refs);
    single(bench, "refs", "push-refs", &what)
}

fn single(bench: &mut Bench, repository: &str, key: &str, what: &str) -> Result<()> {
    let (alone, asking, together) =
        (bench.bounds(6.0, ALONE), bench.bounds(6.0, WITH_DISCOVERY), bench.bounds(6.0, TOGETHER));
    let each = alone.count + asking.count + together.count;
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); bench.servers.len()];
    bench.each_round(|server, sources, sheet| {
        let first = sheet.round * each;
        let outcome = push_from(server, sources, repository, (1, alone), first, false)?;
        let count = outcome.latencies.len();
        let p50 = outcome.percentile(0.5);
        sheet.add(&format!("{key}/p50"), &format!("{what}, p50"), Unit::Milliseconds, p50, count);
        all[server.column].extend(outcome.latencies);

        let outcome = push_from(server, sources, repository, (1, asking), first + alone.count, true)?;
        let (count, p50) = (outcome.latencies.len(), outcome.percentile(0.5));
        let with = format!("{what}, discovery and push, p50");
        sheet.add(&format!("{key}/with-discovery"), &with, Unit::Milliseconds, p50, count);

        let outcome =
            push_from(server, sources, repository, (8, together), first + alone.count + asking.count, false)?;
        let many = format!("{what}, 8 connections");
        let count = outcome.latencies.len();
        sheet.add(&format!("{key}/8"), &many, Unit::PerSecond, outcome.per_second(), count);
        Ok(())
    })?;
    let discovery = bench.bounds(2.0, 100);
    bench.each_round(|server, _, sheet| {
        let outcome = run(1, discovery, |_| {
            let mut to = server.connect()?;
            let request = server.discovery(repository, PUSH, 0);
            Ok(move |_| discovered(server, &mut to, &request))
        })?;
        let alone = format!("{what}, discovery alone, p50");
        let (count, p50) = (outcome.latencies.len(), outcome.percentile(0.5));
        sheet.add(&format!("{key}/discovery"), &alone, Unit::Milliseconds, p50, count);
        Ok(())
    })?;
    for (column, latencies) in all.iter().enumerate() {
        // Too rare to be had from one round.
        let p99 = crate::bench::statistics::percentile(latencies, 0.99).unwrap_or(f64::NAN);
        let line = format!("{what}, p99 of all rounds");
        bench.table.add(&format!("{key}/p99"), &line, Unit::Milliseconds, column, p99, latencies.len());
    }
    Ok(())
}

pub(super) fn hot(bench: &mut Bench) -> Result<()> {
    bench.fill("hot", |sources| &sources.tiny)?;
    let before = bench.sources.scale.hot;
    let what = format!("hot repository: its first {before} pushes, 8 connections");
    for server in &bench.servers {
        let bounds = Bounds { time: WARMING, count: before };
        let outcome = push_from(server, &bench.sources, "hot", (8, bounds), 0, false)?;
        let done = outcome.latencies.len();
        // `HEAD` and `main` are there from the beginning.
        let listed = count_refs(server, "hot")?;
        if done != before || listed != before + 2 {
            return Err(
                server.failed(&format!("{done} of {before} pushes, after which {listed} refs are listed"))
            );
        }
        bench.table.add("push-hot/first", &what, Unit::PerSecond, server.column, outcome.per_second(), done);
    }
    let bounds = bench.bounds(6.0, TOGETHER);
    let what = format!("hot repository: after {before} pushes, 8 connections");
    bench.each_round(|server, sources, sheet| {
        let first = before + sheet.round * bounds.count;
        let outcome = push_from(server, sources, "hot", (8, bounds), first, false)?;
        let count = outcome.latencies.len();
        sheet.add("push-hot/8", &what, Unit::PerSecond, outcome.per_second(), count);
        Ok(())
    })
}

pub(super) fn many(bench: &mut Bench) -> Result<()> {
    let push = WholePush::of(&bench.sources.refs)?;
    let count = push.refs;
    let what = format!("one push of {count} refs into an empty repository");
    bench.each_round(|server, _, sheet| {
        let repository = format!("many{}", sheet.round);
        let mut to = server.connect()?;
        server.create(&mut to, &repository)?;
        let began = Instant::now();
        push.send(server, &mut to, &repository)?;
        sheet.add("push-many", &what, Unit::Seconds, began.elapsed().as_secs_f64(), 1);
        let listed = count_refs(server, &repository)?;
        if listed != count + 1 {
            return Err(server.failed(&format!("{listed} refs are listed after a push of {count}")));
        }
        Ok(())
    })
}

/// Pushes the commits from this number on, each to a branch named after it.
fn push_from(
    server: &Server,
    sources: &Sources,
    repository: &str,
    (connections, bounds): (usize, Bounds),
    first: usize,
    asks_first: bool,
) -> Result<crate::bench::load::Outcome> {
    run(connections, bounds, |_| {
        let mut to = server.connect()?;
        let discovery = server.discovery(repository, PUSH, 0);
        discovered(server, &mut to, &discovery)?;
        Ok(move |number| {
            let push = sources.small_pushes.one(first + number)?;
            if asks_first {
                discovered(server, &mut to, &discovery)?;
            }
            push_one(server, &mut to, repository, push, first + number)
        })
    })
}

/// Pushes one commit to a new branch.
pub(in crate::bench) fn push_one(
    server: &Server,
    to: &mut Connection,
    repository: &str,
    push: &Push,
    number: usize,
) -> Result<()> {
    let commands = request::push([(format!("refs/heads/pushed/{number}").as_str(), push.id.as_str())]);
    let mut bytes = server.head(repository, PUSH, commands.len() + push.pack.len(), 0);
    bytes.extend_from_slice(&commands);
    bytes.extend_from_slice(&push.pack);
    let mut scan = Scan::report();
    server.exchange(to, &[&bytes], &mut scan)?;
    scan.finish_report(1).map_err(|error| server.failed(&error))
}

fn discovered(server: &Server, to: &mut Connection, request: &[u8]) -> Result<()> {
    let mut scan = Scan::lines();
    server.exchange(to, &[request], &mut scan)?;
    scan.finish_lines("report-status").map(|_| ()).map_err(|error| server.failed(&error))
}

/// Makes the twenty pushes after which the large repository is cloned again; returns how long one took, in milliseconds.
pub(super) fn push_into_large(server: &Server, sources: &Sources) -> Result<Vec<f64>> {
    let mut to = server.connect()?;
    let one = |number| {
        let began = Instant::now();
        push_one(server, &mut to, "large", sources.large_pushes.one(number)?, number)?;
        Ok(milliseconds(began.elapsed()))
    };
    (0..sources.large_pushes.len()).map(one).collect()
}
