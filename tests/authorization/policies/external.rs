//! A decision point outside: asked about what everything else allows, it can only refuse, and its silence does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use forge_service::outside::{Asking, DecisionPoint, Said};
use forge_testing::browser::submit;
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Database, TestForge, for_each_database};
use serde_json::{Value, json};

use super::{REPOSITORY, World};
use crate::grants::EXT;

/// What it says to a question: nothing where it is silent.
type Rule = fn(&Value) -> Option<Result<(), &'static str>>;

/// A decision point whose rule changes from test to test; it remembers what it was asked.
#[derive(Debug)]
struct Scripted {
    rule: Mutex<Rule>,
    asked: Mutex<Vec<Value>>,
}

impl Scripted {
    fn follow(&self, rule: Rule) {
        *self.rule.lock().unwrap() = rule;
        self.asked.lock().unwrap().clear();
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

impl DecisionPoint for Scripted {
    fn ask<'a>(&'a self, question: &'a Value) -> Asking<'a> {
        self.asked.lock().unwrap().push(question.clone());
        let said = (*self.rule.lock().unwrap())(question);
        Box::pin(async move {
            let Some(said) = said else {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return Err("it woke up".to_owned());
            };
            Ok(Said { is_allowed: said.is_ok(), reason: said.err().map(str::to_owned) })
        })
    }
}

fn agrees(_: &Value) -> Option<Result<(), &'static str>> {
    Some(Ok(()))
}

fn no_release(question: &Value) -> Option<Result<(), &'static str>> {
    let is_release =
        question["resource"]["id"].as_str().is_some_and(|id| id.starts_with("refs/heads/release/"));
    let is_agent = question["subject"]["type"] == "agent";
    Some(if is_release && is_agent { Err("the change window is shut") } else { Ok(()) })
}

fn silent(_: &Value) -> Option<Result<(), &'static str>> {
    None
}

async fn world(database: Database) -> (World, Arc<Scripted>) {
    let point = Arc::new(Scripted { rule: Mutex::new(agrees), asked: Mutex::default() });
    let forge = TestForge::builder(database).decision_point(point.clone()).start().await;
    (World::new(forge).await, point)
}

async fn audited(world: &World, query: &str) -> Vec<Value> {
    let root = world.forge.site_admin("root1").await;
    let root = world.forge.client_of(&root, None).await;
    let events = root.get(&format!("{EXT}/audit-events?{query}")).await.expect(200).json();
    events.as_array().unwrap_or_else(|| panic!("{events}")).clone()
}

for_each_database! {
    async fn what_it_refuses_is_refused_by_every_door(database: Database) {
        let (world, point) = world(database).await;
        for (door, refused) in super::doors::doors(&world).await {
            assert_eq!(refused, None, "{door} while it agrees");
        }
        point.follow(no_release);
        let tip = world.tip("release/1").await;
        for (door, refused) in super::doors::doors(&world).await {
            let refused = refused.unwrap_or_else(|| panic!("{door} moved the branch"));
            let said = "the change window is shut; the external decision point says so";
            assert!(refused.contains(said), "{door}: {refused}");
        }
        assert_eq!(world.tip("release/1").await, tip, "nothing moved");
        let _ = world.moved(&world.bot, "next").await.expect(200);
        let _ = world.moved(&world.alice, "release/1").await.expect(200);
        // Asking what would be asks it as well.
        let question = json!({
            "subject": { "type": "agent", "id": world.agent.login }, "action": { "name": "branch.update" },
            "resource": { "type": "ref", "id": "refs/heads/release/1", "properties": { "repository": "acme/project" } },
        });
        let answer = world.alice.post(&format!("{EXT}/access/evaluate"), &question).await.expect(200).json();
        assert_eq!(answer["decision"], false, "{answer}");
        assert!(answer.to_string().contains("external.refused"), "{answer}");
        let denied = audited(&world, "decision=deny&per_page=100").await;
        assert!(denied.iter().any(|event| event.to_string().contains("external.refused")), "{denied:?}");
    }

    async fn it_is_told_who_for_whom_and_for_which_task(database: Database) {
        let (world, point) = world(database).await;
        let (grant, tasked) = world.tasked(json!({})).await;
        point.follow(agrees);
        let body = json!({ "message": "m", "content": "eQ==", "branch": "next" });
        let _ = tasked.put(&format!("{REPOSITORY}/contents/more"), &body).await.expect(201);
        let asked = point.asked();
        let question = asked.iter().find(|one| one["resource"]["type"] == "ref").unwrap_or_else(|| panic!("{asked:?}"));
        assert_eq!(question["subject"]["type"], "agent");
        assert_eq!(question["subject"]["id"], world.agent.login);
        assert!(question["subject"]["properties"]["owner_id"].is_number(), "{question}");
        assert_eq!(question["action"]["name"], "branch.update");
        assert_eq!(question["resource"]["id"], "refs/heads/next");
        assert_eq!(question["resource"]["properties"]["repository"], "acme/project");
        assert_eq!(question["context"]["grant"], json!({ "id": grant["id"], "task": "fix it" }));
        assert_eq!(question["context"]["delegator"], "acme");
        assert_eq!(question["context"]["surface"], "rest");
        assert_eq!(question["context"]["credential"]["kind"], "task");
        assert_eq!(question["context"]["approval"]["is_approved"], false);
        assert!(question["context"]["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{question}");
        // Nobody is asked twice, and no secret is told.
        let actions: Vec<String> = asked.iter().map(|one| format!("{}{}", one["action"], one["resource"])).collect();
        let once: std::collections::HashSet<&String> = actions.iter().collect();
        assert_eq!(once.len(), actions.len(), "{actions:?}");
        assert!(!format!("{asked:?}").contains(world.agent.token.expose()));
    }

    async fn it_is_not_asked_about_what_is_refused_anyway_or_read(database: Database) {
        let (world, point) = world(database).await;
        world.forbid("no-release", super::NO_RELEASE).await;
        point.follow(agrees);
        let refused = world.moved(&world.bot, "release/1").await.expect(403).text();
        assert!(refused.contains("policy:acme/no-release"), "what it allows is no right: {refused}");
        world.bot.delete(REPOSITORY).await.expect(403);
        let stranger = world.forge.human_client("mallory").await;
        world.moved(&stranger, "next").await.expect(404);
        let asked = point.asked();
        let about = |action: &str| asked.iter().any(|one| one["action"]["name"] == action);
        assert!(!about("repository.delete") && !about("branch.force_update"), "{asked:?}");
        point.follow(silent);
        let _ = world.bot.get(REPOSITORY).await.expect(200);
        let _ = world.bot.get(&format!("{REPOSITORY}/commits")).await.expect(200);
        assert!(point.asked().is_empty(), "{:?}", point.asked());
    }

    async fn its_silence_is_a_refusal(database: Database) {
        let (world, point) = world(database).await;
        point.follow(silent);
        let begun = std::time::Instant::now();
        let refused = world.moved(&world.bot, "next").await.expect(403).text();
        assert!(refused.contains("did not answer in time"), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not waited for");
        let server = world.forge.listen().await;
        let refused = world.push(&server, &world.agent.token, "next").await.unwrap_err();
        assert!(refused.contains("403") || refused.contains("did not answer in time"), "{refused}");
        let label = json!({ "name": "x", "color": "ff0000" });
        let _ = world.alice.post(&format!("{REPOSITORY}/labels"), &label).await.expect(403);
        point.follow(agrees);
        let _ = world.alice.post(&format!("{REPOSITORY}/labels"), &label).await.expect(201);
    }

    async fn requests_that_are_tried_again_are_made_once(database: Database) {
        let (world, point) = world(database).await;
        point.follow(agrees);
        let before = world.bot.get("/api/v3/rate_limit").await.expect(200).json()["resources"]["core"]["used"].clone();
        let body = json!({ "ref": "refs/heads/feature", "sha": world.base });
        let made = world.bot.post(&format!("{REPOSITORY}/git/refs"), &body).await.expect(201);
        assert!(point.asked().len() >= 2, "{:?}", point.asked());
        let used = made.header("x-ratelimit-used").unwrap().parse::<u64>().unwrap();
        assert_eq!(used, before.as_u64().unwrap() + 1, "one request is one request");
        let pushes = audited(&world, "per_page=100").await;
        let of_feature = pushes.iter().filter(|event| event.to_string().contains("refs/heads/feature")).count();
        assert_eq!(of_feature, 1, "{pushes:?}");
        // With files: the first commit comes after the repository is there.
        let body = json!({ "name": "readme", "auto_init": true });
        let _ = world.alice.post("/api/v3/user/repos", &body).await.expect(201);
        let _ = world.alice.get("/api/v3/repos/alice/readme/contents/README.md").await.expect(200);
    }

    async fn each_mutation_of_a_document_is_asked_about_and_made_once(database: Database) {
        let (world, point) = world(database).await;
        point.follow(no_release);
        let id = world.alice.get(REPOSITORY).await.expect(200).json()["node_id"].clone();
        let document = "mutation($id: ID!, $to: GitObjectID!) {
            one: createRef(input: { repositoryId: $id, name: \"refs/heads/one\", oid: $to }) { ref { name } }
            two: createRef(input: { repositoryId: $id, name: \"refs/heads/release/2\", oid: $to }) { ref { name } }
            three: createRef(input: { repositoryId: $id, name: \"refs/heads/three\", oid: $to }) { ref { name } }
        }";
        let answer = world.bot.graphql(document, json!({ "id": id, "to": world.base })).await.expect(200).json();
        assert_eq!(answer["data"]["one"]["ref"]["name"], "one", "{answer}");
        assert_eq!(answer["data"]["two"], Value::Null, "{answer}");
        assert_eq!(answer["data"]["three"]["ref"]["name"], "three", "{answer}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{answer}");
        assert!(errors[0]["message"].as_str().unwrap().contains("the change window is shut"), "{answer}");
    }

    async fn a_request_about_many_things_is_asked_about_each(database: Database) {
        let (world, point) = world(database).await;
        let names: Vec<String> = (0..12).map(|number| format!("alice/n{number}")).collect();
        for name in &names {
            let body = json!({ "name": name.trim_start_matches("alice/") });
            let _ = world.alice.post("/api/v3/user/repos", &body).await.expect(201);
        }
        point.follow(agrees);
        let grants = names.iter().map(|name| json!({ "repo_full_name": name, "permission": "write" }));
        let invite = json!({ "repo_grants": grants.collect::<Vec<_>>() });
        let other = world.forge.registered_agent("other").await;
        world.forge.bind(&world.alice, &other, &invite).await;
        let _ = other.client.get("/api/v3/repos/alice/n11").await.expect(200);
    }

    async fn a_push_moves_the_refs_that_it_allows(database: Database) {
        let (world, point) = world(database).await;
        point.follow(no_release);
        let server = world.forge.listen().await;
        let remote = format!("{}/acme/project.git", server.url_as("x", world.agent.token.expose()));
        let push = async |more: &'static [&'static str], names: Vec<String>| {
            let remote = remote.clone();
            tokio::task::spawn_blocking(move || {
                let folder = tempfile::tempdir().unwrap();
                succeed(git(folder.path()).args(["clone", "--quiet", &remote, "."]));
                let refs = names.iter().map(|name| format!("HEAD:refs/heads/{name}"));
                let pushed = git(folder.path()).args(["push", "origin"]).args(more).args(refs).output().unwrap();
                String::from_utf8_lossy(&pushed.stderr).into_owned()
            })
            .await
            .unwrap()
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let said = push(&[], names(&["a", "release/9", "b"])).await;
        assert!(said.contains("the change window is shut"), "{said}");
        assert!(said.contains("-> a\n") && said.contains("-> b\n"), "{said}");
        let _ = world.alice.get(&format!("{REPOSITORY}/git/ref/heads/release/9")).await.expect(404);
        let said = push(&["--atomic"], names(&["c", "release/9"])).await;
        assert!(said.contains("the change window is shut"), "{said}");
        let _ = world.alice.get(&format!("{REPOSITORY}/git/ref/heads/c")).await.expect(404);
        // So many are asked about; what is beyond is refused, and says so.
        let said = push(&[], (0..110).map(|number| format!("many/{number}")).collect()).await;
        assert!(said.contains("did not answer in time"), "{said}");
        assert!(point.asked().iter().filter(|one| one["resource"]["id"] == "refs/heads/many/0").count() <= 2);
        let _ = world.alice.get(&format!("{REPOSITORY}/git/ref/heads/many/0")).await.expect(200);
    }

    async fn what_a_human_approved_is_asked_about_again(database: Database) {
        let (world, point) = world(database).await;
        let policy = "@outcome(\"require_approval\") forbid (principal is Agent, action in Action::\"ref.change\", resource) \
                      when { context.ref.name like \"refs/heads/next\" };";
        world.forbid("next", policy).await;
        let mut browser = world.forge.browser("alice").await;
        let ask = async || {
            let asked = world.moved(&world.bot, "next").await.expect(403).json();
            asked["approval"]["id"].as_str().unwrap_or_else(|| panic!("nothing waits: {asked}")).to_owned()
        };
        let tip = world.tip("next").await;
        let id = ask().await;
        let page = format!("/approvals/{id}");
        point.follow(|question| {
            let is_carried_out = question["context"]["approval"]["is_approved"] == true;
            Some(if is_carried_out { Err("frozen meanwhile") } else { Ok(()) })
        });
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        let ended = world.bot.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(ended["status"], "failed", "{ended}");
        assert!(ended.to_string().contains("frozen meanwhile"), "{ended}");
        assert_eq!(world.tip("next").await, tip);
        point.follow(agrees);
        let id = ask().await;
        let page = format!("/approvals/{id}");
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
        assert_ne!(world.tip("next").await, tip);
        let asked = point.asked();
        let is_told = |one: &Value| {
            one["subject"]["id"] == world.agent.login && one["context"]["approval"]["is_approved"] == true
        };
        assert!(asked.iter().any(is_told), "{asked:?}");
    }
}
