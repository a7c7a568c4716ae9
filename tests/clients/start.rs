//! The first start and the next ones: what is printed, what is made, what `forge env` does.

use forge_testing::{Database, for_each_database_sync};

use crate::machine::{HOST, Machine, exit_code, must_succeed};

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
        let without = must_succeed(
            person.command("sh").args(["-c", r#"eval "$("$FORGE" env --unset)"; echo "${GH_HOST-none} ${HTTPS_PROXY-none}""#]),
        );
        assert_eq!(without.trim(), "none none");
    }
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
