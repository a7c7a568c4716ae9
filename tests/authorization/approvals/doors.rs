//! What waits at the doors of REST and GraphQL, and waiting for it.

use std::time::{Duration, Instant};

use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use serde_json::{Value, json};

use super::Desk;
use crate::grants::EXT;

const REPOSITORY: &str = "/api/v3/repos/alice/project";

fn id_in(approval: &Value) -> String {
    approval["id"].as_str().unwrap_or_else(|| panic!("no approval: {approval}")).to_owned()
}

/// Returns what is different about a grant under which labels are changed only when a human agrees.
fn labels_wait() -> Value {
    json!({
        "actions": ["read_code", "manage_issues"],
        "constraints": { "requires_approval": ["manage_issues"] },
    })
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

    /// What the forge does not carry out itself is let through once, exactly so.
    async fn a84_a85_a_request_is_let_through_once_when_it_is_made_again(forge: TestForge) {
        let change = labels_wait();
        let mut desk = Desk::with(forge, &change).await;
        let labels = format!("{REPOSITORY}/labels");
        let bug = json!({ "name": "urgent", "color": "ff0000" });
        let asked = desk.agent.post(&labels, &bug).await.expect(403).json();
        let id = id_in(&asked["approval"]);
        let again = desk.agent.post(&labels, &json!({ "color": "ff0000", "name": "urgent" })).await.expect(403).json();
        assert_eq!(id_in(&again["approval"]), id, "the same request waits once");
        let waiting = desk.approval(&id).await;
        assert_eq!(waiting["request"]["line"], format!("POST {labels}"));
        assert_eq!(waiting["request"]["action"], "label.manage");
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(page.contains("label.manage") && page.contains("urgent"), "{page}");
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        assert_eq!(desk.approval(&id).await["status"], "approved");

        // Another request is another matter, and so is one that fails.
        let other = json!({ "name": "urgent", "color": "00ff00" });
        assert_ne!(id_in(&desk.agent.post(&labels, &other).await.expect(403).json()["approval"]), id);
        let (_, sibling) = desk.world.tasked(&change).await;
        assert_ne!(id_in(&sibling.post(&labels, &bug).await.expect(403).json()["approval"]), id);
        desk.world.alice.post(&labels, &bug).await.expect(201);
        desk.agent.post(&labels, &bug).await.expect(422);
        assert_eq!(desk.approval(&id).await["status"], "approved", "nothing was done");
        desk.world.alice.delete(&format!("{labels}/urgent")).await.expect(204);

        desk.agent.post(&labels, &bug).await.expect(201);
        assert_eq!(desk.approval(&id).await["status"], "consumed");
        let events = desk.world.alice.get(&format!("{EXT}/audit-events?grant={}", desk.grant["id"].as_str().unwrap())).await;
        let events = events.expect(200).json();
        let is_it = |event: &&Value| event["action"] == "label.created" && event["details"]["approval_id"] == id.as_str();
        assert!(events.as_array().unwrap().iter().any(|event| is_it(&event)), "{events}");
        desk.world.alice.delete(&format!("{labels}/urgent")).await.expect(204);
        assert_ne!(id_in(&desk.agent.post(&labels, &bug).await.expect(403).json()["approval"]), id, "it was for once");
    }

    async fn a85_what_was_approved_is_good_for_a_quarter_of_an_hour(forge: TestForge) {
        let change = labels_wait();
        let mut desk = Desk::with(forge, &change).await;
        let labels = format!("{REPOSITORY}/labels");
        let bug = json!({ "name": "urgent", "color": "ff0000" });
        let id = id_in(&desk.agent.post(&labels, &bug).await.expect(403).json()["approval"]);
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        desk.world.forge.advance(Duration::from_secs(15 * 60));
        let token = desk.world.task_token(&desk.grant).await;
        let agent = desk.world.forge.client().with_token(&token);
        assert_ne!(id_in(&agent.post(&labels, &bug).await.expect(403).json()["approval"]), id);
        let seen = agent.get(&format!("{EXT}/approvals/{id}")).await.expect(200).json();
        assert_eq!(seen["status"], "expired");
    }

    /// Two at once are let through once.
    async fn a85_an_approved_request_that_comes_twice_at_once_is_done_once(forge: TestForge) {
        let change = labels_wait();
        let mut desk = Desk::with(forge, &change).await;
        let labels = format!("{REPOSITORY}/labels");
        let label = json!({ "name": "x", "color": "ff0000" });
        let id = id_in(&desk.agent.post(&labels, &label).await.expect(403).json()["approval"]);
        let _ = desk.answer(&id, "approve", "").await.expect(303);
        let (one, other) = tokio::join!(desk.agent.post(&labels, &label), desk.agent.post(&labels, &label));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert!(statuses[0] == 201 && statuses[1] >= 400, "{statuses:?}");
    }

    /// The filter of the list and the decision about each agree, whoever looks.
    async fn whoever_may_see_an_approval_finds_it_in_the_list_and_nobody_else(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let repository = desk.repository().await;
        let mut viewers = vec![
            desk.world.alice.clone(), desk.agent.clone(), desk.world.agent.client.clone(),
            desk.world.forge.human_client("stranger").await,
            desk.world.tasked(&json!({ "task": "something else" })).await.1,
        ];
        for permission in [Permission::Read, Permission::Triage, Permission::Write, Permission::Maintain, Permission::Admin] {
            let account = desk.world.forge.human(&format!("x-{}", permission.role_name())).await;
            desk.world.forge.collaborator(&repository, &account, Some(permission)).await;
            viewers.push(desk.world.forge.client_of(&account, None).await);
        }
        let admin = desk.world.forge.site_admin("root1").await;
        viewers.push(desk.world.forge.client_of(&admin, None).await);
        let mut seen = 0;
        for (at, viewer) in viewers.iter().enumerate() {
            let one = viewer.get(&format!("{EXT}/approvals/{id}")).await.status == 200;
            let listed = viewer.get(&format!("{EXT}/approvals")).await.expect(200).json();
            let is_listed = listed.as_array().unwrap().iter().any(|one| one["id"] == id.as_str());
            assert_eq!(one, is_listed, "viewer {at}");
            seen += usize::from(one);
        }
        assert_eq!(seen, 7, "the agent twice, alice, three who may write, and an administrator");
    }
}
