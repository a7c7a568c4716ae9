//! The first start and the next ones: what is printed, what is made, what `forge env` does.

use std::net::TcpListener;

use forge_testing::{Database, for_each_database_sync};

use crate::machine::{HOST, Machine, User, exit_code, must_succeed};

const HTTPS: u16 = 443;
const HTTPS_WITHOUT_ROOT: u16 = 8443;

for_each_database_sync! {
    fn the_first_start_prints_its_secrets_and_the_next_does_not(database) {
        let mut machine = Machine::start(database);
        let key = machine.registration_key();
        let first = machine.server().output(&key);
        assert!(first.contains("listens at https://forge.localhost:"), "{first}");
        assert!(first.contains("/setup/"), "{first}");
        machine.restart();
        let second = machine.server().output("listens at https://forge.localhost:");
        assert!(!second.contains("/setup/") && !second.contains(&key), "{second}");
        assert_eq!(machine.registration_key(), key);
    }

    fn what_a_server_keeps_is_readable_by_itself_alone(database) {
        use std::os::unix::fs::PermissionsExt as _;
        let machine = Machine::start(database);
        for name in ["keys.toml", "run.json", "control.sock"] {
            let mode = std::fs::symlink_metadata(machine.data().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
        }
    }

    fn a_shell_led_to_the_forge_reaches_and_trusts_it(database) {
        let machine = Machine::start(database);
        let person = machine.person("alice");
        let (status, metadata) = person.curl("GET", "/.well-known/oauth-authorization-server", None, None);
        assert_eq!((status, &metadata["issuer"]), (200, &format!("https://{HOST}").into()));
        let names = "GH_HOST HTTPS_PROXY https_proxy SSL_CERT_FILE GIT_SSL_CAINFO CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS";
        let left = format!(r#"eval "$("$FORGE" env --unset)"; for name in {names}; do printenv $name; done; true"#);
        assert_eq!(must_succeed(person.command("sh").args(["-c", &left])), "");
    }
}

/// The command of the README with nothing added: port 443 for whom it may have it, 8443 for everybody else, and
/// `forge env` leads gh and git there in both cases.
#[test]
fn the_plain_command_serves_gh_and_git_with_root_and_without() {
    let first_free = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let everybody_may = first_free.is_ok_and(|first| first.trim().parse::<u16>().unwrap() <= HTTPS);
    let is_root = rustix::process::geteuid().is_root();
    let users = if is_root { &[User::Oneself, User::Nobody][..] } else { &[User::Oneself] };
    for &user in users {
        let is_free = TcpListener::bind(("127.0.0.1", HTTPS)).is_ok() || !is_root;
        let may = everybody_may || (user == User::Oneself && is_root);
        let machine = Machine::start_as(user, Database::Sqlite, &[]);
        let port = if may && is_free { HTTPS } else { HTTPS_WITHOUT_ROOT };
        let listen = machine.run_info()["listen"][0].as_str().unwrap().to_owned();
        assert_eq!(listen, format!("127.0.0.1:{port}"), "{user:?}");
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "hello", "--private", "--add-readme", "--clone"]);
        let clone = alice.home().join("hello");
        alice.git(&clone, &["commit", "--quiet", "--allow-empty", "--message", "hello"]);
        alice.git(&clone, &["push", "--quiet"]);
        let data = std::fs::metadata(machine.data().join("keys.toml")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&data) == 65534, user == User::Nobody);
    }
}

#[test]
fn the_printed_command_leads_a_shell_in_any_folder_to_the_forge() {
    let machine = Machine::start(Database::Sqlite);
    let printed = machine.server().output("eval ");
    let line = printed.lines().find_map(|line| line.split_once("eval ")).expect("a command");
    let elsewhere = tempfile::tempdir().unwrap();
    let script = format!("eval {} && curl --silent https://{HOST}/api/v3/meta", line.1);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut shell = std::process::Command::new("/bin/sh");
    let answer =
        must_succeed(shell.args(["-c", &script]).current_dir(&elsewhere).env_clear().env("PATH", path));
    assert!(answer.contains("installed_version"), "{answer}");
    let authority =
        printed.lines().find_map(|line| line.split_once("until they trust ")).expect("a certificate").1;
    assert!(std::fs::read_to_string(authority).unwrap().contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_server_that_holds_the_data_keeps_a_second_one_out() {
    let machine = Machine::start(Database::Sqlite);
    let mut second = machine.forge(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(exit_code(&mut second), Some(3));
}

#[test]
fn the_environment_names_the_host_and_the_bundle() {
    let machine = Machine::start(Database::Sqlite);
    let environment = machine.run_forge(&["env"]);
    assert!(environment.contains(&format!("export GH_HOST='{HOST}'")), "{environment}");
    let bundle = environment.lines().find_map(|line| line.strip_prefix("export SSL_CERT_FILE='"));
    let bundle = std::fs::read_to_string(bundle.unwrap().trim_end_matches('\'')).unwrap();
    assert!(bundle.contains("BEGIN CERTIFICATE"));
}
