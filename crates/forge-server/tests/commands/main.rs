//! The commands of the program `forge` as a person types them: what they print, and how they end.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod agent;
mod codes;
mod refs;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("FORGE_DATA", self.data())
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        Ended::from(self.command(words).output().unwrap())
    }

    /// Starts a server and returns it with what it said.
    fn serve(&self) -> (Server, String) {
        self.serve_with(&[])
    }

    /// The same with these variables.
    fn serve_with(&self, variables: &[(&str, &str)]) -> (Server, String) {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        // The first line says where it listens, the second how to get there, both always.
        for _ in 0..2 {
            assert!(output.read_line(&mut said).unwrap() > 0, "the server ended early");
        }
        let server = Server { child: Some(child), output };
        (server, said)
    }
}

struct Server {
    child: Option<Child>,
    output: BufReader<std::process::ChildStdout>,
}

impl Server {
    /// Tells the server to stop and returns how it ended and what else it had said.
    fn stop(mut self) -> (Option<i32>, String) {
        let mut child = self.child.take().unwrap();
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        let code = child.wait().unwrap().code();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut rest).unwrap();
        (code, rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
    }
}

impl Ended {
    #[track_caller]
    fn good(self) -> String {
        assert_eq!((self.code, self.errors.as_str()), (Some(0), ""), "{self:?}");
        self.output
    }

    #[track_caller]
    fn refused(self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.errors.starts_with("forge: ") && self.errors.contains(words), "{self:?}");
        assert_eq!(self.errors.matches('\n').count(), 1, "one line: {self:?}");
        assert_eq!(self.output, "");
    }
}

const ADMIN: [&[&str]; 4] = [
    &["admin", "registration-key"],
    &["admin", "setup-link"],
    &["admin", "user", "create", "mona", "--email", "mona@example.com"],
    &["admin", "token", "create", "mona", "--scopes", "repo"],
];

#[test]
fn without_data_every_command_that_needs_it_ends_with_3() {
    let place = Place::new();
    for words in ADMIN.iter().copied().chain([
        &["env"][..],
        &["backup", "somewhere"],
        &["verify"],
        &["audit", "export"],
    ]) {
        place.run(words).refused(3, "no data directory");
    }
    place.run(&["restore", "nowhere"]).refused(3, "not a whole backup");
    std::fs::create_dir(place.data()).unwrap();
    for words in ADMIN {
        place.run(words).refused(3, "there is no data");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::new();
    for words in [&[][..], &["bogus"], &["serve", "--bogus"], &["admin"], &["admin", "user"], &["audit"]] {
        assert_eq!(place.run(words).code, Some(2), "{words:?}");
    }
    place.run(&["serve", "--tls", "acme"]).refused(2, "not built");
    place.run(&["serve", "--url", "https://forge.example"]).refused(2, "tls.mode");
    let failed = Ended::from(place.command(&["serve"]).env("FORGE_LISTEN", "here").output().unwrap());
    failed.refused(2, "FORGE_LISTEN");
    assert!(!place.data().exists(), "nothing is touched");
    assert_eq!(place.run(&["--help"]).code, Some(0));
    assert_eq!(place.run(&["--version"]).good(), concat!("forge ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_first_start_tells_its_secrets_and_the_second_does_not() {
    let place = Place::new();
    let (server, said) = place.serve();
    assert!(said.contains("https://forge.localhost:"), "{said}");
    let (code, secrets) = server.stop();
    assert_eq!(code, Some(0));
    assert!(secrets.contains("/setup/"), "{secrets}");
    let key = place.run(&["admin", "registration-key"]).good();
    assert!(secrets.contains(key.trim()), "{secrets}");

    let (server, _) = place.serve();
    assert_eq!(server.stop(), (Some(0), String::new()));
    assert!(!place.data().join("run.json").exists());
    assert!(!place.data().join("control.sock").exists());
}

#[test]
fn commands_do_the_same_with_and_without_a_running_server() {
    let place = Place::new();
    let (server, _) = place.serve();
    let key = place.run(&["admin", "registration-key"]).good();
    assert!(place.run(ADMIN[1]).good().contains("/setup/"));
    assert!(place.run(ADMIN[2]).good().contains("/password/"));
    place.run(ADMIN[2]).refused(1, "taken");
    let organization = ["admin", "org", "create", "octo", "--owner", "mona"];
    assert_eq!(place.run(&organization).good(), "");
    place.run(&organization).refused(1, "taken");
    place.run(&["admin", "org", "create", "octo2", "--owner", "nobody"]).refused(2, "person");
    assert!(place.run(ADMIN[3]).good().starts_with("fgep_"));
    place.run(&["serve", "--listen", "127.0.0.1:0"]).refused(3, "in use");
    let agent = ["admin", "agent", "create", "robo", "--description", "mends things"];
    let created = place.run(&agent).good();
    assert!(created.starts_with("id: ") && created.contains("\ntoken: fgep_"), "{created}");
    place.run(&agent).refused(1, "taken");
    assert_eq!(place.run(&["repo", "export-refs"]).good(), "", "there is no repository");
    place.run(&["repo", "export-refs", "octo/none"]).refused(1, "`octo/none`");
    assert!(place.run(&["verify"]).good().contains("whole"));
    assert!(place.run(&["audit", "export"]).good().contains("\"surface\":\"console\""));
    server.stop();

    assert_eq!(place.run(ADMIN[0]).good(), key);
    assert!(place.run(ADMIN[3]).good().starts_with("fgep_"));
    place.run(&["admin", "token", "create", "nobody", "--scopes", "repo"]).refused(1, "`nobody`");
    place.run(&["admin", "token", "create", "mona", "--scopes", "everything"]).refused(2, "`everything`");
    assert_ne!(place.run(&["admin", "registration-key", "--rotate"]).good(), key);
    place.run(&["env"]).refused(3, "no forge is running");
}

#[test]
fn a_password_comes_from_standard_input_and_ends_set_up() {
    let place = Place::new();
    let (server, _) = place.serve();
    let create =
        ["admin", "user", "create", "root1", "--email", "r@example.com", "--admin", "--password-stdin"];
    let give = |password: &str| {
        let mut child = place
            .command(&create)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        Ended::from(child.wait_with_output().unwrap())
    };
    give("").refused(2, "no password");
    give("short\n").refused(2, "password");
    assert_eq!(give("correct horse battery staple\n").good(), "", "no link is needed");
    place.run(ADMIN[1]).refused(1, "administrator exists");
    server.stop();
}

#[test]
fn a_backup_of_a_running_server_starts_elsewhere() {
    let place = Place::new();
    let (server, _) = place.serve();
    let key = place.run(ADMIN[0]).good();
    assert!(place.run(&["backup", "copy", "--with-keys"]).good().contains("with the keys"));
    place.run(&["backup", "copy"]).refused(2, "not empty");
    server.stop();

    let other = Place::new();
    let copy = place.directory.path().join("copy");
    other.run(&["restore", copy.to_str().unwrap()]).good();
    assert_eq!(other.run(ADMIN[0]).good(), key);
    other.run(&["restore", copy.to_str().unwrap()]).refused(2, "holds data already");
}

#[test]
fn the_data_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (server, _) = place.serve();
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o077;
    let mut pending = vec![place.data()];
    let mut seen = 0;
    while let Some(path) = pending.pop() {
        assert_eq!(mode(&path), 0, "{}", path.display());
        seen += 1;
        if path.is_dir() {
            pending.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 8, "{seen}");
    server.stop();
}

#[test]
fn forge_env_leads_curl_to_the_server() {
    let place = Place::new();
    let (server, _) = place.serve();
    let script = "eval \"$(\"$FORGE\" env)\" && curl -sS -o /dev/null -w '%{http_code}' https://forge.localhost/api/v3/users/none";
    let shell = Command::new("/bin/sh")
        .args(["-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("FORGE", env!("CARGO_BIN_EXE_forge"))
        .env("FORGE_DATA", place.data())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&shell.stdout), "404", "{}", String::from_utf8_lossy(&shell.stderr));
    server.stop();
}

#[test]
fn a_running_server_does_its_jobs() {
    let place = Place::new();
    let (server, _) = place.serve_with(&[("FORGE_GIT_KEEP_DELETED", "0s")]);
    place.run(ADMIN[2]).good();
    let token = place.run(&["admin", "token", "create", "mona", "--scopes", "repo,delete_repo"]).good();
    let curl = |arguments: &str| {
        let script = format!(
            "eval \"$(\"$FORGE\" env)\" && curl -sS -o /dev/null -w '%{{http_code}}' -H \"Authorization: token $TOKEN\" {arguments}"
        );
        let output = Command::new("/bin/sh")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("FORGE", env!("CARGO_BIN_EXE_forge"))
            .env("FORGE_DATA", place.data())
            .env("TOKEN", token.trim())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let directory = place.data().join("repositories/01/1.git");
    let body = r#"-d '{"name":"short-lived","auto_init":true}'"#;
    assert_eq!(curl(&format!("{body} https://forge.localhost/api/v3/user/repos")), "201");
    assert!(directory.exists());
    assert_eq!(curl("-X DELETE https://forge.localhost/api/v3/repos/mona/short-lived"), "204");
    let start = std::time::Instant::now();
    while directory.exists() {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "the files stay");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.stop();
}
