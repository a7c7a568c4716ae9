//! Who links events and when: each once, whatever the order of commits, however many try, whatever the clock says.

use std::time::Duration;

use forge_service::audit::checkpoint::When;
use forge_service::audit::seal::Sealer;
use forge_store::Tx;
use forge_store::scratch::tamper;
use forge_testing::{Database, TestForge, for_each_database};

use crate::world::{busy, labels, verify, write};

async fn begin(forge: &TestForge) -> Tx {
    forge.app().db().begin().await.unwrap()
}

/// SQLite has one writer, whose commits are in the order of ids.
#[tokio::test]
async fn an_event_that_commits_late_is_sealed_all_the_same_and_once() {
    let forge = TestForge::builder(Database::Postgres).start().await;
    let sealer = Sealer::new(forge.app());
    let mut late = begin(&forge).await;
    write(&forge, &mut late, "test.late").await;
    let mut early = begin(&forge).await;
    write(&forge, &mut early, "test.early").await;
    early.commit().await.unwrap();
    assert_eq!(sealer.seal().await.unwrap(), 1);
    let mut abandoned = begin(&forge).await;
    write(&forge, &mut abandoned, "test.abandoned").await;
    drop(abandoned);
    assert_eq!(sealer.seal().await.unwrap(), 0);
    late.commit().await.unwrap();
    assert_eq!(sealer.seal().await.unwrap(), 1);
    assert_eq!(sealer.seal().await.unwrap(), 0);
    let report = verify(&forge).await;
    assert_eq!((report.findings, report.sealed, report.unsealed), (vec![], 2, 0));
}

for_each_database! {
    async fn sealers_that_compete_seal_each_event_once(forge: TestForge) {
        let sealers: Vec<Sealer> = (0..4).map(|_| Sealer::new(forge.app())).collect();
        for round in 0..10 {
            let mut tx = begin(&forge).await;
            for _ in 0..70 {
                write(&forge, &mut tx, "test.happened").await;
            }
            tx.commit().await.unwrap();
            // Nobody holds the chain: all may try at once.
            let tasks: Vec<_> = sealers.iter().cloned().map(|sealer| tokio::spawn(async move {
                let sealed = sealer.seal().await.unwrap();
                sealer.checkpoint(When::Now).await.unwrap();
                sealer.release().await.unwrap();
                sealed
            })).collect();
            let mut sealed = 0;
            for task in tasks {
                sealed += task.await.unwrap();
            }
            assert!(sealed <= 70, "round {round}: {sealed} of 70 were sealed");
            // Who found the chain held left the rest to its holder, who may have ended already.
            sealed += sealers[0].seal().await.unwrap();
            sealers[0].release().await.unwrap();
            assert_eq!(sealed, 70, "round {round}");
        }
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.sealed, report.unsealed), (vec![], 700, 0));
        assert!(report.checkpoints > 0);
    }

    async fn what_one_node_holds_another_leaves_alone_until_the_hold_is_over(forge: TestForge) {
        let (one, two) = (Sealer::new(forge.app()), Sealer::new(forge.app()));
        let mut tx = begin(&forge).await;
        write(&forge, &mut tx, "test.first").await;
        tx.commit().await.unwrap();
        assert_eq!(one.seal().await.unwrap(), 1);
        let mut tx = begin(&forge).await;
        write(&forge, &mut tx, "test.second").await;
        tx.commit().await.unwrap();
        assert_eq!(two.seal().await.unwrap(), 0);
        assert!(!two.checkpoint(When::Now).await.unwrap());
        // The one that held it is gone.
        forge.advance(Duration::from_secs(4));
        assert_eq!(two.seal().await.unwrap(), 1);
        assert_eq!(one.seal().await.unwrap(), 0);
        assert_eq!(verify(&forge).await.findings, Vec::<String>::new());
    }

    async fn a90_a_clock_that_goes_back_stops_neither_sealing_nor_checkpoints(forge: TestForge) {
        let client = busy(&forge, 2).await;
        let gone = Sealer::new(forge.app());
        labels(&client, "before", 1).await;
        assert_eq!(gone.seal().await.unwrap(), 1);
        // Its hold ends in an hour from now on.
        forge.turn_back(Duration::from_secs(3600));
        labels(&client, "after", 1).await;
        let sealer = Sealer::new(forge.app());
        assert_eq!(sealer.seal().await.unwrap(), 1);
        assert!(sealer.checkpoint(When::Due).await.unwrap(), "the last one is of a time to come");
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.sealed, report.vouched), (vec![], 4, 4));
    }

    async fn checkpoints_are_due_after_so_many_events_or_so_long(forge: TestForge) {
        let client = busy(&forge, 2).await;
        let sealer = Sealer::new(forge.app());
        labels(&client, "few", 2).await;
        sealer.seal().await.unwrap();
        assert!(!sealer.checkpoint(When::Due).await.unwrap());
        forge.advance(Duration::from_secs(301));
        assert!(sealer.checkpoint(When::Due).await.unwrap());
        forge.advance(Duration::from_secs(301));
        assert!(!sealer.checkpoint(When::Due).await.unwrap(), "nothing happened");
        labels(&client, "many", 1).await;
        let mut tx = begin(&forge).await;
        for _ in 0..999 {
            write(&forge, &mut tx, "test.happened").await;
        }
        tx.commit().await.unwrap();
        sealer.seal().await.unwrap();
        assert!(sealer.checkpoint(When::Due).await.unwrap());
        assert_eq!(verify(&forge).await.vouched, 1004);
    }
}

/// Attack A90: the disk is full. No effect without its event, and no event without its effect; reading goes on.
#[tokio::test]
async fn a90_on_a_full_disk_nothing_happens_that_is_not_logged() {
    let forge = TestForge::builder(Database::Sqlite).start().await;
    let client = busy(&forge, 2).await;
    // No page more than there are: what a full disk looks like to SQLite. Some rows still fit into those.
    tamper(forge.app().db(), "PRAGMA max_page_count = 1").await.unwrap();
    let mut refused = None;
    for number in 0..2000 {
        let label = serde_json::json!({ "name": format!("full {number}"), "color": "ff0000" });
        let answer = client.post("/api/v3/repos/alice/work/labels", &label).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the disk is full").expect(503);
    assert_eq!(refused.json()["code"], "unavailable");
    let mut conn = forge.app().db().read().await.unwrap();
    let repository = forge_store::repositories::find_by_name(&mut conn, None, "alice", "work").await.unwrap();
    let id = repository.unwrap().repository.id;
    let labels = forge_store::labels::count(&mut conn, id, None).await.unwrap();
    let filter = forge_store::audit::AuditFilter {
        events: Some(vec!["label.created".to_owned()]),
        ..forge_store::audit::AuditFilter::default()
    };
    let events = forge_store::audit::list(&mut conn, &filter, 10_000).await.unwrap();
    assert_eq!(usize::try_from(labels).unwrap(), events.len(), "each label has its event");
    client.get("/api/v3/repos/alice/work").await.expect(200);
}
