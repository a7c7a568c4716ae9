//! Delegating by policy: agents of a group take tasks by themselves, never more than the policy says, and lose them with it.

use forge_testing::agents::secret;
use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

use super::{GROUPS, group};
use crate::grants::{EXT, exchange};
use crate::policies::{REPOSITORY, World};

const POLICIES: &str = "/api/ext/v1/orgs/acme/delegation-policies";
const GRANTS: &str = "/api/ext/v1/task-grants";

struct Scene {
    world: World,
    /// An agent that nobody bound and that has no access of its own.
    agent: forge_testing::agents::TestAgent,
    bot: Client,
}

impl Scene {
    async fn new(forge: TestForge) -> Self {
        let world = World::new(forge).await;
        let agent = world.forge.registered_agent("fixer").await;
        group(&world.alice, "fixers", json!({}), &[&agent.login]).await;
        let bot = world.forge.client().with_token(&agent.token);
        let scene = Self { world, agent, bot };
        scene.policy("fixes", &json!({})).await;
        scene
    }

    async fn policy(&self, name: &str, change: &Value) -> Value {
        let mut body = json!({
            "name": name, "access_group": "fixers", "resources": ["repo:acme/project"], "max_lifetime": 3600,
            "actions": ["read_code", "create_branch"], "constraints": { "branch_prefix": "agent/" },
        });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        self.world.alice.post(POLICIES, &body).await.expect(201).json()
    }

    fn take(change: &Value) -> Value {
        let mut body = json!({ "delegator": "policy:acme/fixes", "task": "fix 7" });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        body
    }

    async fn tasked(&self, grant: &Value) -> Client {
        let token = exchange(&self.world.forge, &self.agent.token, grant, &[]).await.expect(200).json();
        self.world.forge.client().with_token(&secret(&token["access_token"]))
    }

    async fn branch(&self, client: &Client, name: &str) -> u16 {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": self.world.base });
        client.post(&format!("{REPOSITORY}/git/refs"), &body).await.status.as_u16()
    }
}

for_each_database! {
    async fn an_agent_of_the_group_takes_a_task_within_the_policy(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let grant = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201).json();
        assert_eq!((&grant["state"], &grant["delegator"]), (&json!("active"), &json!("org:acme")), "{grant}");
        assert_eq!(grant["policy"], "policy:acme/fixes");
        assert_eq!(grant["actions"], json!(["read_code", "create_branch"]));
        let task = scene.tasked(&grant).await;
        assert_eq!(scene.branch(&task, "agent/7").await, 201);
        assert_eq!(scene.branch(&task, "other").await, 403);
        assert_eq!(scene.branch(&scene.bot, "agent/8").await, 404, "it has no access of its own");
        let narrower = json!({ "actions": ["read_code"], "resources": ["repo:acme/project"], "constraints": { "branch_prefix": "agent/x/" } });
        let narrower = scene.bot.post(GRANTS, &Scene::take(&narrower)).await.expect(201).json();
        assert_eq!(narrower["constraints"]["branch_prefix"], "agent/x/");
        let path = format!("{EXT}/audit-events?action=task_grant.created");
        let root = scene.world.forge.site_admin("root1").await;
        let root = scene.world.forge.client_of(&root, None).await;
        let events = root.get(&path).await.expect(200).json().to_string();
        assert!(events.contains("\"policy\":\"fixes\""), "{events}");
    }

    async fn nothing_beyond_the_policy_is_taken(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let _ = scene.world.alice.post("/api/v3/orgs/acme/repos", &json!({ "name": "other", "private": true })).await.expect(201);
        for (change, said) in [
            (json!({ "actions": ["push_branch"] }), "does not convey"),
            (json!({ "resources": ["repo:acme/other"] }), "does not cover"),
            (json!({ "resources": ["repo:alice/none"] }), "does not cover `repo:alice/none`"),
            (json!({ "constraints": { "branch_prefix": "main/" } }), "branch prefix"),
            (json!({ "constraints": { "expires_at": "2030-01-01T00:00:00Z" } }), "within 3600 seconds"),
            (json!({ "delegator": "policy:acme/none" }), "no policy"),
            (json!({ "delegator": "policy:none/fixes" }), "no policy"),
            (json!({ "delegator": "policy:fixes" }), "policy:ORGANIZATION/NAME"),
            (json!({ "agent": scene.world.agent.login }), "for itself"),
        ] {
            let refused = scene.bot.post(GRANTS, &Scene::take(&change)).await.expect(422).text();
            assert!(refused.contains(said), "{change}: {refused}");
        }
        // Whoever is in another group is told no more than that.
        let refused = scene.world.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(422).text();
        assert!(refused.contains("no policy"), "{refused}");
        let _ = scene.world.alice.post(GRANTS, &Scene::take(&json!({}))).await.expect(403);
        let _ = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201);
    }

    async fn with_the_policy_goes_what_came_by_it(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let grant = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201).json();
        let task = scene.tasked(&grant).await;
        let _ = task.get(REPOSITORY).await.expect(200);
        // It is what the policy says, for as long as it is.
        let path = format!("{GRANTS}/{}", grant["id"].as_str().unwrap());
        let _ = scene.world.alice.patch(&path, &json!({ "actions": ["push_branch"] })).await.expect(422);
        let _ = scene.world.alice.delete(&format!("{GROUPS}/fixers")).await.expect(422);
        let _ = scene.world.alice.delete(&format!("{POLICIES}/fixes")).await.expect(204);
        let _ = task.get(REPOSITORY).await.expect(401);
        let _ = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(422);
        let _ = scene.world.alice.delete(&format!("{GROUPS}/fixers")).await.expect(204);
    }

    async fn whoever_leaves_the_group_loses_what_came_by_its_policy(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let grant = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201).json();
        let task = scene.tasked(&grant).await;
        group(&scene.world.alice, "others", json!({}), &[&scene.agent.login]).await;
        let _ = task.get(REPOSITORY).await.expect(200);
        let _ = scene.world.alice.delete(&format!("{GROUPS}/fixers/members/{}", scene.agent.login)).await.expect(204);
        let _ = task.get(REPOSITORY).await.expect(401);
        let _ = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(422);
    }

    async fn an_agent_has_so_many_tasks_open_by_one_policy_and_no_more(forge: TestForge) {
        let scene = Scene::new(forge).await;
        for _ in 0..20 {
            let _ = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201);
        }
        let refused = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(422).text();
        assert!(refused.contains("20 tasks"), "{refused}");
        scene.world.forge.advance(std::time::Duration::from_secs(3600));
        let _ = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201);
    }

    async fn a_policy_is_one_of_the_paths_along_which_is_revoked(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let grant = scene.bot.post(GRANTS, &Scene::take(&json!({}))).await.expect(201).json();
        let task = scene.tasked(&grant).await;
        let _ = scene.policy("others", &json!({})).await;
        let other = scene.bot.post(GRANTS, &Scene::take(&json!({ "delegator": "policy:acme/others" }))).await.expect(201).json();
        let other = scene.tasked(&other).await;
        let body = json!({ "policy": "policy:acme/fixes", "reason": "drill" });
        let _ = scene.bot.post(&format!("{EXT}/revocations"), &body).await.expect(403);
        let ended = scene.world.alice.post(&format!("{EXT}/revocations"), &body).await.expect(200).json();
        assert_eq!(ended["grants"], 1, "{ended}");
        let _ = task.get(REPOSITORY).await.expect(401);
        let _ = other.get(REPOSITORY).await.expect(200);
    }

    async fn only_owners_make_policies_and_not_for_whoever_comes(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let (_, bob) = scene.world.member("bob").await;
        let body = json!({
            "name": "mine", "access_group": "fixers", "resources": ["repo:acme/project"], "actions": ["read_code"],
        });
        for client in [&bob, &scene.bot] {
            let _ = client.post(POLICIES, &body).await.expect(403);
            let _ = client.get(POLICIES).await.expect(403);
        }
        for change in [
            json!({ "access_group": "default" }), json!({ "access_group": "none" }), json!({ "name": "fixes" }), json!({ "name": "" }),
            json!({ "max_lifetime": 0 }), json!({ "actions": [] }), json!({ "actions": ["fly"] }), json!({ "resources": ["repo:alice/x"] }),
            json!({ "constraints": { "expires_at": "2030-01-01T00:00:00Z" } }), json!({ "constraints": { "power": 1 } }),
        ] {
            let mut changed = body.clone();
            for (member, value) in change.as_object().unwrap() {
                changed[member] = value.clone();
            }
            let _ = scene.world.alice.post(POLICIES, &changed).await.expect(422);
        }
        let _ = scene.world.alice.post(POLICIES, &body).await.expect(201);
        let listed = scene.world.alice.get(POLICIES).await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 2);
    }

    async fn the_first_grant_offers_that_the_agents_own_token_only_reads(forge: TestForge) {
        let scene = Scene::new(forge).await;
        let details = json!({
            "agent": scene.world.agent.login, "task": "x", "resources": ["repo:acme/project"], "actions": ["read_code"],
        });
        let first = scene.world.alice.post(GRANTS, &details).await.expect(201).json();
        let path = first["offer"]["url"].as_str().unwrap_or_else(|| panic!("no offer: {first}"));
        let path = path.split_once("/api/").unwrap().1;
        let _ = scene.world.alice.patch(&format!("/api/{path}"), &first["offer"]["body"]).await.expect(200);
        let second = scene.world.alice.post(GRANTS, &details).await.expect(201).json();
        assert!(second.get("offer").is_none(), "{second}");
    }
}
