//! What is printed at the end: the machine, what the numbers mean, the table, and which bars are reached.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Bench;
use super::ceiling::Ceiling;
use super::rows::Row;
use super::sources::Source;
use super::table::{aligned, number, thousands};
use crate::command::output;

/// What is to be reached on two cores.
struct Bar {
    what: &'static str,
    key: &'static str,
    limit: Limit,
    unit: &'static str,
}

#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

const BARS: [Bar; 16] = [
    bar("info/refs v2, authenticated, 8 connections", "info-refs/8", Limit::AtLeast(10_000.0), "/s"),
    bar("tiny clone (3 requests), 8 connections", "clone-tiny/8", Limit::AtLeast(2000.0), "/s"),
    bar("durable push of one commit, tiny repository, p50", "push-tiny/p50", Limit::AtMost(6.0), "ms"),
    bar("durable push of one commit, 20,000 refs, p50", "push-refs/p50", Limit::AtMost(6.0), "ms"),
    bar("hot repository after 2,000 pushes", "push-hot/8", Limit::AtLeast(250.0), "/s"),
    bar("full clone of the large repository, first byte", "clone-large/first", Limit::AtMost(60.0), "ms"),
    bar("full clone of the large repository, total", "clone-large/total", Limit::AtMost(150.0), "ms"),
    bar("the same after 20 more pushes, total", "clone-large-after/total", Limit::AtMost(150.0), "ms"),
    bar("depth 1, the first time", "depth1/first", Limit::AtMost(300.0), "ms"),
    bar("depth 1, cached", "depth1/again", Limit::AtMost(20.0), "ms"),
    bar("create a repository", "create", Limit::AtMost(1.0), "ms"),
    bar("32 full clones at once, peak memory", "memory/clone/32", Limit::AtMost(512.0), "MB"),
    bar("push of the large repository, peak memory", "memory/pushed-large", Limit::AtMost(256.0), "MB"),
    bar("push of 2 GB of large files, peak memory", "memory/pushed-big", Limit::AtMost(256.0), "MB"),
    bar("start to first answer", "start", Limit::AtMost(1000.0), "ms"),
    bar("idle memory", "idle", Limit::AtMost(60.0), "MB"),
];

const fn bar(what: &'static str, key: &'static str, limit: Limit, unit: &'static str) -> Bar {
    Bar { what, key, limit, unit }
}

/// Returns the whole report, readable as it is and as Markdown.
pub(super) fn text(bench: &Bench, root: &Path, ceiling: &Ceiling, load_before: &str, rows: &[Row]) -> String {
    let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
    let (head, lines) = bench.table.cells();
    format!(
        "# Git, measured\n\n\
         Written by `cargo xtask bench git`. Rows: {}.\n\n\
         ## Machine\n\n{}\n\
         ## Reading it\n\n{}\n\
         ## Numbers\n\n{}\n\
         ## Bars\n\n{}",
        names.join(", "),
        machine(bench, root, load_before),
        notes(bench, ceiling),
        aligned(&head, &lines),
        bars(bench),
    )
}

fn machine(bench: &Bench, root: &Path, load_before: &str) -> String {
    let said = |program: &str, arguments: &[&str]| {
        output(Command::new(program).args(arguments)).unwrap_or_else(|| "unknown".to_owned())
    };
    let in_root = |arguments: &[&str]| {
        output(Command::new("git").arg("-C").arg(root).args(arguments))
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    // nginx names its version on standard error.
    let nginx = said("sh", &["-c", "PATH=$PATH:/usr/sbin nginx -v 2>&1"]);
    let newest = "$(ls -d /usr/lib/postgresql/*/bin/postgres | sort -V | tail -1) --version";
    let postgres = said("sh", &["-c", newest]);
    let data = said("stat", &["-f", "-c", "%T", &bench.folder.display().to_string()]);
    let temporary = said("stat", &["-f", "-c", "%T", &std::env::temp_dir().display().to_string()]);
    format!(
        "- date: {}\n- commit: {}\n- processor: {cores} × {model}\n- kernel: {}\n\
         - file system: {data} for repositories and SQLite, {temporary} for PostgreSQL\n\
         - {}\n- {nginx}\n- {postgres}\n\
         - load average before: {load_before}, after: {}; whatever else ran is in the numbers\n",
        said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        in_root(&["describe", "--always", "--dirty", "--exclude=*"]),
        said("uname", &["-sr"]),
        in_root(&["--version"]),
        load_average(),
    )
}

/// Returns the load average of the last minute.
pub(super) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

fn notes(bench: &Bench, ceiling: &Ceiling) -> String {
    let sources = &bench.sources;
    let source = |name: &str, source: &Source| {
        let (refs, objects) = (thousands(source.refs.len() as i64), thousands(i64::from(source.objects)));
        format!("{name}: {refs} ref(s), {objects} objects, {} MB", number(source.pack_bytes as f64 / 1e6))
    };
    format!(
        "- Plain HTTP on loopback, keep-alive, TCP_NODELAY; load generator, servers and PostgreSQL share the cores. \
           The generator alone reaches {} requests/s over 8 connections and {} MB/s of pack: it is not the limit.\n\
         - Ours authenticate every request (Basic with a token) and decide about it. **The stock server asks nobody who \
           they are**, keeps no accounts and writes no audit.\n\
         - Ours are durable when they say so: files and database are synced (PostgreSQL with `fsync=on`). The stock server \
           runs git's defaults, which sync neither loose objects nor refs of a small push; its automatic maintenance is off.\n\
         - \"better by\" is the ratio to the stock server of the same run, whatever the unit: above 1 × ours is better.\n\
         - A number is the median of the rounds, p50 within each; servers take turns within a round, in rotating order. \
           Samples are those of one server in all rounds.\n\
         - Memory is the resident memory of a server and all its children, added up, so a page that several map counts \
           several times; \"in no file\" leaves mapped files out. PostgreSQL's own is not in it.\n\
         - Every answer was read to its end and checked (status, packets, number of objects, report); the packs of the large \
           repository were also read by `git index-pack`, full clones with the check that they are connected in themselves.\n\
         - Repositories: {}; {}; {}, measured as they are after one `git repack -adf` for the stock server, and as they \
           are after one push for ours.\n",
        number(ceiling.requests_per_second),
        number(ceiling.megabytes_per_second),
        source("tiny", &sources.tiny),
        source("many refs", &sources.refs),
        source("large", &sources.large),
    )
}

fn bars(bench: &Bench) -> String {
    if bench.is_quick {
        return "Not judged: the repositories were small.\n".to_owned();
    }
    let mut head = vec!["what".to_owned(), "bar".to_owned()];
    let ours = |column: &usize| {
        let column = &bench.table.columns[*column];
        !column.is_stock && !column.is_absent
    };
    let columns: Vec<usize> = (0..bench.table.columns.len()).filter(ours).collect();
    head.extend(columns.iter().map(|column| bench.table.columns[*column].title.clone()));
    let row = |bar: &Bar| {
        let reached = columns.iter().map(|column| match bench.table.value(bar.key, *column) {
            Some(value) => bar.limit.judge(value),
            None => "not measured".to_owned(),
        });
        let limit = format!("{} {}", bar.limit.text(), bar.unit);
        [bar.what.to_owned(), limit].into_iter().chain(reached).collect::<Vec<_>>()
    };
    aligned(&head, &BARS.iter().map(row).collect::<Vec<_>>())
}

impl Limit {
    fn text(self) -> String {
        match self {
            Self::AtLeast(limit) => format!("≥ {}", number(limit)),
            Self::AtMost(limit) => format!("≤ {}", number(limit)),
        }
    }

    /// Says whether the value reaches the bar, and how many times over or under it is.
    fn judge(self, value: f64) -> String {
        let (reached, ratio) = match self {
            Self::AtLeast(limit) => (value >= limit, value / limit),
            Self::AtMost(limit) => (value <= limit, limit / value),
        };
        match reached {
            true => format!("reached: {}, {} × the bar", number(value), number(ratio)),
            false => format!("missed: {}, by {} ×", number(value), number(1.0 / ratio)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_judged_by_its_direction() {
        assert_eq!(Limit::AtLeast(250.0).judge(500.0), "reached: 500, 2.00 × the bar");
        assert_eq!(Limit::AtLeast(250.0).judge(50.0), "missed: 50.0, by 5.00 ×");
        assert_eq!(Limit::AtMost(6.0).judge(3.0), "reached: 3.00, 2.00 × the bar");
        assert_eq!(Limit::AtMost(6.0).judge(24.0), "missed: 24.0, by 4.00 ×");
    }
}
