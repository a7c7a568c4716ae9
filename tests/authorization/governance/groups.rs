//! Access groups: a ceiling binds humans and agents alike, at every door, and gives nothing.

use forge_testing::{Client, TestForge, for_each_database};
use forge_types::Permission;
use serde_json::{Value, json};

use super::{GROUPS, group};
use crate::policies::{REPOSITORY, World};

/// Moves `next` to another commit that does not follow, by each door, and returns what each said.
async fn forced(world: &World, client: &Client) -> Vec<(&'static str, Option<String>)> {
    let moved = world.moved(client, "next").await;
    let mut said = vec![("rest", (moved.status != 200).then(|| moved.text()))];
    let id = "query { repository(owner: \"acme\", name: \"project\") { ref(qualifiedName: \"refs/heads/next\") { id } } }";
    let id = world.alice.graphql(id, json!({})).await.expect(200).json();
    let to = if world.tip("next").await == world.base { &world.next } else { &world.base };
    let update = "mutation($id: ID!, $to: GitObjectID!) { updateRef(input: { refId: $id, oid: $to, force: true }) { clientMutationId } }";
    let variables = json!({ "id": id["data"]["repository"]["ref"]["id"], "to": to });
    let answer = client.graphql(update, variables).await.expect(200).json();
    said.push(("graphql", answer.get("errors").map(ToString::to_string)));
    said
}

for_each_database! {
    async fn a_ceiling_binds_humans_and_agents_alike_at_every_door(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, bob) = world.member("bob").await;
        let server = world.forge.listen().await;
        for (who, client) in [("bob", &bob), ("bot", &world.bot)] {
            for (door, refused) in forced(&world, client).await {
                assert_eq!(refused, None, "{who}, {door} before");
            }
        }
        let careful = json!({ "ceiling": { "actions": ["read_code", "create_branch"] } });
        group(&world.alice, "careful", careful, &["bob", &world.agent.login]).await;
        for (who, client) in [("bob", &bob), ("bot", &world.bot)] {
            for (door, refused) in forced(&world, client).await {
                let refused = refused.unwrap_or_else(|| panic!("{who}, {door} moved the branch"));
                assert!(refused.contains("the ceiling of access group `careful`"), "{who}, {door}: {refused}");
            }
            let new = json!({ "ref": format!("refs/heads/of-{who}"), "sha": world.base });
            let _ = client.post(&format!("{REPOSITORY}/git/refs"), &new).await.expect(201);
        }
        let pushed = world.push(&server, &world.agent.token, "next").await.unwrap_err();
        assert!(pushed.contains("access group `careful`"), "{pushed}");
        // Who is in no such group is not bound, nor is anyone once the group is gone.
        let _ = world.moved(&world.alice, "next").await.expect(200);
        let _ = world.alice.delete(&format!("{GROUPS}/careful")).await.expect(204);
        for client in [&bob, &world.bot] {
            for (door, refused) in forced(&world, client).await {
                assert_eq!(refused, None, "{door} after");
            }
        }
        let _ = world.push(&server, &world.agent.token, "next").await.unwrap();
    }

    async fn who_is_in_no_group_is_in_the_one_for_members_or_in_the_default(forge: TestForge) {
        let world = World::new(forge).await;
        let (member, bob) = world.member("bob").await;
        world.forge.collaborator(&world.repository, &member, Some(Permission::Admin)).await;
        let outside = world.forge.human("carol").await;
        world.forge.collaborator(&world.repository, &outside, Some(Permission::Admin)).await;
        let carol = world.forge.client_of(&outside, None).await;
        let described = json!({ "description": "x" });
        let _ = bob.patch(REPOSITORY, &described).await.expect(200);
        let refused = carol.patch(REPOSITORY, &described).await.expect(403).text();
        assert!(refused.contains("access group `default` is `write`"), "{refused}");
        let _ = world.moved(&carol, "next").await.expect(200);
        // It is the organization's to say what those are.
        let _ = world.alice.patch(&format!("{GROUPS}/default"), &json!({ "ceiling": {} })).await.expect(200);
        let _ = carol.patch(REPOSITORY, &described).await.expect(200);
        let read = json!({ "ceiling": { "permission": "read" } });
        let _ = world.alice.patch(&format!("{GROUPS}/members"), &read).await.expect(200);
        let _ = bob.patch(REPOSITORY, &described).await.expect(403);
        let _ = world.moved(&bob, "next").await.expect(403);
        let _ = bob.get(REPOSITORY).await.expect(200);
    }

    async fn taking_somebody_out_is_bound_like_letting_somebody_in(forge: TestForge) {
        let world = World::new(forge).await;
        let outside = world.forge.human("carol").await;
        world.forge.collaborator(&world.repository, &outside, Some(Permission::Admin)).await;
        let carol = world.forge.client_of(&outside, None).await;
        let path = format!("{REPOSITORY}/collaborators/{}", world.agent.login);
        let refused = carol.delete(&path).await.expect(403).text();
        assert!(refused.contains("access group `default`"), "{refused}");
        let _ = carol.put(&path, &json!({ "permission": "pull" })).await.expect(403);
        // Leaving is nobody's to forbid.
        let _ = carol.delete(&format!("{REPOSITORY}/collaborators/carol")).await.expect(204);
        let _ = world.alice.delete(&path).await.expect(204);
    }

    async fn policies_that_name_groups_bind_who_removes_members(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, _bob) = world.member("bob").await;
        let root = world.forge.human("erin").await;
        let acme = world.forge.find_account("acme").await;
        world.forge.member(&acme, &root, forge_types::organization::OrganizationRole::Admin).await;
        let erin = world.forge.client_of(&root, None).await;
        let made = group(&world.alice, "newcomers", json!({}), &["erin"]).await;
        let policy = format!(
            "forbid (principal in AccessGroup::\"{}\", action == Action::\"organization.manage_members\", resource);",
            made["id"]
        );
        world.forbid("newcomers", &policy).await;
        let _ = erin.delete("/api/v3/orgs/acme/members/bob").await.expect(403);
        let _ = world.alice.delete("/api/v3/orgs/acme/members/bob").await.expect(204);
    }

    async fn an_organization_that_delegates_is_not_from_outside(forge: TestForge) {
        let world = World::new(forge).await;
        group(&world.alice, "fleet", json!({}), &[&world.agent.login]).await;
        let (_, task) = world.tasked(json!({ "branch_prefix": "agent/" })).await;
        let read = json!({ "ceiling": { "permission": "read" } });
        let _ = world.alice.patch(&format!("{GROUPS}/default"), &read).await.expect(200);
        let new = json!({ "ref": "refs/heads/agent/x", "sha": world.base });
        let _ = task.post(&format!("{REPOSITORY}/git/refs"), &new).await.expect(201);
    }

    async fn of_several_groups_the_narrowest_counts_and_none_gives_anything(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, bob) = world.member("bob").await;
        group(&world.alice, "all", json!({}), &["bob"]).await;
        let _ = world.moved(&bob, "next").await.expect(200);
        let _ = bob.patch(REPOSITORY, &json!({ "description": "x" })).await.expect(403);
        group(&world.alice, "few", json!({ "ceiling": { "permission": "triage" } }), &["bob"]).await;
        let refused = world.moved(&bob, "next").await.expect(403).text();
        assert!(refused.contains("access group `few` is `triage`"), "{refused}");
        let _ = world.alice.delete(&format!("{GROUPS}/few/members/bob")).await.expect(204);
        let _ = world.moved(&bob, "next").await.expect(200);
    }

    async fn a_group_that_lets_standing_tokens_read_lets_tasks_write(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, task) = world.tasked(json!({ "branch_prefix": "agent/" })).await;
        group(&world.alice, "fleet", json!({ "standing_access": "read" }), &[&world.agent.login]).await;
        let refused = world.moved(&world.bot, "next").await.expect(403).text();
        assert!(refused.contains("access group `fleet`"), "{refused}");
        let _ = world.bot.get(REPOSITORY).await.expect(200);
        let new = |name: &str| json!({ "ref": format!("refs/heads/agent/{name}"), "sha": world.base });
        let _ = task.post(&format!("{REPOSITORY}/git/refs"), &new("one")).await.expect(201);
        // A task is bound by the ceiling like everything else of the agent, and by that of whoever granted it.
        let nothing = json!({ "ceiling": { "actions": [] } });
        group(&world.alice, "nothing", nothing, &[&world.agent.login]).await;
        let refused = task.post(&format!("{REPOSITORY}/git/refs"), &new("two")).await.expect(403).text();
        assert!(refused.contains("changing no code"), "{refused}");
    }

    async fn a_policy_can_name_a_group(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, bob) = world.member("bob").await;
        let (_, dave) = world.member("dave").await;
        let made = group(&world.alice, "trainees", json!({}), &["bob", &world.agent.login]).await;
        let policy = format!(
            "forbid (principal in AccessGroup::\"{}\", action in Action::\"branch.change\", resource);",
            made["id"]
        );
        world.forbid("trainees", &policy).await;
        for client in [&bob, &world.bot] {
            let refused = world.moved(client, "next").await.expect(403).text();
            assert!(refused.contains("policy:acme/trainees"), "{refused}");
        }
        let _ = world.moved(&dave, "next").await.expect(200);
        let _ = world.alice.delete(&format!("{GROUPS}/trainees/members/bob")).await.expect(204);
        let _ = world.moved(&bob, "next").await.expect(200);
    }

    async fn whoever_may_not_push_by_a_group_cannot_let_an_agent_push(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, task) = world.tasked(json!({ "branch_prefix": "agent/", "requires_approval": ["create_branch"] })).await;
        let (member, bob) = world.member("bob").await;
        let new = json!({ "ref": "refs/heads/agent/x", "sha": world.base });
        let asked = task.post(&format!("{REPOSITORY}/git/refs"), &new).await.expect(403).json();
        let path = format!("/api/ext/v1/approvals/{}", asked["approval"]["id"].as_str().unwrap());
        let _ = bob.get(&path).await.expect(200);
        group(&world.alice, "readers", json!({ "ceiling": { "permission": "read" } }), &["bob"]).await;
        // It is not for those who may not write, whatever their role.
        let _ = bob.get(&path).await.expect(404);
        assert_eq!(member.login, "bob");
    }

    async fn only_owners_who_are_people_change_groups_and_each_change_is_recorded(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, bob) = world.member("bob").await;
        for client in [&bob, &world.bot] {
            let _ = client.get(GROUPS).await.expect(403);
            let _ = client.post(GROUPS, &json!({ "name": "mine" })).await.expect(403);
        }
        group(&world.alice, "mine", json!({}), &["bob"]).await;
        let refused = [
            (json!({ "name": "mine" }), "already"),
            (json!({ "name": "No" }), "lower-case"),
            (json!({ "name": "x", "ceiling": { "permission": "owner" } }), "owner"),
            (json!({ "name": "x", "ceiling": { "paths": [] } }), "paths"),
            (json!({ "name": "x", "standing_access": "exchange_only" }), "per agent"),
            (json!({ "name": "x", "members": [] }), "members"),
        ];
        for (body, said) in refused {
            let answer = world.alice.post(GROUPS, &body).await;
            assert!((400..=422).contains(&answer.status.as_u16()), "{body}: {}", answer.status);
            assert!(answer.text().contains(said), "{body}: {}", answer.text());
        }
        let _ = world.alice.delete(&format!("{GROUPS}/default")).await.expect(422);
        let _ = world.alice.put(&format!("{GROUPS}/mine/members/acme"), &json!({})).await.expect(422);
        let _ = world.alice.put(&format!("{GROUPS}/mine/members/nobody"), &json!({})).await.expect(422);
        let members = world.alice.get(&format!("{GROUPS}/mine/members")).await.expect(200).json();
        assert_eq!(members[0]["login"], "bob");
        let _ = world.alice.delete(&format!("{GROUPS}/mine/members/bob")).await.expect(204);
        let _ = world.alice.delete(&format!("{GROUPS}/mine/members/bob")).await.expect(404);
        let _ = world.alice.delete(&format!("{GROUPS}/mine")).await.expect(204);
        let listed = world.alice.get("/api/v3/orgs/acme/audit-log?per_page=100").await.expect(200).json();
        let names: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|event| event["action"].as_str()).collect();
        for name in ["created", "member_added", "member_removed", "deleted"] {
            let name = format!("access_group.{name}");
            assert!(names.contains(&name.as_str()), "{name} in {names:?}");
        }
    }

    async fn asking_what_one_may_names_the_ceiling(forge: TestForge) {
        let world = World::new(forge).await;
        let (_, bob) = world.member("bob").await;
        group(&world.alice, "few", json!({ "ceiling": { "permission": "triage" } }), &["bob"]).await;
        let question = json!({
            "subject": { "type": "user", "id": "bob" },
            "action": { "name": "branch.update" },
            "resource": { "type": "ref", "id": "refs/heads/next", "properties": { "repository": "acme/project" } },
        });
        let answer = bob.post("/api/ext/v1/access/evaluate", &question).await.expect(200).json();
        assert_eq!(answer["decision"], false, "{answer}");
        assert!(answer.to_string().contains("ceiling.group"), "{answer}");
        let control: Value = json!({ "subject": { "type": "user", "id": "alice" }, "action": question["action"], "resource": question["resource"] });
        let answer = world.alice.post("/api/ext/v1/access/evaluate", &control).await.expect(200).json();
        assert_eq!(answer["decision"], true, "{answer}");
    }
}
