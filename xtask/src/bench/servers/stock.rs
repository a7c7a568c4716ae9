//! What most people run: nginx, fcgiwrap and `git http-backend` over bare repositories. It asks nobody who they are.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{make_folder, succeed};
use crate::bench::process::Kept;
use crate::bench::sources::{git, run};
use crate::{Result, command, tools};

pub(super) const TITLE: &str = "c: nginx + git http-backend";

/// CGI processes waiting for work.
const WORKERS: usize = 16;

/// A folder of bare repositories and the configuration to serve it.
pub(super) struct Stock {
    folder: PathBuf,
    socket: PathBuf,
    nginx: PathBuf,
    fcgiwrap: PathBuf,
}

impl Stock {
    pub(super) fn new(folder: &Path, address: SocketAddr) -> Result<Self> {
        let nginx = program("nginx", "nginx-light", "nginx")?;
        let fcgiwrap = program("fcgiwrap", "fcgiwrap", "fcgiwrap")?;
        let folder = make_folder(folder)?;
        make_folder(&folder.join("repositories"))?;
        // A path of a socket may not be long.
        let socket = std::env::temp_dir().join(format!("forge-bench-{}.sock", std::process::id()));
        let stock = Self { folder, socket, nginx, fcgiwrap };
        fs::write(stock.configuration(), stock.configured(address)?)
            .map_err(|error| format!("{}: {error}", stock.configuration().display()))?;
        Ok(stock)
    }

    pub(super) fn start(&self) -> Result<Vec<Kept>> {
        let _ = fs::remove_file(&self.socket);
        let text = |path: &Path| path.display().to_string();
        let socket = format!("unix:{}", self.socket.display());
        let wrapper = [text(&self.fcgiwrap), "-c".to_owned(), WORKERS.to_string(), "-s".to_owned(), socket];
        let server = [
            text(&self.nginx),
            "-c".to_owned(),
            text(&self.configuration()),
            "-p".to_owned(),
            text(&self.folder),
        ];
        let wrapper = Kept::start(&wrapper, &self.folder.join("fcgiwrap.log"))?;
        Ok(vec![Kept::start(&server, &self.folder.join("nginx.log"))?, wrapper])
    }

    pub(super) fn create(&self, repository: &str) -> Result<()> {
        let path = self.path(repository);
        run(Command::new("git").args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(&path))?;
        self.allow(&path)
    }

    pub(super) fn copy(&self, repository: &str, source: &Path) -> Result<()> {
        let path = self.path(repository);
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(source).arg(&path))?;
        self.allow(&path)
    }

    pub(super) fn maintain(&self, repository: &str) -> Result<()> {
        let path = self.path(repository);
        run(git(&path).args(["repack", "--quiet", "-a", "-d", "--write-bitmap-index"]))?;
        run(git(&path).args(["commit-graph", "write", "--reachable"]))
    }

    /// Lets everyone push and filter, as our servers do, without a configuration of whoever runs this.
    fn allow(&self, path: &Path) -> Result<()> {
        let config = path.join("config");
        let text = fs::read_to_string(&config).map_err(|error| format!("{}: {error}", config.display()))?;
        let added = "[http]\n\treceivepack = true\n[uploadpack]\n\tallowFilter = true\n\
                     [receive]\n\tautogc = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
        fs::write(&config, text + added).map_err(|error| format!("{}: {error}", config.display()))
    }

    fn path(&self, repository: &str) -> PathBuf {
        self.folder.join("repositories").join(format!("{repository}.git"))
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("nginx.conf")
    }

    fn configured(&self, address: SocketAddr) -> Result<String> {
        let (folder, socket) = (self.folder.display(), self.socket.display());
        let backend = Path::new(&succeed(git(&self.folder).arg("--exec-path"))?).join("git-http-backend");
        let (backend, path) = (backend.display(), std::env::var("PATH").unwrap_or_default());
        let user = |option: &str| succeed(Command::new("id").arg(option));
        let user = match command::is_root() {
            true => format!("user {} {};", user("-un")?, user("-gn")?),
            false => String::new(),
        };
        Ok(format!(
            r#"daemon off;
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 600s;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address} backlog=1024;
        location ~ ^/git(/.*)$ {{
            fastcgi_pass unix:{socket};
            fastcgi_buffering off;
            fastcgi_buffer_size 64k;
            fastcgi_buffers 8 64k;
            fastcgi_read_timeout 600s;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param PATH_INFO $1;
            fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param GIT_CONFIG_NOSYSTEM 1;
            fastcgi_param GIT_CONFIG_GLOBAL /dev/null;
            fastcgi_param PATH "{path}";
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
        }}
    }}
}}
"#
        ))
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

/// Finds a program, also where Debian puts servers, and installs its package where that is possible.
fn program(name: &str, package: &str, purpose: &str) -> Result<PathBuf> {
    let find = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        folders.map(|folder| folder.join(name)).find(|program| program.is_file())
    };
    if find().is_none() {
        tools::install_package(package, purpose)?;
    }
    find().ok_or_else(|| format!("package `{package}` is installed, but has no program `{name}`"))
}
