//! `cargo xtask bench audit`: what sealing the audit log costs writers, and how long a million events take to verify.
//!
//! Eight writers push to a repository each, on SQLite and on PostgreSQL, with sealing and without; the two take turns, so that
//! whatever else the machine does falls on both. Then a log is made and checked, in the database and as an export.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::load::{Bounds, run as load};
use super::rows::push_one;
use super::servers::{self, Server, Variant};
use super::sources::{Scale, Sources};
use super::{Folder, report};
use crate::postgres::Cluster;
use crate::{Result, command};

/// Writers, and repositories that they write to.
const WRITERS: usize = 8;
/// What writers with sealing must reach of the rate without.
const SHARE: f64 = 0.8;
/// How long verifying may take.
const VERIFY: Duration = Duration::from_secs(10);

/// What to measure.
pub(crate) struct AuditOptions {
    events: usize,
    rounds: usize,
    seconds: f64,
}

impl AuditOptions {
    /// Reads the words after `cargo xtask bench audit`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { events: 1_000_000, rounds: 5, seconds: 5.0 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
            let number = |text: &str| text.parse::<usize>().map_err(|_| format!("`{text}` is no number"));
            match *word {
                "--events" => options.events = number(value()?)?,
                "--rounds" => options.rounds = number(value()?)?.max(1),
                "--quick" => options = Self { events: 20_000, rounds: 1, seconds: 1.0 },
                other => return Err(format!("unknown option `{other}`; see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
pub(crate) fn run(root: &Path, options: &AuditOptions) -> Result<()> {
    let binary = servers::build(root)?;
    let sources = Sources::prepare(root, Scale::QUICK)?;
    let folder = Folder::make(&root.join("target/bench"))?;
    let cluster = Cluster::start_durable()?;
    println!("load average before: {}", report::load_average());
    for (name, cluster) in [("SQLite", None), ("PostgreSQL", Some(&cluster))] {
        writers(&folder.0.join(name), &binary, &sources, options, (name, cluster))?;
    }
    let fill = build_fill(root)?;
    for (name, database) in [("SQLite", None), ("PostgreSQL", Some(cluster.database("audit")?))] {
        verify(
            &folder.0.join(format!("log-{name}")),
            (&binary, &fill),
            options,
            (name, database.as_deref()),
        )?;
    }
    println!("load average after: {}", report::load_average());
    Ok(())
}

/// Prints the rate of writers with sealing and without.
fn writers(
    folder: &Path,
    binary: &Path,
    sources: &Sources,
    options: &AuditOptions,
    (name, cluster): (&str, Option<&Cluster>),
) -> Result<()> {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..options.rounds {
        for turn in 0..2 {
            // Who is first changes with every round.
            let is_sealing = (round + turn) % 2 == 0;
            let place = folder.join(format!("{round}-{turn}"));
            let database = cluster.map(|cluster| cluster.database(&format!("w{round}{turn}"))).transpose()?;
            let server = Server::forge(0, &place, binary, Variant::Audit { database, is_sealing })?;
            for writer in 0..WRITERS {
                server.fill(name_of(writer), &sources.tiny)?;
            }
            let bounds = Bounds { time: Duration::from_secs_f64(options.seconds), count: usize::MAX };
            let outcome = load(WRITERS, bounds, |writer| {
                let mut to = server.connect()?;
                let server = &server;
                Ok(move |number: usize| {
                    let push = sources.small_pushes.one(number % sources.small_pushes.len())?;
                    push_one(server, &mut to, name_of(writer), push, number)
                })
            })?;
            rates[usize::from(is_sealing)].push(outcome.per_second());
        }
    }
    let [without, with] = rates.map(median);
    let share = with / without;
    let verdict = if share >= SHARE { "reached" } else { "missed" };
    println!(
        "{name}: {WRITERS} writers, {WRITERS} repositories: {with:.0} pushes/s with sealing, {without:.0}/s without: \
         {:.0} % (bar: {:.0} %, {verdict})",
        share * 100.0,
        SHARE * 100.0
    );
    Ok(())
}

fn name_of(writer: usize) -> &'static str {
    ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"][writer % WRITERS]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Makes a log and prints how long checking it takes, each way.
fn verify(
    data: &Path,
    (binary, fill): (&Path, &Path),
    options: &AuditOptions,
    (name, database): (&str, Option<&str>),
) -> Result<()> {
    let program = |program: &Path| {
        let mut command = Command::new(program);
        command.env("FORGE_DATA", data).env_remove("FORGE_DATABASE_URL");
        if let Some(url) = database {
            command.env("FORGE_DATABASE_URL", url);
        }
        command
    };
    let began = Instant::now();
    command::run(program(fill).arg(options.events.to_string()))?;
    println!("{name}: {} events made and sealed in {:.1} s", options.events, began.elapsed().as_secs_f64());
    timed(name, "verified in the database", program(binary).args(["audit", "verify"]))?;
    let file = data.join("export.jsonl");
    let export = std::fs::File::create(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    timed(name, "exported", program(binary).args(["audit", "export"]).stdout(export))?;
    timed(name, "verified as an export", program(binary).args(["audit", "verify", "--export"]).arg(&file))
}

fn timed(name: &str, what: &str, command: &mut Command) -> Result<()> {
    let began = Instant::now();
    let status = command.status().map_err(|error| error.to_string())?;
    let took = began.elapsed();
    if !status.success() {
        return Err(format!("{name}: `{what}` ended with {status}"));
    }
    let verdict = match what.starts_with("verified") {
        true if took <= VERIFY => format!(" (bar: {} s, reached)", VERIFY.as_secs()),
        true => format!(" (bar: {} s, missed)", VERIFY.as_secs()),
        false => String::new(),
    };
    println!("{name}: {what} in {:.1} s{verdict}", took.as_secs_f64());
    Ok(())
}

/// Builds the program that makes a log.
fn build_fill(root: &Path) -> Result<PathBuf> {
    let mut cargo = command::cargo();
    let words = ["build", "--release", "--locked", "--package", "forge-server", "--example", "fill_audit"];
    command::run(cargo.current_dir(root).args(words))?;
    Ok(root.join("target/release/examples/fill_audit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn options_are_read() {
        let options = AuditOptions::parse(&["--events", "5", "--rounds", "0"]).unwrap();
        assert_eq!((options.events, options.rounds), (5, 1));
        assert!(AuditOptions::parse(&["--events", "many"]).is_err() && AuditOptions::parse(&["x"]).is_err());
    }
}
