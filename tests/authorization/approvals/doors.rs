//! What waits at the doors of REST and GraphQL, and waiting for it.

use std::time::{Duration, Instant};

use forge_testing::{TestForge, for_each_database};
use serde_json::{Value, json};

use super::Desk;
use crate::grants::EXT;

const REPOSITORY: &str = "/api/v3/repos/alice/project";

fn id_in(approval: &Value) -> String {
    approval["id"].as_str().unwrap_or_else(|| panic!("no approval: {approval}")).to_owned()
}

for_each_database! {
    async fn refs_wait_at_every_door_that_moves_them(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let main = desk.tip("heads/main").await.unwrap();
        let create = json!({ "ref": "refs/heads/work", "sha": main });
        desk.agent.post(&format!("{REPOSITORY}/git/refs"), &create).await.expect(201);

        let put = json!({ "message": "m", "content": "eA==", "branch": "work" });
        let answer = desk.agent.put(&format!("{REPOSITORY}/contents/file"), &put).await.expect(403);
        let body = answer.json();
        let id = id_in(&body["approval"]);
        assert_eq!(body["code"], "approval_required");
        let status_url = body["approval"]["status_url"].as_str().unwrap();
        assert!(status_url.ends_with(&format!("{EXT}/approvals/{id}")), "{body}");
        assert_eq!(answer.header("link"), Some(format!("<{status_url}>; rel=\"approval\"").as_str()));
        assert_eq!(desk.tip("heads/work").await.as_deref(), Some(main.as_str()));
        desk.approve(&id).await;
        let file = desk.world.alice.get(&format!("{REPOSITORY}/contents/file?ref=work")).await;
        let tip = desk.tip("heads/work").await.unwrap();
        assert_ne!(tip, main, "{}", file.text());

        let delete = desk.agent.delete(&format!("{REPOSITORY}/git/refs/heads/work")).await.expect(403).json();
        assert_eq!(desk.tip("heads/work").await, Some(tip.clone()));
        desk.approve(&id_in(&delete["approval"])).await;
        assert_eq!(desk.tip("heads/work").await, None, "an approved deletion is done by the forge");

        desk.agent.post(&format!("{REPOSITORY}/git/refs"), &create).await.expect(201);
        let node = desk.agent.graphql("{ repository(owner: \"alice\", name: \"project\") { ref(qualifiedName: \"refs/heads/work\") { id } } }", json!({})).await;
        let node = node.expect(200).json()["data"]["repository"]["ref"]["id"].clone();
        let mutation = "mutation($ref: ID!) { deleteRef(input: { refId: $ref }) { clientMutationId } }";
        let answer = desk.agent.graphql(mutation, json!({ "ref": node })).await.expect(200).json();
        let error = &answer["errors"][0];
        assert_eq!(error["type"], "APPROVAL_REQUIRED");
        assert_eq!(error["extensions"]["code"], "APPROVAL_REQUIRED");
        assert_eq!(answer["data"]["deleteRef"], Value::Null);
        desk.approve(&id_in(&error["extensions"]["approval"])).await;
        assert_eq!(desk.tip("heads/work").await, None);
    }

    /// Renaming changes more than refs, so it is refused, and nothing is half done.
    async fn a36_a_rename_does_not_wait(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let main = desk.tip("heads/main").await.unwrap();
        let create = json!({ "ref": "refs/heads/work", "sha": main });
        desk.agent.post(&format!("{REPOSITORY}/git/refs"), &create).await.expect(201);
        let rename = json!({ "new_name": "renamed" });
        let refused = desk.agent.post(&format!("{REPOSITORY}/branches/work/rename"), &rename).await.expect(403).json();
        assert!(refused["approval"].is_null(), "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("takes a human's approval"), "{refused}");
        assert_eq!(desk.tip("heads/work").await, Some(main));
        assert_eq!(desk.agent.get(&format!("{EXT}/approvals")).await.expect(200).json(), json!([]));
        let refusals = desk.world.alice.get(&format!("{EXT}/audit-events?agent={}&decision=deny", desk.world.agent.login)).await;
        assert_eq!(refusals.expect(200).json()[0]["action"], "branch.delete");
    }

    async fn whoever_asked_waits_for_the_answer(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let path = format!("{EXT}/approvals/{id}");
        let agent = desk.agent.clone().with_header("prefer".parse().unwrap(), "wait=30");
        let started = Instant::now();
        let waiting = tokio::spawn(async move { agent.get(&path).await });
        desk.approve(&id).await;
        let answer = waiting.await.unwrap().expect(200);
        assert_eq!(answer.json()["status"], "consumed");
        assert_eq!(answer.header("preference-applied"), Some("wait=30"));
        assert!(started.elapsed() < Duration::from_secs(25), "it waited to the end");
        let path = format!("{EXT}/approvals/{id}");
        let (_, id) = desk.held("more").await;
        let agent = desk.agent.clone().with_header("prefer".parse().unwrap(), "wait=1");
        let answer = agent.get(&format!("{EXT}/approvals/{id}")).await.expect(200);
        assert_eq!(answer.json()["status"], "pending");
        assert_eq!(answer.header("retry-after"), Some("5"));
        agent.get(&path).await.expect(200);
    }

    async fn approvals_are_shown_to_those_who_are_part_of_them(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let path = format!("{EXT}/approvals/{id}");
        let stranger = desk.world.forge.human_client("mallory").await;
        stranger.get(&path).await.expect(404);
        stranger.delete(&path).await.expect(404);
        assert_eq!(stranger.get(&format!("{EXT}/approvals")).await.expect(200).json(), json!([]));
        // Another task of the same agent is another matter.
        let (_, other) = desk.world.tasked(&json!({ "task": "something else" })).await;
        other.get(&path).await.expect(404);
        assert_eq!(other.get(&format!("{EXT}/approvals")).await.expect(200).json(), json!([]));
        for client in [&desk.agent, &desk.world.agent.client, &desk.world.alice] {
            client.get(&path).await.expect(200);
            let listed = client.get(&format!("{EXT}/approvals?state=pending")).await.expect(200).json();
            assert_eq!(listed[0]["id"], id.as_str());
        }
        desk.agent.get(&format!("{EXT}/approvals?state=unknown")).await.expect(422);
    }
}
