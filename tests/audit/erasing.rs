//! What is personal can be erased, and the chain still holds; entries from before that was so still verify.

use forge_service::{admin, operations};
use forge_testing::{TestForge, for_each_database};
use http::header::USER_AGENT;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Files, busy, force, verify};

const EVENTS: &str = "/api/ext/v1/audit-events?per_page=100";

for_each_database! {
    async fn erased_fields_are_gone_everywhere_and_nothing_is_wrong(forge: TestForge) {
        let client = busy(&forge, 3).await.with_header(USER_AGENT, "secret-program");
        crate::world::labels(&client, "more", 2).await;
        forge.human_client("bob").await.post("/api/ext/v1/user/tokens", &json!({ "name": "x" })).await.expect(201);
        forge.run_jobs().await;
        let before = client.get(EVENTS).await.expect(200);
        assert!(before.text().contains("secret-program") && before.text().contains("203.0.113.7"));
        let erased = operations::erase_audit(&admin::console(forge.app()), "Alice").await.unwrap();
        assert_eq!(erased, 5);
        let after = client.get(EVENTS).await.expect(200);
        assert!(!after.text().contains("secret-program") && !after.text().contains("203.0.113.7"));
        // All else is as it was.
        let rest = |answer: &forge_testing::Answer| -> Vec<Value> {
            let mut events = answer.json().as_array().unwrap().clone();
            for event in &mut events {
                (event["ip"], event["user_agent"]) = (Value::Null, Value::Null);
            }
            events
        };
        assert_eq!(rest(&after), rest(&before));
        forge.run_jobs().await;
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.erased, report.sealed), (vec![], 5, 7));
        let export = std::fs::read_to_string(Files::of(&forge).await.export).unwrap();
        assert!(!export.contains("secret-program") && export.contains("audit.personal_erased"));
        assert!(operations::erase_audit(&admin::console(forge.app()), "nobody").await.is_err());
    }

    async fn an_address_written_into_an_erased_row_is_found(forge: TestForge) {
        busy(&forge, 2).await;
        operations::erase_audit(&admin::console(forge.app()), "alice").await.unwrap();
        force(&forge, "UPDATE audit_events SET ip = '192.0.2.66' WHERE id = 1").await;
        let report = verify(&forge).await;
        assert_eq!(report.findings, ["the event at position 1 was changed: its personal fields are not those it was committed to"]);
    }

    async fn an_entry_of_version_1_verifies_and_keeps_its_personal_fields(forge: TestForge) {
        // As the program before this one wrote it.
        let content = concat!(
            r#"{"acting_id":null,"acting_login":null,"actor_id":7,"actor_kind":"human","actor_login":"alice","#,
            r#""created_at":1767225600000000,"credential_id":null,"credential_kind":null,"decision":"allow","#,
            r#""details":"{\"name\":\"x\"}","event":"label.created","ip":"192.0.2.1","organization_id":null,"#,
            r#""reason":null,"repository_id":1,"request_id":"req_1","subject_id":null,"surface":"rest","#,
            r#""token_fingerprint":null,"user_agent":"curl","version":1}"#
        );
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(content.as_bytes()));
        let hash = if forge.app().db().is_sqlite() { format!("X'{hash}'") } else { format!("'\\x{hash}'") };
        let old = format!(
            "INSERT INTO audit_events (created_at, event, decision, actor_id, actor_login, actor_kind, repository_id, \
             request_id, surface, ip, user_agent, details, content_hash) VALUES (1767225600000000, 'label.created', 'allow', \
             7, 'alice', 'human', 1, 'req_1', 'rest', '192.0.2.1', 'curl', '{{\"name\":\"x\"}}', {hash})"
        );
        forge_store::scratch::tamper(forge.app().db(), &old).await.unwrap();
        forge.run_jobs().await;
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.sealed), (vec![], 1));
        let export = std::fs::read_to_string(Files::of(&forge).await.export).unwrap();
        assert!(export.contains(content), "{export}");
        force(&forge, "UPDATE audit_events SET ip = NULL WHERE id = 1").await;
        assert_eq!(verify(&forge).await.finding_count, 2);
    }
}
