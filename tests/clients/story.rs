//! The whole main story in one go: an agent comes by curl and git, a human by browser and gh, and the two meet.

use forge_testing::for_each_database_sync;

use crate::agents::{EXT, confirm, push, register};
use crate::browser::Scripts;
use crate::login::log_in_by_browser;
use crate::machine::{HOST, Machine};
use crate::people::set_up;

for_each_database_sync! {
    fn an_agent_and_its_human_from_the_first_start_to_the_audit_log(database) {
        let machine = Machine::start(database);
        let agent = register(&machine, EXT);
        let bot = machine.person("bot");
        let first = push(&bot, &agent.repository, &agent.token, "first");

        let mut browser = set_up(&machine, "alice", Scripts::On);
        let alice = machine.person("alice");
        log_in_by_browser(&alice, &mut browser, "alice");
        alice.gh(&["repo", "create", "shared", "--private", "--add-readme"]);
        let url = format!("https://x:{}@{HOST}/alice/shared.git", agent.token);
        bot.git_fails(bot.home(), &["ls-remote", &url]);

        browser.open("/settings/agents/invite");
        browser.fill("Repositories 1, OWNER/NAME", "alice/shared");
        browser.choose("Repositories 1, permission", "write");
        browser.press_expecting("Create invite", 201);
        let invite = browser.secret();
        assert_eq!(confirm(&bot, &agent.token, &invite), 201);
        let shared = push(&bot, "alice/shared", &agent.token, "shared");
        assert_eq!(alice.gh(&["api", "repos/alice/shared/git/ref/heads/main", "--jq", ".object.sha"]).trim(), shared);

        browser.open("/settings/agents");
        browser.sees(&agent.login);
        browser.sees("alice/shared");
        browser.follow(&agent.login);
        browser.follow("Replace its credentials");
        browser.press("Replace its credentials");
        let fresh = browser.secret();
        bot.git_fails(bot.home(), &["ls-remote", &url]);
        bot.git(bot.home(), &["ls-remote", &url.replace(&agent.token, &fresh)]);

        let token = alice.gh(&["auth", "token", "--hostname", HOST]).trim().to_owned();
        let binding = format!("{EXT}/agent-bindings/{}", agent.login);
        let (status, session) = alice.curl("POST", &format!("{binding}/switch-session"), Some(&token), None);
        assert_eq!(status, 200, "{session}");
        let switch = session["token"]["token"].as_str().unwrap();
        let second = push(&alice, &agent.repository, switch, "as-agent");
        assert_ne!(first, second);

        let path = format!("{EXT}/audit-events?agent={}", agent.login);
        let (status, events) = alice.curl("GET", &path, Some(&token), None);
        assert_eq!(status, 200, "{events}");
        let names_both = |event: &&serde_json::Value| {
            let text = event.to_string();
            text.contains(&second) && text.contains(&agent.login) && text.contains("alice")
        };
        let pushed = events.as_array().unwrap().iter().find(names_both);
        assert!(pushed.is_some(), "no event names the push, the agent and the human: {events}");

        browser.open(&format!("/settings/agents/{}", agent.login));
        browser.press("End it");
        browser.sees("The session has ended");
        assert_eq!(alice.curl("GET", "/api/v3/user", Some(switch), None).0, 401);
        assert_eq!(bot.curl("GET", "/api/v3/user", Some(&fresh), None).0, 200);
    }
}
