//! An agent registers, pushes and clones; a human binds, recovers, suspends it and acts as it.

use forge_testing::{for_each_database_sync, tools};
use serde_json::{Value, json};

use crate::machine::{HOST, Machine, Person, must_succeed};

/// The prefix of what GitHub does not have.
pub(crate) const EXT: &str = "/api/ext/v1";

/// An agent that has registered.
pub(crate) struct Agent {
    /// Its login.
    pub(crate) login: String,
    /// Its standing token.
    pub(crate) token: String,
    /// The full name of the repository it began with.
    pub(crate) repository: String,
}

/// Registers an agent with curl.
#[track_caller]
pub(crate) fn register(machine: &Machine, prefix: &str) -> Agent {
    let key = machine.registration_key();
    let body =
        json!({ "prefix_login": "builder", "default_repo_name": "work", "description": "builds things" });
    let (status, agent) =
        machine.person("agent").curl("POST", &format!("{prefix}/agents"), Some(&key), Some(&body));
    assert_eq!(status, 201, "{agent}");
    let text = |name: &str| agent[name].as_str().unwrap_or_else(|| panic!("no {name}: {agent}")).to_owned();
    let agent = Agent { login: text("login"), token: text("token"), repository: text("repo_full_name") };
    assert!(agent.login.starts_with("builder-"), "{}", agent.login);
    assert_eq!(agent.repository, format!("{}/work", agent.login));
    agent
}

/// Pushes a commit with a token in the URL and returns the commit.
#[track_caller]
pub(crate) fn push(person: &Person<'_>, repository: &str, token: &str, folder: &str) -> String {
    let folder = person.home().join(folder);
    let url = format!("https://x:{token}@{HOST}/{repository}.git");
    person.git(person.home(), &["clone", "--quiet", &url, folder.to_str().unwrap()]);
    person.git(&folder, &["commit", "--quiet", "--allow-empty", "--message", "work"]);
    person.git(&folder, &["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    person.git(&folder, &["rev-parse", "HEAD"]).trim().to_owned()
}

/// Lets the agent accept an invite, and returns the status of the answer.
#[track_caller]
pub(crate) fn confirm(person: &Person<'_>, token: &str, invite: &str) -> u16 {
    let body = json!({ "invite_token": invite });
    person.curl("POST", &format!("{EXT}/agent-bindings/confirm"), Some(token), Some(&body)).0
}

/// Lets a human own the agent, with a grant on a repository of the human's.
fn bind(machine: &Machine, human_token: &str, agent: &Agent, grants: &Value) {
    let person = machine.person("human");
    let (status, invite) =
        person.curl("POST", &format!("{EXT}/agent-invites"), Some(human_token), Some(grants));
    assert_eq!(status, 201, "{invite}");
    let invite = invite["invite_token"].as_str().unwrap();
    assert_eq!(confirm(&person, human_token, invite), 403, "a human cannot confirm");
    assert_eq!(confirm(&person, &agent.token, invite), 201);
    assert_eq!(confirm(&person, &agent.token, invite), 409);
}

for_each_database_sync! {
    fn an_agent_registers_pushes_and_clones(database) {
        let machine = Machine::start(database);
        let agent = register(&machine, EXT);
        let person = machine.person("agent");
        let pushed = push(&person, &agent.repository, &agent.token, "first");
        let (_, branch) =
            person.curl("GET", &format!("/api/v3/repos/{}/git/ref/heads/main", agent.repository), Some(&agent.token), None);
        assert_eq!(branch["object"]["sha"], pushed.as_str(), "{branch}");
        let (status, me) = person.curl("GET", "/api/v3/user", Some(&agent.token), None);
        assert_eq!((status, &me["login"]), (200, &agent.login.as_str().into()));
        let nobody = machine.person("nobody");
        let (status, _) = nobody.curl("GET", &format!("/api/v3/repos/{}", agent.repository), None, None);
        assert_eq!(status, 404, "the repository is private");
        let second = register(&machine, "/api/v3");
        assert_ne!(second.login, agent.login);
        let honest = json!({ "prefix_login": "builder", "default_repo_name": "work" });
        let (status, _) = nobody.curl("POST", &format!("{EXT}/agents"), None, Some(&honest));
        assert_eq!(status, 401, "without the key nobody registers");
    }

    fn an_agent_uses_gh_with_its_token_in_the_environment(database) {
        let machine = Machine::start(database);
        let agent = register(&machine, EXT);
        let person = machine.person("agent");
        let gh = |words: &[&str]| {
            let mut gh = person.command(tools::gh());
            must_succeed(gh.env("GH_ENTERPRISE_TOKEN", &agent.token).args(words))
        };
        assert_eq!(gh(&["api", "user", "--jq", ".login"]).trim(), agent.login);
        assert!(gh(&["auth", "status"]).contains(&format!("account {}", agent.login)));
        assert!(gh(&["repo", "view", &agent.repository, "--json", "isPrivate"]).contains("true"));
        gh(&["repo", "create", "second", "--private", "--add-readme"]);
        gh(&["repo", "clone", "second", "second"]);
        assert!(person.home().join("second/README.md").is_file());
    }

    fn a_human_binds_lists_renames_recovers_and_unbinds_an_agent(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "shared", "--private", "--add-readme"]);
        let agent = register(&machine, EXT);
        let grants = json!({ "repo_grants": [{ "repo_full_name": "alice/shared", "permission": "push" }] });
        bind(&machine, &token, &agent, &grants);
        push(&machine.person("agent"), "alice/shared", &agent.token, "shared");
        let (status, list) = alice.curl("GET", &format!("{EXT}/user/agents"), Some(&token), None);
        assert_eq!((status, &list[0]["agent"]["login"]), (200, &agent.login.as_str().into()), "{list}");
        let binding = format!("{EXT}/agent-bindings/{}", agent.login);
        let (status, renamed) = alice.curl("PATCH", &binding, Some(&token), Some(&json!({ "name": "The builder" })));
        assert_eq!((status, &renamed["agent"]["name"]), (200, &"The builder".into()), "{renamed}");
        let (status, reset) = alice.curl("POST", &format!("{binding}/reset-token"), Some(&token), None);
        assert_eq!(status, 200, "{reset}");
        let fresh = reset["token"]["token"].as_str().unwrap().to_owned();
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&agent.token), None).0, 401, "the old token is dead");
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&fresh), None).0, 200);
        let (status, _) = alice.curl("DELETE", &binding, Some(&token), None);
        assert_eq!(status, 200);
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&fresh), None).0, 200, "the agent lives on");
        assert_eq!(alice.curl("POST", &format!("{binding}/reset-token"), Some(&token), None).0, 404);
    }

    fn a_human_acts_as_the_agent_and_both_are_named(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        let agent = register(&machine, EXT);
        bind(&machine, &token, &agent, &json!({}));
        let binding = format!("{EXT}/agent-bindings/{}", agent.login);
        let (status, session) = alice.curl("POST", &format!("{binding}/switch-session"), Some(&token), None);
        assert_eq!(status, 200, "{session}");
        let switch = session["token"]["token"].as_str().unwrap().to_owned();
        let (_, me) = alice.curl("GET", "/api/v3/user", Some(&switch), None);
        assert_eq!(me["login"], agent.login.as_str());
        push(&alice, &agent.repository, &switch, "as-agent");
        let tokens = format!("{EXT}/user/tokens");
        let (status, refused) = alice.curl("POST", &tokens, Some(&switch), Some(&json!({ "name": "more" })));
        assert_eq!(status, 403, "a switch session makes no tokens: {refused}");
        let (status, events) = alice.curl("GET", &format!("{EXT}/audit-events?agent={}", agent.login), Some(&token), None);
        assert_eq!(status, 200, "{events}");
        assert!(events.to_string().contains("alice") && events.to_string().contains(&agent.login), "{events}");
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&agent.token), None).0, 200, "the agent's own token stands");
        let (status, renewed) = alice.curl("POST", &format!("{binding}/refresh-session"), Some(&switch), None);
        assert_eq!(status, 200, "{renewed}");
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&switch), None).0, 401, "the former session ended");
    }

    fn a_suspended_agent_stops_at_once(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        let agent = register(&machine, EXT);
        bind(&machine, &token, &agent, &json!({}));
        let suspension = format!("{EXT}/agents/{}/suspension", agent.login);
        assert_eq!(alice.curl("PUT", &suspension, Some(&token), Some(&json!({ "reason": "tried" }))).0, 204);
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&agent.token), None).0, 401);
        let url = format!("https://x:{}@{HOST}/{}.git", agent.token, agent.repository);
        alice.git_fails(alice.home(), &["ls-remote", &url]);
        assert_eq!(alice.curl("DELETE", &suspension, Some(&token), None).0, 204);
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(&agent.token), None).0, 200);
    }
}
