//! A listening forge with one repository, working copies, and raw requests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use forge_auth::token::Secret;
use forge_testing::{Listening, TestForge, fixtures};
use forge_types::account::Account;
use forge_types::credential::CredentialKind;
use forge_types::id::RepositoryId;
use forge_types::repository::{Repository, Visibility};
use forge_types::{ObjectId, RefName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// A forge where alice has the repository `project`.
pub(crate) struct Bench {
    pub(crate) forge: TestForge,
    pub(crate) listening: Listening,
    pub(crate) alice: Account,
    pub(crate) token: Secret,
    pub(crate) repository: Repository,
    pub(crate) folder: TempDir,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) is_good: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// Returns what was printed, once it is known that all went well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert!(self.is_good, "{}\n{}", self.out, self.err);
        self.out.trim().to_owned()
    }

    /// Returns what was complained about, once it is known that something was.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.is_good, "it was not refused: {}\n{}", self.out, self.err);
        self.err
    }
}

/// An answer to a raw request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Bench {
    pub(crate) async fn new(forge: TestForge) -> Self {
        Self::with(forge, Visibility::Private).await
    }

    pub(crate) async fn with(forge: TestForge, visibility: Visibility) -> Self {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let repository = forge.repository(&alice, "project", visibility).await;
        let listening = forge.listen().await;
        Self { forge, listening, alice, token, repository, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn id(&self) -> RepositoryId {
        self.repository.id
    }

    /// The URL of the repository with alice's token in it.
    pub(crate) fn url(&self) -> String {
        format!("{}/alice/project.git", self.listening.url_as("alice", self.token.expose()))
    }

    /// The URL of the repository without a token.
    pub(crate) fn bare_url(&self) -> String {
        format!("{}/alice/project.git", self.listening.url())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a working copy with one commit whose remote `origin` is the repository.
    pub(crate) async fn work(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        git(self.folder.path(), ["init", "--quiet", "--initial-branch=main", name]).await.good();
        git(&path, ["remote", "add", "origin", &self.url()]).await.good();
        commit(&path, "README.md", &format!("# {name}\n")).await;
        path
    }

    /// Makes a working copy and pushes its one commit to `main`.
    pub(crate) async fn pushed(&self, name: &str) -> PathBuf {
        let work = self.work(name).await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        work
    }

    /// Returns what a ref points to in the database.
    pub(crate) async fn stored(&self, name: &str) -> Option<ObjectId> {
        let mut conn = self.forge.app().db().read().await.unwrap();
        let name = RefName::new(name).unwrap();
        forge_store::refs::find(&mut conn, self.id(), &name).await.unwrap().map(|found| found.object_id)
    }

    /// Returns the directory of the repository.
    pub(crate) fn directory(&self) -> PathBuf {
        self.forge.app().git().repository(self.id()).path().to_owned()
    }

    /// Returns the packs that are there, and fails if anything lies about that should not.
    pub(crate) fn packs(&self) -> usize {
        let names = |path: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(path).into_iter().flatten();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let objects = self.directory().join("objects");
        for name in names(&objects) {
            assert!(name == "pack" || name == "info", "`{name}` lies about");
        }
        let packs = names(&objects.join("pack"));
        for name in &packs {
            assert!(name.starts_with("pack-") && !name.ends_with(".keep"), "`{name}` lies about");
        }
        assert_eq!(names(&self.forge.folder().join("repositories/tmp")), Vec::<String>::new());
        packs.iter().filter(|name| name.ends_with(".pack")).count()
    }

    /// Sends a request to a service with alice's token.
    pub(crate) async fn post(&self, service: &str, body: &[u8]) -> Answer {
        self.post_with(service, body, &[]).await
    }

    pub(crate) async fn post_with(&self, service: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut stream = self.open_post(service, body.len(), headers).await;
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(body).await;
        read_answer(stream).await
    }

    /// Begins a request of that many bytes, and sends none of them.
    pub(crate) async fn open_post(&self, service: &str, len: usize, headers: &[(&str, &str)]) -> TcpStream {
        let address = self.listening.url().replace("http://", "");
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let mut head = format!(
            "POST /alice/project.git/{service} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {}\r\ncontent-type: application/x-{service}-request\r\ncontent-length: {len}\r\n",
            self.token.expose()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

pub(crate) async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    let end = all.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = all[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

fn unchunked(mut from: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = from.windows(2).position(|window| window == b"\r\n") {
        let len = usize::from_str_radix(std::str::from_utf8(&from[..end]).unwrap(), 16).unwrap();
        if len == 0 {
            break;
        }
        body.extend_from_slice(&from[end + 2..end + 2 + len]);
        from = &from[end + 4 + len..];
    }
    body
}

/// Runs git in a folder.
pub(crate) async fn git<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Done {
    let output = Command::from(fixtures::git(folder)).args(args).output().await.expect("git starts");
    Done {
        is_good: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Commits a file and returns the commit.
pub(crate) async fn commit(work: &Path, file: &str, text: &str) -> String {
    std::fs::write(work.join(file), text).unwrap();
    git(work, ["add", "."]).await.good();
    git(work, ["commit", "--quiet", "--message", &format!("change {file}")]).await.good();
    git(work, ["rev-parse", "HEAD"]).await.good()
}

/// Packs what a revision reaches.
pub(crate) async fn pack(work: &Path, revisions: &str) -> Vec<u8> {
    let file = work.join(".git/revisions");
    std::fs::write(&file, revisions).unwrap();
    let mut command = Command::from(fixtures::git(work));
    command.args(["pack-objects", "--revs", "--stdout", "-q"]).stdin(std::fs::File::open(&file).unwrap());
    command.output().await.unwrap().stdout
}

/// Returns one pkt-line.
pub(crate) fn pkt(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}

/// Returns the body of a push of one ref.
pub(crate) fn push_body(old: &str, new: &str, name: &str, pack: &[u8]) -> Vec<u8> {
    let command = format!("{old} {new} {name}\0report-status side-band-64k agent=test");
    let mut body = format!("{}0000", pkt(&command)).into_bytes();
    body.extend_from_slice(pack);
    body
}

/// The id that stands for nothing.
pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";
