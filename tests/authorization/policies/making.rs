//! Who makes policies, and what is taken.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{NO_RELEASE, POLICIES, REPOSITORY, World};

for_each_database! {
    async fn only_owners_make_policies_and_agents_never_do(forge: TestForge) {
        let world = World::new(forge).await;
        let body = json!({ "name": "x", "policy": NO_RELEASE });
        let (_, member) = world.member("mallory").await;
        let (grant, tasked) = world.tasked(json!({})).await;
        assert!(grant["id"].is_string());
        for (who, client) in [("a member", &member), ("an agent", &world.bot), ("a task token", &tasked)] {
            let refused = client.post(POLICIES, &body).await;
            assert_eq!(refused.status, 403, "{who}: {}", refused.text());
            let removed = client.delete(&format!("{POLICIES}/x")).await;
            assert_eq!(removed.status, 403, "{who}: {}", removed.text());
            let listed = client.get(POLICIES).await;
            assert_eq!(listed.status, 403, "{who}: {}", listed.text());
        }
        let _ = world.alice.post(POLICIES, &body).await.expect(201);
    }

    async fn a_policy_cannot_keep_its_organization_from_removing_it_or_anybody_from_reading(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("all", "forbid (principal, action, resource);").await;
        let refused = world.alice.patch(REPOSITORY, &json!({ "description": "x" })).await.expect(403);
        assert!(refused.text().contains("policy:acme/all"), "{}", refused.text());
        let _ = world.bot.get(REPOSITORY).await.expect(200);
        let listed = world.bot.get("/api/v3/user/repos").await.expect(200).json();
        assert!(listed.as_array().unwrap().iter().any(|one| one["full_name"] == "acme/project"), "{listed}");
        let switch = json!({ "scope": "org:acme", "reason": "drill" });
        let _ = world.alice.post("/api/ext/v1/kill-switches", &switch).await.expect(201);
        let _ = world.alice.delete(POLICIES).await.expect(204);
        let _ = world.alice.patch(REPOSITORY, &json!({ "description": "x" })).await.expect(200);
    }

    async fn what_would_not_work_is_refused_in_the_validators_words(forge: TestForge) {
        let world = World::new(forge).await;
        let refused = async |name: &str, policy: &str| {
            world.alice.post(POLICIES, &json!({ "name": name, "policy": policy })).await.expect(422).text()
        };
        let read = "forbid (principal, action == Action::\"repository.read\", resource);";
        assert!(refused("x", read).await.contains("they bind neither reads"));
        let typed = "forbid (principal, action, resource) when { context.risk == \"high\" };";
        assert!(refused("x", typed).await.contains("type"));
        let unknown = "@outcome(\"ask\") forbid (principal, action, resource);";
        assert!(refused("x", unknown).await.contains("none of the outcomes"));
        assert!(refused("X Y", NO_RELEASE).await.contains("a name has"));
        assert!(refused("dry-run", NO_RELEASE).await.contains("dry-run"));
        world.forbid("x", NO_RELEASE).await;
        assert!(refused("x", NO_RELEASE).await.contains("already"));
        let listed = world.alice.get(POLICIES).await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        assert_eq!(listed[0]["rule"], "policy:acme/x");
        assert_eq!(listed[0]["reason"], "releases are cut by people");
    }

    async fn a_dry_run_says_which_of_the_last_decisions_would_be_others_and_changes_nothing(forge: TestForge) {
        let world = World::new(forge).await;
        let _ = world.moved(&world.bot, "release/1").await.expect(200);
        let _ = world.moved(&world.bot, "next").await.expect(200);
        let trial = async |body| world.alice.post(&format!("{POLICIES}/dry-run"), &body).await.expect(200).json();
        let add = json!([{ "name": "no-release", "policy": NO_RELEASE }]);
        let said = trial(json!({ "add": add })).await;
        let changed = said["changed"].as_array().unwrap();
        let of_bot: Vec<_> = changed.iter().filter(|one| one["subject"]["id"] == world.agent.login).collect();
        assert_eq!(of_bot.len(), 1, "{said}");
        assert_eq!(of_bot[0]["ref"], "refs/heads/release/1");
        assert_eq!(of_bot[0]["resource"], json!({ "type": "repository", "id": "acme/project" }));
        assert_eq!(of_bot[0]["before"]["decision"], true);
        assert_eq!(of_bot[0]["after"]["rule"], "policy:acme/no-release");
        assert!(said["considered"].as_u64().unwrap() >= 2, "{said}");
        let _ = world.moved(&world.bot, "release/1").await.expect(200);
        // What was refused is there, too, and would be allowed without the policy.
        world.forbid("no-release", NO_RELEASE).await;
        let _ = world.moved(&world.bot, "release/1").await.expect(403);
        let said = trial(json!({ "remove": ["no-release"], "decisions": 1 })).await;
        assert_eq!(said["considered"], 1);
        assert_eq!(said["changed"][0]["before"]["decision"], false);
        assert_eq!(said["changed"][0]["after"]["decision"], true);
        let bad = json!({ "add": [{ "name": "x", "policy": "permit (principal, action, resource);" }] });
        let _ = world.alice.post(&format!("{POLICIES}/dry-run"), &bad).await.expect(422);
        let (_, member) = world.member("mallory").await;
        let _ = member.post(&format!("{POLICIES}/dry-run"), &json!({})).await.expect(403);
    }

    async fn a_credential_that_is_refused_again_and_again_can_be_stopped_by_a_policy(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("no-release", NO_RELEASE).await;
        let calm = "@reason(\"too many refusals\") forbid (principal is Agent, action, resource) when { context.recent.refused >= 3 };";
        world.forbid("calm-down", calm).await;
        for _ in 0..3 {
            let _ = world.moved(&world.bot, "next").await.expect(200);
            let _ = world.moved(&world.bot, "release/1").await.expect(403);
        }
        let refused = world.moved(&world.bot, "next").await.expect(403).text();
        assert!(refused.contains("too many refusals"), "{refused}");
        world.forge.advance(std::time::Duration::from_secs(601));
        let _ = world.moved(&world.bot, "next").await.expect(200);
    }
}
