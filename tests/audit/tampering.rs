//! Attack A90: audit rows are changed, dropped, reordered, inserted or cut off. Each is tried by somebody who has the
//! database itself and takes the guards off it; each is found, with its place. The control is the log before.

use forge_service::audit::verify::Report;
use forge_store::scratch::tamper;
use forge_testing::{TestForge, for_each_database};

use crate::world::{busy, force, labels, verify};

/// Checks that nothing is wrong, does something to the log, and returns what is found.
async fn after(forge: &TestForge, statements: &str) -> Report {
    busy(forge, 8).await;
    let before = verify(forge).await;
    assert_eq!((before.findings, before.sealed, before.unsealed, before.vouched), (vec![], 8, 0, 8));
    force(forge, statements).await;
    verify(forge).await
}

#[track_caller]
fn found(report: &Report, words: &str) {
    assert!(report.finding_count > 0, "nothing was found");
    assert!(report.findings.iter().any(|finding| finding.contains(words)), "{words}: {:?}", report.findings);
}

for_each_database! {
    async fn a90_the_database_itself_refuses_to_change_or_remove_what_is_logged(forge: TestForge) {
        busy(&forge, 3).await;
        for statement in [
            "UPDATE audit_events SET actor_login = 'mallory' WHERE id = 2",
            "UPDATE audit_events SET ip = '192.0.2.66' WHERE id = 2",
            "UPDATE audit_events SET content_hash = content_hash WHERE id = 2",
            "DELETE FROM audit_events WHERE id = 2",
            "UPDATE audit_seals SET event_id = 99 WHERE position = 2",
            "DELETE FROM audit_seals WHERE position = 2",
            "UPDATE audit_checkpoints SET position = 1",
            "DELETE FROM audit_checkpoints",
        ] {
            let refused = tamper(forge.app().db(), statement).await.unwrap_err();
            assert!(refused.to_string().contains("log"), "{statement}: {refused}");
        }
        assert_eq!(verify(&forge).await.findings, Vec::<String>::new());
    }

    async fn a90_a_changed_row_is_found(forge: TestForge) {
        let report = after(&forge, "UPDATE audit_events SET actor_login = 'mallory' WHERE id = 3").await;
        found(&report, "the event at position 3 was changed: its content does not have its hash");
        found(&report, "the chain does not hold at position 3");
        assert_eq!(report.finding_count, 2, "the rest of the log is still good: {:?}", report.findings);
    }

    async fn a90_a_changed_address_is_found(forge: TestForge) {
        let report = after(&forge, "UPDATE audit_events SET ip = '192.0.2.66' WHERE id = 3").await;
        found(&report, "the event at position 3 was changed: its personal fields");
        assert_eq!(report.finding_count, 1);
    }

    async fn a90_a_changed_row_with_a_hash_to_match_is_found(forge: TestForge) {
        // What somebody does who knows how hashes are made: here that of another event is good enough.
        let same = "UPDATE audit_events SET content_hash = (SELECT content_hash FROM audit_events WHERE id = 4), \
                    details = (SELECT details FROM audit_events WHERE id = 4), \
                    request_id = (SELECT request_id FROM audit_events WHERE id = 4), \
                    personal_salt = (SELECT personal_salt FROM audit_events WHERE id = 4), \
                    personal_commitment = (SELECT personal_commitment FROM audit_events WHERE id = 4) WHERE id = 3";
        let report = after(&forge, same).await;
        assert_eq!(report.findings, ["the chain does not hold at position 3"]);
    }

    async fn a90_a_dropped_row_is_found(forge: TestForge) {
        let report = after(&forge, "DELETE FROM audit_events WHERE id = 4").await;
        found(&report, "the event at position 4 is missing");
        assert_eq!(report.finding_count, 1);
    }

    async fn a90_a_dropped_row_whose_gap_was_closed_is_found(forge: TestForge) {
        let closing = "DELETE FROM audit_events WHERE id = 4; DELETE FROM audit_seals WHERE position = 4; \
                       UPDATE audit_seals SET position = position - 1 WHERE position = 5; \
                       UPDATE audit_seals SET position = position - 1 WHERE position = 6; \
                       UPDATE audit_seals SET position = position - 1 WHERE position = 7; \
                       UPDATE audit_seals SET position = position - 1 WHERE position = 8; \
                       UPDATE audit_chain SET position = 7";
        let report = after(&forge, closing).await;
        found(&report, "the chain does not hold at position 4");
        found(&report, "a checkpoint was signed at position 8");
    }

    async fn a90_rows_that_changed_places_are_found(forge: TestForge) {
        let swapping = "UPDATE audit_seals SET event_id = -1 WHERE position = 2; \
                        UPDATE audit_seals SET event_id = 2 WHERE position = 5; \
                        UPDATE audit_seals SET event_id = 5 WHERE position = 2";
        let report = after(&forge, swapping).await;
        found(&report, "the chain does not hold at position 2");
        found(&report, "the chain does not hold at position 5");
        assert_eq!(report.finding_count, 2);
    }

    async fn a90_an_inserted_row_is_found(forge: TestForge) {
        let columns = "created_at, event, decision, request_id, surface, details, content_hash, version";
        let copying = format!(
            "INSERT INTO audit_events ({columns}) SELECT {columns} FROM audit_events WHERE id = 2; \
             DELETE FROM audit_unsealed; UPDATE audit_seals SET position = 9 WHERE position = 8; \
             INSERT INTO audit_seals (position, event_id, hash) SELECT 8, MAX(id), \
                 (SELECT hash FROM audit_seals WHERE position = 7) FROM audit_events; \
             UPDATE audit_chain SET position = 9"
        );
        let report = after(&forge, &copying).await;
        found(&report, "the chain does not hold at position 8");
        found(&report, "the log at position 8 is not what was signed there");
    }

    async fn a90_a_log_that_was_cut_off_is_found(forge: TestForge) {
        let cutting = "DELETE FROM audit_seals WHERE position > 5; DELETE FROM audit_events WHERE id > 5; \
                       UPDATE audit_chain SET position = 5, hash = (SELECT hash FROM audit_seals WHERE position = 5)";
        let report = after(&forge, cutting).await;
        assert_eq!(report.finding_count, 1);
        found(&report, "the log ends at position 5, but a checkpoint was signed at position 8");
    }

    async fn a90_a_cut_that_forgot_the_end_of_the_chain_is_found(forge: TestForge) {
        let report = after(&forge, "DELETE FROM audit_seals WHERE position > 5; DELETE FROM audit_checkpoints").await;
        found(&report, "the chain is said to end at position 8, and its last link is at 5");
        assert_eq!(report.unsealed, 3);
    }

    async fn a90_a_forged_checkpoint_is_found(forge: TestForge) {
        let report = after(&forge, "UPDATE audit_checkpoints SET position = 7").await;
        found(&report, "the checkpoint at position 7 is not signed by the key");
    }

    async fn a90_a_row_that_was_never_sealed_is_told_and_still_checked(forge: TestForge) {
        let client = busy(&forge, 4).await;
        labels(&client, "late", 2).await;
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.sealed, report.unsealed), (vec![], 4, 2));
        force(&forge, "UPDATE audit_events SET actor_login = 'mallory' WHERE id = 6").await;
        let report = verify(&forge).await;
        assert_eq!(report.findings, ["the unsealed event 6 was changed: its content does not have its hash"]);
    }
}
