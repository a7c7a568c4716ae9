//! Policies that ask for a human: what they bind waits, whoever does it, with a grant or without.

use forge_service::app::Separation;
use forge_testing::agents::secret;
use forge_testing::browser::submit;
use forge_testing::{Database, TestForge, for_each_database};
use forge_types::Permission;
use forge_types::organization::OrganizationRole;
use serde_json::json;

use super::{REPOSITORY, World};
use crate::grants::EXT;

const DELETIONS: &str = r#"
    @outcome("require_approval")
    @reason("agents delete nothing alone")
    forbid (principal is Agent, action == Action::"repository.delete", resource);
"#;

const RELEASES: &str = r#"
    @outcome("require_approval")
    forbid (principal is Agent, action in Action::"ref.change", resource)
    when { context.ref.name like "refs/heads/release/*" };
"#;

for_each_database! {
    async fn what_a_policy_lets_wait_is_done_once_a_human_approved(forge: TestForge) {
        let world = World::new(forge).await;
        let account = world.forge.find_account(&world.agent.login).await;
        world.forge.collaborator(&world.repository, &account, Some(Permission::Admin)).await;
        let groups = "/api/ext/v1/orgs/acme/access-groups/default";
        let _ = world.alice.patch(groups, &json!({ "ceiling": { "permission": "admin" } })).await.expect(200);
        world.forbid("deletions", DELETIONS).await;
        let mut browser = world.forge.browser("alice").await;

        let asked = world.bot.delete(REPOSITORY).await.expect(403).json();
        let id = asked["approval"]["id"].as_str().unwrap_or_else(|| panic!("nothing waits: {asked}"));
        let waiting = world.bot.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(waiting["rule"], "policy:acme/deletions");
        let page = format!("/approvals/{id}");
        let shown = browser.visit(&page).await.expect(200).text();
        let title = format!("{} wants to make one request, for <code>repository.delete</code>, in acme/", world.agent.login);
        for text in ["repository.delete", &title, "gives as its reason: <blockquote>Agents delete nothing alone", "<code>policy:acme/deletions</code>"] {
            assert!(shown.contains(text), "no `{text}`: {shown}");
        }
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        // The policy is still there, and another repository another matter.
        world.bot.delete(REPOSITORY).await.expect(204);
        world.alice.get(REPOSITORY).await.expect(404);
    }

    async fn a86_whoever_lends_an_agent_its_rights_is_who_delegated(database: Database) {
        let forge = TestForge::builder(database).settings(|settings| settings.separation = Separation::Strict);
        let world = World::new(forge.start().await).await;
        world.forbid("releases", RELEASES).await;
        let agent = format!("{EXT}/agents/{}", world.agent.login);
        let _ = world.alice.patch(&agent, &json!({ "mode": "delegated" })).await.expect(200);
        let asked = world.moved(&world.bot, "release/1").await.expect(403).json();
        let id = asked["approval"]["id"].as_str().unwrap_or_else(|| panic!("nothing waits: {asked}"));
        let page = format!("/approvals/{id}");
        let mut alice = world.forge.browser("alice").await;
        let shown = alice.visit(&page).await.expect(200).text();
        assert!(shown.contains("somebody else than who delegated"), "{shown}");
        // Another owner may, and so might she if the agent had asked with rights of its own.
        let carol = world.forge.person("carol").await;
        let acme = world.forge.find_account("acme").await;
        world.forge.member(&acme, &carol, OrganizationRole::Admin).await;
        let mut carol = world.forge.browser("carol").await;
        submit(&mut carol, &page, &format!("{page}/approve"), &[]).await.expect(303);
        let shown = world.bot.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(shown["status"], "consumed", "{shown}");
    }

    async fn who_prefers_it_is_told_to_wait_with_202(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("labels", &DELETIONS.replace("repository.delete", "label.manage")).await;
        let asking = world.bot.clone().with_header("prefer".parse().unwrap(), "wait=0, respond-async");
        let label = json!({ "name": "x", "color": "ff0000" });
        let accepted = asking.post(&format!("{REPOSITORY}/labels"), &label).await.expect(202);
        let id = accepted.json()["approval"]["id"].as_str().unwrap().to_owned();
        assert!(accepted.header("location").unwrap().ends_with(&format!("/approvals/{id}")));
        assert_eq!(accepted.header("preference-applied"), Some("respond-async"));
        assert!(accepted.header("retry-after").is_some());
        // Nobody else takes it for done, and other refusals stay what they are.
        let _ = world.bot.post(&format!("{REPOSITORY}/labels"), &label).await.expect(403);
        let _ = asking.patch(REPOSITORY, &json!({ "description": "x" })).await.expect(403);
        let created = json!({ "name": "y", "color": "ff0000" });
        let _ = world.alice.clone().with_header("prefer".parse().unwrap(), "respond-async")
            .post(&format!("{REPOSITORY}/labels"), &created).await.expect(201);
    }

    async fn refs_that_a_policy_lets_wait_are_held_and_moved_by_the_forge(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("releases", RELEASES).await;
        let mut browser = world.forge.browser("alice").await;
        let before = world.tip("release/1").await;
        let moved = world.moved(&world.bot, "release/1").await.expect(403).json();
        let id = moved["approval"]["id"].as_str().unwrap_or_else(|| panic!("nothing waits: {moved}")).to_owned();
        assert_eq!(world.tip("release/1").await, before);
        let _ = world.moved(&world.bot, "next").await.expect(200);
        let page = format!("/approvals/{id}");
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        assert_eq!(world.tip("release/1").await, world.next);
        // A policy that refuses for good refuses what was approved before.
        let hard = RELEASES.replace("@outcome(\"require_approval\")", "");
        let back = json!({ "sha": world.base, "force": true });
        let path = format!("{REPOSITORY}/git/refs/heads/release/1");
        let held = world.bot.patch(&path, &back).await.expect(403).json();
        let id = held["approval"]["id"].as_str().unwrap().to_owned();
        world.forbid("never", &hard).await;
        let page = format!("/approvals/{id}");
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        let failed = world.bot.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(failed["status"], "failed", "{failed}");
        assert_eq!(world.tip("release/1").await, world.next);
    }

    async fn a42_a86_who_asked_as_the_agent_does_not_approve_that(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("releases", RELEASES).await;
        let session = format!("{EXT}/agent-bindings/{}/switch-session", world.agent.login);
        let session = world.alice.post(&session, &json!({})).await.expect(200).json();
        let switched = world.forge.client().with_token(&secret(&session["token"]["token"]));
        let held = world.moved(&switched, "release/1").await.expect(403).json();
        let page = format!("/approvals/{}", held["approval"]["id"].as_str().unwrap());
        let mut browser = world.forge.browser("alice").await;
        let shown = browser.visit(&page).await.expect(200).text();
        assert!(shown.contains("nobody approves what they asked for"), "{shown}");
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(403);
        // Somebody else does.
        let carol = world.forge.person("carol").await;
        world.forge.collaborator(&world.repository, &carol, Some(Permission::Write)).await;
        let mut browser = world.forge.browser("carol").await;
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        assert_eq!(world.tip("release/1").await, world.next);
    }
}
