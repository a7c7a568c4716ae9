//! What an operator notices: repositories made, memory taken, time to start.

use std::time::{Duration, Instant};

use super::large::{clone_once, everything};
use crate::Result;
use crate::bench::Bench;
use crate::bench::load::{Bounds, milliseconds, run};
use crate::bench::process::{self, Memory};
use crate::bench::request::{self, Fetch};
use crate::bench::servers::{Server, WholePush};
use crate::bench::table::{Table, Unit};
use crate::bench::turns;

/// A server is idle when it was left alone for so long.
const SETTLE: Duration = Duration::from_secs(1);

pub(super) fn create(bench: &mut Bench) -> Result<()> {
    let bounds = bench.bounds(5.0, 100);
    bench.each_round(|server, _, sheet| {
        let round = sheet.round;
        let outcome = run(1, bounds, |_| {
            let mut to = server.connect()?;
            Ok(move |number| server.create(&mut to, &format!("made{round}-{number}")))
        })?;
        let what = "create a repository (REST; c: `git init --bare`), p50";
        let (count, p50) = (outcome.latencies.len(), outcome.percentile(0.5));
        sheet.add("create", what, Unit::Milliseconds, p50, count);
        Ok(())
    })
}

pub(super) fn memory(bench: &mut Bench) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    let (wants, _) = everything(bench)?;
    let body = request::fetch(Fetch { wants: &wants, ..Fetch::default() });
    let push = WholePush::of(&bench.sources.large)?;
    for server in &mut bench.servers {
        for clones in [1, bench_clones(bench.is_quick)] {
            // What earlier work left in the heap is not what this takes.
            server.stop();
            server.start()?;
            let (server, body, mut took) = (&*server, &body, Duration::ZERO);
            let peak = process::peak_memory(&server.pids(), || {
                let bounds = Bounds { time: Duration::from_secs(600), count: clones };
                let outcome =
                    run(clones, bounds, |connection| Ok(move |_| clone_once(server, body, connection)))?;
                took = outcome.took;
                Ok(())
            })?;
            let what = match clones {
                1 => "a full clone".to_owned(),
                _ => format!("{clones} full clones at once"),
            };
            peaks(&mut bench.table, &format!("memory/clone/{clones}"), &what, server.column, peak);
            let (key, line) = (format!("memory/clone/{clones}/took"), format!("{what}, until the end"));
            bench.table.add(&key, &line, Unit::Seconds, server.column, took.as_secs_f64(), clones);
        }
        push_whole(server, &mut bench.table, &push, "pushed-large", "push of the large repository")?;
    }
    Ok(())
}

/// Two gigabytes at once. What the servers keep of them is not removed before the end of the run.
pub(super) fn push_big(bench: &mut Bench) -> Result<()> {
    let push = WholePush::of(&bench.sources.big()?)?;
    for server in &mut bench.servers {
        let what = if bench.is_quick { "push of large files" } else { "push of 2 GB of large files" };
        push_whole(server, &mut bench.table, &push, "pushed-big", what)?;
    }
    Ok(())
}

fn push_whole(
    server: &mut Server,
    table: &mut Table,
    push: &WholePush,
    name: &str,
    what: &str,
) -> Result<()> {
    server.stop();
    server.start()?;
    let mut to = server.connect()?;
    server.create(&mut to, name)?;
    let mut took = Duration::ZERO;
    let peak = process::peak_memory(&server.pids(), || {
        let began = Instant::now();
        let pushed = push.send(server, &mut to, name);
        took = began.elapsed();
        pushed
    })?;
    peaks(table, &format!("memory/{name}"), what, server.column, peak);
    let (key, line) = (format!("memory/{name}/took"), format!("{what}, until the end"));
    table.add(&key, &line, Unit::Seconds, server.column, took.as_secs_f64(), 1);
    Ok(())
}

fn bench_clones(is_quick: bool) -> usize {
    if is_quick { 4 } else { 32 }
}

fn peaks(table: &mut Table, key: &str, what: &str, column: usize, peak: Memory) {
    let line = format!("{what}, peak memory");
    table.add(key, &line, Unit::Megabytes, column, peak.resident, 1);
    let line = format!("{what}, of it in no file");
    table.add(&format!("{key}/anonymous"), &line, Unit::Megabytes, column, peak.anonymous, 1);
}

pub(super) fn start(bench: &mut Bench) -> Result<()> {
    for (_, at) in turns(bench.rounds, bench.servers.len()) {
        let server = &mut bench.servers[at];
        server.stop();
        let took = server.start()?;
        std::thread::sleep(SETTLE);
        let idle = process::memory(&server.pids());
        let column = server.column;
        bench.table.add("start", "start to first answer", Unit::Milliseconds, column, milliseconds(took), 1);
        bench.table.add("idle", "idle memory", Unit::Megabytes, column, idle.resident, 1);
        bench.table.add(
            "idle/anonymous",
            "idle memory, of it in no file",
            Unit::Megabytes,
            column,
            idle.anonymous,
            1,
        );
    }
    Ok(())
}
