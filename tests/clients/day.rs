//! A day in the life of an agent, with its own key, unmodified git and gh, and a human in a browser: consent, a task, its
//! bounds, a push that waits for the human, and the end in the middle of the next one.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use forge_testing::{for_each_database_sync, tools};
use serde_json::{Value, json};

use crate::agents::EXT;
use crate::browser::Scripts;
use crate::login::log_in_by_browser;
use crate::machine::{HOST, Machine, Person, must_fail, must_succeed};
use crate::people::set_up;

const PREFIX: &str = "agent/payment-bug/";

/// The local proxy that holds the agent's key.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: String,
    socket: PathBuf,
}

impl Proxy {
    fn start(bot: &Person<'_>, key: &Path, more: &[&str]) -> Self {
        let key = key.to_str().unwrap();
        Self::run(bot, &[&["--login", "builder", "--key", key], more].concat())
    }

    /// Starts one for whoever the words say.
    pub(crate) fn run(person: &Person<'_>, words: &[&str]) -> Self {
        let socket = person.home().join(format!("proxy{}.sock", words.len()));
        let mut command = person.command(tools::forge_binary());
        command.args(["agent", "proxy", "--listen", "127.0.0.1:0", "--url", &format!("https://{HOST}")]);
        command.arg("--socket").arg(&socket).args(words);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().find(|word| word.starts_with("http://"));
        let address = address.unwrap_or_else(|| panic!("the proxy says: {line}")).to_owned();
        Self { child, address, socket }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key for a new agent at the console, and returns the file in which the agent keeps it.
fn new_agent(machine: &Machine, bot: &Person<'_>) -> PathBuf {
    let words =
        ["admin", "agent", "create", "builder", "--description", "builds things", "--key", "generate"];
    let printed = machine.run_forge(&words);
    let pem = &printed[printed.find("-----BEGIN").expect("a key")..];
    let file = bot.home().join("key.pem");
    let script = format!("umask 077; cat > '{}' << 'END'\n{pem}END", file.display());
    must_succeed(bot.command("/bin/sh").args(["-c", &script]));
    file
}

/// Returns the agent's git: everything of the forge goes through the proxy.
pub(crate) fn through(bot: &Person<'_>, proxy: &Proxy) {
    let rule = format!("url.{}/.insteadOf", proxy.address);
    bot.git(bot.home(), &["config", "--global", &rule, &format!("https://{HOST}/")]);
}

for_each_database_sync! {
    fn an_agent_works_under_a_task_until_its_human_stops_it(database) {
        let machine = Machine::start(database);
        let bot = machine.person("bot");
        let key = new_agent(&machine, &bot);
        let mut browser = set_up(&machine, "alice", Scripts::Off);
        let alice = machine.person("alice");
        log_in_by_browser(&alice, &mut browser, "alice");
        alice.gh(&["repo", "create", "payments", "--private", "--add-readme"]);
        let token = alice.gh(&["auth", "token", "--hostname", HOST]).trim().to_owned();

        // The human invites, the agent agrees with its key.
        browser.open("/settings/agents/invite");
        browser.press_expecting("Create invite", 201);
        let invite = json!({ "invite_token": browser.secret() });
        {
            let own = Proxy::start(&bot, &key, &[]);
            let mut curl = bot.command("curl");
            curl.args(["--silent", "--fail", "--noproxy", "*", "--json", &invite.to_string()]);
            must_succeed(curl.arg(format!("{}{EXT}/agent-bindings/confirm", own.address)));
        }

        // A task: branches of its own, and a look at whatever moves them on.
        let details = json!({
            "agent": "builder", "task": "fix the payment bug", "resources": ["repo:alice/payments"],
            "actions": ["read_code", "create_branch", "push_branch"],
            "constraints": { "branch_prefix": PREFIX, "requires_approval": ["push_branch"] },
        });
        let (status, grant) = alice.curl("POST", &format!("{EXT}/task-grants"), Some(&token), Some(&details));
        assert_eq!(status, 201, "{grant}");
        let grant = grant["id"].as_str().unwrap();
        let proxy = Proxy::start(&bot, &key, &["--grant", grant]);
        through(&bot, &proxy);

        let work = bot.home().join("payments");
        bot.git(bot.home(), &["clone", "--quiet", &format!("https://{HOST}/alice/payments.git")]);
        let commit = |text: &str| {
            bot.git(&work, &["commit", "--quiet", "--allow-empty", "--message", text]);
            bot.git(&work, &["rev-parse", "HEAD"]).trim().to_owned()
        };
        bot.command(tools::gh()).args(["config", "set", "http_unix_socket"]).arg(&proxy.socket).status().unwrap();
        let mut gh = bot.command(tools::gh());
        gh.env("GH_ENTERPRISE_TOKEN", "unused").args(["repo", "view", "alice/payments", "--json", "name"]);
        assert!(must_succeed(&mut gh).contains("payments"));

        commit("first");
        let branch = format!("HEAD:refs/heads/{PREFIX}fix");
        bot.git(&work, &["push", "--quiet", "origin", &branch]);
        let refused = bot.git_fails(&work, &["push", "origin", "HEAD:main"]);
        assert!(refused.contains(&format!("grant {grant} allows refs/heads/{PREFIX}*")), "{refused}");

        // It waits, the human looks and agrees.
        let second = commit("second");
        let held = bot.git_fails(&work, &["push", "origin", &branch]);
        assert!(held.contains("forge-approval:") && held.contains("held for approval apr_"), "{held}");
        browser.open("/approvals");
        browser.sees(&format!("refs/heads/{PREFIX}fix"));
        browser.follow(&format!("push to {PREFIX}fix of alice/payments"));
        let wish = format!("builder wants to push 1 commit to {PREFIX}fix of alice/payments");
        for shown in [wish.as_str(), "fix the payment bug", "second"] {
            browser.sees(shown);
        }
        browser.press("Approve");
        browser.sees("You approved, and it is done.");
        let tip = format!("/api/v3/repos/alice/payments/git/ref/heads/{PREFIX}fix");
        let at = |expected: &str| {
            let (status, found) = alice.curl("GET", &tip, Some(&token), None);
            assert_eq!((status, &found["object"]["sha"]), (200, &expected.into()), "{found}");
        };
        at(&second);

        // The next one waits on the line when the human ends the task.
        commit("third");
        let mut pushing = bot.git_command(&work);
        pushing.args(["push", "--push-option", "forge.wait=120", "origin", &branch]).stderr(Stdio::piped());
        let pushing = pushing.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let waiting = loop {
            let path = format!("{EXT}/approvals?state=pending");
            let (_, found) = alice.curl("GET", &path, Some(&token), None);
            if let Some(id) = found[0]["id"].as_str() {
                break id.to_owned();
            }
            assert!(Instant::now() < deadline, "the push does not wait: {found}");
            std::thread::sleep(Duration::from_millis(100));
        };
        let (status, _) = alice.curl("DELETE", &format!("{EXT}/task-grants/{grant}"), Some(&token), None);
        assert_eq!(status, 204);
        let started = Instant::now();
        let output = pushing.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("cancelled"), "{said}");
        assert!(started.elapsed() < Duration::from_secs(30), "it waited on");
        browser.open(&format!("/approvals/{waiting}"));
        browser.sees("what it was asked with has ended");
        at(&second);
        must_fail(bot.git_command(&work).args(["fetch", "origin"]));

        // The human takes the agent back from whoever has its key.
        browser.open("/settings/agents/builder");
        browser.follow("Replace its credentials");
        browser.press("Replace its credentials");
        let fresh = browser.secret();
        assert_eq!(bot.curl("GET", "/api/v3/user", Some(&fresh), None).1["login"], "builder");
        let mut late = bot.command(tools::forge_binary());
        late.args(["agent", "proxy", "--login", "builder", "--listen", "127.0.0.1:0", "--key"]).arg(&key);
        must_fail(late.args(["--url", &format!("https://{HOST}")]));

        // All of it can be read, with both names.
        let (status, events) = alice.curl("GET", &format!("{EXT}/audit-events?grant={grant}&per_page=100"), Some(&token), None);
        assert_eq!(status, 200, "{events}");
        let named: Vec<&str> = events.as_array().unwrap().iter().filter_map(|event| event["action"].as_str()).collect();
        for action in ["refs.updated", "approval.requested"] {
            assert!(named.contains(&action), "no {action}: {named:?}");
        }
        let is_whole = |event: &Value| event["actor"]["login"] == "builder" && event["delegator"]["login"] == "alice";
        assert!(events.as_array().unwrap().iter().any(is_whole), "{events}");
    }
}
