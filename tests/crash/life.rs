//! One forge through many crashes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use forge_store::audit::AuditFilter;
use forge_store::{Db, DbOptions};
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Database, ScratchPostgres};
use forge_types::RefName;
use forge_types::id::RepositoryId;
use tempfile::TempDir;

use crate::disk::{Disk, Luck};
use crate::program;
use crate::records::{Record, Recorder};
use crate::worker::Worker;

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the work of a server that has just started may lie about.
const SETTLED: Duration = Duration::from_secs(30);

/// How many push at once.
const WORKERS: usize = 3;

/// How many pushes each of them makes if nothing happens.
const PUSHES: usize = 8;

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A forge, what it keeps, and who uses it.
pub(crate) struct Life {
    folder: TempDir,
    data: PathBuf,
    recorder: Option<Recorder>,
    postgres: Option<ScratchPostgres>,
    token: String,
    workers: Vec<Worker>,
    /// For whom the project was forked since the last check, and whether that was acknowledged.
    forks: Vec<(String, bool)>,
    recorded_forks: Vec<(String, bool)>,
    seed: u64,
    rounds: usize,
    last: String,
}

/// A server that runs; killed when it is dropped.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        while !self.is_over() && began.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.is_over()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Life {
    /// Starts a forge for the first time, with one repository.
    pub(crate) fn begin(database: Database, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(ScratchPostgres::empty()),
        };
        let workers = (0..WORKERS).map(|number| Worker::new(number, folder.path(), seed)).collect();
        let data = folder.path().join("data");
        let (token, last, recorder, forks) = (String::new(), String::new(), None, Vec::new());
        let recorded_forks = Vec::new();
        let mut life = Self {
            folder,
            data,
            recorder,
            postgres,
            token,
            workers,
            forks,
            recorded_forks,
            seed,
            rounds: 0,
            last,
        };
        let server = life.start(None);
        let data = life.data();
        let at = ["--data", data.to_str().unwrap()];
        program::succeed(
            &[&["admin", "user", "create", "alice", "--email", "alice@forge.example"], &at[..]].concat(),
        );
        life.token = program::succeed(
            &[&["admin", "token", "create", "alice", "--scopes", "repo,delete_repo,admin:org"], &at[..]]
                .concat(),
        );
        let answer = life.request(&server, "POST", "/user/repos", r#"{"name":"project"}"#);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        drop(server);
        life
    }

    /// Asks over REST; an answer that does not come is empty.
    fn request(&self, server: &Running, method: &str, path: &str, body: &str) -> String {
        self.send(server, method, &format!("/api/v3{path}"), body)
    }

    fn send(&self, server: &Running, method: &str, path: &str, body: &str) -> String {
        let mut answer = String::new();
        let Ok(mut stream) = TcpStream::connect(&server.address) else { return answer };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            server.address,
            self.token,
            body.len()
        );
        if stream.write_all(head.as_bytes()).is_ok() {
            let _ = stream.read_to_string(&mut answer);
        }
        answer
    }

    fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Starts the server, which may die at a place.
    fn start(&self, place: Option<(&str, usize)>) -> Running {
        let data = self.data();
        let run = data.join("run.json");
        let _ = std::fs::remove_file(&run);
        let mut words =
            vec!["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--tls", "off"];
        words.extend(["--url", "http://forge.example", "--log-level", "warn", "--git-keep-deleted", "0s"]);
        let url = self.postgres.as_ref().map(ScratchPostgres::url);
        if let Some(url) = &url {
            words.extend(["--database", url]);
        }
        let mut command = program::forge(&words);
        if let Some(recorder) = &self.recorder {
            recorder.record(&mut command);
        }
        if let Some((name, visits)) = place {
            command.env("FORGE_CRASH_AT", format!("{name}:{visits}"));
        }
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut running = Running { child: command.spawn().unwrap(), address: String::new() };
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "{}: the server does not start", self.context());
            assert!(!running.is_over(), "{}: the server ended: {}", self.context(), self.log());
            let info = std::fs::read_to_string(&run).unwrap_or_default();
            let info: serde_json::Value = serde_json::from_str(&info).unwrap_or_default();
            if let Some(address) = info["listen"][0].as_str()
                && TcpStream::connect(address).is_ok()
            {
                address.clone_into(&mut running.address);
                return running;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn context(&self) -> String {
        format!("seed {}, round {}, {}", self.seed, self.rounds, self.last)
    }

    fn url(&self, server: &Running) -> String {
        format!("http://alice:{}@{}/alice/project.git", self.token, server.address)
    }

    /// Makes a repository, pushes to it and deletes it, and waits until the server is dead or has removed the files.
    fn delete_one(&self, server: &mut Running) {
        let name = format!("gone-{}", self.rounds);
        let made = self.request(
            server,
            "POST",
            "/user/repos",
            &format!("{{\"name\":\"{name}\",\"auto_init\":true}}"),
        );
        assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        let directories = || walk_directories(&self.data().join("repositories"));
        let before = directories();
        let gone = self.request(server, "DELETE", &format!("/repos/alice/{name}"), "");
        assert!(gone.starts_with("HTTP/1.1 204"), "{gone}");
        let began = Instant::now();
        while !server.is_over() && directories() >= before && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Has somebody fork the project, and waits until the server is dead or has answered. A fork that was acknowledged is kept in
    /// mind; one that was not is there whole or not at all.
    fn fork_one(&mut self, server: &Running) {
        // Who forks owns no other of the network: each fork is for an organization of its own.
        let organization = format!("org-{}", self.rounds);
        let made =
            self.send(server, "POST", "/api/ext/v1/user/orgs", &format!("{{\"login\":\"{organization}\"}}"));
        assert!(made.starts_with("HTTP/1.1 201"), "{made}");
        let body = format!("{{\"organization\":\"{organization}\"}}");
        let answer = self.request(server, "POST", "/repos/alice/project/forks", &body);
        let is_told = answer.starts_with("HTTP/1.1 202");
        assert!(is_told || answer.is_empty(), "{answer}");
        self.forks.push((organization, is_told));
    }

    /// Every fork that was acknowledged is there, and whatever is there can be cloned.
    fn check_forks(&mut self, server: &Running) {
        for (organization, is_told) in std::mem::take(&mut self.forks) {
            let answer = self.request(server, "GET", &format!("/repos/{organization}/project"), "");
            let is_there = answer.starts_with("HTTP/1.1 200");
            assert!(is_there || !is_told, "{}: {answer}", self.context());
            if is_there {
                let url =
                    format!("http://alice:{}@{}/{organization}/project.git", self.token, server.address);
                let copy = self.folder.path().join("fork");
                succeed(git(self.folder.path()).args(["clone", "--quiet", "--mirror", &url]).arg(&copy));
                succeed(git(&copy).args(["fsck", "--strict", "--no-progress", "--no-dangling"]));
                let refs = succeed(git(&copy).args(["for-each-ref"]));
                assert!(!refs.is_empty(), "{}: an empty fork", self.context());
                std::fs::remove_dir_all(&copy).unwrap();
            }
        }
    }

    /// Pushes from all sides while packs are sorted, until the server dies at the place, or is killed at any moment. Returns
    /// whether it died at the place.
    pub(crate) fn crash(&mut self, place: Option<(&'static str, usize)>, random: &mut Random) -> bool {
        self.rounds += 1;
        self.last = format!("killed at {place:?}");
        let mut server = self.start(place);
        if place.is_some_and(|(name, _)| name.starts_with("delete/")) {
            self.delete_one(&mut server);
        }
        if place.map_or(self.rounds > 1, |(name, _)| name.starts_with("fork/")) {
            self.fork_one(&server);
        }
        let moment = Duration::from_millis(300 + random.next() % 1500);
        self.push_and_maintain(&mut server, place.is_none().then_some(moment));
        let (url, data) = (self.url(&server), self.data());
        // A process that was killed takes a moment to be dead.
        let is_first = place.is_some_and(|(_, visits)| visits == 1);
        let mut tries = if is_first { 5 } else { 0 };
        while tries > 0 && !server.ends_within(Duration::from_millis(500)) {
            // What a job has sorted meanwhile need not be sorted again: something new is pushed.
            self.workers[0].push(&url, 1);
            let words = ["repo", "maintain", "alice/project", "--data", data.to_str().unwrap()];
            let _ = program::forge(&words).output().unwrap();
            tries -= 1;
        }
        let died = server.is_over();
        server.kill();
        died
    }

    /// Pushes from all sides while packs are sorted, until all is pushed, or the server is dead, or it is killed at a moment.
    fn push_and_maintain(&mut self, server: &mut Running, moment: Option<Duration>) {
        let (url, data) = (self.url(server), self.data());
        std::thread::scope(|scope| {
            let pushing: Vec<_> =
                self.workers.iter_mut().map(|worker| scope.spawn(|| worker.push(&url, PUSHES))).collect();
            let began = Instant::now();
            let mut maintained = 0;
            while !server.is_over() && pushing.iter().any(|worker| !worker.is_finished()) {
                if moment.is_some_and(|moment| began.elapsed() > moment) {
                    server.kill();
                }
                if began.elapsed() > Duration::from_millis(400) * (maintained + 1) {
                    maintained += 1;
                    // It fails when the server dies meanwhile.
                    let words = ["repo", "maintain", "alice/project", "--data", data.to_str().unwrap()];
                    let _ = program::forge(&words).output().unwrap();
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    }

    /// Starts the server and finds everything as it should be.
    pub(crate) fn check(&mut self) {
        let server = self.start(None);
        let url = self.url(&server);
        let context = self.context();
        let listed = succeed(git(self.folder.path()).args(["ls-remote", "--heads", &url]));
        let shown: BTreeMap<String, String> = listed
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect();
        for worker in &mut self.workers {
            worker.compare(&shown, &context);
        }
        let data = self.data();
        let verified = program::forge(&["verify", "--data", data.to_str().unwrap()]).output().unwrap();
        let findings = String::from_utf8_lossy(&verified.stderr);
        assert!(
            verified.status.success(),
            "{context}: {}{findings}",
            String::from_utf8_lossy(&verified.stdout)
        );
        let copy = self.folder.path().join("copy");
        succeed(git(self.folder.path()).args(["clone", "--quiet", "--mirror", &url]).arg(&copy));
        succeed(git(&copy).args(["fsck", "--strict", "--no-progress", "--no-dangling"]));
        std::fs::remove_dir_all(&copy).unwrap();
        self.check_records(&shown);
        self.check_forks(&server);
        // The server has begun to work again, and what it works on lies there too; what a crash left would stay.
        let began = Instant::now();
        loop {
            let left: Vec<_> = std::fs::read_dir(data.join("repositories/tmp")).unwrap().collect();
            if left.is_empty() {
                break;
            }
            assert!(began.elapsed() < SETTLED, "{context}: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every ref has the entry of its reflog and the audit event of the push that brought it where it is.
    fn check_records(&self, shown: &BTreeMap<String, String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = DbOptions::default();
            let db = match &self.postgres {
                None => Db::open_sqlite(&self.data().join("forge.db"), &options).await.unwrap(),
                Some(postgres) => Db::open_postgres(&postgres.url(), &options).await.unwrap(),
            };
            let mut conn = db.read().await.unwrap();
            let repository =
                forge_store::inventory::list_repositories(&mut conn, RepositoryId(0), 1).await.unwrap()[0].id;
            let filter =
                AuditFilter { events: Some(vec!["refs.updated".to_owned()]), ..AuditFilter::default() };
            let events = forge_store::audit::list(&mut conn, &filter, 100_000).await.unwrap();
            let events: String =
                events.into_iter().map(|event| event.side_effect.unwrap_or_default()).collect();
            for (name, id) in shown {
                let ref_name = RefName::new(name.as_str()).unwrap();
                let log =
                    forge_store::pushes::list_reflog(&mut conn, repository, &ref_name, 1).await.unwrap();
                let last = log.first().and_then(|entry| entry.new_id).map(|id| id.to_string());
                assert_eq!(last.as_deref(), Some(id.as_str()), "{}: the reflog of {name}", self.context());
                assert!(events.contains(id.as_str()), "{}: no event for {name} at {id}", self.context());
            }
        });
    }

    /// Records what a server does from its start until it is killed, while everybody pushes, packs are sorted and repositories
    /// come and go. What lay there before is taken for certain.
    pub(crate) fn record(&mut self) -> (Disk, Vec<Record>) {
        self.last = "recorded".to_owned();
        let mut recorded = Disk::of(&self.data);
        let first = Disk::of(&self.data);
        let recorder = Recorder::prepare(&self.data, self.folder.path());
        for worker in &mut self.workers {
            worker.marks = Some(recorder.marks());
        }
        self.recorder = Some(recorder);
        let mut server = self.start(None);
        for _ in 0..2 {
            self.rounds += 1;
            self.delete_one(&mut server);
            self.push_and_maintain(&mut server, None);
            self.fork_one(&server);
        }
        server.kill();
        // Wherever the power is cut they are there whole or not at all.
        self.recorded_forks =
            std::mem::take(&mut self.forks).into_iter().map(|(name, _)| (name, false)).collect();
        let records = self.recorder.take().map(|recorder| recorder.read()).unwrap_or_default();
        for record in &records {
            recorded.apply(record);
        }
        recorded.compare();
        (first, records)
    }

    /// Starts a server on what is left of a disk, and finds everything as it should be that was said before.
    pub(crate) fn check_image(&mut self, disk: &Disk, said: &[Record], luck: Luck, random: &mut Random) {
        self.last = format!("power cut after record {}, luck {luck:?}", said.len());
        for worker in &mut self.workers {
            (worker.told, worker.open) = (BTreeMap::new(), None);
        }
        for record in said {
            match record {
                Record::Asked { worker, name, tip } => {
                    self.workers[*worker].open = Some((name.clone(), tip.clone()));
                }
                Record::Told { worker } => {
                    let worker = &mut self.workers[*worker];
                    worker.told.extend(worker.open.take());
                }
                _ => {}
            }
        }
        self.forks.clone_from(&self.recorded_forks);
        let image = self.folder.path().join("image");
        disk.write_image(&image, luck, random);
        let real = std::mem::replace(&mut self.data, image);
        self.check();
        std::fs::remove_dir_all(std::mem::replace(&mut self.data, real)).unwrap();
    }

    /// Takes a pack away, as no crash does.
    pub(crate) fn lose_a_pack(&self) {
        let mut folders = vec![self.data().join("repositories")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "pack") {
                    std::fs::remove_file(&path).unwrap();
                    return;
                }
            }
        }
        panic!("there is no pack");
    }
}

/// Returns how many directories of repositories there are.
fn walk_directories(repositories: &std::path::Path) -> usize {
    let entries = |path: &std::path::Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    entries(repositories).flat_map(|fan| entries(&fan.path()).collect::<Vec<_>>()).count()
}
