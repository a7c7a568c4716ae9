//! The servers that are compared, behind one face: where they listen, what a repository is called, how one is made.

mod api;
mod forge;
mod push;
mod stock;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::answer::Scan;
use super::http::Connection;
use super::process::Kept;
use super::request::base64;
use super::sources::{Source, git, run};
use crate::Result;

pub(super) use api::Api;
pub(super) use forge::{Variant, build, offers_subprocess};
pub(super) use push::WholePush;

/// From this many refs on, `git push` over HTTP takes minutes: `git send-pack` compares every ref with every other.
const MANY_REFS: usize = 1000;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that takes part.
pub(super) struct Server {
    /// Its column in the table.
    pub(super) column: usize,
    pub(super) title: String,
    address: SocketAddr,
    kind: Kind,
    processes: Vec<Kept>,
}

enum Kind {
    Forge(forge::Forge),
    Stock(stock::Stock),
}

impl Server {
    /// Makes and starts a forge with data of its own.
    pub(super) fn forge(column: usize, folder: &Path, binary: &Path, variant: Variant) -> Result<Self> {
        let address = free_address()?;
        let title = variant.title().to_owned();
        let made = forge::Forge::new(folder, binary, address, variant)?;
        let mut server = Self { column, title, address, kind: Kind::Forge(made), processes: Vec::new() };
        server.start()?;
        if let Kind::Forge(forge) = &mut server.kind {
            forge.make_accounts()?;
        }
        Ok(server)
    }

    /// Makes and starts nginx, fcgiwrap and `git http-backend`.
    pub(super) fn stock(column: usize, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let made = stock::Stock::new(folder, address)?;
        let title = stock::TITLE.to_owned();
        let mut server = Self { column, title, address, kind: Kind::Stock(made), processes: Vec::new() };
        server.start()?;
        Ok(server)
    }

    /// Starts the server's processes and returns how long its first answer took.
    pub(super) fn start(&mut self) -> Result<Duration> {
        let began = Instant::now();
        self.processes = match &self.kind {
            Kind::Forge(forge) => forge.start()?,
            Kind::Stock(stock) => stock.start()?,
        };
        let request =
            self.get("/no-such-owner/no-such-repository.git/info/refs?service=git-upload-pack", "", 0);
        while began.elapsed() < PATIENCE {
            let answer =
                Connection::open(self.address).and_then(|mut to| to.exchange(&[&request], &mut |_| ()));
            // A repository that is not there is an answer, a gateway without its backend is none.
            match answer {
                Ok(answer) if matches!(answer.status, 401 | 404) => return Ok(began.elapsed()),
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        let said: Vec<String> = self.processes.iter().map(Kept::said).collect();
        Err(format!("{} does not answer:\n{}", self.title, said.join("\n")))
    }

    /// Ends the server's processes.
    pub(super) fn stop(&mut self) {
        // The one in front first.
        self.processes.drain(..).for_each(drop);
    }

    /// Returns the processes that were started; more may be below them.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(|process| process.pid).collect()
    }

    pub(super) fn is_stock(&self) -> bool {
        matches!(self.kind, Kind::Stock(_))
    }

    /// Returns a new connection.
    pub(super) fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).map_err(|error| self.failed(&error))
    }

    /// Returns the request for the refs of a repository, as the client of this connection sends it.
    pub(super) fn discovery(&self, repository: &str, service: &str, connection: usize) -> Vec<u8> {
        let path = format!("{}/info/refs?service={service}", self.path(repository));
        self.get(&path, "Git-Protocol: version=2\r\n", connection)
    }

    /// Returns the head of a request to a service of a repository, for a body of this length.
    pub(super) fn head(&self, repository: &str, service: &str, length: usize, connection: usize) -> Vec<u8> {
        let extra = format!(
            "Git-Protocol: version=2\r\nContent-Type: application/x-{service}-request\r\n\
             Accept: application/x-{service}-result\r\nContent-Length: {length}\r\n"
        );
        self.request("POST", &format!("{}/{service}", self.path(repository)), &extra, connection)
    }

    fn get(&self, path: &str, extra: &str, connection: usize) -> Vec<u8> {
        self.request("GET", path, extra, connection)
    }

    fn request(&self, method: &str, path: &str, extra: &str, connection: usize) -> Vec<u8> {
        let authorization = match &self.kind {
            Kind::Forge(forge) => forge.authorization(connection),
            Kind::Stock(_) => String::new(),
        };
        let address = self.address;
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: git/2.47.3\r\n{authorization}{extra}\r\n")
            .into_bytes()
    }

    fn path(&self, repository: &str) -> String {
        match &self.kind {
            Kind::Forge(_) => format!("/{}/{repository}.git", forge::OWNER),
            Kind::Stock(_) => format!("/git/{repository}.git"),
        }
    }

    /// Sends a request and checks status and body.
    pub(super) fn exchange(&self, to: &mut Connection, parts: &[&[u8]], scan: &mut Scan) -> Result<()> {
        self.exchange_with(to, parts, &mut std::io::empty(), scan)
    }

    /// The same, with what `rest` holds behind the parts.
    pub(super) fn exchange_with(
        &self,
        to: &mut Connection,
        parts: &[&[u8]],
        rest: &mut dyn std::io::Read,
        scan: &mut Scan,
    ) -> Result<()> {
        let answer = to.exchange_with(parts, rest, &mut |piece| scan.feed(piece));
        let answer = answer.map_err(|error| self.failed(&error))?;
        match answer.status {
            200 => Ok(()),
            status => Err(self.failed(&format!("status {status} after {} bytes", answer.body_bytes))),
        }
    }

    /// Says which server failed.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> String {
        format!("{}: {error}", self.title)
    }

    /// Makes an empty repository: over REST, or on disk as an administrator of the stock server does.
    pub(super) fn create(&self, to: &mut Connection, repository: &str) -> Result<()> {
        match &self.kind {
            Kind::Stock(stock) => stock.create(repository),
            Kind::Forge(_) => {
                let body = format!("{{\"name\":\"{repository}\"}}");
                let length = body.len();
                let extra = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
                let head = self.request("POST", "/api/v3/user/repos", &extra, 0);
                let mut text = Vec::new();
                let answer =
                    to.exchange(&[&head, body.as_bytes()], &mut |piece| text.extend_from_slice(piece));
                let text = String::from_utf8_lossy(&text);
                let is_made = text.contains(&format!("\"full_name\":\"{}/{repository}\"", forge::OWNER));
                match answer {
                    Ok(answer) if answer.status == 201 && is_made => Ok(()),
                    Ok(answer) => Err(self.failed(&format!("status {}: {text}", answer.status))),
                    Err(error) => Err(self.failed(&error)),
                }
            }
        }
    }

    /// Makes a repository with everything of a source: by a push, or by copying it in place.
    pub(super) fn fill(&self, repository: &str, source: &Source) -> Result<()> {
        if let Kind::Stock(stock) = &self.kind {
            return stock.copy(repository, &source.path);
        }
        let mut to = self.connect()?;
        self.create(&mut to, repository)?;
        match source.refs.len() {
            MANY_REFS.. => WholePush::of(source)?.send(self, &mut to, repository),
            _ => self.push_by_git(repository, source),
        }
    }

    /// Tidies a repository up, as each server's administrator does.
    pub(super) fn maintain(&self, repository: &str) -> Result<()> {
        match &self.kind {
            Kind::Stock(stock) => stock.maintain(repository),
            Kind::Forge(forge) => forge.maintain(repository),
        }
        .map_err(|error| self.failed(&error))
    }

    fn push_by_git(&self, repository: &str, source: &Source) -> Result<()> {
        let mut command = git(&source.path);
        if let Kind::Forge(forge) = &self.kind {
            let header = forge.authorization(0).trim().to_owned();
            command.arg("-c").arg(format!("http.extraHeader={header}"));
        }
        let url = format!("http://{}{}", self.address, self.path(repository));
        run(command.args(["push", "--quiet", &url, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]))
            .map_err(|error| self.failed(&error))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map_err(|error| format!("no free port: {error}"))
}

fn make_folder(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder.to_owned())
}

fn succeed(command: &mut Command) -> Result<String> {
    crate::command::output(command).ok_or_else(|| format!("{command:?} failed"))
}

fn basic(login: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64(format!("{login}:{password}").as_bytes()))
}
