//! Pushes that wait for a human.

use std::time::Duration;

use forge_testing::fixtures::{git, succeed};
use forge_testing::{TestForge, for_each_database};
use serde_json::{Value, json};

use super::{Desk, approval_in};
use crate::grants::{Copy, EXT, PREFIX};

for_each_database! {
    async fn a_push_waits_and_the_forge_moves_the_ref_once_a_human_approves(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let before = desk.tip("heads/main").await;
        let commit = desk.copy.commit("src/lib.rs", "code");
        let said = desk.copy.push(&["HEAD:refs/heads/main"]).await.expect_err("it waits");
        let id = approval_in(&said);
        assert!(said.contains("[remote rejected]") && said.contains(&format!("(held for approval {id})")), "{said}");
        let line = said.lines().find_map(|line| line.split_once("forge-approval: ")).expect("a line for programs").1;
        let told: Value = serde_json::from_str(line.trim()).unwrap();
        assert_eq!((told["id"].as_str(), told["status"].as_str()), (Some(id.as_str()), Some("pending")));
        assert!(told["approve"].as_str().unwrap().ends_with(&format!("/approvals/{id}")), "{told}");
        assert_eq!(desk.tip("heads/main").await, before, "nothing moves before somebody decided");
        let waiting = desk.approval(&id).await;
        let held = json!([{ "ref": "refs/heads/main", "old": before, "new": commit, "forced": false }]);
        assert_eq!((&waiting["status"], &waiting["refs"]), (&json!("pending"), &held));
        assert_eq!(waiting["rule"], "approval.grant");

        let _ = desk.answer(&id, "approve", "looks right").await.expect(303);
        assert_eq!(desk.tip("heads/main").await.as_deref(), Some(commit.as_str()));
        let done = desk.approval(&id).await;
        assert_eq!((&done["status"], &done["comment"]), (&json!("consumed"), &json!("looks right")));
        assert_eq!(done["result"]["refs"], json!([{ "ref": "refs/heads/main", "new": commit }]));
        assert_eq!(done["decided_by"]["login"], "alice");
        Copy::ask(desk.copy.path(), &["fetch", "--quiet", &desk.copy.remote, "main"]).await.expect("what was approved");

        let events = desk.world.alice.get(&format!("{EXT}/audit-events?agent={}", desk.world.agent.login)).await;
        let events = events.expect(200).json();
        let of = |name: &str| {
            let found = events.as_array().unwrap().iter().find(|event| {
                event["action"] == name && (event["details"]["approval_id"] == id.as_str())
            });
            found.unwrap_or_else(|| panic!("no `{name}`: {events}")).clone()
        };
        assert_eq!(of("approval.requested")["actor"]["login"], desk.world.agent.login.as_str());
        let moved = of("refs.updated");
        assert_eq!(moved["actor"]["login"], desk.world.agent.login.as_str(), "the agent did it: {moved}");
        assert_eq!(moved["grant"], desk.grant["id"]);
        assert_eq!(of("approval.consumed")["actor"]["login"], "alice");
    }

    async fn a20_what_needs_nobody_moves_beside_what_waits_unless_all_are_one(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let commit = desk.copy.commit("src/lib.rs", "code");
        let said = desk.copy.push(&["HEAD:refs/heads/new", "HEAD:refs/heads/main"]).await.expect_err("one waits");
        assert!(said.contains("[new branch]"), "{said}");
        assert_eq!(desk.tip("heads/new").await.as_deref(), Some(commit.as_str()));
        assert_ne!(desk.tip("heads/main").await.as_deref(), Some(commit.as_str()));
        let alone = desk.approval(&approval_in(&said)).await;
        assert_eq!(alone["refs"].as_array().unwrap().len(), 1);

        let both = ["--atomic", "HEAD:refs/heads/other", "HEAD:refs/heads/main"];
        let said = desk.copy.push(&both).await.expect_err("both wait");
        let id = approval_in(&said);
        assert_eq!(said.matches(&format!("held for approval {id}")).count(), 2, "{said}");
        assert_eq!(desk.tip("heads/other").await, None);
        desk.approve(&id).await;
        for name in ["heads/other", "heads/main"] {
            assert_eq!(desk.tip(name).await.as_deref(), Some(commit.as_str()), "{name}");
        }
    }

    async fn a_push_with_something_refused_asks_nobody_when_it_is_atomic(forge: TestForge) {
        let constraints = json!({ "constraints": { "branch_prefix": PREFIX, "requires_approval": ["create_branch"] } });
        let desk = Desk::with(forge, &constraints).await;
        desk.copy.commit("a", "1");
        let inside = format!("HEAD:refs/heads/{PREFIX}x");
        let said = desk.copy.push(&["--atomic", &inside, "HEAD:refs/heads/outside"]).await.expect_err("one is refused");
        assert!(!said.contains("held"), "{said}");
        let said = desk.copy.push(&["HEAD:refs/heads/outside"]).await.expect_err("refused for good");
        assert!(!said.contains("held"), "nobody is asked about what is refused anyway: {said}");
        let waiting = desk.agent.get(&format!("{EXT}/approvals")).await.expect(200).json();
        assert_eq!(waiting, json!([]));
        let said = desk.copy.push(&[&inside]).await.expect_err("it waits");
        approval_in(&said);
    }

    async fn a_client_that_stays_on_the_line_is_told_how_it_ended(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        for (answer, comment) in [("approve", ""), ("deny", "not\ntoday")] {
            let commit = desk.copy.commit("src/lib.rs", answer);
            let before = desk.tip("heads/main").await;
            let pushing = async {
                desk.copy.push(&["--push-option=forge.wait=60", "HEAD:refs/heads/main"]).await
            };
            let mut browser = desk.browser.clone();
            let agent = desk.agent.clone();
            let deciding = async {
                let id = loop {
                    let found = agent.get(&format!("{EXT}/approvals?state=pending")).await.expect(200).json();
                    if let Some(id) = found[0]["id"].as_str() {
                        break id.to_owned();
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                };
                let page = format!("/approvals/{id}");
                let to = format!("{page}/{answer}");
                forge_testing::browser::submit(&mut browser, &page, &to, &[("comment", comment)]).await.expect(303);
            };
            let (said, ()) = tokio::join!(pushing, deciding);
            match answer {
                "approve" => {
                    said.expect("a push that was approved");
                    assert_eq!(desk.tip("heads/main").await, Some(commit));
                }
                _ => {
                    let said = said.expect_err("a push that was denied");
                    assert!(said.contains("(denied by alice: not today)"), "{said}");
                    assert_eq!(desk.tip("heads/main").await, before);
                }
            }
        }
        desk.browser.visit("/approvals?all=true").await.expect(200);
    }

    async fn a28_options_of_the_forge_are_few_and_give_no_rights(forge: TestForge) {
        let desk = Desk::new(forge).await;
        desk.copy.commit("a", "1");
        for option in ["forge.approve=apr_1", "forge.wait=0", "forge.wait=forever", "forge.skip-approval"] {
            let said = desk.copy.push(&["--push-option", option, "HEAD:refs/heads/new"]).await.expect_err(option);
            assert!(said.contains("remote rejected"), "{option}: {said}");
        }
        desk.copy.push(&["--push-option=ci.skip", "HEAD:refs/heads/new"]).await.expect("an option of somebody else's");
    }

    async fn a41_a84_what_is_approved_is_what_was_looked_at(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (first, former) = desk.held("one").await;
        let (second, later) = desk.held("two").await;
        assert_ne!(former, later);
        let replaced = desk.approval(&former).await;
        assert_eq!(replaced["status"], "cancelled");
        assert_eq!(replaced["outcome"], format!("replaced by {later}"));
        let _ = desk.world.alice.get(&format!("/api/v3/repos/alice/project/commits/{first}")).await.expect(422);

        // Somebody moves the branch meanwhile.
        let tree = desk.world.alice.get("/api/v3/repos/alice/project/commits/main").await.expect(200).json();
        let put = json!({ "message": "m", "content": "eA==", "branch": "main" });
        desk.world.alice.put("/api/v3/repos/alice/project/contents/elsewhere", &put).await.expect(201);
        let moved = desk.tip("heads/main").await;
        assert_ne!(moved.as_deref(), tree["sha"].as_str());
        let _ = desk.answer(&later, "approve", "").await.expect(303);
        let failed = desk.approval(&later).await;
        assert_eq!(failed["status"], "failed");
        assert!(failed["outcome"].as_str().unwrap().contains("stale info"), "{failed}");
        assert_eq!(desk.tip("heads/main").await, moved, "{second} was approved on top of something else");
    }

    async fn a88_the_same_request_waits_once_and_many_are_refused(forge: TestForge) {
        let desk = Desk::with(forge, &json!({ "constraints": { "requires_approval": ["create_branch"] } })).await;
        desk.copy.commit("a", "1");
        let first = approval_in(&desk.copy.push(&["HEAD:refs/heads/b0"]).await.expect_err("it waits"));
        let again = approval_in(&desk.copy.push(&["HEAD:refs/heads/b0"]).await.expect_err("it waits"));
        assert_eq!(first, again);
        for number in 1..20 {
            approval_in(&desk.copy.push(&[&format!("HEAD:refs/heads/b{number}")]).await.expect_err("it waits"));
        }
        let said = desk.copy.push(&["HEAD:refs/heads/b20"]).await.expect_err("too many");
        assert!(said.contains("20 requests of this account wait"), "{said}");
        let path = format!("{EXT}/approvals/{first}");
        desk.agent.delete(&path).await.expect(204);
        assert_eq!(desk.approval(&first).await["status"], "cancelled");
        approval_in(&desk.copy.push(&["HEAD:refs/heads/b20"]).await.expect_err("there is room again"));
    }

    async fn a89_held_objects_are_nobodys_to_read(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (commit, id) = desk.held("held").await;
        for client in [&desk.world.alice, &desk.agent] {
            for path in [format!("commits/{commit}"), format!("git/commits/{commit}"), format!("compare/main...{commit}")] {
                let answer = client.get(&format!("/api/v3/repos/alice/project/{path}")).await;
                assert!([404, 422].contains(&answer.status.as_u16()), "{path}: {}", answer.text());
            }
            let create = json!({ "ref": "refs/heads/stolen", "sha": commit });
            let refused = client.post("/api/v3/repos/alice/project/git/refs", &create).await;
            assert_eq!(refused.status, 422, "{}", refused.text());
        }
        let refs = Copy::ask(desk.copy.path(), &["ls-remote", &desk.copy.remote]).await.expect("refs");
        assert!(!refs.contains("forge/held") && !refs.contains(&commit), "{refs}");
        let empty = tempfile::tempdir().unwrap();
        succeed(git(empty.path()).args(["init", "--quiet"]));
        let fetched = Copy::ask(empty.path(), &["fetch", &desk.copy.remote, &commit]).await;
        assert!(fetched.is_err(), "fetched what only waits: {fetched:?}");
        // Once it is denied, not even the person who decided sees it again.
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(page.contains("held"), "whoever decides sees what it is about: {page}");
        let _ = desk.answer(&id, "deny", "").await.expect(303);
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(!page.contains("<pre class=\"diff\""), "{page}");
        // The honest way.
        let (commit, id) = desk.held("again").await;
        desk.approve(&id).await;
        desk.world.alice.get(&format!("/api/v3/repos/alice/project/commits/{commit}")).await.expect(200);
    }

    async fn held_objects_outlive_maintenance_and_what_was_denied_does_not(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (commit, id) = desk.held("kept").await;
        desk.world.forge.run_jobs().await;
        desk.approve(&id).await;
        assert_eq!(desk.tip("heads/main").await, Some(commit));
        assert!(desk.pins().await.is_empty(), "nothing keeps what is done");
        let (_, id) = desk.held("not kept").await;
        assert_eq!(desk.pins().await, [format!("refs/forge/held/{id}/0")]);
        let _ = desk.answer(&id, "deny", "").await.expect(303);
        assert!(desk.pins().await.is_empty());
    }

    async fn a85_what_waited_in_vain_is_asked_for_anew(forge: TestForge) {
        let late = forge.now().plus(Duration::from_secs(72 * 3600)).to_string();
        let constraints = json!({ "requires_approval": ["create_branch"], "expires_at": late });
        let mut desk = Desk::with(forge, &json!({ "constraints": constraints })).await;
        desk.copy.commit("a", "1");
        let first = approval_in(&desk.copy.push(&["HEAD:refs/heads/b"]).await.expect_err("it waits"));
        desk.world.forge.advance(Duration::from_secs(25 * 3600));
        let token = desk.world.task_token(&desk.grant).await;
        desk.agent = desk.world.forge.client().with_token(&token);
        desk.copy.remote = desk.server.url_as("x", token.expose()) + "/alice/project.git";
        let second = approval_in(&desk.copy.push(&["HEAD:refs/heads/b"]).await.expect_err("it waits anew"));
        assert_ne!(first, second);
        assert_eq!(desk.approval(&first).await["status"], "expired");
        assert_eq!(desk.pins().await, [format!("refs/forge/held/{second}/0")]);
        desk.browser = desk.world.forge.browser("alice").await;
        desk.approve(&second).await;
        assert_eq!(desk.approval(&second).await["status"], "consumed");
    }
}
