//! Who decides, and what a decision still needs when it is carried out.

use std::time::Duration;

use forge_service::app::Separation;
use forge_testing::browser::submit;
use forge_testing::database::Database;
use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use serde_json::json;

use super::Desk;
use crate::grants::{EXT, PREFIX};

for_each_database! {
    async fn a42_a77_a86_only_a_person_in_a_browser_decides(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let sibling = desk.world.forge.registered_agent("sibling").await;
        desk.world.forge.bind(&desk.world.alice, &sibling, &json!({})).await;
        let (commit, id) = desk.held("code").await;
        let switch = format!("{EXT}/agent-bindings/{}/switch-session", desk.world.agent.login);
        let switch = desk.world.alice.post(&switch, &json!({})).await.expect(200).json();
        let switch = desk.world.forge.client().with_token(&forge_testing::agents::secret(&switch["token"]["token"]));
        for (who, client, status) in [
            ("the agent with its task token", &desk.agent, 403),
            ("the agent with its own token", &desk.world.agent.client, 403),
            ("a sibling", &sibling.client, 404),
            ("a switch session", &switch, 403),
            ("the human's token", &desk.world.alice, 403),
            ("nobody", &desk.world.forge.client(), 404),
        ] {
            for answer in ["approve", "deny"] {
                let refused = client.post(&format!("{EXT}/approvals/{id}/{answer}"), &json!({})).await;
                assert_eq!(refused.status, status, "{who}: {}", refused.text());
            }
        }
        assert_eq!(desk.approval(&id).await["status"], "pending");
        desk.approve(&id).await;
        assert_eq!(desk.tip("heads/main").await, Some(commit));
    }

    async fn a86_a_browser_that_was_left_open_is_asked_for_the_password(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let page = format!("/approvals/{id}");
        let token = forge_testing::browser::csrf(&desk.browser.visit(&page).await);
        desk.world.forge.advance(Duration::from_secs(5 * 60));
        for answer in ["approve", "deny"] {
            let asked = desk.browser.submit(&format!("{page}/{answer}"), &[("csrf", &token)]).await.expect(303);
            assert!(asked.header("location").unwrap().starts_with("/login?confirm=true"));
        }
        let shown = desk.browser.visit(&page).await.expect(200).text();
        assert!(shown.contains("Deciding takes your password") && !shown.contains("formaction"), "{shown}");
        assert_eq!(desk.approval(&id).await["status"], "pending");
        // After the password the person looks again before answering.
        let back = desk.browser.visit(&format!("{page}/approve")).await.expect(303);
        assert!(back.header("location").unwrap().contains("/approvals/"));
    }

    async fn a86_a_forge_can_keep_whoever_delegated_from_approving(database: Database) {
        let forge = TestForge::builder(database).settings(|settings| settings.separation = Separation::Strict);
        let mut desk = Desk::new(forge.start().await).await;
        let (commit, id) = desk.held("code").await;
        let refused = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(refused.contains("somebody else than who delegated") && !refused.contains("formaction"), "{refused}");
        let carol = desk.world.forge.person("carol").await;
        let repository = desk.repository().await;
        desk.world.forge.collaborator(&repository, &carol, Some(Permission::Write)).await;
        let mut browser = desk.world.forge.browser("carol").await;
        // A form that was found elsewhere helps nobody.
        let page = format!("/approvals/{id}");
        let token = forge_testing::browser::csrf(&desk.browser.visit("/settings/agents/invite").await);
        desk.browser.submit(&format!("{page}/approve"), &[("csrf", &token)]).await.expect(403);
        assert_eq!(desk.approval(&id).await["status"], "pending");
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        assert_eq!(desk.tip("heads/main").await, Some(commit));
    }

    async fn nobody_approves_what_they_could_not_do(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let repository = desk.repository().await;
        let dave = desk.world.forge.person("dave").await;
        let mut browser = desk.world.forge.browser("dave").await;
        let page = format!("/approvals/{id}");
        browser.visit(&page).await.expect(404);
        desk.world.forge.collaborator(&repository, &dave, Some(Permission::Read)).await;
        browser.visit(&page).await.expect(404);
        desk.world.forge.collaborator(&repository, &dave, Some(Permission::Write)).await;
        let token = forge_testing::browser::csrf(&browser.visit(&page).await.expect(200));
        // The right goes between looking and answering.
        desk.world.forge.collaborator(&repository, &dave, None).await;
        browser.submit(&format!("{page}/approve"), &[("csrf", &token)]).await.expect(404);
        assert_eq!(desk.approval(&id).await["status"], "pending");
        desk.approve(&id).await;
    }

    async fn a85_an_approval_is_used_once(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (commit, id) = desk.held("code").await;
        let page = format!("/approvals/{id}");
        let token = forge_testing::browser::csrf(&desk.browser.visit(&page).await);
        desk.approve(&id).await;
        // Back by force, as the human.
        let force = json!({ "sha": desk.copy.run(&["rev-parse", "HEAD~1"]).trim(), "force": true });
        desk.world.alice.patch("/api/v3/repos/alice/project/git/refs/heads/main", &force).await.expect(200);
        for answer in ["approve", "deny"] {
            let again = desk.browser.submit(&format!("{page}/{answer}"), &[("csrf", &token)]).await;
            assert_eq!(again.status, 409, "{}", again.text());
        }
        assert_ne!(desk.tip("heads/main").await, Some(commit));
        // The same push asks again.
        let (_, other) = desk.held("code again").await;
        assert_ne!(id, other);
    }

    async fn a85_a_day_later_it_is_over(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        desk.world.forge.advance(Duration::from_secs(24 * 3600));
        let alice = desk.world.forge.client_of(&desk.world.human, None).await;
        let seen = alice.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(seen["status"], "expired", "before anybody swept");
        desk.browser = desk.world.forge.browser("alice").await;
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(!page.contains("formaction"), "{page}");
        let token = forge_testing::browser::csrf(&desk.browser.visit("/settings/agents/invite").await);
        desk.browser.submit(&format!("/approvals/{id}/approve"), &[("csrf", &token)]).await.expect(409);
        desk.world.forge.run_jobs().await;
        assert!(desk.pins().await.is_empty());
        let seen = alice.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!((&seen["status"], &seen["outcome"]), (&json!("expired"), &json!("nobody decided in time")));
    }

    async fn a85_an_approval_lifts_the_need_to_ask_and_nothing_else(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let before = desk.tip("heads/main").await;
        let path = format!("{EXT}/task-grants/{}", desk.grant["id"].as_str().unwrap());
        // The grant is narrowed.
        let (_, id) = desk.held("one").await;
        let narrower = json!({ "constraints": { "branch_prefix": PREFIX } });
        desk.world.alice.patch(&path, &narrower).await.expect(200);
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        let failed = desk.approval(&id).await;
        assert_eq!(failed["status"], "failed");
        assert!(failed["outcome"].as_str().unwrap().contains("outside of the task's branches"), "{failed}");
        // Files are denied.
        let wider = json!({ "constraints": { "branch_prefix": null, "paths_deny": ["src/**"] } });
        let _ = desk.world.alice.patch(&path, &json!({ "constraints": { "branch_prefix": null } })).await.expect(200);
        let (_, id) = desk.held("two").await;
        desk.world.alice.patch(&path, &wider).await.expect(200);
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        let failed = desk.approval(&id).await;
        assert!(failed["outcome"].as_str().unwrap().contains("touches `src/lib.rs`"), "{failed}");
        assert_eq!(desk.tip("heads/main").await, before);
    }

    async fn a85_nothing_is_done_for_an_agent_that_was_stopped(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let before = desk.tip("heads/main").await;
        let agent = desk.world.forge.find_account(&desk.world.agent.login).await;
        let status = async |desk: &Desk, id: &str| {
            desk.world.alice.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json()["status"].clone()
        };
        let (_, id) = desk.held("suspended").await;
        desk.world.forge.suspend(&agent).await;
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        assert_eq!(status(&desk, &id).await, "failed");
        desk.world.forge.restore(&agent).await;

        let (_, id) = desk.held("killed").await;
        let stop = json!({ "scope": format!("agent:{}", agent.login), "reason": "test" });
        let stop = desk.world.alice.post(&format!("{EXT}/kill-switches"), &stop).await.expect(201).json();
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        assert_eq!(status(&desk, &id).await, "failed");
        let stop = format!("{EXT}/kill-switches/{}", stop["id"].as_str().unwrap());
        desk.world.alice.delete(&stop).await.expect(204);

        let (_, id) = desk.held("revoked").await;
        let grant = format!("{EXT}/task-grants/{}", desk.grant["id"].as_str().unwrap());
        desk.world.alice.delete(&grant).await.expect(204);
        desk.world.forge.run_jobs().await;
        assert_eq!(status(&desk, &id).await, "cancelled");
        assert!(desk.pins().await.is_empty());
        assert_eq!(desk.tip("heads/main").await, before);
    }

    async fn an_approval_outlives_the_token_it_was_asked_with(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (commit, id) = desk.held("code").await;
        desk.world.forge.advance(Duration::from_secs(3 * 3600));
        desk.agent.get("/api/v3/user").await.expect(401);
        desk.browser = desk.world.forge.browser("alice").await;
        desk.approve(&id).await;
        assert_eq!(desk.tip("heads/main").await, Some(commit));
    }

    async fn a42_an_agent_cannot_lift_its_own_need_to_ask(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let path = format!("{EXT}/task-grants/{}", desk.grant["id"].as_str().unwrap());
        let without = json!({ "constraints": { "requires_approval": [] } });
        for client in [&desk.agent, &desk.world.agent.client] {
            client.patch(&path, &without).await.expect(403);
        }
        desk.held("code").await;
        desk.world.alice.patch(&path, &without).await.expect(200);
        desk.copy.push(&["HEAD:refs/heads/main"]).await.expect("the human lifted it");
    }
}
