//! The pages about agents, as a browser without scripts uses them.

use forge_service::Secret;
pub(crate) use forge_testing::browser::{PASSWORD, csrf, submit};
use forge_testing::{Answer, Client, TestAgent, TestForge, for_each_database};
use forge_types::repository::Visibility;
use serde_json::json;

use crate::{answer, reads};

/// Returns the browser of a new person who has signed in.
pub(crate) async fn signed_in(forge: &TestForge, login: &str) -> Client {
    forge.person(login).await;
    forge.browser(login).await
}

fn between(page: &Answer, marker: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once(marker).unwrap_or_else(|| panic!("no `{marker}`: {text}"));
    rest.split(['"', '<']).next().expect("a value").to_owned()
}

/// Lets the person invite an agent on the page, and the agent accept.
async fn bind(forge: &TestForge, browser: &mut Client, prefix: &str) -> TestAgent {
    let agent = forge.registered_agent(prefix).await;
    let page =
        submit(browser, "/settings/agents/invite", "/settings/agents/invite", &[("lifetime", "1")]).await;
    let invite = json!({ "invite_token": between(&page.expect(201), "id=\"invite\">") });
    assert_eq!(answer(&agent.client, &invite).await, 201);
    agent
}

/// Begins to act as the agent and returns the first page that shows it.
async fn act_as(browser: &mut Client, agent: &TestAgent) -> Answer {
    let path = format!("/settings/agents/{}", agent.login);
    submit(browser, &path, &format!("{path}/switch"), &[]).await.expect(303);
    browser.visit("/").await.expect(200)
}

for_each_database! {
    async fn a_person_invites_an_agent_and_sees_it_in_the_list(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        forge.repository(&alice, "tools", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        let form = "/settings/agents/invite";
        let fields = [
            ("repository", "alice/tools"), ("permission", "write"), ("repository", ""), ("permission", "read"),
            ("agent_login", ""), ("lifetime", "24"),
        ];
        let page = submit(&mut browser, form, form, &fields).await.expect(201);
        assert!(page.text().contains("agent-bindings/confirm"));
        let invite = json!({ "invite_token": between(&page, "id=\"invite\">") });
        assert_eq!(answer(&agent.client, &invite).await, 201);
        let list = browser.visit("/settings/agents").await.expect(200).text();
        assert!(list.contains(&agent.login) && list.contains("alice/tools") && list.contains("accepted"));
        assert!(!list.contains(invite["invite_token"].as_str().expect("a secret")), "the secret is shown once");
        let refused = [("repository", "bob/secret"), ("permission", "write"), ("lifetime", "24")];
        let page = submit(&mut browser, form, form, &refused).await.expect(422).text();
        assert!(page.contains("bob/secret"), "what was entered is kept: {page}");
    }

    async fn acting_as_an_agent_is_shown_on_every_page_until_it_is_ended(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let agent = bind(&forge, &mut browser, "bot").await;
        let banner = "You are acting as <strong>";
        assert!(!browser.visit("/").await.text().contains(banner));
        assert!(act_as(&mut browser, &agent).await.text().contains(banner));
        for path in ["/", "/settings/agents", "/settings/tokens", "/settings/agents/nobody", "/settings/agents/invite"] {
            let page = browser.visit(path).await.text();
            assert!(page.contains(banner) && page.contains(&format!("Stop acting as {}", agent.login)), "{path}");
        }
        submit(&mut browser, "/", "/switch/renew", &[]).await.expect(303);
        assert!(browser.visit("/").await.text().contains(banner));
        submit(&mut browser, "/", "/switch/end", &[]).await.expect(303);
        assert!(!browser.visit("/settings/agents").await.text().contains(banner));
        assert_eq!(reads(&agent.client, &agent).await, 200);
    }

    async fn a77_acting_as_an_agent_on_pages_gives_nobody_lasting_access(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let agent = bind(&forge, &mut browser, "bot").await;
        let token = [("name", "lasting"), ("lifetime", "30"), ("scopes", "repo")];
        act_as(&mut browser, &agent).await;
        submit(&mut browser, "/", "/settings/tokens", &token).await.expect(403);
        submit(&mut browser, "/", "/settings/agents/invite", &[("lifetime", "1")]).await.expect(403);
        let reset = format!("/settings/agents/{}/reset", agent.login);
        submit(&mut browser, "/", &reset, &[]).await.expect(403);
        submit(&mut browser, "/", "/switch/end", &[]).await.expect(303);
        submit(&mut browser, "/", "/settings/tokens", &token).await.expect(201);
    }

    async fn a_switch_session_of_one_person_is_nothing_in_the_browser_of_another(forge: TestForge) {
        let mut alice = signed_in(&forge, "alice").await;
        let mut mallory = signed_in(&forge, "mallory").await;
        let agent = bind(&forge, &mut alice, "bot").await;
        let path = format!("/settings/agents/{}", agent.login);
        let opened = submit(&mut alice, &path, &format!("{path}/switch"), &[]).await.expect(303);
        let cookies: Vec<String> = opened
            .headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter(|cookie| cookie.contains("forge_switch="))
            .map(str::to_owned)
            .collect();
        let cookie = cookies.first().expect("the cookie of the switch session");
        assert!(cookie.starts_with("__Host-") && cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
        let stolen = cookie.split(';').next().expect("a pair").to_owned();
        let session = mallory.request("GET".parse().expect("a method"), "/").headers()["cookie"].clone();
        let both = format!("{}; {stolen}", session.to_str().expect("text"));
        let mut request = mallory.request("GET".parse().expect("a method"), "/");
        request.headers_mut().insert("cookie", both.parse().expect("a header"));
        assert!(!mallory.send(request).await.text().contains("You are acting as"));
        assert!(alice.visit("/").await.text().contains("You are acting as"));
        mallory.visit("/").await.expect(200);
    }

    async fn a_person_recovers_suspends_restores_and_lets_go_of_an_agent(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let agent = bind(&forge, &mut browser, "bot").await;
        let path = format!("/settings/agents/{}", agent.login);
        let edited = [("name", "The Bot"), ("description", "fixes"), ("standing_access", "full")];
        submit(&mut browser, &path, &path, &edited).await.expect(303);
        assert!(browser.visit(&path).await.text().contains("The Bot"));
        submit(&mut browser, &path, &format!("{path}/suspend"), &[("reason", "went astray")]).await.expect(303);
        assert_eq!(reads(&agent.client, &agent).await, 401);
        assert!(browser.visit(&path).await.text().contains("went astray"));
        submit(&mut browser, &path, &format!("{path}/restore"), &[]).await.expect(303);
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let reset = format!("{path}/reset");
        let page = submit(&mut browser, &reset, &reset, &[]).await.expect(200);
        let token = Secret::new(between(&page, "id=\"token\">"));
        assert_eq!(reads(&agent.client, &agent).await, 401);
        assert_eq!(reads(&forge.client().with_token(&token), &agent).await, 200);
        let unbind = format!("{path}/unbind");
        submit(&mut browser, &unbind, &unbind, &[]).await.expect(303);
        browser.visit(&path).await.expect(404);
    }

    async fn a72_a_person_sees_a_new_binding_on_the_first_page_and_undoes_it(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let agent = bind(&forge, &mut browser, "bot").await;
        let path = format!("/settings/agents/{}", agent.login);
        let notice = "was bound to you at 2026-01-01 00:00 UTC. If you did not expect that, undo it until 2026-01-02 00:00 UTC";
        for page in ["/", "/settings/agents", &path] {
            assert!(browser.visit(page).await.text().contains(notice), "{page}");
        }
        assert!(!act_as(&mut browser, &agent).await.text().contains(notice), "it is the person's, not the agent's");
        submit(&mut browser, "/", &format!("{path}/undo"), &[]).await.expect(403);
        submit(&mut browser, "/", "/switch/end", &[]).await.expect(303);
        submit(&mut browser, "/settings/agents", &format!("{path}/undo"), &[]).await.expect(303);
        assert!(!browser.visit("/settings/agents").await.text().contains(notice));
        browser.visit(&path).await.expect(404);
        let kept = bind(&forge, &mut browser, "kept").await;
        forge.advance(std::time::Duration::from_secs(24 * 60 * 60));
        let list = forge.browser( "alice").await.visit("/settings/agents").await.text();
        assert!(list.contains(&kept.login) && !list.contains("was bound to you"), "{list}");
    }

    async fn a82_a_form_that_was_not_shown_to_this_browser_changes_nothing(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let mut other = signed_in(&forge, "mallory").await;
        let agent = bind(&forge, &mut browser, "bot").await;
        let foreign = csrf(&other.visit("/settings/agents/invite").await);
        let path = format!("/settings/agents/{}", agent.login);
        for action in ["switch", "suspend", "reset", "unbind", "undo"] {
            let to = format!("{path}/{action}");
            browser.submit(&to, &[]).await.expect(403);
            browser.submit(&to, &[("csrf", &foreign)]).await.expect(403);
        }
        assert_eq!(reads(&agent.client, &agent).await, 200);
        submit(&mut browser, &path, &format!("{path}/suspend"), &[]).await.expect(303);
    }
}
