//! Asking what somebody may do: the answer is what happens.

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

use super::{NO_RELEASE, REPOSITORY, World};

const EVALUATE: &str = "/api/ext/v1/access/evaluate";

fn question(login: &str, action: &str, branch: &str) -> Value {
    json!({
        "subject": { "type": "agent", "id": login },
        "action": { "name": action },
        "resource": {
            "type": "ref", "id": format!("refs/heads/{branch}"), "properties": { "repository": "acme/project" },
        },
    })
}

async fn ask(client: &Client, question: &Value) -> Value {
    client.post(EVALUATE, question).await.expect(200).json()
}

for_each_database! {
    async fn the_answer_is_what_happens_and_names_what_decided(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, tasked) = world.tasked(json!({ "branch_prefix": "agent/" })).await;
        for policy in [None, Some(NO_RELEASE)] {
            if let Some(policy) = policy {
                world.forbid("no-release", policy).await;
            }
            for branch in ["release/1", "next", "main"] {
                for client in [&world.bot, &tasked] {
                    let action = if world.tip(branch).await == world.base { "branch.update" } else { "branch.force_update" };
                    let said = ask(client, &question(&world.agent.login, action, branch)).await;
                    let happened = world.moved(client, branch).await;
                    assert_eq!(said["decision"] == true, happened.status == 200, "{branch}: {said} {}", happened.text());
                    if happened.status != 200 {
                        assert_eq!(said["context"]["reason"], happened.json()["message"], "{branch}");
                    }
                }
            }
        }
        let said = ask(&world.bot, &question(&world.agent.login, "branch.update", "release/1")).await;
        assert_eq!(said["context"]["policy"], "policy:acme/no-release");
        assert_eq!(said["context"]["effect"], "forbidden");
        assert!(said["context"]["needed"].is_string(), "{said}");
        // Her human asks what the agent may do under a grant, and with its standing token.
        let mut under = question(&world.agent.login, "branch.update", "next");
        under["subject"]["properties"] = json!({ "grant": grant["id"] });
        let said = ask(&world.alice, &under).await;
        assert_eq!(said["decision"], false);
        assert_eq!(said["context"]["rule"], "grant.prefix");
        assert_eq!(said["context"]["grant"], grant["id"]);
        let said = ask(&world.alice, &question(&world.agent.login, "branch.update", "next")).await;
        assert_eq!(said["decision"], true, "{said}");
        let said = ask(&world.alice, &question(&world.agent.login, "branch.delete", "main")).await;
        assert_eq!(said["decision"], false, "nobody deletes the default branch");
    }

    async fn a1_only_those_concerned_may_ask(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, member) = world.member("mallory").await;
        let other = world.forge.registered_agent("other").await;
        let other = world.forge.client().with_token(&other.token);
        let asked = question(&world.agent.login, "branch.update", "next");
        for client in [&member, &other] {
            let _ = client.post(EVALUATE, &asked).await.expect(404);
        }
        let _ = world.forge.client().post(EVALUATE, &asked).await.expect(401);
        let _ = world.bot.post(EVALUATE, &asked).await.expect(200);
        // Owners of the organization ask about members; members about themselves.
        let about = json!({
            "subject": { "type": "user", "id": "mallory" }, "action": { "name": "repository.delete" },
            "resource": { "type": "repository", "id": "acme/project" },
        });
        for client in [&world.alice, &member] {
            let said = ask(client, &about).await;
            assert_eq!(said["decision"], false);
            assert_eq!(said["context"]["rule"], "rights.repository", "{said}");
        }
        let mut elsewhere = about.clone();
        elsewhere["resource"] = json!({ "type": "site", "id": "" });
        let _ = world.alice.post(EVALUATE, &elsewhere).await.expect(404);
        let _ = world.bot.post(EVALUATE, &about).await.expect(404);
        // What the subject cannot see does not exist, whoever asks.
        let hidden = json!({
            "subject": { "type": "agent", "id": world.agent.login }, "action": { "name": "repository.read" },
            "resource": { "type": "repository", "id": "acme/nothing" },
        });
        let said = ask(&world.alice, &hidden).await;
        assert_eq!(said["decision"], false);
        assert_eq!(said["context"]["effect"], "not_found");
    }

    async fn several_questions_are_answered_in_order(forge: TestForge) {
        let world = World::new(forge).await;
        world.forbid("no-release", NO_RELEASE).await;
        let mut body = question(&world.agent.login, "branch.update", "next");
        body["evaluations"] = json!([
            {},
            { "resource": question("", "", "release/1")["resource"] },
            { "action": { "name": "no.such" } },
        ]);
        let said = world.bot.post("/api/ext/v1/access/evaluations", &body).await.expect(200).json();
        let decisions: Vec<&Value> =
            said["evaluations"].as_array().unwrap().iter().map(|one| &one["decision"]).collect();
        assert_eq!(decisions, [&json!(true), &json!(false), &json!(false)]);
        body["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
        let said = world.bot.post("/api/ext/v1/access/evaluations", &body).await.expect(200).json();
        assert_eq!(said["evaluations"].as_array().unwrap().len(), 2);
        // Nothing of it is written down as something that was tried.
        let tried = world.alice.get("/api/ext/v1/audit-events?decision=deny").await;
        assert!(!tried.text().contains("branch.update"), "{}", tried.text());
        let _ = world.bot.get(REPOSITORY).await.expect(200);
    }
}
