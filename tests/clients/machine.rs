//! An empty computer with a forge on it, and people with empty home directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use forge_testing::{Database, tools};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;

/// The host name of a forge that was given none.
pub(crate) const HOST: &str = "forge.localhost";

const NOBODY: u32 = 65534;

/// A computer on which `forge serve` runs. Everything on it ends with the test.
pub(crate) struct Machine {
    // First, so that it ends before what it works on goes away, and its log is there to be shown.
    server: Option<Server>,
    folder: TempDir,
    postgres: Option<forge_testing::ScratchPostgres>,
    options: Vec<String>,
    user: User,
}

/// As whom everything on a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// As whoever runs the tests.
    Oneself,
    /// As the user `nobody`, which only root can arrange.
    Nobody,
}

/// Someone who works on the machine.
pub(crate) struct Person<'m> {
    machine: &'m Machine,
    home: PathBuf,
}

impl Machine {
    /// Starts a forge as the README says, on a free port so that other forges are not disturbed.
    pub(crate) fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts a forge with further options.
    pub(crate) fn start_with(database: Database, options: &[&str]) -> Self {
        let all = [&["--listen", "127.0.0.1:0"], options].concat();
        Self::start_as(User::Oneself, database, &all)
    }

    /// Starts a forge with exactly these options, as a user to whom everything on the machine belongs.
    pub(crate) fn start_as(user: User, database: Database, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if user == User::Nobody {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY))
                .expect("a folder to give away");
        }
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(forge_testing::ScratchPostgres::empty()),
        };
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut machine = Self { folder, postgres, options, user, server: None };
        machine.start_server();
        machine
    }

    /// Returns the data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("forge-data")
    }

    /// Returns the folder in which everything on the machine lies.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what the running server says about itself.
    pub(crate) fn run_info(&self) -> Value {
        let text = fs::read(self.data().join("run.json")).expect("a running server");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Returns the running server.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// Ends the server, which must end well, and starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start_server();
    }

    /// Ends the server, which must end well.
    pub(crate) fn stop(&mut self) {
        let status = self.server.take().expect("the server runs").stop();
        assert!(status.success(), "the server ended with {status}");
    }

    fn start_server(&mut self) {
        let mut serve = self.forge(&["serve"]);
        serve.args(&self.options);
        if let Some(postgres) = &self.postgres {
            serve.args(["--database", &postgres.url()]);
        }
        let is_ready = || self.forge(&["env"]).output().is_ok_and(|output| output.status.success());
        self.server = Some(Server::start(serve, &self.folder.path().join("server.log"), is_ready));
    }

    /// Returns a command whose environment holds a search path and nothing else.
    fn clean(&self, program: &Path, folder: &Path) -> Command {
        let mut command = match self.user {
            User::Oneself => Command::new(program),
            User::Nobody => {
                let mut command = Command::new("setpriv");
                let id = NOBODY.to_string();
                command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(program);
                command
            }
        };
        command.current_dir(folder).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Returns where a program is that everybody on the machine can read.
    fn program(&self, program: PathBuf) -> PathBuf {
        if self.user == User::Oneself {
            return program;
        }
        let copy = self.folder.path().join(program.file_name().expect("a program"));
        if !copy.exists() {
            fs::copy(&program, &copy).expect("a copy of a program");
        }
        copy
    }

    /// Returns `forge` with these words, in an environment that holds nothing else.
    pub(crate) fn forge(&self, words: &[&str]) -> Command {
        let mut forge = self.clean(&self.program(tools::forge_binary()), self.folder.path());
        forge.env("HOME", self.folder.path().join("nobody")).env("FORGE_DATA", self.data()).args(words);
        if let Some(postgres) = &self.postgres {
            forge.env("FORGE_DATABASE_URL", postgres.url());
        }
        forge
    }

    /// Runs `forge` with these words, which must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn run_forge(&self, words: &[&str]) -> String {
        must_succeed(&mut self.forge(words))
    }

    /// Returns someone with an empty home directory, or one that was here before.
    pub(crate) fn person(&self, name: &str) -> Person<'_> {
        let home = self.folder.path().join("home").join(name);
        must_succeed(self.clean(Path::new("mkdir"), self.folder.path()).arg("-p").arg(&home));
        Person { machine: self, home }
    }

    /// Creates a human from the console and returns a token with gh's scopes.
    #[track_caller]
    pub(crate) fn human_with_token(&self, login: &str) -> String {
        let email = format!("{login}@forge.example");
        self.run_forge(&["admin", "user", "create", login, "--email", &email]);
        let scopes =
            "repo,read:org,gist,delete_repo,admin:org,admin:public_key,admin:ssh_signing_key,workflow,user";
        self.run_forge(&["admin", "token", "create", login, "--scopes", scopes]).trim().to_owned()
    }

    /// Returns the registration key.
    #[track_caller]
    pub(crate) fn registration_key(&self) -> String {
        self.run_forge(&["admin", "registration-key"]).trim().to_owned()
    }
}

impl Person<'_> {
    /// Returns the home directory.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Returns a program in a shell that was led to the forge: `eval "$(forge env)"`.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut shell = self.machine.clean(Path::new("/bin/sh"), &self.home);
        shell
            .env("HOME", &self.home)
            .env("FORGE_DATA", self.machine.data())
            .env("FORGE", self.machine.program(tools::forge_binary()))
            .envs([("GH_PROMPT_DISABLED", "1"), ("GH_NO_UPDATE_NOTIFIER", "1"), ("NO_COLOR", "1")])
            .envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .args(["-c", r#"env=$("$FORGE" env) && eval "$env" && exec "$@""#, "sh"])
            .arg(program.as_ref());
        shell
    }

    /// Runs gh, which must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn gh(&self, words: &[&str]) -> String {
        must_succeed(self.command(self.machine.program(tools::gh())).args(words))
    }

    /// Runs gh, which must fail, and returns everything it said.
    #[track_caller]
    pub(crate) fn gh_fails(&self, words: &[&str]) -> String {
        must_fail(self.command(self.machine.program(tools::gh())).args(words))
    }

    /// Runs git in a folder, which must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn git(&self, folder: &Path, words: &[&str]) -> String {
        must_succeed(self.git_command(folder).args(words))
    }

    /// Runs git in a folder, which must fail, and returns everything it said.
    #[track_caller]
    pub(crate) fn git_fails(&self, folder: &Path, words: &[&str]) -> String {
        must_fail(self.git_command(folder).args(words))
    }

    /// Returns git, to be run in a folder.
    pub(crate) fn git_command(&self, folder: &Path) -> Command {
        let mut git = self.command("git");
        git.current_dir(folder);
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "Test")
                .env(format!("GIT_{role}_EMAIL"), "test@forge.example");
        }
        git
    }

    /// Sends a request with curl and returns status and JSON body.
    #[track_caller]
    pub(crate) fn curl(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut curl = self.command("curl");
        curl.args(["--silent", "--show-error", "--write-out", "\n%{http_code}", "--request", method]);
        if let Some(token) = token {
            curl.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            curl.args(["--header", "Content-Type: application/json", "--data", &body.to_string()]);
        }
        let printed = must_succeed(curl.arg(format!("https://{HOST}{path}")));
        let (body, status) = printed.rsplit_once('\n').expect("curl writes the status last");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Posts a form with curl and returns the JSON of the answer.
    #[track_caller]
    pub(crate) fn post_form(&self, path: &str, form: &str) -> Value {
        let mut curl = self.command("curl");
        curl.args(["--silent", "--show-error", "--header", "Accept: application/json", "--data", form]);
        let printed = must_succeed(curl.arg(format!("https://{HOST}{path}")));
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// Logs in with a token, as `gh auth login --with-token` does, and lets git use it.
    #[track_caller]
    pub(crate) fn log_in(&self, token: &str) {
        let output = self.log_in_with(token);
        assert!(output.status.success(), "gh auth login: {}", said(&output));
        self.gh(&["auth", "setup-git", "--hostname", HOST]);
    }

    /// Logs in with a token that gh refuses, and returns what it says.
    #[track_caller]
    pub(crate) fn try_to_log_in(&self, token: &str) -> String {
        let output = self.log_in_with(token);
        assert!(!output.status.success(), "gh takes the token: {}", said(&output));
        said(&output)
    }

    fn log_in_with(&self, token: &str) -> Output {
        let mut login = self.command(self.machine.program(tools::gh()));
        login.args(["auth", "login", "--hostname", HOST, "--git-protocol", "https", "--with-token"]);
        let mut child = login
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gh starts");
        let mut pipe = child.stdin.take().expect("the pipe was asked for");
        std::io::Write::write_all(&mut pipe, token.as_bytes()).expect("gh reads the token");
        drop(pipe);
        child.wait_with_output().expect("gh ends")
    }
}

/// Returns the token with another last letter.
pub(crate) fn altered(token: &str) -> String {
    let (start, last) = token.split_at(token.len() - 1);
    format!("{start}{}", if last == "x" { "y" } else { "x" })
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn must_succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} ended with {}\n{}", output.status, said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that must fail.
#[track_caller]
pub(crate) fn must_fail(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(!output.status.success(), "{command:?} succeeded\n{}", said(&output));
    said(&output)
}

/// Runs a command and returns its exit code.
#[track_caller]
pub(crate) fn exit_code(command: &mut Command) -> Option<i32> {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")).status.code()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
