//! When a grant begins and ends, and what ends with it.

use std::time::Duration;

use forge_testing::agents::secret;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::Permission;
use forge_types::credential::CredentialKind;
use forge_types::organization::OrganizationRole;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use super::{Copy, EXT, PREFIX, World, exchange, swap};

fn path(grant: &Value) -> String {
    format!("{EXT}/task-grants/{}", grant["id"].as_str().unwrap())
}

async fn reads(client: &Client) -> u16 {
    client.get("/api/v3/repos/alice/project").await.status.as_u16()
}

for_each_database! {
    async fn a_task_token_lasts_fifteen_minutes_and_never_longer_than_its_grant(forge: TestForge) {
        let world = World::new(forge).await;
        let grant = world.grant(&json!({})).await;
        let answer = exchange(&world.forge, &world.agent.token, &grant, &[]).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let answer = answer.json();
        assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(answer["token_type"], "bearer");
        assert_eq!(answer["expires_in"], 900);
        assert_eq!(answer["authorization_details"][0]["actions"], grant["actions"]);
        let client = world.forge.client().with_token(&secret(&answer["access_token"]));
        assert_eq!(reads(&client).await, 200);
        world.forge.advance(Duration::from_secs(900));
        assert_eq!(reads(&client).await, 401);
        let hour = exchange(&world.forge, &world.agent.token, &grant, &[("expires_in", "3600")]).await;
        assert_eq!(hour.expect(200).json()["expires_in"], 3600);
        let _ = exchange(&world.forge, &world.agent.token, &grant, &[("expires_in", "3601")]).await.expect(400);
        let soon = world.forge.now().plus(Duration::from_secs(60)).to_string();
        let short = world.grant(&json!({ "constraints": { "expires_at": soon } })).await;
        let answer = exchange(&world.forge, &world.agent.token, &short, &[]).await.expect(200).json();
        assert_eq!(answer["expires_in"], 60);
    }

    async fn revoking_a_grant_ends_its_tokens_at_the_next_request(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, client) = world.tasked(&json!({})).await;
        let (_, kept) = world.tasked(&json!({})).await;
        assert_eq!(reads(&client).await, 200);
        let _ = world.alice.delete(&path(&grant)).await.expect(204);
        assert_eq!(reads(&client).await, 401);
        assert_eq!(reads(&kept).await, 200);
        let shown = world.alice.get(&path(&grant)).await.expect(200).json();
        assert_eq!(shown["state"], "revoked");
        let refused = exchange(&world.forge, &world.agent.token, &grant, &[]).await.expect(400).json();
        assert_eq!(refused["error"], "invalid_authorization_details");
        let _ = world.alice.delete(&path(&grant)).await.expect(204);
    }

    async fn a10_a_grant_is_worth_what_its_delegator_may_do_now(forge: TestForge) {
        let world = World::new(forge).await;
        let owner = world.forge.human("owner").await;
        let shared = world.forge.repository(&owner, "shared", Visibility::Private).await;
        world.forge.collaborator(&shared, &world.human, Some(Permission::Write)).await;
        let (_, client) = world.tasked(&json!({ "resources": ["repo:owner/shared"] })).await;
        let path = "/api/v3/repos/owner/shared";
        let _ = client.get(path).await.expect(200);
        world.forge.collaborator(&shared, &world.human, None).await;
        let _ = client.get(path).await.expect(404);
        world.forge.collaborator(&shared, &world.human, Some(Permission::Read)).await;
        let _ = client.get(path).await.expect(200);
        world.forge.suspend(&world.human).await;
        let _ = client.get(path).await.expect(401);
        world.forge.restore(&world.human).await;
        let _ = client.get(path).await.expect(200);
        let agent = world.forge.find_account(&world.agent.login).await;
        world.forge.suspend(&agent).await;
        let _ = client.get(path).await.expect(401);
    }

    async fn an_agent_of_nobody_or_of_somebody_else_has_to_agree(forge: TestForge) {
        let world = World::new(forge).await;
        let stranger = world.forge.registered_agent("stranger").await;
        let grant = world.grant(&json!({ "agent": format!("agent:{}", stranger.login) })).await;
        assert_eq!(grant["state"], "pending_consent");
        let refused = exchange(&world.forge, &stranger.token, &grant, &[]).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains("consent"), "{refused}");
        let consent = format!("{}/consent", path(&grant));
        let _ = world.alice.post(&consent, &json!({})).await.expect(403);
        let _ = world.agent.client.post(&consent, &json!({})).await.expect(404);
        let agreed = stranger.client.post(&consent, &json!({})).await.expect(200).json();
        assert_eq!(agreed["state"], "active");
        let token = exchange(&world.forge, &stranger.token, &grant, &[]).await.expect(200).json();
        let client = world.forge.client().with_token(&secret(&token["access_token"]));
        assert_eq!(reads(&client).await, 200);
        // More than was agreed to is asked for again; less is not.
        let less = json!({ "actions": ["read_code"] });
        assert_eq!(world.alice.patch(&path(&grant), &less).await.expect(200).json()["state"], "active");
        let more = json!({ "actions": ["read_code", "force_push"] });
        let changed = world.alice.patch(&path(&grant), &more).await.expect(200).json();
        assert_eq!(changed["state"], "pending_consent");
        assert_eq!(reads(&client).await, 401);
    }

    async fn a_grant_is_narrowed_and_extended_by_whoever_delegated(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, client) = world.tasked(&json!({})).await;
        let code = "/api/v3/repos/alice/project/git/matching-refs/heads";
        let _ = client.get(code).await.expect(200);
        let _ = world.agent.client.patch(&path(&grant), &json!({ "actions": ["release"] })).await.expect(403);
        let _ = client.patch(&path(&grant), &json!({ "actions": ["release"] })).await.expect(403);
        let _ = world.alice.patch(&path(&grant), &json!({ "actions": ["create_branch"] })).await.expect(200);
        let _ = client.get(code).await.expect(403);
        let end = world.forge.now().plus(Duration::from_secs(24 * 3600)).to_string();
        let patch = json!({ "constraints": { "expires_at": end } });
        let extended = world.alice.patch(&path(&grant), &patch).await.expect(200).json();
        assert_eq!(extended["expires_at"], end);
        assert_eq!(extended["constraints"]["branch_prefix"], PREFIX, "what a patch leaves out stays");
        for patch in [
            json!({ "agent": "other" }),
            json!({ "unknown": 1 }),
            json!({ "constraints": { "unknown": 1 } }),
            json!({ "actions": [] }),
        ] {
            if patch.get("agent").is_none() {
                let _ = world.alice.patch(&path(&grant), &patch).await.expect(422);
            }
        }
        let far = world.forge.now().plus(Duration::from_secs(31 * 24 * 3600)).to_string();
        let _ = world.alice.patch(&path(&grant), &json!({ "constraints": { "expires_at": far } })).await.expect(422);
        let _ = world.alice.delete(&path(&grant)).await.expect(204);
        let _ = world.alice.patch(&path(&grant), &json!({ "task": "again" })).await.expect(409);
    }

    async fn i6_unbinding_ends_what_the_human_delegated(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, client) = world.tasked(&json!({})).await;
        assert_eq!(reads(&client).await, 200);
        let _ = world.alice.delete(&format!("{EXT}/agent-bindings/{}", world.agent.login)).await.expect(200);
        assert_eq!(reads(&client).await, 401);
    }

    async fn i8_recovering_the_agent_ends_its_task_tokens(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, client) = world.tasked(&json!({})).await;
        let reset = format!("{EXT}/agent-bindings/{}/reset-token", world.agent.login);
        let answer = world.alice.post(&reset, &json!({})).await.expect(200).json();
        assert_eq!(reads(&client).await, 401);
        let fresh = secret(&answer["token"]["token"]);
        let _ = exchange(&world.forge, &fresh, &grant, &[]).await.expect(200);
    }

    async fn an_organization_delegates_through_its_owners(forge: TestForge) {
        let world = World::new(forge).await;
        let acme = world.forge.organization("acme", &[&world.human]).await;
        world.forge.repository(&acme, "shop", Visibility::Private).await;
        let member = world.forge.human("member").await;
        world.forge.member(&acme, &member, OrganizationRole::Member).await;
        let member = world.forge.client_of(&member, None).await;
        let details = world.details(&json!({ "delegator": "org:acme", "resources": ["repo:acme/shop"] }));
        let _ = member.post(&format!("{EXT}/task-grants"), &details).await.expect(403);
        let outside = world.details(&json!({ "delegator": "org:acme" }));
        let _ = world.alice.post(&format!("{EXT}/task-grants"), &outside).await.expect(422);
        let grant = world.alice.post(&format!("{EXT}/task-grants"), &details).await.expect(201).json();
        assert_eq!(grant["delegator"], "org:acme");
        let client = world.forge.client().with_token(&world.task_token(&grant).await);
        let _ = client.get("/api/v3/repos/acme/shop").await.expect(200);
        // What happens to the owner who made it changes nothing.
        world.forge.suspend(&world.human).await;
        let _ = client.get("/api/v3/repos/acme/shop").await.expect(200);
    }

    async fn a12_a_task_is_passed_on_narrower_and_twice_at_most(forge: TestForge) {
        let world = World::new(forge).await;
        let grants = format!("{EXT}/task-grants");
        let (first, client) = world.tasked(&json!({})).await;
        let wider = [
            json!({ "actions": ["read_code", "release"] }),
            json!({ "resources": ["repo:alice/other"] }),
            json!({ "constraints": {} }),
            json!({ "constraints": { "branch_prefix": "agent/" } }),
        ];
        for change in wider {
            let body = world.details(&change);
            let refused = client.post(&grants, &body).await;
            assert_eq!(refused.status, 422, "{change}: {}", refused.text());
        }
        let mut client = client;
        let mut clients = Vec::new();
        for depth in 2..=3 {
            let helper = world.forge.registered_agent("helper").await;
            let body = world.details(&json!({ "agent": helper.login, "actions": ["read_code"] }));
            let child = client.post(&grants, &body).await.expect(201).json();
            assert_eq!(child["depth"], depth);
            assert_eq!(child["state"], "pending_consent");
            let _ = helper.client.post(&format!("{}/consent", path(&child)), &json!({})).await.expect(200);
            let token = exchange(&world.forge, &helper.token, &child, &[]).await.expect(200).json();
            client = world.forge.client().with_token(&secret(&token["access_token"]));
            assert_eq!(reads(&client).await, 200);
            clients.push(client.clone());
        }
        let fourth = world.details(&json!({ "actions": ["read_code"] }));
        let _ = client.post(&grants, &fourth).await.expect(422);
        // What the first loses, all lose.
        let _ = world.alice.patch(&path(&first), &json!({ "actions": ["create_branch"] })).await.expect(200);
        let code = "/api/v3/repos/alice/project/git/matching-refs/heads";
        for client in &clients {
            let _ = client.get(code).await.expect(403);
        }
        let _ = world.alice.delete(&path(&first)).await.expect(204);
        for client in &clients {
            assert_eq!(reads(client).await, 401);
        }
    }

    async fn a11_what_is_exchanged_is_never_more_than_what_was_presented(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, other) = (world.grant(&json!({})).await, world.grant(&json!({})).await);
        let task = world.task_token(&grant).await;
        let origin = "https://forge.example";
        let project = format!("{origin}/alice/project.git");
        let git_token = "urn:forge:token-type:git";
        let invalid = async |subject, fields: &[(&str, &str)], error: &str| {
            let answer = swap(&world.forge, subject, fields).await.expect(400).json();
            assert_eq!(answer["error"], error, "{fields:?}: {answer}");
        };
        let again = format!(r#"[{{"type":"urn:forge:task-grant:1","grant_id":{}}}]"#, other["id"]);
        invalid(&task, &[("authorization_details", &again)], "invalid_request").await;
        let elsewhere = [("requested_token_type", git_token), ("authorization_details", &again), ("resource", &project)];
        invalid(&task, &elsewhere, "invalid_authorization_details").await;
        let unnamed = [("requested_token_type", git_token)];
        invalid(&task, &unnamed, "invalid_target").await;
        for resource in ["https://evil.example/alice/project.git", "https://forge.example/alice/nothing.git", "x"] {
            invalid(&task, &[("requested_token_type", git_token), ("resource", resource)], "invalid_target").await;
        }
        let fields = [("requested_token_type", git_token), ("resource", project.as_str())];
        let answer = swap(&world.forge, &task, &fields).await.expect(200).json();
        assert_eq!(answer["issued_token_type"], git_token);
        assert_eq!(answer["expires_in"], 600);
        let transport = secret(&answer["access_token"]);
        // RFC 8707: for Git it is good, for nothing else, and it cannot be exchanged again.
        assert_eq!(reads(&world.forge.client().with_token(&transport)).await, 401);
        invalid(&transport, &fields, "invalid_request").await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        copy.with(&server, &transport);
        copy.commit("a", "1");
        copy.push(&[&format!("HEAD:refs/heads/{PREFIX}x")]).await.expect("within the grant");
        copy.push(&["HEAD:refs/heads/y"]).await.expect_err("the grant goes along");
        copy.remote = copy.remote.replace("project.git", "other.git");
        copy.push(&[&format!("HEAD:refs/heads/{PREFIX}x")]).await.expect_err("another repository");
        // Whoever may not be asked: a human's token, a switch session, what is no token.
        let human = world.forge.token(&world.human, CredentialKind::Personal, None).await;
        let _ = exchange(&world.forge, &human, &grant, &[]).await.expect(400);
        let stranger = world.forge.registered_agent("stranger").await;
        let _ = exchange(&world.forge, &stranger.token, &grant, &[]).await.expect(400);
    }

    async fn a69_a93_a_token_for_one_place_is_nothing_elsewhere_and_no_actor_is_taken(forge: TestForge) {
        let world = World::new(forge).await;
        let grant = world.grant(&json!({})).await;
        let task = world.task_token(&grant).await;
        let origin = "https://forge.example";
        let rest = format!("{origin}/api/v3");
        let tool = [("requested_token_type", "urn:forge:token-type:tool"), ("resource", rest.as_str())];
        let answer = swap(&world.forge, &task, &tool).await.expect(200).json();
        assert_eq!(answer["expires_in"], 300);
        let token = secret(&answer["access_token"]);
        let client = world.forge.client().with_token(&token);
        assert_eq!(reads(&client).await, 200);
        assert_eq!(client.graphql("{ viewer { login } }", json!({})).await.status, 401);
        let git = client.get("/alice/project.git/info/refs?service=git-upload-pack").await;
        assert_eq!(git.status, 401);
        // A tool passes nothing on, and widens nothing.
        for subject in [&token, &task] {
            let elsewhere = [tool[0], ("resource", "https://forge.example/api/graphql")];
            let answer = swap(&world.forge, subject, &elsewhere).await;
            let is_tools_own = std::ptr::eq(subject, &token);
            assert_eq!(answer.status, if is_tools_own { 400 } else { 200 }, "{}", answer.text());
        }
        let narrow = exchange(&world.forge, &world.agent.token, &grant, &[("resource", rest.as_str())]).await;
        let narrow = secret(&narrow.expect(200).json()["access_token"]);
        let wider = [tool[0], ("resource", "https://forge.example/api/graphql")];
        let refused = swap(&world.forge, &narrow, &wider).await.expect(400).json();
        assert_eq!(refused["error"], "invalid_target");
        let actor = [("actor_token", "x"), ("actor_token_type", "urn:ietf:params:oauth:token-type:jwt")];
        let _ = exchange(&world.forge, &world.agent.token, &grant, &actor).await.expect(400);
    }

    async fn what_is_done_and_refused_under_a_grant_names_agent_delegator_task_and_grant(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let grant = world.grant(&json!({})).await;
        copy.with(&server, &world.task_token(&grant).await);
        copy.commit("a", "1");
        copy.push(&[&format!("HEAD:refs/heads/{PREFIX}x")]).await.expect("within the grant");
        copy.push(&["HEAD:refs/heads/y"]).await.expect_err("outside");
        let path = format!("{EXT}/audit-events?grant={}", grant["id"].as_str().unwrap());
        let events = world.alice.get(&path).await.expect(200).json();
        let of = |name: &str| {
            let found = events.as_array().unwrap().iter().find(|event| event["action"] == name);
            found.unwrap_or_else(|| panic!("no {name} in {events}")).clone()
        };
        for (name, decision) in [("refs.updated", "allow"), ("branch.create", "deny")] {
            let event = of(name);
            assert_eq!(event["decision"], decision);
            assert_eq!(event["agent"]["login"], world.agent.login, "{event}");
            assert_eq!(event["delegator"]["login"], "alice");
            assert_eq!(event["task"], "fix the payment bug");
            assert_eq!(event["grant"], grant["id"]);
            assert_eq!(event["credential"]["kind"], "task");
        }
        assert!(of("branch.create")["reason"].as_str().unwrap().contains(PREFIX));
    }
}
