//! The pages, in Chromium, with scripts and without. What holds on every page is checked on each one that is come to;
//! see `scripts/checks.mjs`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use forge_testing::{Database, for_each_database_sync};
use serde_json::json;

use crate::agents::{EXT, confirm, register};
use crate::browser::{Browser, Scripts};
use crate::machine::Machine;
use crate::people::{PASSWORD, join, set_up, setup_link};

/// The vector of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The first administrator comes in, goes out, and is let in again by the right password alone.
fn the_administrator_comes_and_goes(machine: &Machine, scripts: Scripts) {
    let link = setup_link(machine);
    let mut browser = Browser::open_on(machine, scripts);
    browser.open(&link);
    browser.fill("Login", "alice");
    browser.fill("E-mail address", "alice@forge.example");
    browser.fill("Password", "short");
    browser.press_expecting("Create the administrator", 422);
    browser.sees("There is a problem");
    browser.fill("Password", PASSWORD);
    browser.press_without_proof("Create the administrator");
    browser.open(&link);
    browser.fill("Login", "alice");
    browser.fill("E-mail address", "alice@forge.example");
    browser.fill("Password", PASSWORD);
    browser.press("Create the administrator");
    browser.sees("Signed in as alice");
    browser.keeps_its_cookies();
    browser.open_expecting(&link, 404);
    browser.open("/");
    browser.press("Sign out");
    browser.sees("You have signed out");
    browser.open("/settings/tokens");
    browser.sees("Sign in");
    browser.fill("Login", "alice");
    browser.fill("Password", "wrong horse battery staple");
    browser.press_expecting("Sign in", 422);
    browser.sees("There is a problem");
    browser.fill("Login", "alice");
    browser.fill("Password", PASSWORD);
    browser.press_without_proof("Sign in");
    browser.open("/settings/tokens");
    browser.fill("Login", "alice");
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.sees("There are none");
    tokens_are_shown_once_and_revoked(machine, &mut browser);
}

fn tokens_are_shown_once_and_revoked(machine: &Machine, browser: &mut Browser) {
    browser.follow("New token");
    browser.fill("Name", "laptop");
    browser.tick("repo");
    browser.tick("read:org");
    browser.choose("Ends", "7");
    browser.press_without_proof("Create token");
    browser.open("/settings/tokens");
    browser.sees("There are none");
    browser.follow("New token");
    browser.fill("Name", " ");
    browser.press_expecting("Create token", 422);
    browser.sees("There is a problem");
    browser.fill("Name", "laptop");
    browser.tick("repo");
    browser.press_expecting("Create token", 201);
    browser.sees("It is not shown again");
    let token = browser.secret();
    let person = machine.person("alice");
    assert_eq!(person.curl("GET", "/api/v3/user", Some(&token), None).0, 200);
    browser.follow("Done");
    browser.sees("laptop");
    browser.sees(&token[token.len() - 4..]);
    browser.sees_no(&token);
    browser.press_without_proof("Revoke laptop");
    assert_eq!(person.curl("GET", "/api/v3/user", Some(&token), None).0, 200);
    browser.open("/settings/tokens");
    browser.press("Revoke laptop");
    browser.sees("The token was revoked");
    browser.sees("There are none");
    assert_eq!(person.curl("GET", "/api/v3/user", Some(&token), None).0, 401);
}

/// From the page of an agent: the banner is on every page until the person stops acting as it.
fn an_agent_is_acted_as(browser: &mut Browser, login: &str) {
    browser.press(&format!("Act as {login}"));
    let banner = format!("You are acting as {login}");
    browser.sees_banner(&banner);
    for page in ["/", "/settings/tokens", "/settings/agents"] {
        browser.open(page);
        browser.sees_banner(&banner);
    }
    browser.open_expecting("/absent", 404);
    browser.sees_banner(&banner);
    browser.press_without_proof(&format!("Stop acting as {login}"));
    browser.open("/");
    browser.press("Stay for 15 more minutes");
    browser.sees_banner(&banner);
    browser.press(&format!("Stop acting as {login}"));
    browser.sees(&format!("You no longer act as {login}"));
    browser.sees_no("Acting as an agent");
}

for_each_database_sync! {
    fn set_up_signing_in_and_tokens_work_in_a_browser(database) {
        the_administrator_comes_and_goes(&Machine::start(database), Scripts::On);
    }

    fn set_up_signing_in_and_tokens_work_without_scripts(database) {
        the_administrator_comes_and_goes(&Machine::start(database), Scripts::Off);
    }

    fn agents_are_invited_managed_and_acted_as_in_a_browser(database) {
        let machine = Machine::start(database);
        let mut browser = join(&machine, "alice", Scripts::On);
        let agent = register(&machine, EXT);
        let person = machine.person("agent");
        let status_of = |token: &str| person.curl("GET", "/api/v3/user", Some(token), None).0;

        browser.follow("Agents");
        browser.follow("Invite an agent");
        browser.fill("Repositories 1, OWNER/NAME", "alice/absent");
        browser.press_expecting("Create invite", 422);
        browser.sees("does not exist");
        browser.fill("Repositories 1, OWNER/NAME", "");
        browser.fill("Only for the agent", &agent.login);
        browser.press_expecting("Create invite", 201);
        let invite = browser.secret();
        browser.follow("Done");
        browser.sees("pending");
        browser.sees_no(&invite);
        assert_eq!(confirm(&person, &agent.token, &invite), 201);
        browser.open("/settings/agents");
        browser.sees("accepted");

        browser.follow(&agent.login);
        browser.fill("Name", "The builder");
        browser.fill("About", "builds what it is told to");
        browser.press("Save");
        browser.sees("The builder");

        browser.fill("Reason", "looking into it");
        browser.press("Suspend");
        browser.sees("suspended: looking into it");
        assert_eq!(status_of(&agent.token), 401);
        browser.press("Restore");
        browser.sees("The agent is restored");
        assert_eq!(status_of(&agent.token), 200);

        an_agent_is_acted_as(&mut browser, &agent.login);

        browser.follow("Replace its credentials");
        browser.press("Replace its credentials");
        let fresh = browser.secret();
        assert_eq!((status_of(&agent.token), status_of(&fresh)), (401, 200));
        browser.follow("Done");
        browser.sees_no(&fresh);
        browser.follow("Let it go");
        browser.press("Let it go");
        browser.sees("is no longer yours");
        browser.sees("None is yours yet");
        browser.open_expecting(&format!("/settings/agents/{}", agent.login), 404);
        assert_eq!(status_of(&fresh), 200);
    }

    fn an_application_is_let_in_or_not_on_the_consent_page(database) {
        let machine = Machine::start(database);
        let mut browser = set_up(&machine, "alice", Scripts::On);
        let token = machine.run_forge(&["admin", "token", "create", "alice", "--scopes", "site_admin"]);
        let application = TcpListener::bind("127.0.0.1:0").unwrap();
        let back = format!("http://127.0.0.1:{}/callback", application.local_addr().unwrap().port());
        let person = machine.person("alice");
        let client = json!({ "name": "Notebook", "homepage": "https://notebook.example", "redirect_uris": [back] });
        let (status, client) =
            person.curl("POST", &format!("{EXT}/admin/oauth-clients"), Some(token.trim()), Some(&client));
        assert_eq!(status, 201, "{client}");
        let id = client["client_id"].as_str().unwrap();
        let ask = format!(
            "/login/oauth/authorize?response_type=code&client_id={id}&redirect_uri={back}&scope=repo&state=s1\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let answers = std::thread::spawn(move || [called_back(&application), called_back(&application)]);
        browser.open(&ask);
        browser.sees("Let Notebook act for you?");
        browser.sees("It will act as alice");
        browser.sees("(repo)");
        browser.sees("127.0.0.1");
        browser.press("Approve");
        browser.sees("Back in the notebook");
        browser.open(&ask);
        browser.press_without_proof("Approve");
        browser.open(&ask);
        browser.press("Decline");
        browser.sees("Back in the notebook");
        let [approved, declined] = answers.join().unwrap();
        assert!(declined.contains("error=access_denied") && !declined.contains("code="), "{declined}");
        assert!(approved.contains("state=s1") && approved.contains("iss="), "{approved}");
        let code = approved.split(['?', '&']).find_map(|part| part.strip_prefix("code=")).unwrap();
        let form = format!(
            "grant_type=authorization_code&client_id={id}&code={code}&redirect_uri={back}&code_verifier={VERIFIER}"
        );
        let answer = person.post_form("/login/oauth/access_token", &form);
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}"));
        assert_eq!(person.curl("GET", "/api/v3/user", Some(token), None).1["login"], "alice");
    }
}

/// Answers a browser until it comes back to the application, and returns what it brings.
fn called_back(application: &TcpListener) -> String {
    loop {
        let (mut stream, _) = application.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        let page = "<!doctype html><title>Notebook</title><p>Back in the notebook";
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len()).unwrap();
        let path = line.split(' ').nth(1).unwrap_or_default();
        // Browsers ask for an icon too.
        if path.starts_with("/callback") {
            return path.to_owned();
        }
    }
}

/// A page elsewhere sends the browser's cookies along and still changes nothing.
#[test]
fn a_form_on_another_site_changes_nothing() {
    let machine = Machine::start(Database::Sqlite);
    let mut browser = set_up(&machine, "alice", Scripts::On);
    let url = machine.run_info()["browser_url"].as_str().unwrap().to_owned();
    let page =
        format!("data:text/html,<form method=post action='{url}/logout'><button>A prize</button></form>");
    browser.open_elsewhere(&page);
    browser.press_expecting("A prize", 403);
    browser.open("/");
    browser.sees("Signed in as alice");
}
