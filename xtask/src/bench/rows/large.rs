//! The large repository: clones in full, shallow and without blobs, and the fetch of one commit.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::pushes::push_into_large;
use super::reads::post;
use crate::Result;
use crate::bench::answer::Scan;
use crate::bench::http::Connection;
use crate::bench::load::milliseconds;
use crate::bench::request::{self, Fetch};
use crate::bench::servers::Server;
use crate::bench::sources::{Source, git, run};
use crate::bench::statistics::median;
use crate::bench::table::Unit;
use crate::bench::{Bench, Sheet, Sources};

const FETCH: &str = "git-upload-pack";

/// Fetches of the same kind in a round.
const REPEATED: usize = 3;

pub(super) fn clone(bench: &mut Bench) -> Result<()> {
    let wants = bench.sources.large.tips();
    let objects = bench.sources.large.objects;
    bench.fill("large", |sources| &sources.large)?;
    bench.servers.iter().try_for_each(|server| server.maintain("large"))?;
    full_clone(bench, "clone-large", "full clone after maintenance", &wants, objects)
}

pub(super) fn clone_after_pushes(bench: &mut Bench) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    for server in &bench.servers {
        let took = push_into_large(server, &bench.sources)?;
        let what = "push of one commit into the large repository, p50";
        let p50 = median(&took).unwrap_or(f64::NAN);
        bench.table.add("push-large", what, Unit::Milliseconds, server.column, p50, took.len());
    }
    bench.has_pushed_into_large = true;
    let (wants, added) = everything(bench)?;
    let objects = bench.sources.large.objects + added;
    full_clone(bench, "clone-large-after", "full clone after 20 more pushes", &wants, objects)
}

/// Returns every tip of the large repository as it is now, and how many objects were pushed since it was filled.
pub(super) fn everything(bench: &Bench) -> Result<(Vec<String>, u32)> {
    let (mut wants, mut added) = (bench.sources.large.tips(), 0);
    let pushes = if bench.has_pushed_into_large { bench.sources.large_pushes.len() } else { 0 };
    for number in 0..pushes {
        let push = bench.sources.large_pushes.one(number)?;
        wants.push(push.id.clone());
        added += u32::from_be_bytes(push.pack[8..12].try_into().map_err(|_| "a short pack".to_owned())?);
    }
    Ok((wants, added))
}

fn full_clone(bench: &mut Bench, key: &str, what: &str, wants: &[String], objects: u32) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    let body = request::fetch(Fetch { wants, ..Fetch::default() });
    let folder = bench.folder.join("checked.git");
    for server in &bench.servers {
        let pack = kept(server, &body)?;
        check(server, &folder, &pack, None)?;
    }
    bench.each_round(|server, _, sheet| {
        let came = timed(server, &body, sheet, (key, what))?;
        if came == objects {
            return Ok(());
        }
        Err(server.failed(&format!("{came} objects came instead of {objects}")))
    })
}

pub(super) fn depth_one(bench: &mut Bench) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    let shallow = |sources: &Sources, branch: &str| -> Result<Vec<u8>> {
        let wants = [sources.large.tip(branch)?];
        Ok(request::fetch(Fetch { wants: &wants, depth: Some(1), ..Fetch::default() }))
    };
    let body = shallow(&bench.sources, "refs/heads/main")?;
    check_all(bench, &body)?;
    bench.each_round(|server, sources, sheet| {
        // Another commit in each round, so that the first time is the first.
        let body = shallow(sources, &format!("refs/heads/topic/{:05}", 1 + sheet.round))?;
        let mut to = server.connect()?;
        let first = fetch(server, &mut to, &body)?;
        sheet.add("depth1/first", "depth 1, the first time", Unit::Milliseconds, first.total, 1);
        let mut again = Vec::new();
        for _ in 0..5 {
            again.push(fetch(server, &mut to, &body)?.total);
        }
        let repeated = median(&again).unwrap_or(f64::NAN);
        sheet.add("depth1/again", "depth 1, repeated", Unit::Milliseconds, repeated, again.len());
        sheet.add("depth1/size", "depth 1, answer", Unit::Megabytes, first.megabytes, 1);
        Ok(())
    })
}

pub(super) fn without_blobs(bench: &mut Bench) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    let wants = bench.sources.large.tips();
    let body = request::fetch(Fetch { wants: &wants, filter: Some("blob:none"), ..Fetch::default() });
    check_all(bench, &body)?;
    bench.each_round(|server, _, sheet| {
        timed(server, &body, sheet, ("blob-none", "clone without blobs")).map(|_| ())
    })
}

pub(super) fn increment(bench: &mut Bench) -> Result<()> {
    bench.fill("large", |sources| &sources.large)?;
    let (wants, path) = ([bench.sources.large.tip("refs/heads/main")?], &bench.sources.large.path);
    let parent = crate::command::output(git(path).args(["rev-parse", "refs/heads/main^"]));
    let haves = [parent.ok_or("`main` has no parent")?];
    let body = request::fetch(Fetch { wants: &wants, haves: &haves, ..Fetch::default() });
    check_all(bench, &body)?;
    bench.each_round(|server, _, sheet| {
        let mut to = server.connect()?;
        let mut fetched = Vec::new();
        for _ in 0..10 {
            fetched.push(fetch(server, &mut to, &body)?);
        }
        let p50 =
            median(&fetched.iter().map(|fetched| fetched.total).collect::<Vec<_>>()).unwrap_or(f64::NAN);
        sheet.add("increment", "fetch of one commit, p50", Unit::Milliseconds, p50, fetched.len());
        sheet.add(
            "increment/size",
            "fetch of one commit, answer",
            Unit::Kilobytes,
            fetched[0].megabytes * 1000.0,
            1,
        );
        Ok(())
    })
}

/// What a fetch took and brought.
struct Fetched {
    first_byte: f64,
    total: f64,
    megabytes: f64,
    objects: u32,
}

/// Fetches once, reads everything and throws it away.
fn fetch(server: &Server, to: &mut Connection, body: &[u8]) -> Result<Fetched> {
    let request = post(server, "large", FETCH, body, 0);
    let mut scan = Scan::fetch();
    let (mut bytes, mut first_byte) = (0, None);
    let began = Instant::now();
    let answer = to.exchange(&[&request], &mut |piece| {
        scan.feed(piece);
        bytes += piece.len();
        if first_byte.is_none() && scan.has_pack_bytes() {
            first_byte = Some(began.elapsed());
        }
    });
    let total = milliseconds(began.elapsed());
    match answer {
        Ok(answer) if answer.status == 200 => {}
        Ok(answer) => return Err(server.failed(&format!("status {}", answer.status))),
        Err(error) => return Err(server.failed(&error)),
    }
    let objects = scan.finish_pack().map_err(|error| server.failed(&error))?;
    let first_byte = first_byte.map_or(f64::NAN, milliseconds);
    Ok(Fetched { first_byte, total, megabytes: bytes as f64 / 1e6, objects })
}

/// Fetches a few times and adds first byte, total and size; returns the number of objects.
fn timed(server: &Server, body: &[u8], sheet: &mut Sheet<'_>, (key, what): (&str, &str)) -> Result<u32> {
    let mut to = server.connect()?;
    let mut fetched = Vec::new();
    for _ in 0..REPEATED {
        fetched.push(fetch(server, &mut to, body)?);
    }
    let of = |number: fn(&Fetched) -> f64| {
        median(&fetched.iter().map(number).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    let (first, total) = (of(|fetched| fetched.first_byte), of(|fetched| fetched.total));
    sheet.add(
        &format!("{key}/first"),
        &format!("{what}, first byte of the pack"),
        Unit::Milliseconds,
        first,
        REPEATED,
    );
    sheet.add(&format!("{key}/total"), &format!("{what}, total"), Unit::Milliseconds, total, REPEATED);
    let size = of(|fetched| fetched.megabytes);
    sheet.add(&format!("{key}/size"), &format!("{what}, answer"), Unit::Megabytes, size, REPEATED);
    Ok(fetched[0].objects)
}

/// Clones the large repository once over a connection of this number, as others do at the same time.
pub(super) fn clone_once(server: &Server, body: &[u8], connection: usize) -> Result<()> {
    let request = post(server, "large", FETCH, body, connection);
    let mut scan = Scan::fetch();
    server.exchange(&mut server.connect()?, &[&request], &mut scan)?;
    scan.finish_pack().map(|_| ()).map_err(|error| server.failed(&error))
}

fn check_all(bench: &Bench, body: &[u8]) -> Result<()> {
    for server in &bench.servers {
        let pack = kept(server, body)?;
        check(server, &bench.folder.join("checked.git"), &pack, Some(&bench.sources.large))?;
    }
    Ok(())
}

fn kept(server: &Server, body: &[u8]) -> Result<Vec<u8>> {
    let request = post(server, "large", FETCH, body, 0);
    let mut scan = Scan::fetch_and_keep();
    server.exchange(&mut server.connect()?, &[&request], &mut scan)?;
    scan.finish_pack().map_err(|error| server.failed(&error))?;
    Ok(scan.into_pack())
}

/// Has git read a pack: on top of what the client has, or complete in itself.
fn check(server: &Server, folder: &std::path::Path, pack: &[u8], has: Option<&Source>) -> Result<()> {
    let failed = |error: std::io::Error| server.failed(&format!("git index-pack: {error}"));
    run(Command::new("git").args(["init", "--quiet", "--bare"]).arg(folder))?;
    let mut command = git(folder);
    command.args(["index-pack", "--stdin"]);
    match has {
        None => drop(command.arg("--check-self-contained-and-connected")),
        Some(source) => {
            let objects = format!("{}\n", source.path.join("objects").display());
            fs::write(folder.join("objects/info/alternates"), objects).map_err(failed)?;
            command.arg("--fix-thin");
        }
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it stops reading, it says why.
        let _ = stdin.write_all(pack);
    }
    let status = child.wait().map_err(failed)?;
    fs::remove_dir_all(folder).map_err(failed)?;
    match status.success() {
        true => Ok(()),
        false => Err(server.failed(&format!("git index-pack refuses the pack: {status}"))),
    }
}
