//! What holds a network of forks together while some come and others go.

use std::time::Duration;

use forge_store::accounts::Hold;
use forge_store::repositories::{delete, hold_descent, release_forks};
use forge_testing::meanwhile::during;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::id::RepositoryId;
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::forks::Forker;

/// Long enough for a fork that does not wait to be answered.
const PATIENCE: Duration = Duration::from_millis(500);

/// Forks a repository, and returns status and answer.
fn forking(
    client: &Client,
    parent: &str,
    body: Value,
) -> impl Future<Output = (u16, Value)> + Send + 'static {
    let (client, path) = (client.clone(), format!("/api/v3/repos/{parent}/forks"));
    async move {
        let answer = client.post(&path, &body).await;
        (answer.status.as_u16(), answer.json())
    }
}

async fn fork(client: &Client, parent: &str) -> RepositoryId {
    let (status, made) = forking(client, parent, json!({})).await;
    assert_eq!(status, 202, "{made}");
    RepositoryId(made["id"].as_i64().unwrap())
}

async fn seen(client: &Client, name: &str) -> Value {
    client.get(&format!("/api/v3/repos/{name}")).await.expect(200).json()
}

/// Returns the names of parent and source, and the number of forks.
async fn lineage(client: &Client, name: &str) -> (Value, Value, i64) {
    let view = seen(client, name).await;
    let name_of = |field: &str| view[field]["full_name"].clone();
    (name_of("parent"), name_of("source"), view["forks_count"].as_i64().unwrap())
}

for_each_database! {
    async fn a_parent_that_is_deleted_while_it_is_forked_is_not_found(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let bob = Forker::new(&bench, "bob").await;
        let mut ending = bench.forge.app().db().begin().await.unwrap();
        assert!(delete(&mut ending, bench.id()).await.unwrap());
        let (status, answer) = during(ending, PATIENCE, forking(&bob.client, "alice/project", json!({}))).await;
        assert_eq!(status, 404, "{answer}");
        bob.client.get("/api/v3/repos/bob/project").await.expect(404);
    }

    async fn what_is_forked_while_its_source_goes_is_of_the_network_that_is_left(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let (bob, carol) = (Forker::new(&bench, "bob").await, Forker::new(&bench, "carol").await);
        fork(&bob.client, "alice/project").await;
        let mut ending = bench.forge.app().db().begin().await.unwrap();
        release_forks(&mut ending, bench.id()).await.unwrap();
        assert!(delete(&mut ending, bench.id()).await.unwrap());
        let (status, answer) = during(ending, PATIENCE, forking(&carol.client, "bob/project", json!({}))).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(lineage(&carol.client, "carol/project").await, (json!("bob/project"), json!("bob/project"), 0));
        assert_eq!(lineage(&carol.client, "bob/project").await, (Value::Null, Value::Null, 1));
    }

    async fn what_is_forked_while_its_network_splits_is_of_one_half(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let (bob, carol) = (Forker::new(&bench, "bob").await, Forker::new(&bench, "carol").await);
        fork(&bob.client, "alice/project").await;
        // As when others may see it from then on.
        let mut ending = bench.forge.app().db().begin().await.unwrap();
        hold_descent(&mut ending, bench.id(), Hold::Alone).await.unwrap().unwrap();
        release_forks(&mut ending, bench.id()).await.unwrap();
        let (status, answer) = during(ending, PATIENCE, forking(&carol.client, "bob/project", json!({}))).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(lineage(&carol.client, "carol/project").await, (json!("bob/project"), json!("bob/project"), 0));
        assert_eq!(lineage(&carol.client, "bob/project").await, (Value::Null, Value::Null, 1));
        assert_eq!(lineage(&carol.client, "alice/project").await, (Value::Null, Value::Null, 0));
    }

    async fn who_forks_a_network_several_times_at_once_has_one_of_it(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let (bob, carol) = (Forker::new(&bench, "bob").await, Forker::new(&bench, "carol").await);
        fork(&carol.client, "alice/project").await;
        let asked = ["alice/project", "carol/project", "alice/project", "carol/project"].into_iter().enumerate();
        let asked = asked.map(|(number, parent)| forking(&bob.client, parent, json!({ "name": format!("p{number}") })));
        let made = futures_util::future::join_all(asked).await;
        for (status, answer) in &made {
            assert_eq!((status, &answer["id"]), (&202, &made[0].1["id"]), "{answer}");
        }
        let listed = bob.client.get("/api/v3/user/repos").await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
        // Two owners at once are of one network.
        let (dave, erin) = (Forker::new(&bench, "dave").await, Forker::new(&bench, "erin").await);
        tokio::join!(fork(&dave.client, "alice/project"), fork(&erin.client, "alice/project"));
        for login in ["dave", "erin"] {
            let expected = (json!("alice/project"), json!("alice/project"), 0);
            assert_eq!(lineage(&bob.client, &format!("{login}/project")).await, expected);
        }
        assert_eq!(seen(&bob.client, "alice/project").await["forks_count"], 4);
    }

    async fn forks_are_counted_as_they_come_and_go(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let (bob, carol) = (Forker::new(&bench, "bob").await, Forker::new(&bench, "carol").await);
        let (dave, erin) = (Forker::new(&bench, "dave").await, Forker::new(&bench, "erin").await);
        fork(&bob.client, "alice/project").await;
        fork(&carol.client, "bob/project").await;
        fork(&dave.client, "carol/project").await;
        fork(&erin.client, "carol/project").await;
        let of = async |name: &str| lineage(&bob.client, name).await;
        let source = json!("alice/project");
        assert_eq!(of("alice/project").await, (Value::Null, Value::Null, 4));
        assert_eq!(of("bob/project").await, (source.clone(), source.clone(), 1));
        assert_eq!(of("carol/project").await, (json!("bob/project"), source.clone(), 2));
        let listed = alice.get("/api/v3/user/repos").await.expect(200).json();
        assert_eq!(listed[0]["forks_count"], 4);
        carol.client.delete("/api/v3/repos/carol/project").await.expect(204);
        assert_eq!(of("alice/project").await, (Value::Null, Value::Null, 3));
        assert_eq!(of("bob/project").await, (source.clone(), source.clone(), 2));
        assert_eq!(of("dave/project").await, (json!("bob/project"), source, 0));
        alice.delete("/api/v3/repos/alice/project").await.expect(204);
        assert_eq!(of("bob/project").await, (Value::Null, Value::Null, 2));
        assert_eq!(of("dave/project").await, (json!("bob/project"), json!("bob/project"), 0));
        erin.client.delete("/api/v3/repos/erin/project").await.expect(204);
        assert_eq!(of("bob/project").await, (Value::Null, Value::Null, 1));
        bob.client.delete("/api/v3/repos/bob/project").await.expect(204);
        assert_eq!(lineage(&dave.client, "dave/project").await, (Value::Null, Value::Null, 0));
    }
}
