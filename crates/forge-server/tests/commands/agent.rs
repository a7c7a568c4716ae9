//! `forge agent proxy`, with programs that know nothing of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Ended, Place, Server};

/// Runs a script in a shell that `forge env` has led to the server.
fn led(place: &Place, script: &str) -> Command {
    let mut command = place.command(&[]);
    let program = env!("CARGO_BIN_EXE_forge");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("eval \"$({program} env)\" && {script}")]);
    for (name, value) in command.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        shell.env(name, value);
    }
    shell.env("HOME", place.directory.path()).current_dir(place.directory.path()).stdin(Stdio::null());
    command = shell;
    command
}

/// Starts the proxy and returns it with its address.
fn proxy(place: &Place, key: &Path, socket: &Path) -> (Server, String) {
    let program = env!("CARGO_BIN_EXE_forge");
    let script = format!(
        "exec {program} agent proxy --login robo --key {} --listen 127.0.0.1:0 --socket {}",
        key.display(),
        socket.display()
    );
    let mut child = led(place, &script).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    assert!(output.read_line(&mut said).unwrap() > 0, "the proxy ended early");
    let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (Server { child: Some(child), output }, address)
}

/// Sends a request as a program would and returns the whole answer.
fn ask(mut stream: impl Read + Write, method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_agent_that_takes_bound_tokens_only_works_through_its_proxy() {
    let place = Place::new();
    let (server, _) = place.serve();
    let create = ["admin", "agent", "create", "robo", "--description", "mends things", "--key", "generate"];
    let created = place.run(&create).good();
    let (said, pem) = created.split_at(created.find("-----BEGIN").unwrap());
    let token = said.split("token: ").nth(1).unwrap().lines().next().unwrap();
    let (key, socket) = (place.directory.path().join("key.pem"), place.directory.path().join("agent.sock"));
    std::fs::write(&key, pem).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let words = ["agent", "proxy", "--login", "robo", "--key", "key.pem"];
    place.run(&words).refused(2, "chmod 600");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    place.run(&[&words[..], &["--listen", "0.0.0.0:9322"]].concat()).refused(2, "not on loopback");

    let (agent, address) = proxy(&place, &key, &socket);
    let host = format!("Host: {address}\r\n");
    let connect = || TcpStream::connect(&address).unwrap();
    let read = ask(connect(), "GET", "/api/v3/user", &host, "");
    assert!(read.starts_with("HTTP/1.1 200") && read.contains("\"login\":\"robo\""), "{read}");
    assert!(!read.to_ascii_lowercase().contains("dpop-nonce"), "{read}");
    // What programs say of themselves does not count: they have nothing that is worth anything.
    let other = ask(connect(), "GET", "/api/v3/user", &format!("{host}Authorization: Bearer x\r\n"), "");
    assert!(other.contains("\"login\":\"robo\""), "{other}");
    let page = ask(connect(), "GET", "/api/v3/user", &format!("{host}Origin: https://evil.example\r\n"), "");
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
    let rebound = ask(connect(), "GET", "/api/v3/user", "Host: evil.example\r\n", "");
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
    let local =
        ask(UnixStream::connect(&socket).unwrap(), "GET", "/api/v3/user", "Host: forge.localhost\r\n", "");
    assert!(local.contains("\"login\":\"robo\""), "{local}");
    let made = ask(connect(), "POST", "/api/v3/user/repos", &host, "{\"name\":\"work\",\"private\":true}");
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");

    demand_bound_tokens(&place);
    let git = format!(
        "git init -q -b main w && cd w && head -c 3000000 /dev/urandom > large && git add . \
         && git -c user.name=r -c user.email=r@example.com commit -q -m one \
         && git push -q http://{address}/robo/work.git main \
         && cd .. && git clone -q http://{address}/robo/work.git c && cmp w/large c/large"
    );
    let ended = Ended::from(led(&place, &git).output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The token that the agent was given when it was made is of no use any more.
    let direct = format!("git ls-remote https://x:{token}@forge.localhost/robo/work.git");
    let ended = Ended::from(led(&place, &direct).env("GIT_TERMINAL_PROMPT", "0").output().unwrap());
    assert!(ended.code != Some(0) && ended.errors.contains("bound to a key"), "{ended:?}");
    assert_eq!(agent.stop().0, Some(0));
    assert!(!socket.exists());
    server.stop();
}

/// Has a site administrator demand that robo's tokens are bound.
fn demand_bound_tokens(place: &Place) {
    let root = ["admin", "user", "create", "root1", "--email", "root@example.com", "--admin"];
    assert!(place.run(&root).good().contains("/password/"));
    let token = ["admin", "token", "create", "root1", "--scopes", "site_admin,repo"];
    let token = place.run(&token).good();
    let curl = format!(
        "curl -sS -f -X PATCH https://forge.localhost/api/ext/v1/agents/robo -H 'Authorization: Bearer {}' \
         -d '{{\"bound_only\":true}}'",
        token.trim()
    );
    let ended = Ended::from(led(place, &curl).output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.output.contains("\"bound_only\":true"), "{ended:?}");
}
