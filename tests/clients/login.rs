//! `gh auth`: the device flow with a browser, tokens by hand, and what no token and a wrong one get.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ExitStatus, Stdio};

use forge_testing::{for_each_database_sync, tools};

use crate::browser::{Browser, Scripts};
use crate::machine::{HOST, Machine, Person, altered, must_fail, must_succeed};
use crate::people::{PASSWORD, set_up};

/// A gh that waits for somebody to type its code.
pub(crate) struct Waiting {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
    said: String,
    /// The code that it shows.
    pub(crate) code: String,
    /// Where it says the code is typed.
    pub(crate) address: String,
}

impl Waiting {
    /// Runs `gh auth login --hostname forge.localhost --web` and reads what it shows.
    #[track_caller]
    pub(crate) fn begin(person: &Person<'_>) -> Self {
        let mut login = person.command(tools::gh());
        login.args(["auth", "login", "--hostname", HOST, "--git-protocol", "https", "--web"]);
        let mut child = login.stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("/login/device") {
            let read = errors.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "gh ended without showing a code: {said}");
        }
        let after = |marker: &str| {
            said.split_once(marker).map_or("", |(_, rest)| rest.split_whitespace().next().unwrap())
        };
        let (code, address) =
            (after("one-time code: ").to_owned(), crate::people::link_in(&said, "/login/device"));
        assert_eq!(code.len(), 9, "no code: {said}");
        Self { child, errors, said, code, address }
    }

    /// Waits until it ends, and returns how and everything it said.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        self.errors.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap(), self.said)
    }
}

/// Types the code of gh and comes to the question, which says who asks for what from where.
#[track_caller]
pub(crate) fn type_code(browser: &mut Browser, waiting: &Waiting, login: &str) {
    browser.open(&waiting.address);
    browser.fill("Code", &waiting.code.to_lowercase().replace('-', " "));
    browser.press("Continue");
    browser.sees("Let GitHub CLI act for you?");
    browser.sees(&format!("It will act as {login}"));
    for asked in [
        "(repo)",
        "(read:org)",
        "(gist)",
        "127.0.0.1",
        "GitHub CLI 2.",
        "less than a minute ago",
        &waiting.code,
    ] {
        browser.sees(asked);
    }
}

/// Logs in through the browser, as the README says.
#[track_caller]
pub(crate) fn log_in_by_browser(person: &Person<'_>, browser: &mut Browser, login: &str) {
    let waiting = Waiting::begin(person);
    type_code(browser, &waiting, login);
    browser.press("Approve");
    browser.sees("The device is connected");
    let (status, said) = waiting.end();
    assert!(status.success(), "{said}");
    assert!(said.contains(&format!("Logged in as {login}")), "{said}");
    person.gh(&["auth", "setup-git", "--hostname", HOST]);
}

for_each_database_sync! {
    fn a_person_logs_in_with_a_key_that_stays_on_the_machine(database) {
        let machine = Machine::start(database);
        let mut browser = set_up(&machine, "alice", Scripts::On);
        let alice = machine.person("alice");
        let forge = |words: &[&str]| {
            let mut forge = alice.command(tools::forge_binary());
            forge.args(words);
            forge
        };
        let said = must_fail(&mut forge(&["auth", "status"]));
        assert!(said.contains("nobody is logged in"), "{said}");
        let mut login = forge(&["auth", "login"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(login.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let code = line.trim().rsplit(' ').next().unwrap().to_owned();
        browser.open(&crate::people::link_in(&line, "/login/device"));
        browser.fill("Code", &code);
        browser.press("Continue");
        browser.sees("Let Forge on the command line act for you?");
        browser.press("Approve");
        browser.sees("The device is connected");
        let ended = login.wait_with_output().unwrap();
        assert!(ended.status.success());
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(said.ends_with("as alice\n"), "{said}");

        // What a thief finds who does not find the key is worth nothing.
        let kept = std::fs::read_to_string(alice.home().join(".config/forge").join(HOST).join("login.json")).unwrap();
        let token = serde_json::from_str::<serde_json::Value>(&kept).unwrap()["token"].as_str().unwrap().to_owned();
        assert!(token.starts_with("fgeo_") && !said.contains(&token));
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&token), None).0, 401);
        let status = must_succeed(&mut forge(&["auth", "status"]));
        assert!(status.contains("as alice, with the key "), "{status}");

        // Unmodified programs go through the local proxy.
        let proxy = crate::day::Proxy::run(&alice, &[]);
        crate::day::through(&alice, &proxy);
        let body = serde_json::json!({ "name": "notes", "private": true, "auto_init": true }).to_string();
        let repos = format!("{}/api/v3/user/repos", proxy.address);
        must_succeed(alice.command("curl").args(["--silent", "--fail", "--data", &body, &repos]));
        alice.git(alice.home(), &["clone", "--quiet", &format!("https://{HOST}/alice/notes.git"), "notes"]);
        let notes = alice.home().join("notes");
        alice.git(&notes, &["commit", "--quiet", "--allow-empty", "--message", "by key"]);
        alice.git(&notes, &["push", "--quiet", "origin", "HEAD"]);

        // Logging out ends it, also for the proxy that goes on.
        let said = must_succeed(&mut forge(&["auth", "logout"]));
        assert!(said.contains("logged out"), "{said}");
        let refused = alice.git_fails(&notes, &["fetch", "--quiet"]);
        assert!(refused.contains("could not read Username"), "git is asked who it is: {refused}");
        assert!(!alice.home().join(".config/forge").join(HOST).join("key.pem").exists());
        must_fail(&mut forge(&["auth", "status"]));
        must_fail(&mut forge(&["agent", "proxy", "--listen", "127.0.0.1:0"]));
    }

    fn gh_logs_in_by_a_code_that_is_approved_in_a_browser(database) {
        let machine = Machine::start(database);
        let mut browser = set_up(&machine, "alice", Scripts::On);
        let alice = machine.person("alice");
        log_in_by_browser(&alice, &mut browser, "alice");
        let status = alice.gh(&["auth", "status", "--hostname", HOST]);
        assert!(status.contains("Logged in to forge.localhost account alice"), "{status}");
        assert!(alice.gh(&["auth", "token", "--hostname", HOST]).starts_with("fgeo_"));
        let headers = alice.gh(&["api", "--include", "--silent", "/"]).to_lowercase();
        let scopes = headers.lines().find_map(|line| line.strip_prefix("x-oauth-scopes: ")).unwrap();
        let mut scopes: Vec<_> = scopes.split(',').map(str::trim).collect();
        scopes.sort_unstable();
        assert_eq!(scopes, ["gist", "read:org", "repo"]);
        alice.gh(&["repo", "create", "hello", "--private", "--add-readme"]);
        let hello = format!("https://{HOST}/alice/hello.git");
        alice.git(alice.home(), &["clone", "--quiet", &hello, "hello"]);
        browser.open("/settings/tokens");
        browser.sees("GitHub CLI");
        browser.press("Revoke GitHub CLI");
        let status = alice.gh_fails(&["auth", "status", "--hostname", HOST]);
        assert!(status.contains("invalid"), "a revoked token is dead at once: {status}");
        alice.git_fails(alice.home(), &["ls-remote", &hello]);
    }

    fn a_declined_code_leaves_gh_outside(database) {
        let machine = Machine::start(database);
        let mut browser = set_up(&machine, "alice", Scripts::Off);
        browser.press("Sign out");
        let alice = machine.person("alice");
        let waiting = Waiting::begin(&alice);
        browser.open(&waiting.address);
        browser.sees("Sign in");
        browser.fill("Login", "alice");
        browser.fill("Password", PASSWORD);
        browser.press("Sign in");
        browser.fill("Code", "BBBB-BBBB");
        browser.press_expecting("Continue", 422);
        browser.sees("There is a problem");
        type_code(&mut browser, &waiting, "alice");
        browser.press("Decline");
        browser.sees("The device was declined");
        let (status, said) = waiting.end();
        assert!(!status.success() && said.contains("access_denied"), "{said}");
        alice.gh_fails(&["auth", "status", "--hostname", HOST]);
        browser.open("/settings/tokens");
        browser.sees("There are none");
    }

    fn gh_auth_keeps_and_forgets_a_token(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        let status = alice.gh(&["auth", "status", "--hostname", HOST]);
        assert!(status.contains("alice"), "{status}");
        assert_eq!(alice.gh(&["auth", "token", "--hostname", HOST]).trim(), token);
        let settings = alice.git(alice.home(), &["config", "--global", "--get-all", &format!("credential.https://{HOST}.helper")]);
        assert!(settings.contains("auth git-credential"), "{settings}");
        alice.gh(&["auth", "logout", "--hostname", HOST, "--user", "alice"]);
        alice.gh_fails(&["auth", "status", "--hostname", HOST]);
        alice.gh_fails(&["auth", "token", "--hostname", HOST]);
    }

    fn a_token_with_too_few_scopes_or_a_wrong_one_logs_nobody_in(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        let narrow = machine.run_forge(&["admin", "token", "create", "alice", "--scopes", "gist"]);
        let said = alice.try_to_log_in(narrow.trim());
        assert!(said.contains("missing required scope"), "{said}");
        let said = alice.try_to_log_in(&altered(&token));
        assert!(said.contains("HTTP 401"), "{said}");
    }

    fn no_token_an_empty_one_and_a_wrong_one_are_nobody(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let mallory = machine.person("mallory");
        let refused = mallory.gh_fails(&["api", "user", "--hostname", HOST]);
        assert!(refused.contains("Requires authentication (HTTP 401)"), "{refused}");
        mallory.gh_fails(&["auth", "status", "--hostname", HOST]);
        let altered = format!("token {}", altered(&token));
        for authorization in ["", "token", "token ", "Bearer", &altered] {
            let header = format!("Authorization: {authorization}");
            for (path, body) in [("/api/v3/", None), ("/api/v3/user", None), ("/api/graphql", Some(r#"{"query":"{viewer{login}}"}"#))] {
                let mut curl = mallory.command("curl");
                curl.args(["--silent", "--write-out", "\n%{http_code}", "--header", &header, &format!("https://{HOST}{path}")]);
                curl.args(body.into_iter().flat_map(|body| ["--data", body]));
                let answer = must_succeed(&mut curl);
                assert!(answer.ends_with("\n401") && answer.contains("\"message\""), "{path} `{authorization}`: {answer}");
            }
        }
        let mut with_wrong = mallory.command(tools::gh());
        with_wrong.args(["repo", "view", "alice/absent"]).env("GH_ENTERPRISE_TOKEN", "fgep_nonsense");
        let said = must_fail(&mut with_wrong);
        assert!(said.contains("Bad credentials") && said.contains("gh auth login"), "{said}");
    }
}
