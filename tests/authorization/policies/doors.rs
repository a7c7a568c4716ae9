//! One policy, every door.

use forge_testing::database::Database;
use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{NO_RELEASE, REPOSITORY, World, with_folder};

/// Asks every door to move `release/1` as the agent, and returns what each said: nothing if it moved.
pub(super) async fn doors(world: &World) -> Vec<(&'static str, Option<String>)> {
    let server = world.forge.listen().await;
    let mut said = Vec::new();
    said.push(("git", world.push(&server, &world.agent.token, "release/1").await.err()));
    let moved = world.moved(&world.bot, "release/1").await;
    said.push(("rest refs", (moved.status != 200).then(|| moved.text())));
    let body = json!({ "message": "m", "content": "eQ==", "branch": "release/1" });
    let path = format!("{REPOSITORY}/contents/{}", said.len());
    let put = world.bot.put(&format!("{path}-{}", world.forge.statements()), &body).await;
    said.push(("rest contents", (put.status != 201).then(|| put.text())));
    let id = world.alice.graphql(
        "query { repository(owner: \"acme\", name: \"project\") { ref(qualifiedName: \"refs/heads/release/1\") { id } } }",
        json!({}),
    );
    let id = id.await.expect(200).json()["data"]["repository"]["ref"]["id"].clone();
    let to = if world.tip("release/1").await == world.base { &world.next } else { &world.base };
    let update = "mutation($id: ID!, $to: GitObjectID!) { updateRef(input: { refId: $id, oid: $to, force: true }) { clientMutationId } }";
    let answer = world.bot.graphql(update, json!({ "id": id, "to": to })).await.expect(200).json();
    said.push(("graphql", answer.get("errors").map(ToString::to_string)));
    said
}

for_each_database! {
    async fn a34_a35_a36_a_policy_of_an_organization_binds_every_door_at_once_and_until_it_is_removed(forge: TestForge) {
        let world = World::new(forge).await;
        for (door, refused) in doors(&world).await {
            assert_eq!(refused, None, "{door} before");
        }
        world.forbid("no-release", NO_RELEASE).await;
        let tip = world.tip("release/1").await;
        for (door, refused) in doors(&world).await {
            let refused = refused.unwrap_or_else(|| panic!("{door} moved the branch"));
            assert!(refused.contains("releases are cut by people"), "{door}: {refused}");
            assert!(refused.contains("policy:acme/no-release"), "{door}: {refused}");
        }
        assert_eq!(world.tip("release/1").await, tip, "nothing moved");
        // Other branches and people are no matter of it.
        let _ = world.moved(&world.bot, "next").await.expect(200);
        let _ = world.moved(&world.alice, "release/1").await.expect(200);
        world.allow("no-release").await;
        for (door, refused) in doors(&world).await {
            assert_eq!(refused, None, "{door} after");
        }
    }

    async fn a_policy_of_the_forge_binds_every_door_until_its_file_goes(database: Database) {
        let folder = tempfile::tempdir().unwrap();
        let world = World::new(with_folder(database, folder.path()).await).await;
        let root = world.forge.site_admin("root1").await;
        let root = world.forge.client_of(&root, None).await;
        let reload = "/api/ext/v1/admin/policies/reload";
        let file = folder.path().join("release.cedar");
        std::fs::write(&file, format!("@id(\"no-release\") {NO_RELEASE}")).unwrap();
        for (door, refused) in doors(&world).await {
            assert_eq!(refused, None, "{door} before the file was read");
        }
        let rules = root.post(reload, &json!({})).await.expect(200).json();
        assert!(rules.as_array().unwrap().iter().any(|rule| rule["rule"] == "policy:no-release"), "{rules}");
        for (door, refused) in doors(&world).await {
            assert!(refused.is_some_and(|said| said.contains("policy:no-release")), "{door}");
        }
        // A set that is not valid changes nothing.
        std::fs::write(folder.path().join("bad.cedar"), "@id(\"bad\") permit (principal, action, resource);").unwrap();
        let refused = root.post(reload, &json!({})).await.expect(422).text();
        assert!(refused.contains("a policy forbids"), "{refused}");
        let _ = world.moved(&world.bot, "release/1").await.expect(403);
        std::fs::remove_file(folder.path().join("bad.cedar")).unwrap();
        std::fs::remove_file(&file).unwrap();
        let _ = root.post(reload, &json!({})).await.expect(200);
        for (door, refused) in doors(&world).await {
            assert_eq!(refused, None, "{door} after");
        }
    }

    async fn a_shipped_policy_can_be_taken_away(database: Database) {
        let folder = tempfile::tempdir().unwrap();
        let world = World::new(with_folder(database, folder.path()).await).await;
        let root = world.forge.site_admin("root1").await;
        let root = world.forge.client_of(&root, None).await;
        let _ = world.alice.patch(REPOSITORY, &json!({ "archived": true })).await.expect(200);
        let refused = world.moved(&world.bot, "next").await.expect(403).json();
        assert_eq!(refused["message"], "Repository was archived so is read-only.");
        std::fs::write(folder.path().join("archived.cedar"), "").unwrap();
        let _ = root.post("/api/ext/v1/admin/policies/reload", &json!({})).await.expect(200);
        let _ = world.moved(&world.bot, "next").await.expect(200);
    }

    async fn a31_a_policy_about_paths_sees_what_a_push_touches(forge: TestForge) {
        let world = World::new(forge).await;
        let text = "forbid (principal is Agent, action in Action::\"ref.change\", resource) \
                    when { context.ref.touched.contains(\".github/**\") };";
        world.forbid("no-workflows", text).await;
        let put = async |client: &forge_testing::Client, path: &str| {
            let body = json!({ "message": "m", "content": "eQ==", "branch": "next" });
            client.put(&format!("{REPOSITORY}/contents/{path}"), &body).await
        };
        let refused = put(&world.bot, ".github/workflows/ci.yml").await.expect(403).text();
        assert!(refused.contains("policy:acme/no-workflows"), "{refused}");
        let _ = put(&world.bot, "src/lib.rs").await.expect(201);
        let _ = put(&world.alice, ".github/workflows/ci.yml").await.expect(201);
    }

    async fn soft_policies_say_what_they_ask_for(forge: TestForge) {
        let world = World::new(forge).await;
        let label = json!({ "name": "x", "color": "ff0000" });
        let labels = format!("{REPOSITORY}/labels");
        let soft = |outcome: &str| {
            format!("@outcome(\"{outcome}\") forbid (principal is Agent, action == Action::\"label.manage\", resource);")
        };
        for (outcome, status, code) in [
            ("read_only", 403, "read_only"),
            ("review_before", 403, "review_required"),
            ("require_stronger_auth", 401, "insufficient_user_authentication"),
        ] {
            world.forbid("soft", &soft(outcome)).await;
            let refused = world.bot.post(&labels, &label).await.expect(status);
            assert_eq!(refused.json()["code"], code);
            if status == 401 {
                let challenge = refused.header("www-authenticate").unwrap();
                assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
            }
            world.allow("soft").await;
        }
        world.forbid("soft", &soft("require_approval")).await;
        let refused = world.bot.post(&labels, &label).await.expect(403).text();
        assert!(refused.contains("a human's approval"), "{refused}");
        world.allow("soft").await;
        let _ = world.bot.post(&labels, &label).await.expect(201);
    }

    async fn soft_policies_about_refs_say_the_same(forge: TestForge) {
        let world = World::new(forge).await;
        let update = "mutation($to: GitObjectID!) { updateRefs(input: { repositoryId: \"REPOSITORY\", \
             refUpdates: [{ name: \"refs/heads/next\", afterOid: $to, force: true }] }) { clientMutationId } }";
        let id = world.alice.get(REPOSITORY).await.expect(200).json()["node_id"].as_str().unwrap().to_owned();
        let update = update.replace("REPOSITORY", &id);
        for (outcome, status, code, kind) in [
            ("read_only", 403, "read_only", "READ_ONLY"),
            ("review_before", 403, "review_required", "UNPROCESSABLE"),
            ("require_stronger_auth", 401, "insufficient_user_authentication", "STRONGER_AUTH"),
        ] {
            let policy = format!("@outcome(\"{outcome}\") forbid (principal is Agent, action in Action::\"ref.change\", resource);");
            world.forbid("soft", &policy).await;
            let refused = world.moved(&world.bot, "next").await.expect(status).json();
            assert_eq!(refused["code"], code, "{refused}");
            let answer = world.bot.graphql(&update, json!({ "to": world.base })).await.expect(200).json();
            assert_eq!(answer["errors"][0]["type"], kind, "{answer}");
            world.allow("soft").await;
        }
        let _ = world.moved(&world.bot, "next").await.expect(200);
    }
}
