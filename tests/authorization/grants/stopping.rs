//! Revoking along each path, and kill switches, with work under way.

use std::time::Duration;

use forge_testing::{Client, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use super::{Copy, EXT, PREFIX, World};

async fn reads(client: &Client) -> u16 {
    client.get("/api/v3/repos/alice/project").await.status.as_u16()
}

async fn revoke(client: &Client, path: &Value) -> Value {
    let mut body = path.clone();
    body["reason"] = json!("drill");
    client.post(&format!("{EXT}/revocations"), &body).await.expect(200).json()
}

async fn stop(client: &Client, scope: &str) -> String {
    let body = json!({ "scope": scope, "reason": "it runs wild" });
    let made = client.post(&format!("{EXT}/kill-switches"), &body).await.expect(201).json();
    assert_eq!(made["scope"], scope);
    made["id"].as_str().unwrap().to_owned()
}

for_each_database! {
    async fn i15_each_path_of_revocation_is_seen_by_the_next_request(forge: TestForge) {
        let world = World::new(forge).await;
        let acme = world.forge.organization("acme", &[&world.human]).await;
        world.forge.repository(&acme, "shop", Visibility::Private).await;
        let shop = async |client: &Client| client.get("/api/v3/repos/acme/shop").await.status.as_u16();

        let (grant, client) = world.tasked(&json!({})).await;
        assert_eq!(reads(&client).await, 200);
        assert_eq!(revoke(&world.alice, &json!({ "grant": grant["id"] })).await["grants"], 1);
        assert_eq!(reads(&client).await, 401);

        let (_, client) = world.tasked(&json!({ "task": "other work" })).await;
        let (_, kept) = world.tasked(&json!({})).await;
        assert_eq!(revoke(&world.alice, &json!({ "task": "other work" })).await["grants"], 1);
        assert_eq!((reads(&client).await, reads(&kept).await), (401, 200));

        let grant = world.grant(&json!({})).await;
        let token = world.task_token(&grant).await;
        let client = world.forge.client().with_token(&token);
        let ended = revoke(&world.alice, &json!({ "token": token.expose() })).await;
        assert_eq!(ended["credentials"], 1);
        assert_eq!((reads(&client).await, reads(&kept).await), (401, 200));

        let of_acme = json!({ "delegator": "org:acme", "resources": ["repo:acme/shop"] });
        let (_, client) = world.tasked(&of_acme).await;
        assert_eq!(shop(&client).await, 200);
        assert_eq!(revoke(&world.alice, &json!({ "organization": "acme" })).await["grants"], 1);
        assert_eq!((shop(&client).await, reads(&kept).await), (401, 200));

        // What a stranger is told is the same as of what does not exist.
        let mallory = world.forge.human_client("mallory").await;
        for path in [
            json!({ "agent": world.agent.login }),
            json!({ "token": world.agent.token.expose() }),
            json!({ "grant": grant["id"] }),
        ] {
            let mut body = path.clone();
            body["reason"] = json!("drill");
            let _ = mallory.post(&format!("{EXT}/revocations"), &body).await.expect(404);
        }
        let own = json!({ "owner": "alice", "reason": "drill" });
        let _ = mallory.post(&format!("{EXT}/revocations"), &own).await.expect(403);
        for body in [json!({ "reason": "x" }), json!({ "agent": "a", "task": "b", "reason": "x" }), json!({ "policy": "a/b", "task": "b", "reason": "x" })] {
            let _ = world.alice.post(&format!("{EXT}/revocations"), &body).await.expect(422);
        }

        let ended = revoke(&world.alice, &json!({ "agent": world.agent.login })).await;
        assert!(ended["credentials"].as_u64() >= Some(1) && ended["grants"].as_u64() >= Some(1), "{ended}");
        assert_eq!(reads(&kept).await, 401);
        assert_eq!(world.agent.client.get("/api/v3/user").await.status, 401);

        let other = world.forge.registered_agent("other").await;
        world.forge.bind(&world.alice, &other, &json!({})).await;
        revoke(&world.alice, &json!({ "owner": "alice" })).await;
        assert_eq!(other.client.get("/api/v3/user").await.status, 401);
        assert_eq!(reads(&world.alice).await, 200);
    }

    async fn whoever_holds_a_leaked_token_can_kill_it(forge: TestForge) {
        let world = World::new(forge).await;
        let token = world.forge.token(&world.human, CredentialKind::Personal, None).await;
        let holder = world.forge.client().with_token(&token);
        assert_eq!(reads(&holder).await, 200);
        let body = json!({ "credentials": [token.expose(), "ghp_0123456789012345678901234567890123456789", "x"] });
        let _ = holder.post("/api/v3/credentials/revoke", &body).await.expect(403);
        let _ = world.forge.client().post("/api/v3/credentials/revoke", &body).await.expect(202);
        assert_eq!(reads(&holder).await, 401);
        assert_eq!(reads(&world.alice).await, 200);
        let none = json!({ "credentials": [] });
        let _ = world.forge.client().post("/api/v3/credentials/revoke", &none).await.expect(422);
    }

    async fn a_kill_switch_stops_what_it_names_until_it_is_lifted(forge: TestForge) {
        let world = World::new(forge).await;
        let (grant, client) = world.tasked(&json!({})).await;
        let (_, other_task) = world.tasked(&json!({ "task": "other work" })).await;
        let admin = world.forge.site_admin("root1").await;
        let root = world.forge.client_of(&admin, None).await;
        let scopes = [
            (&root, "instance".to_owned(), true),
            (&world.alice, format!("agent:{}", world.agent.login), true),
            (&world.alice, "owner:alice".to_owned(), true),
            (&world.alice, format!("grant:{}", grant["id"].as_str().unwrap()), false),
            (&world.alice, "task:fix the payment bug".to_owned(), false),
        ];
        for (who, scope, stops_all) in scopes {
            assert_eq!((reads(&client).await, reads(&other_task).await), (200, 200), "{scope}");
            let id = stop(who, &scope).await;
            let answer = client.get("/api/v3/repos/alice/project").await.expect(403);
            assert!(answer.text().contains(&id), "{scope}: {}", answer.text());
            assert_eq!(reads(&other_task).await, if stops_all { 403 } else { 200 }, "{scope}");
            assert_eq!(reads(&world.alice).await, 200, "people go on");
            let path = format!("{EXT}/kill-switches/{id}");
            let _ = client.delete(&path).await.expect(404);
            let mallory = world.forge.client_of(&world.forge.human(&format!("m{}", id.len() + scope.len())).await, None).await;
            let _ = mallory.delete(&path).await.expect(404);
            let _ = who.delete(&path).await.expect(204);
        }
        let mallory = world.forge.human_client("mallory").await;
        for (scope, status) in [
            ("instance".to_owned(), 403),
            ("owner:alice".to_owned(), 403),
            (format!("agent:{}", world.agent.login), 404),
            (format!("grant:{}", grant["id"].as_str().unwrap()), 404),
            ("everything".to_owned(), 422),
        ] {
            let body = json!({ "scope": scope, "reason": "x" });
            let answer = mallory.post(&format!("{EXT}/kill-switches"), &body).await;
            assert_eq!(answer.status, status, "{scope}: {}", answer.text());
        }
        let body = json!({ "scope": "instance", "reason": "x" });
        let _ = world.agent.client.post(&format!("{EXT}/kill-switches"), &body).await.expect(403);
    }

    /// Counts, and does not sleep: whatever was moved is in the log, with the time of the switch beside it.
    async fn a100_no_ref_moves_after_the_kill_switch_with_pushes_in_flight(forge: TestForge) {
        const PUSHES: usize = 50;
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let (_, client) = world.tasked(&json!({})).await;
        copy.commit("a", "1");
        let grant = world.grant(&json!({})).await;
        copy.with(&server, &world.task_token(&grant).await);
        let push = async |number: usize| copy.push(&[&format!("HEAD:refs/heads/{PREFIX}{number}")]).await;
        let pushes = futures_util::future::join_all((0..PUSHES).map(push));
        let switch = async {
            // In the middle of them: some have moved their ref, others have not.
            while moved(&world).await < 3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stop(&world.alice, &format!("agent:{}", world.agent.login)).await;
            moved(&world).await
        };
        let (outcomes, moved_at_switch) = tokio::join!(pushes, switch);
        let acknowledged = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(moved(&world).await, moved_at_switch, "a ref moved after the switch");
        assert!(acknowledged <= moved_at_switch, "{acknowledged} acknowledged, {moved_at_switch} moved");
        assert!(moved_at_switch < PUSHES, "the switch came after all pushes, which shows nothing");
        let stopped = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        for said in stopped {
            assert!(said.contains("kill switch"), "{said}");
        }
        assert_eq!(reads(&client).await, 403);
    }
}

async fn moved(world: &World) -> usize {
    let path = format!("/api/v3/repos/alice/project/git/matching-refs/heads/{PREFIX}?per_page=100");
    world.alice.get(&path).await.expect(200).json().as_array().unwrap().len()
}
