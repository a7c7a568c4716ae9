//! What is answered in process against what stock git answers: random histories, clients and requests.
//!
//! For each case the two must send what the client lacks and nothing it did not ask for, cut history at the same commits,
//! and refer to no base that the client is without. `FORGE_SEED` and `FORGE_CASES` choose the cases; a failure names its seed.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use forge_git::fetch::{Request, RequestLimits, Server, Transport};
use forge_git::wire::pkt::{Packet, Reader};
use forge_git::wire::{Protocol, RefSnapshot, pkt};
use forge_git::{Manifest, Tips};
use forge_types::{ObjectFormat, ObjectId};
use support::random::{Clocks, Random, cases, first_seed, history};
use support::{Bench, Git};

/// How many objects may be sent that git finds out the client has somewhere else: moved files are sent anew.
const SURPLUS: usize = 20;

/// What one side answered.
#[derive(Debug)]
struct Answer {
    /// The lines before the pack, in order.
    lines: Vec<String>,
    pack: Vec<u8>,
}

/// A client: what it has, and where its history is cut.
#[derive(Clone, Debug, Default)]
struct Client {
    objects: HashSet<ObjectId>,
    commits: Vec<ObjectId>,
    shallow: BTreeSet<String>,
}

struct Case<'a> {
    bench: &'a Bench,
    closure: Option<String>,
    snapshot: RefSnapshot,
    everything: &'a Git,
    ours: Server,
    stock: Server,
    clocks: Clocks,
    label: String,
    differently_ready: std::cell::Cell<usize>,
}

impl Case<'_> {
    async fn ask(&self, server: &Server, protocol: Protocol, body: &[u8]) -> Result<Answer, String> {
        let limits = RequestLimits::default();
        let request = Request::read(&mut &body[..], protocol, ObjectFormat::Sha1, &limits).await.unwrap();
        let Request::Fetch(fetch) = request else { panic!("{request:?}") };
        let packs = self.bench.repository.pack_names().unwrap();
        let manifest = Manifest { packs, closure: self.closure.clone() };
        let packs = server.packs(self.bench.repository.clone(), manifest);
        let mut stream =
            server.fetch(&packs, &self.snapshot, *fetch).await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
        }
        let mut reader = Reader::new(&bytes[..], 1 << 28);
        let mut answer = Answer { lines: Vec::new(), pack: Vec::new() };
        while let Some(packet) = reader.next().await.unwrap() {
            match packet {
                Packet::Data(data) if data[0] == 1 => answer.pack.extend_from_slice(&data[1..]),
                Packet::Data(data) if data[0] == 2 => {}
                Packet::Data(data) if data.starts_with(b"ERR ") || data[0] == 3 => {
                    return Err(String::from_utf8_lossy(&data).into_owned());
                }
                Packet::Data(data) => {
                    answer.lines.push(String::from_utf8(data).unwrap().trim_end().to_owned());
                }
                Packet::Flush => answer.lines.push("flush".to_owned()),
                Packet::Delim | Packet::ResponseEnd => answer.lines.push("delim".to_owned()),
            }
        }
        Ok(answer)
    }

    /// Asks both, compares, and returns the client as it is afterwards.
    async fn compare(&self, protocol: Protocol, lines: &[String], body: &[u8], client: &Client) -> Client {
        let context = || format!("{}\n{protocol:?}\n{}", self.label, lines.join("\n"));
        let ours = self.ask(&self.ours, protocol, body).await;
        let stock = self.ask(&self.stock, protocol, body).await;
        let (ours, stock) = match (ours, stock) {
            (Ok(ours), Ok(stock)) => (ours, stock),
            (Err(_), Err(_)) => return client.clone(),
            // Git just stops when it gives up.
            (Err(_), Ok(stock)) if stock.pack.is_empty() => return client.clone(),
            (ours, stock) => panic!("{}\nours: {ours:?}\nstock: {stock:?}", context()),
        };
        let is_ready = |answer: &Answer| !answer.pack.is_empty();
        if is_ready(&ours) != is_ready(&stock) {
            // When enough is known is a matter of taste; and there are requests at which git stops in the middle.
            assert!(is_ready(&ours) || !is_done(lines), "{}", context());
            self.differently_ready.set(self.differently_ready.get() + 1);
            return client.clone();
        }
        let is_comparable = self.clocks == Clocks::Right;
        if is_comparable {
            assert_eq!(sorted(&ours.lines), sorted(&stock.lines), "{}", context());
        }
        if stock.pack.is_empty() {
            return client.clone();
        }
        let (mine, bases) = self.objects_of(&ours.pack);
        let (theirs, _) = self.objects_of(&stock.pack);
        let unknown: Vec<_> = bases.iter().filter(|id| !client.objects.contains(id)).collect();
        assert!(unknown.is_empty(), "{}\nbases that the client lacks: {unknown:?}", context());
        let lacking: Vec<_> =
            theirs.iter().filter(|id| !client.objects.contains(id) && !mine.contains(id)).collect();
        assert!(
            lacking.is_empty() || !is_comparable,
            "{}\nnot sent: {}",
            context(),
            self.described(&lacking)
        );
        if lines.iter().any(|line| line.starts_with("filter ")) {
            let surplus: Vec<_> =
                mine.iter().filter(|id| !client.objects.contains(id) && !theirs.contains(id)).collect();
            assert!(
                surplus.len() <= SURPLUS || !is_comparable,
                "{}\nsent unasked: {}",
                context(),
                self.described(&surplus)
            );
            // What a partial clone lacks it would fetch when it needs it: this client does not.
            return Client::default();
        }
        let grown = self.grown(client, &ours.lines, mine);
        let lacking = self.lacking(&grown);
        assert!(
            lacking.is_empty(),
            "{}\nanswer: {:?}\nwas {:?}\nthe client lacks {}",
            context(),
            ours.lines,
            client.shallow,
            self.described(&lacking.iter().collect::<Vec<_>>())
        );
        grown
    }

    /// Returns what a client needs for the history that it has, up to where that is cut, and does not have.
    fn lacking(&self, client: &Client) -> Vec<ObjectId> {
        let file = tempfile::NamedTempFile::new_in(self.bench.directory.path()).unwrap();
        let cut: String = client.shallow.iter().map(|id| format!("{id}\n")).collect();
        std::fs::write(file.path(), cut).unwrap();
        let starts: String = client.commits.iter().map(|id| format!("{id}\n")).collect();
        let args = [
            "--shallow-file",
            file.path().to_str().unwrap(),
            "rev-list",
            "--objects",
            "--stdin",
            "--no-object-names",
        ];
        let list = String::from_utf8(self.everything.pipe(&args, starts.as_bytes())).unwrap();
        let needed = list.lines().map(|line| line.parse().unwrap());
        let empty = ObjectId::empty_tree(ObjectFormat::Sha1);
        needed.filter(|id| *id != empty && !client.objects.contains(id)).collect()
    }

    fn described(&self, ids: &[&ObjectId]) -> String {
        let kind =
            |id: &&ObjectId| format!("{} {id}", self.everything.run(&["cat-file", "-t", &id.to_string()]));
        ids.iter().map(kind).collect::<Vec<_>>().join(", ")
    }

    fn grown(&self, client: &Client, lines: &[String], objects: HashSet<ObjectId>) -> Client {
        let mut grown = client.clone();
        for line in lines {
            if let Some(id) = line.strip_prefix("shallow ") {
                grown.shallow.insert(id.to_owned());
            } else if let Some(id) = line.strip_prefix("unshallow ") {
                grown.shallow.remove(id);
            }
        }
        grown.objects.extend(objects);
        // History may be cut at a commit that is only reached through another such one; clients drop those.
        grown.shallow.retain(|id| grown.objects.contains(&id.parse().unwrap()));
        let list: String = grown.objects.iter().map(|id| format!("{id}\n")).collect();
        let args = ["cat-file", "--batch-check=%(objecttype) %(objectname)"];
        let kinds = String::from_utf8(self.everything.pipe(&args, list.as_bytes())).unwrap();
        let mut commits: Vec<ObjectId> = kinds
            .lines()
            .filter_map(|line| line.strip_prefix("commit "))
            .map(|id| id.parse().unwrap())
            .collect();
        commits.sort();
        grown.commits = commits;
        grown
    }

    /// Returns the objects of a pack, and those that it builds on without having them.
    fn objects_of(&self, pack: &[u8]) -> (HashSet<ObjectId>, Vec<ObjectId>) {
        let count = u32::from_be_bytes(pack[8..12].try_into().unwrap()) as usize;
        let folder = tempfile::tempdir_in(self.bench.directory.path()).unwrap();
        let file = folder.path().join("x.pack");
        let args = ["index-pack", "--stdin", "--fix-thin", "--strict", file.to_str().unwrap()];
        let _ = self.everything.pipe(&args, pack);
        let index = std::fs::read(file.with_extension("idx")).unwrap();
        let list = String::from_utf8(self.everything.pipe(&["show-index"], &index)).unwrap();
        let mut entries: Vec<(u64, ObjectId)> = list
            .lines()
            .map(|line| {
                let mut words = line.split(' ');
                (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap())
            })
            .collect();
        entries.sort();
        let bases = entries.split_off(count).into_iter().map(|(_, id)| id).collect();
        (entries.into_iter().map(|(_, id)| id).collect(), bases)
    }
}

/// Does the client say that it is done before it awaits an answer? A server that keeps no state stops there.
fn is_done(lines: &[String]) -> bool {
    let mut parts = lines.split(|line| line == "0000");
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    first.iter().chain(second).any(|line| line == "done")
}

/// The lines of a section may come in any order. Which of the common objects are named differs between versions of git.
fn sorted(lines: &[String]) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    for line in lines.iter().filter(|line| !line.starts_with("ACK ")) {
        let last = parts.last_mut().unwrap();
        last.push(line.clone());
        if line == "delim" || line == "flush" {
            parts.push(Vec::new());
        }
    }
    for part in &mut parts {
        part.sort();
        // Git repeats a `shallow` line for a commit that two refs point to.
        part.dedup();
    }
    parts
}

/// Makes a request of a client that has some commits.
fn request(random: &mut Random, case: &Case<'_>, client: &Client) -> (Protocol, Vec<String>, Vec<u8>) {
    let mut wants: Vec<String> = Vec::new();
    let refs = case.snapshot.refs();
    for _ in 0..=random.below(3) {
        wants.push(format!("want {}", random.pick(refs).id));
    }
    if random.one_in(3) {
        wants = refs.iter().map(|entry| format!("want {}", entry.id)).collect();
    }
    wants.sort();
    wants.dedup();
    let mut extra: Vec<String> = client.shallow.iter().map(|id| format!("shallow {id}")).collect();
    let mut options = Vec::new();
    match random.below(8) {
        0 | 1 => extra.push(format!("deepen {}", 1 + random.below(6))),
        2 => extra.push(format!("deepen-since {}", 1_700_000_000 + random.below(60) * 60)),
        3 => extra.push(format!("deepen-not b{}", random.below(4))),
        4 if !client.shallow.is_empty() => {
            extra.push(format!("deepen {}", 1 + random.below(4)));
            options.push("deepen-relative");
        }
        5 if !client.shallow.is_empty() => extra.push("deepen 2147483647".to_owned()),
        _ => {}
    }
    let filters = ["blob:none", "blob:limit=1k", "tree:0", "tree:1", "tree:3", "object:type=commit"];
    if random.one_in(4) {
        extra.push(format!("filter {}", random.pick(&filters)));
        options.push("filter");
    }
    for option in ["thin-pack", "ofs-delta", "include-tag"] {
        if random.one_in(2) {
            options.push(option);
        }
    }
    let haves: Vec<String> = if client.commits.is_empty() {
        Vec::new()
    } else {
        (0..random.below(12)).map(|_| format!("have {}", random.pick(&client.commits))).collect()
    };
    let is_done = random.one_in(2) || haves.is_empty();
    if random.one_in(3) {
        version_0(random, &wants, &extra, &options, &haves, is_done)
    } else {
        version_2(random, &wants, &extra, &options, &haves, is_done)
    }
}

fn version_2(
    random: &mut Random,
    wants: &[String],
    extra: &[String],
    options: &[&str],
    haves: &[String],
    is_done: bool,
) -> (Protocol, Vec<String>, Vec<u8>) {
    let mut lines: Vec<String> =
        options.iter().filter(|option| **option != "filter").map(|option| (*option).to_owned()).collect();
    lines.extend(wants.iter().chain(extra).chain(haves).cloned());
    if !haves.is_empty() && !is_done && random.one_in(4) {
        lines.push("wait-for-done".to_owned());
    }
    if is_done {
        lines.push("done".to_owned());
    }
    let mut body = Vec::new();
    pkt::write_line(&mut body, "command=fetch");
    body.extend_from_slice(pkt::DELIM);
    for line in &lines {
        pkt::write_line(&mut body, line);
    }
    body.extend_from_slice(pkt::FLUSH);
    (Protocol::V2, lines, body)
}

fn version_0(
    random: &mut Random,
    wants: &[String],
    extra: &[String],
    options: &[&str],
    haves: &[String],
    is_done: bool,
) -> (Protocol, Vec<String>, Vec<u8>) {
    let acks = *random.pick(&["", " multi_ack", " multi_ack_detailed", " multi_ack_detailed no-done"]);
    let mut lines = wants.to_vec();
    lines[0].push_str(&format!("{acks} side-band-64k {}", options.join(" ")));
    lines.extend(extra.iter().cloned());
    lines.push("0000".to_owned());
    for (at, have) in haves.iter().enumerate() {
        lines.push(have.clone());
        if at + 1 == haves.len() || random.one_in(5) {
            lines.push("0000".to_owned());
        }
    }
    if is_done {
        lines.push("done".to_owned());
    }
    let mut body = Vec::new();
    for line in &lines {
        match line.as_str() {
            "0000" => body.extend_from_slice(pkt::FLUSH),
            line => pkt::write_line(&mut body, line),
        }
    }
    (Protocol::V0, lines, body)
}

/// Returns how often the two were ready to send a pack at different times.
async fn run(seed: u64, cases: usize, clocks: Clocks) -> usize {
    let mut random = Random::new(seed);
    let mut bench = Bench::new();
    if std::env::var_os("FORGE_KEEP").is_some() {
        eprintln!("kept: {}", bench.directory.path().display());
        bench.directory.disable_cleanup(true);
    }
    let commits = 5 + random.below(60);
    history(&bench.work, &mut random, commits, clocks);
    let snapshot = bench.snapshot();
    let closure = fill(&bench, &snapshot, &mut random).await;
    let server = |transport| Server::new(bench.processes.clone(), bench.storage.clone(), transport);
    let everything = Git { path: bench.work.path.clone() };
    let mut case = Case {
        bench: &bench,
        closure,
        snapshot,
        everything: &everything,
        ours: server(Transport::InProcess),
        stock: server(Transport::Subprocess),
        clocks,
        label: String::new(),
        differently_ready: std::cell::Cell::default(),
    };
    let mut client = Client::default();
    for number in 0..cases {
        case.label = format!("seed {seed}, case {number}");
        if random.one_in(4) {
            client = Client::default();
        }
        let (protocol, lines, body) = request(&mut random, &case, &client);
        client = case.compare(protocol, &lines, &body, &client).await;
    }
    case.differently_ready.get()
}

/// Brings the history in by several pushes, so that the repository has several packs with bases among one another. In half of
/// all repositories maintenance sorts the packs somewhere between; returns the pack that has all there was then.
async fn fill(bench: &Bench, snapshot: &RefSnapshot, random: &mut Random) -> Option<String> {
    let mut current: Vec<ObjectId> = Vec::new();
    let mut closure = None;
    let all: Vec<ObjectId> = snapshot.refs().iter().map(|entry| entry.id).collect();
    for tip in &all {
        if random.one_in(2) {
            push(bench, &[*tip], &mut current).await;
        }
        if random.one_in(6) && !current.is_empty() {
            closure = rebuild(bench, &current).await;
        }
    }
    push(bench, &all, &mut current).await;
    if random.one_in(6) { rebuild(bench, &all).await } else { closure }
}

async fn rebuild(bench: &Bench, tips: &[ObjectId]) -> Option<String> {
    let tips = Tips { visible: tips.to_vec(), hidden: Vec::new() };
    let old = bench.repository.pack_names().unwrap();
    let unique = || bench.unique();
    let grace = Duration::from_secs(3600);
    let rebuilt = bench.repository.rebuild(&bench.processes, &tips, &old, grace, unique).await.unwrap();
    bench.repository.index(&bench.processes, rebuilt.visible.as_ref()?, &tips).await.unwrap();
    for name in old {
        bench.repository.remove_pack_named(&name).unwrap();
    }
    Some(rebuilt.visible?.name)
}

async fn push(bench: &Bench, tips: &[ObjectId], current: &mut Vec<ObjectId>) {
    let revisions: Vec<String> =
        tips.iter().map(ToString::to_string).chain(current.iter().map(|id| format!("^{id}"))).collect();
    let revisions: Vec<&str> = revisions.iter().map(String::as_str).collect();
    let pack = bench.work.pack(&revisions);
    bench.push(&pack, tips, current).await.unwrap();
    current.extend_from_slice(tips);
}

#[tokio::test]
async fn answers_are_those_of_stock_git() {
    let cases = cases(160);
    let first = first_seed();
    let mut differently_ready = 0;
    for seed in first..first + cases.div_ceil(20) {
        differently_ready += run(seed, 20, Clocks::Right).await;
    }
    assert!(differently_ready as u64 <= 2 + cases / 20, "{differently_ready} of {cases} from seed {first}");
}

/// Git itself goes by the times of commits and may leave out what a client needs; this server must not.
#[tokio::test]
async fn answers_are_whole_whatever_the_clocks_say() {
    let cases = cases(160);
    let first = first_seed();
    for seed in first..first + cases.div_ceil(20) {
        run(seed, 20, Clocks::Wrong).await;
    }
}
