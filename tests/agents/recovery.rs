//! Recovery: what it takes of the human, what it ends, and how it shows.

use std::time::Duration;

use forge_service::app::AgentRecovery;
use forge_testing::agents::secret;
use forge_testing::database::Database;
use forge_testing::{Client, TestAgent, TestForge, for_each_database};
use serde_json::json;

use crate::pages::{PASSWORD, csrf, signed_in, submit};
use crate::{EXT, answer, invite, reads};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

/// A person in a browser, with a token, and an agent of theirs.
async fn scene(forge: &TestForge) -> (Client, Client, TestAgent) {
    let browser = signed_in(forge, "alice").await;
    let alice = forge.client_of(&forge.find_account("alice").await, Some("repo")).await;
    let agent = forge.registered_agent("bot").await;
    assert_eq!(answer(&agent.client, &invite(&alice, &json!({})).await).await, 201);
    (browser, alice, agent)
}

fn reset(agent: &TestAgent) -> (String, String) {
    let api = format!("{EXT}/agent-bindings/{}/reset-token", agent.login);
    (api, format!("/settings/agents/{}/reset", agent.login))
}

for_each_database! {
    async fn a_browser_has_to_be_asked_for_the_password_within_five_minutes(forge: TestForge) {
        let (mut browser, _, agent) = scene(&forge).await;
        let (_, page) = reset(&agent);
        let token = csrf(&browser.visit(&page).await.expect(200));
        forge.advance(Duration::from_secs(5 * 60));
        // Half an hour is enough for everything else.
        browser.visit("/settings/tokens/new").await.expect(200);
        let asked = format!("/login?confirm=true&return_to={}", page.replace('/', "%2F").replace('-', "%2D"));
        assert_eq!(browser.visit(&page).await.expect(303).header("location"), Some(asked.as_str()));
        assert_eq!(browser.submit(&page, &[("csrf", &token)]).await.expect(303).header("location"), Some(asked.as_str()));
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let form = browser.visit(&asked).await.expect(200);
        assert!(form.text().contains("Confirm that it is you"), "{}", form.text());
        let fields = [("csrf", csrf(&form)), ("login", "alice".into()), ("password", PASSWORD.into()), ("return_to", page.clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.submit("/login", &fields).await.expect(303).header("location"), Some(page.as_str()));
        let done = submit(&mut browser, &page, &page, &[]).await.expect(200);
        assert!(done.text().contains("id=\"token\""));
        assert_eq!(reads(&agent.client, &agent).await, 401);
        // Whoever was asked just now is not asked again.
        assert_eq!(browser.visit(&asked).await.expect(303).header("location"), Some(page.as_str()));
    }

    async fn a_forge_can_demand_the_browser_for_every_recovery(database: Database) {
        let forge = TestForge::builder(database).settings(|settings| settings.agent_recovery = AgentRecovery::Session);
        let forge = forge.start().await;
        let (mut browser, alice, agent) = scene(&forge).await;
        let (api, page) = reset(&agent);
        for path in [api.clone(), api.replace(EXT, "/api/v3")] {
            let refused = alice.post(&path, &json!({})).await.expect(403).json();
            assert!(refused["message"].as_str().expect("words").contains("in the browser"), "{refused}");
        }
        assert_eq!(reads(&agent.client, &agent).await, 200);
        let refusals = alice.get(&format!("{EXT}/audit-events?action=agent.recover&decision=deny")).await.expect(200);
        assert_eq!(refusals.json().as_array().map(Vec::len), Some(2));
        // Everything else goes on with a token.
        let _ = alice.post(&format!("{EXT}/agent-bindings/{}/switch-session", agent.login), &json!({})).await.expect(200);
        submit(&mut browser, &page, &page, &[]).await.expect(200);
        assert_eq!(reads(&agent.client, &agent).await, 401);
    }

    /// A thief with the human's token takes the agent. The human finds out: who, with what, from where.
    async fn every_recovery_is_recorded_and_shown_to_the_human(forge: TestForge) {
        let (mut browser, alice, agent) = scene(&forge).await;
        let (api, page) = reset(&agent);
        let own = format!("/settings/agents/{}", agent.login);
        assert!(!browser.visit(&own).await.expect(200).text().contains("credentials were replaced"));
        let thief = alice.clone().at([198, 51, 100, 66].into());
        let taken = thief.post(&api, &json!({})).await.expect(200).json();
        let path = format!("{EXT}/audit-events?action=agent.recovered&agent={}", agent.login);
        let events = alice.get(&path).await.expect(200).json();
        let event = &events[0];
        assert_eq!((&event["actor"]["login"], &event["ip"]), (&json!("alice"), &json!("198.51.100.66")), "{event}");
        assert_eq!(event["credential"]["kind"], "personal");
        let fingerprint = event["credential"]["fingerprint"].as_str().expect("a fingerprint").to_owned();
        assert_eq!(event["surface"], "rest");
        assert_eq!(event["details"]["credential_id"], taken["token"]["id"]);
        let shown = browser.visit(&own).await.expect(200).text();
        for part in ["credentials were replaced", "198.51.100.66", fingerprint.as_str(), "2026-01-01 00:00 UTC"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains(taken["token"]["token"].as_str().expect("a value")));
        submit(&mut browser, &page, &page, &[]).await.expect(200);
        assert!(browser.visit(&own).await.text().contains("in a browser"));
    }

    /// Whoever had the agent's token could add a key that opens the forge when the token no longer does.
    async fn recovery_removes_keys_and_keeps_what_the_log_says_of_them(forge: TestForge) {
        let (_, alice, agent) = scene(&forge).await;
        let (api, _) = reset(&agent);
        let body = json!({ "title": "planted", "key": KEY });
        for path in ["/api/v3/user/keys", "/api/v3/user/ssh_signing_keys"] {
            let _ = agent.client.post(path, &body).await.expect(201);
        }
        let view = alice.post(&api, &json!({})).await.expect(200).json();
        let recovered = forge.client().with_token(&secret(&view["token"]["token"]));
        for path in ["/api/v3/user/keys", "/api/v3/user/ssh_signing_keys"] {
            assert_eq!(recovered.get(path).await.expect(200).json(), json!([]));
        }
        let events = alice.get(&format!("{EXT}/audit-events?action=agent.recovered")).await.expect(200).json();
        assert_eq!(events[0]["details"]["removed_keys"].as_array().map(Vec::len), Some(2));
        let planted = alice.get(&format!("{EXT}/audit-events?action=public_key.created")).await.expect(200).json();
        assert_eq!(planted.as_array().map(Vec::len), Some(2), "what was done with them can still be read");
        let _ = recovered.post("/api/v3/user/keys", &body).await.expect(201);
    }
}
