//! What the log says at its most talkative: much, but no secret, however it is presented and whatever becomes of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use forge_testing::{Database, for_each_database_sync};
use serde_json::{Value, json};

use crate::agents::{EXT, push, register};
use crate::machine::{HOST, Machine, Person, altered};
use crate::people::{PASSWORD, setup_link};

/// What is no secret, to show that whatever stands in its place would be found.
const MARKER: &str = "a-repository-that-nobody-has";

/// What must not be found, each with what it is.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    #[track_caller]
    fn add(&mut self, what: &str, value: &str) -> String {
        assert!(value.len() >= 8, "{what} is too short to be looked for: `{value}`");
        self.0.push((what.to_owned(), value.to_owned()));
        value.to_owned()
    }

    #[track_caller]
    fn add_field(&mut self, answer: &Value, pointer: &str) -> String {
        let value = answer.pointer(pointer).and_then(Value::as_str);
        self.add(pointer, value.unwrap_or_else(|| panic!("no {pointer}: {answer}")))
    }

    /// Returns the first of them that the log holds, as it is or as it travels, with the line.
    fn find_in(&self, log: &str) -> Option<String> {
        self.0.iter().find_map(|(what, value)| {
            let forms = forms(value);
            let line = log.lines().find(|line| forms.iter().any(|form| line.contains(form)))?;
            Some(format!("{what}, `{value}`: {line}"))
        })
    }
}

/// Returns a value as it may stand in a log: plain, escaped, in hexadecimal, and in Base64 beside anything.
fn forms(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.to_owned(),
        value.replace(' ', "+"),
        value.replace(' ', "%20"),
        HEXLOWER.encode(value.as_bytes()),
        format!("{:?}", value.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ];
    for before in 0..3 {
        // The letters at both ends depend on the neighbours too.
        let text = BASE64.encode(format!("{}{value}", &"xx"[..before]).as_bytes());
        let end = text.trim_end_matches('=').len() - usize::from(text.ends_with('='));
        forms.push(text[if before == 0 { 0 } else { 4 }..end].to_owned());
    }
    forms
}

/// Someone who speaks one version of HTTP with curl.
struct Curl<'m> {
    person: &'m Person<'m>,
    version: &'static str,
}

impl Curl<'_> {
    /// Sends a request and returns what was answered, head included. It need not be a request that anybody understands.
    fn send(&self, path: &str, arguments: &[&str]) -> String {
        let jar = self.jar();
        let mut curl = self.person.command("curl");
        curl.args(["--silent", "--include", "--cookie-jar"]).arg(&jar).arg("--cookie").arg(&jar);
        curl.arg(self.version).args(arguments).arg(format!("https://{HOST}{path}"));
        String::from_utf8_lossy(&curl.output().unwrap().stdout).into_owned()
    }

    fn jar(&self) -> PathBuf {
        self.person.home().join("cookies")
    }

    /// Returns the JSON of the answer to a POST.
    #[track_caller]
    fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let bearer = format!("Authorization: Bearer {token}");
        let answer = self.send(path, &["--header", &bearer, "--data", &body.to_string()]);
        json_of(&answer)
    }

    /// Fills in the form of a page and returns what that was answered.
    #[track_caller]
    fn submit(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let page = self.send(path, &[]);
        let (_, rest) =
            page.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
        let mut arguments =
            vec!["--data-urlencode".to_owned(), format!("csrf={}", rest.split('"').next().unwrap())];
        for (name, value) in fields {
            arguments.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
        }
        self.send(path, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[track_caller]
fn json_of(answer: &str) -> Value {
    let body = answer.rsplit_once("\r\n\r\n").map_or(answer, |(_, body)| body);
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The administrator follows the link of the first start and signs in; returns the value of each cookie.
fn sign_in(machine: &Machine, curl: &Curl<'_>, secrets: &mut Secrets) {
    let link = setup_link(machine);
    let path = &link[link.find("/setup/").unwrap()..];
    secrets.add("the set-up link", path.rsplit('/').next().unwrap());
    let password = secrets.add("the password", PASSWORD);
    curl.send("/setup/an-altered-link", &[]);
    let email = "olga@forge.example";
    let made = curl.submit(path, &[("login", "olga"), ("email", email), ("password", &password)]);
    assert!(made.contains(" 303 "), "{made}");
    let wrong = secrets.add("a wrong password", "incorrect horse battery staple");
    std::fs::remove_file(curl.jar()).unwrap();
    assert!(curl.submit("/login", &[("login", "olga"), ("password", &wrong)]).contains(" 422 "));
    let entered = curl.submit("/login", &[("login", "olga"), ("password", &password)]);
    assert!(entered.contains(" 303 "), "{entered}");
    assert!(curl.send("/settings/tokens", &[]).contains("Sign out"));
    for line in std::fs::read_to_string(curl.jar()).unwrap().lines() {
        if let [.., name, value] = line.split('\t').collect::<Vec<_>>().as_slice() {
            secrets.add(name, value);
        }
    }
}

/// A device is connected by its code, and its token revoked.
fn connect_device(curl: &Curl<'_>, human: &str, secrets: &mut Secrets) {
    let accept = ["--header", "Accept: application/json", "--data"];
    let form = |path: &str, form: &str| json_of(&curl.send(path, &[accept.as_slice(), &[form]].concat()));
    let client = "client_id=178c6fc778ccc68e1d6a";
    let asked = form("/login/device/code", &format!("{client}&scope=repo"));
    let device = secrets.add_field(&asked, "/device_code");
    let code = secrets.add_field(&asked, "/user_code");
    curl.send(&format!("/login/device?user_code={code}"), &[]);
    curl.post(&format!("{EXT}/oauth/device/approve"), human, &json!({ "user_code": code }));
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let token =
        form("/login/oauth/access_token", &format!("{client}&device_code={device}&grant_type={grant}"));
    let token = secrets.add_field(&token, "/access_token");
    form("/login/oauth/access_token", &format!("{client}&device_code={device}&grant_type={grant}"));
    curl.send("/login/oauth/introspect", &["--data", &format!("token={token}")]);
    curl.send("/login/oauth/revoke", &["--data", &format!("{client}&token={token}")]);
}

/// Agents register, are bound, recovered and acted as; returns a token that is good.
fn keep_agents(machine: &Machine, curl: &Curl<'_>, human: &str, secrets: &mut Secrets) -> String {
    let key = secrets.add("the registration key", &machine.registration_key());
    let agent = register(machine, EXT);
    let token = secrets.add("the agent's token", &agent.token);
    push(curl.person, &agent.repository, &token, &format!("pushed{}", curl.version));
    let bare = json!({ "prefix_login": "bare", "default_repo_name": "work", "credential": "bootstrap" });
    let bare = curl.post(&format!("{EXT}/agents"), &key, &bare);
    let bootstrap = secrets.add_field(&bare, "/token");
    let login = bare["login"].as_str().unwrap();
    let exchange = format!("grant_type=client_credentials&client_id={login}&client_secret={bootstrap}");
    let session = curl
        .send("/login/oauth/access_token", &["--header", "Accept: application/json", "--data", &exchange]);
    secrets.add_field(&json_of(&session), "/access_token");
    let basic = format!("{login}:{bootstrap}");
    curl.send("/login/oauth/access_token", &["--user", &basic, "--data", "grant_type=client_credentials"]);

    let invite = curl.post(&format!("{EXT}/agent-invites"), human, &json!({}));
    let invite = secrets.add_field(&invite, "/invite_token");
    let bound =
        curl.post(&format!("{EXT}/agent-bindings/confirm"), &token, &json!({ "invite_token": invite }));
    assert_eq!(bound["agent_login"], agent.login, "{bound}");
    let own = format!("{EXT}/agent-bindings/{}", agent.login);
    let switch = curl.post(&format!("{own}/switch-session"), human, &json!({}));
    let switch = secrets.add_field(&switch, "/token/token");
    let renewed = curl.post(&format!("{own}/refresh-session"), &switch, &json!({}));
    secrets.add_field(&renewed, "/token/token");
    let recovered = curl.post(&format!("{own}/reset-token"), human, &json!({}));
    let fresh = secrets.add_field(&recovered, "/token/token");
    let made = curl.post(&format!("{EXT}/user/tokens"), human, &json!({ "name": "made" }));
    secrets.add_field(&made, "/token");
    fresh
}

/// A good token is presented where it belongs and where it does not, in requests that are in order and in others.
fn present_everywhere(curl: &Curl<'_>, token: &str, secrets: &mut Secrets) {
    let user = "/api/v3/user";
    for value in [
        format!("Bearer {token}"),
        format!("token {token}"),
        format!("Digest {token}"),
        format!("Bearer {token} x"),
        token.to_owned(),
    ] {
        curl.send(user, &["--header", &format!("Authorization: {value}")]);
    }
    let wrong = secrets.add("an altered token", &altered(token));
    curl.send(user, &["--header", &format!("Authorization: Bearer {wrong}")]);
    curl.send(user, &["--user", &format!("any:{token}")]);
    curl.send(user, &["--user", &format!("{token}:")]);
    let (one, two) = (format!("Authorization: Bearer {token}"), format!("Authorization: Basic {token}"));
    curl.send(user, &["--header", &one, "--header", &two]);
    curl.send(user, &["--header", &format!("X-Token: {token}"), "--header", &format!("User-Agent: {token}")]);
    curl.send(
        user,
        &["--header", &format!("X-Token: {token}\u{1}"), "--header", &format!("Accept: {token}/é")],
    );
    curl.send(
        user,
        &["--header", &format!("X-{token}: x y"), "--header", &format!("Content-Length: {token}")],
    );
    curl.send(user, &["--header", &one, "--header", &format!("X-Long: {}", "x".repeat(100_000))]);
    curl.send(user, &["--request", token]);
    curl.send(user, &["--header", &format!("Host: {token}")]);
    curl.send(user, &["--cookie", &format!("__Host-forge_session={token}; forge_switch={token}")]);
    for path in [
        "/api/v3/user",
        "/login",
        "/login/oauth/authorize",
        "/login/oauth/access_token",
        "/alice/absent/info/refs",
        "/api/graphql",
    ] {
        curl.send(&format!("{path}?access_token={token}&client_secret={token}&service={token}&{token}"), &[]);
        curl.send(path, &["--data", &format!("access_token={token}&client_secret={token}")]);
    }
    curl.send(&format!("/{MARKER}/{token}"), &[]);
    curl.send(&format!("/api/v3/repos/{MARKER}/{token}"), &["--header", &one]);
    let json = "Content-Type: application/json";
    for path in [
        format!("{EXT}/agents"),
        format!("{EXT}/agent-bindings/confirm"),
        "/api/v3/user/repos".to_owned(),
        "/api/graphql".to_owned(),
    ] {
        for body in [
            format!(r#"{{"name": "{token}""#),
            format!(r#"{{"{token}": 1}}"#),
            format!(r#"{{"name": ["{token}"]}}"#),
            format!(r#"{{"query": "{{ {token} }}"}}"#),
            format!(r#"{{"query": "{{ viewer {{ login }} }}", "variables": "{token}"}}"#),
            token.to_owned(),
        ] {
            curl.send(&path, &["--header", &one, "--header", json, "--data", &body]);
        }
    }
    for service in ["git-upload-pack", "git-receive-pack"] {
        curl.send(&format!("/alice/absent/{service}"), &["--user", &format!("x:{token}"), "--data", token]);
    }
}

for_each_database_sync! {
    fn the_log_at_its_most_talkative_holds_no_secret(database) {
        let format = if database == Database::Sqlite { "text" } else { "json" };
        let mut machine = Machine::start_with(database, &["--log-level", "trace", "--log-format", format]);
        let mut secrets = Secrets::default();
        let human = machine.human_with_token("alice");
        let human = secrets.add("the human's token", &human);
        let environment = machine.run_forge(&["env"]);
        let proxy = environment.lines().find_map(|line| line.split_once("HTTPS_PROXY='http://"));
        let (_, proxy) = proxy.and_then(|(_, rest)| rest.split_once(':')).expect("a proxy of our own");
        secrets.add("the password of the local proxy", proxy.split('@').next().unwrap());
        let person = machine.person("alice");
        sign_in(&machine, &Curl { person: &person, version: "--http1.1" }, &mut secrets);
        for version in ["--http2", "--http1.1"] {
            let curl = Curl { person: &person, version };
            connect_device(&curl, &human, &mut secrets);
            let token = keep_agents(&machine, &curl, &human, &mut secrets);
            present_everywhere(&curl, &token, &mut secrets);
        }
        person.log_in(&human);
        person.gh(&["repo", "create", "made", "--private", "--add-readme", "--clone"]);
        let log = settled(&machine);
        // All of it was written down: what each request asked for, what came in, and what the database was told.
        for written in [
            "forge::access", "TRACE", "DEBUG", MARKER, "/api/v3/user", "/login/oauth/access_token", "git-receive-pack",
            "SELECT", "h2::",
        ] {
            assert!(log.contains(written), "the log says nothing of `{written}`");
        }
        assert_eq!(secrets.find_in(&log), None);
        let shown = Secrets(vec![("the marker".to_owned(), MARKER.to_owned())]);
        assert!(shown.find_in(&log).is_some(), "what is there is found");
        machine.stop();
    }
}

#[test]
fn a_secret_is_found_in_every_form() {
    let mut secrets = Secrets::default();
    let value = secrets.add("a token", "fgep_A1b2C3d4E5f6G7h8");
    for line in [
        format!("password={value}"),
        format!("Basic {}", BASE64.encode(format!("x:{value}").as_bytes())),
        format!("Basic {}", BASE64.encode(format!("any:{value}").as_bytes())),
        format!("Basic {}", BASE64.encode(format!("{value}:x-oauth-basic").as_bytes())),
        format!("{:?}", format!("a {value} b").as_bytes()),
        HEXLOWER.encode(format!("a{value}b").as_bytes()),
    ] {
        assert!(secrets.find_in(&format!("one\n{line}\nthree")).is_some(), "{line}");
    }
    assert_eq!(secrets.find_in("fgep_A1b2C3d4E5f6G7h9"), None);
}

/// Returns the log once nothing is added to it.
fn settled(machine: &Machine) -> String {
    let asked = Instant::now();
    let mut log = machine.server().log();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = machine.server().log();
        if now.len() == log.len() || asked.elapsed() > Duration::from_secs(20) {
            return now;
        }
        log = now;
    }
}
