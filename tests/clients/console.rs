//! The commands of the console and their exit codes: 0 good, 1 a finding, 2 usage, 3 no server or data.

use forge_testing::{Database, for_each_database_sync};

use crate::machine::{Machine, exit_code};

for_each_database_sync! {
    fn accounts_and_tokens_are_made_from_the_shell(database) {
        let machine = Machine::start(database);
        let link = machine.run_forge(&["admin", "user", "create", "alice", "--email", "alice@forge.example"]);
        assert!(link.contains("https://forge.localhost:") && link.contains("/password/"), "{link}");
        let token = machine.run_forge(&["admin", "token", "create", "alice", "--scopes", "repo,read:org"]);
        assert_eq!(token.lines().count(), 1, "the token stands alone: {token}");
        let (status, tokens) =
            machine.person("alice").curl("GET", "/api/ext/v1/user/tokens", Some(token.trim()), None);
        assert_eq!((status, &tokens[0]["is_current"]), (200, &true.into()), "{tokens}");
    }

    fn commands_work_without_a_running_server_too(database) {
        let mut machine = Machine::start(database);
        let key = machine.registration_key();
        machine.stop();
        assert_eq!(machine.registration_key(), key);
        let rotated = machine.run_forge(&["admin", "registration-key", "--rotate"]);
        assert_ne!(rotated.trim(), key);
        machine.run_forge(&["admin", "user", "create", "bob", "--email", "bob@forge.example"]);
    }

    fn each_kind_of_failure_has_its_exit_code(database) {
        let machine = Machine::start(database);
        let code = |words: &[&str]| exit_code(&mut machine.forge(words));
        assert_eq!(code(&["env"]), Some(0));
        assert_eq!(code(&["admin", "registration-key"]), Some(0));
        assert_eq!(code(&["admin", "token", "create", "nobody", "--scopes", "repo"]), Some(1));
        assert_eq!(code(&["admin", "user", "create", "admin", "--email", "x@forge.example"]), Some(2), "reserved");
        assert_eq!(code(&["admin", "user", "create"]), Some(2));
        assert_eq!(code(&["admin", "token", "create", "nobody", "--scopes", "everything"]), Some(2));
        assert_eq!(code(&["nonsense"]), Some(2));
        assert_eq!(code(&[]), Some(2));
        assert_eq!(code(&["--help"]), Some(0));
        assert_eq!(code(&["serve", "--url", "not a url"]), Some(2));
    }
}

#[test]
fn without_server_and_data_the_exit_code_is_3() {
    let mut machine = Machine::start(Database::Sqlite);
    machine.stop();
    std::fs::remove_dir_all(machine.data()).unwrap();
    for words in [&["env"][..], &["admin", "registration-key"], &["admin", "setup-link"]] {
        assert_eq!(exit_code(&mut machine.forge(words)), Some(3), "{words:?}");
    }
}
