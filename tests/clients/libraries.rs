//! Octokit and PyGithub, as humans and agents use them: the programs are in `scripts/`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use forge_testing::{for_each_database_sync, tools};
use serde_json::{Value, json};

use crate::agents::{EXT, register};
use crate::browser::Scripts;
use crate::machine::{Machine, must_succeed};
use crate::people::set_up;
use crate::scripts::script;

/// Runs the program that uses Octokit.
fn octokit(machine: &Machine, login: &str, token: &str) {
    let program = script(machine.folder(), "octokit.mjs");
    let mut node = machine.person(login).command("node");
    must_succeed(node.arg(program).args([login, token, "tools"]));
}

for_each_database_sync! {
    fn octokit_works_for_a_human_and_for_an_agent(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        machine.person("alice").curl("POST", "/api/v3/user/repos", Some(&token), Some(&json!({ "name": "other" })));
        let agent = register(&machine, EXT);
        script(machine.folder(), "octokit.mjs");
        // Octokit paces itself to a change a second, so the two work beside each other.
        std::thread::scope(|threads| {
            threads.spawn(|| octokit(&machine, &agent.login, &agent.token));
            octokit(&machine, "alice", &token);
        });
    }

    fn octokits_device_flow_is_approved_in_a_browser(database) {
        let machine = Machine::start(database);
        let mut browser = set_up(&machine, "alice", Scripts::On);
        let token = machine.run_forge(&["admin", "token", "create", "alice", "--scopes", "site_admin"]);
        let alice = machine.person("alice");
        let client = json!({ "name": "Octokit app", "allows_device": true });
        let (status, client) = alice.curl("POST", &format!("{EXT}/admin/oauth-clients"), Some(token.trim()), Some(&client));
        assert_eq!(status, 201, "{client}");
        let mut node = alice.command("node");
        node.arg(script(machine.folder(), "octokit_device.mjs")).args([client["client_id"].as_str().unwrap(), "repo", "read:org"]);
        let mut node = node.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(node.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let asked: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        browser.open(asked["verification_uri"].as_str().unwrap());
        browser.fill("Code", asked["user_code"].as_str().unwrap());
        browser.press("Continue");
        browser.sees("Let Octokit app act for you?");
        browser.press("Approve");
        let mut said = String::new();
        output.read_to_string(&mut said).unwrap();
        assert!(node.wait().unwrap().success(), "{said}");
        let me: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(me, json!({ "login": "alice", "scopes": ["repo", "read:org"] }));
    }

    fn pygithub_works_for_a_human_and_for_an_agent(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let agent = register(&machine, EXT);
        for (login, token) in [("alice", &token), (agent.login.as_str(), &agent.token)] {
            let program = script(machine.folder(), "pygithub_client.py");
            let mut python = machine.person(login).command(tools::python());
            must_succeed(python.arg(program).args([login, token, "tools"]));
        }
    }
}
