//! The two modes of an agent. In delegated mode its own credentials have the rights that its human has at that time, up to a
//! ceiling; by itself a binding changes nothing of what either may do.

use forge_testing::browser::submit;
use forge_testing::fixtures::{git, succeed};
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::Permission;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::grants::{EXT, World};

const PROJECT: &str = "/api/v3/repos/alice/project";
const OWN: &str = "/api/v3/repos/bot-0/notes";

struct Scene {
    world: World,
    bot: Client,
    agent: String,
    base: String,
}

impl Scene {
    async fn new(forge: TestForge) -> Self {
        Self::of(World::new(forge).await).await
    }

    async fn new_of(forge: TestForge, human: forge_types::Account) -> Self {
        Self::of(World::of(forge, human).await).await
    }

    async fn of(world: World) -> Self {
        let bot = world.forge.client().with_token(&world.agent.token);
        let agent = format!("{EXT}/agents/{}", world.agent.login);
        let first = json!({ "message": "first", "content": "eA==" });
        let made = world.alice.put(&format!("{PROJECT}/contents/README.md"), &first).await.expect(201).json();
        let base = made["commit"]["sha"].as_str().unwrap().to_owned();
        Self { world, bot, agent, base }
    }

    async fn mode(&self, mode: &str) -> Value {
        self.world.alice.patch(&self.agent, &json!({ "mode": mode })).await.expect(200).json()
    }

    async fn branch(&self, client: &Client, repository: &str, name: &str) -> u16 {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": self.base });
        client.post(&format!("{repository}/git/refs"), &body).await.status.as_u16()
    }

    /// A repository of the agent's own.
    async fn own(&self) -> String {
        let made = self.bot.post("/api/v3/user/repos", &json!({ "name": "notes", "private": true })).await;
        let made = made.expect(201).json();
        format!("/api/v3/repos/{}", made["full_name"].as_str().unwrap())
    }
}

for_each_database! {
    async fn in_delegated_mode_an_agent_has_its_humans_rights_and_no_others(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let own = scene.own().await;
        assert_ne!(own, OWN);
        assert_eq!(scene.branch(&scene.bot, PROJECT, "a").await, 404, "bound, and no more");
        let view = scene.mode("delegated").await;
        assert_eq!((&view["mode"], &view["delegator"]["login"]), (&json!("delegated"), &json!("alice")));
        assert_eq!(view["ceiling"], json!({ "permission": "write" }));
        assert_eq!(scene.branch(&scene.bot, PROJECT, "a").await, 201);
        let _ = scene.bot.get(&own).await.expect(404);
        let refused = scene.bot.post("/api/v3/user/repos", &json!({ "name": "more" })).await.expect(403).text();
        assert!(refused.contains("its human's rights"), "{refused}");
        // Up to its ceiling.
        let described = json!({ "description": "x" });
        let refused = scene.bot.patch(PROJECT, &described).await.expect(403).text();
        assert!(refused.contains("the agent's ceiling is `write`"), "{refused}");
        let higher = json!({ "ceiling": { "permission": "maintain" } });
        let _ = scene.world.alice.patch(&scene.agent, &higher).await.expect(200);
        let _ = scene.bot.patch(PROJECT, &described).await.expect(200);
        let none = json!({ "ceiling": { "permission": "maintain", "actions": ["push_branch"] } });
        let _ = scene.world.alice.patch(&scene.agent, &none).await.expect(200);
        assert_eq!(scene.branch(&scene.bot, PROJECT, "b").await, 403);
        // Back on its own, it has what is its own.
        let view = scene.mode("autonomous").await;
        assert_eq!((&view["mode"], &view["delegator"]), (&json!("autonomous"), &Value::Null));
        let _ = scene.bot.get(PROJECT).await.expect(404);
        let _ = scene.bot.get(&own).await.expect(200);
    }

    async fn nothing_that_is_lent_is_kept(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let carol = scene.world.forge.human("carol").await;
        scene.mode("delegated").await;
        // A list of actions is about code: who lists them has not said that the agent administers.
        let listed = json!({ "ceiling": { "actions": ["push_branch"] } });
        let view = scene.world.alice.patch(&scene.agent, &listed).await.expect(200).json();
        assert_eq!(view["ceiling"]["permission"], "write", "{view}");
        let _ = scene.bot.delete(PROJECT).await.expect(403);
        let all = json!({ "ceiling": { "permission": "admin" } });
        let _ = scene.world.alice.patch(&scene.agent, &all).await.expect(200);
        let to_itself = json!({ "new_owner": scene.world.agent.login });
        let refused = scene.bot.post(&format!("{PROJECT}/transfer"), &to_itself).await.expect(403).text();
        assert!(refused.contains("its human's rights"), "{refused}");
        for login in [&scene.world.agent.login, &carol.login] {
            let body = json!({ "permission": "admin" });
            let _ = scene.bot.put(&format!("{PROJECT}/collaborators/{login}"), &body).await.expect(403);
        }
        let _ = scene.bot.patch(PROJECT, &json!({ "description": "x" })).await.expect(200);
    }

    async fn a_limited_token_lends_nothing(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let limited = scene.world.forge.client_of(&scene.world.human, Some("repo")).await;
        let refused = limited.patch(&scene.agent, &json!({ "mode": "delegated" })).await.expect(403).text();
        assert!(refused.contains("limited to scopes"), "{refused}");
        scene.mode("delegated").await;
        let _ = limited.patch(&scene.agent, &json!({ "ceiling": null })).await.expect(403);
        let _ = limited.patch(&scene.agent, &json!({ "ceiling": { "permission": "admin" } })).await.expect(403);
        let _ = limited.patch(&scene.agent, &json!({ "ceiling": { "permission": "read" } })).await.expect(200);
        let _ = scene.world.alice.patch(&scene.agent, &json!({ "ceiling": { "permission": "admin" } })).await.expect(200);
    }

    async fn a_person_lends_and_takes_back_on_the_agents_page(forge: TestForge) {
        let person = forge.person("alice").await;
        let scene = Scene::new_of(forge, person).await;
        let mut browser = scene.world.forge.browser("alice").await;
        let page = format!("/settings/agents/{}", scene.world.agent.login);
        let fields = [("mode", "delegated"), ("ceiling", "triage")];
        submit(&mut browser, &page, &format!("{page}/rights"), &fields).await.expect(303);
        let view = scene.world.alice.get(&scene.agent).await.expect(200).json();
        assert_eq!((&view["mode"], &view["ceiling"]["permission"]), (&json!("delegated"), &json!("triage")));
        let _ = scene.bot.get(PROJECT).await.expect(200);
        submit(&mut browser, &page, &format!("{page}/rights"), &[("mode", "autonomous"), ("ceiling", "")]).await.expect(303);
        let view = scene.world.alice.get(&scene.agent).await.expect(200).json();
        assert_eq!((&view["mode"], &view["ceiling"]), (&json!("autonomous"), &Value::Null));
        let _ = submit(&mut browser, &page, &format!("{page}/rights"), &[("mode", "king"), ("ceiling", "")]).await.expect(400);
    }

    async fn lent_rights_are_taken_back_by_a_token_of_any_kind(forge: TestForge) {
        let scene = Scene::new(forge).await;
        scene.mode("delegated").await;
        let limited = scene.world.forge.client_of(&scene.world.human, Some("repo")).await;
        let _ = limited.patch(&scene.agent, &json!({ "mode": "delegated" })).await.expect(403);
        let _ = scene.bot.get(PROJECT).await.expect(200);
        let view = limited.patch(&scene.agent, &json!({ "mode": "autonomous" })).await.expect(200).json();
        assert_eq!(view["mode"], "autonomous");
        let _ = scene.bot.get(PROJECT).await.expect(404);
        let _ = limited.patch(&scene.agent, &json!({ "mode": "delegated" })).await.expect(403);
        // The agent itself ends nothing that its human wants.
        scene.mode("delegated").await;
        let _ = scene.bot.patch(&scene.agent, &json!({ "mode": "autonomous" })).await.expect(403);
    }

    async fn what_becomes_of_the_human_becomes_of_a_delegated_agent_alone(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let own = scene.own().await;
        let carol = scene.world.forge.human("carol").await;
        let shared = scene.world.forge.repository(&carol, "shared", Visibility::Private).await;
        scene.world.forge.collaborator(&shared, &scene.world.human, Some(Permission::Write)).await;
        scene.mode("delegated").await;
        let _ = scene.bot.get("/api/v3/repos/carol/shared").await.expect(200);
        scene.world.forge.collaborator(&shared, &scene.world.human, None).await;
        let _ = scene.bot.get("/api/v3/repos/carol/shared").await.expect(404);
        scene.world.forge.suspend(&scene.world.human).await;
        let _ = scene.bot.get(PROJECT).await.expect(401);
        scene.world.forge.restore(&scene.world.human).await;
        let _ = scene.bot.get(PROJECT).await.expect(200);
        // The same of an autonomous one changes nothing.
        scene.mode("autonomous").await;
        scene.world.forge.suspend(&scene.world.human).await;
        let _ = scene.bot.get(&own).await.expect(200);
    }

    async fn the_end_of_the_binding_is_the_end_of_the_delegation(forge: TestForge) {
        let scene = Scene::new(forge).await;
        scene.mode("delegated").await;
        let _ = scene.bot.get(PROJECT).await.expect(200);
        let path = format!("{EXT}/agent-bindings/{}", scene.world.agent.login);
        let _ = scene.world.alice.delete(&path).await;
        let _ = scene.bot.get(PROJECT).await.expect(404);
        let _ = scene.bot.get("/api/v3/user").await.expect(200);
    }

    async fn every_row_names_agent_and_human(forge: TestForge) {
        let scene = Scene::new(forge).await;
        scene.mode("delegated").await;
        assert_eq!(scene.branch(&scene.bot, PROJECT, "a").await, 201);
        let path = format!("{EXT}/audit-events?agent={}&per_page=100", scene.world.agent.login);
        let root = scene.world.forge.site_admin("root1").await;
        let root = scene.world.forge.client_of(&root, None).await;
        let events = root.get(&path).await.expect(200).json();
        let moved = events.as_array().unwrap().iter().find(|event| event["action"] == "refs.updated");
        let moved = moved.unwrap_or_else(|| panic!("{events}"));
        assert_eq!(moved["actor"]["login"], json!(scene.world.agent.login), "{moved}");
        assert_eq!(moved["delegator"]["login"], "alice", "{moved}");
        assert_eq!(moved["grant"], Value::Null, "{moved}");
        let set = root.get(&format!("{EXT}/audit-events?action=agent.mode_set")).await.expect(200).json();
        assert_eq!(set[0]["details"]["mode"], "delegated", "{set}");
    }

    async fn only_the_human_gives_the_humans_rights_away(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let delegated = json!({ "mode": "delegated" });
        let _ = scene.bot.patch(&scene.agent, &delegated).await.expect(403);
        let root = scene.world.forge.site_admin("root1").await;
        let root = scene.world.forge.client_of(&root, None).await;
        let _ = root.patch(&scene.agent, &delegated).await.expect(403);
        let switch = format!("{EXT}/agent-bindings/{}/switch-session", scene.world.agent.login);
        let switched = scene.world.alice.post(&switch, &json!({})).await.expect(200).json();
        let token = forge_testing::agents::secret(&switched["token"]["token"]);
        let _ = scene.world.forge.client().with_token(&token).patch(&scene.agent, &delegated).await.expect(403);
        let view = scene.world.alice.get(&scene.agent).await.expect(200).json();
        assert_eq!(view["mode"], "autonomous");
        // A refused field leaves everything as it was.
        let both = json!({ "mode": "delegated", "ceiling": { "permission": "king" } });
        let answer = scene.world.alice.patch(&scene.agent, &both).await;
        assert!((400..=422).contains(&answer.status.as_u16()), "{}", answer.status);
        let both = json!({ "mode": "delegated", "description": "x".repeat(400) });
        let _ = scene.world.alice.patch(&scene.agent, &both).await.expect(422);
        let view = scene.world.alice.get(&scene.agent).await.expect(200).json();
        assert_eq!(view["mode"], "autonomous");
        scene.mode("delegated").await;
    }

    async fn rights_that_an_agent_borrows_are_not_its_own_to_give(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let other = scene.world.forge.registered_agent("helper").await;
        let own = scene.own().await;
        let full_name = own.trim_start_matches("/api/v3/repos/");
        let details = json!({
            "agent": other.login, "task": "help", "resources": [format!("repo:{full_name}")], "actions": ["read_code"],
        });
        let grants = format!("{EXT}/task-grants");
        let given = scene.bot.post(&grants, &details).await.expect(201).json();
        scene.mode("delegated").await;
        let path = format!("{grants}/{}", given["id"].as_str().unwrap());
        let ended = scene.bot.get(&path).await.expect(200).json();
        assert_eq!(ended["state"], "revoked", "{ended}");
        let refused = scene.bot.post(&grants, &details).await.expect(422).text();
        assert!(refused.contains("cannot delegate them"), "{refused}");
        // With a task it may pass on part of that, as before.
        let (_, task) = scene.world.tasked(&json!({})).await;
        let part = json!({
            "agent": other.login, "task": "help", "resources": ["repo:alice/project"], "actions": ["read_code"],
            "constraints": { "branch_prefix": crate::grants::PREFIX },
        });
        let _ = task.post(&grants, &part).await.expect(201);
    }

    async fn git_has_the_same_rights(forge: TestForge) {
        let scene = Scene::new(forge).await;
        scene.mode("delegated").await;
        let server = scene.world.forge.listen().await;
        let folder = tempfile::tempdir().unwrap();
        let remote = format!("{}/alice/project.git", server.url_as("x", scene.world.agent.token.expose()));
        let (path, to) = (folder.path().to_owned(), remote.clone());
        blocking(move || {
            succeed(git(&path).args(["clone", "--quiet", &to, "."]));
            succeed(git(&path).args(["commit", "--quiet", "--allow-empty", "--message", "m"]));
            succeed(git(&path).args(["push", "--quiet", "origin", "HEAD:refs/heads/pushed"]));
        })
        .await;
        scene.mode("autonomous").await;
        let path = folder.path().to_owned();
        let said = blocking(move || {
            let pushed = git(&path).args(["push", &remote, "HEAD:refs/heads/again"]).output().unwrap();
            assert!(!pushed.status.success());
            String::from_utf8_lossy(&pushed.stderr).into_owned()
        })
        .await;
        assert!(said.contains("not found"), "{said}");
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
