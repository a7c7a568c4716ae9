//! What an event says: the ten fields, in the API and in every form of the export, and nothing that breaks out of its line.

use forge_service::audit::content::canonical;
use forge_service::operations::AuditFormat;
use forge_testing::agents::secret;
use forge_testing::{TestForge, for_each_database};
use http::header::USER_AGENT;
use serde_json::{Value, json};

use crate::world::{busy, export, verify, write_with};

const EVENTS: &str = "/api/ext/v1/audit-events?per_page=100";

for_each_database! {
    async fn an_event_names_agent_delegator_resource_decision_fingerprint_and_side_effect(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let path = format!("/api/ext/v1/agent-bindings/{}/switch-session", agent.login);
        let session = alice.post(&path, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let repository = format!("/api/v3/repos/{}/bot-home", agent.login);
        switched.post(&format!("{repository}/labels"), &json!({ "name": "new", "color": "ff0000" })).await.expect(201);
        let _ = agent.client.delete(&format!("/api/v3/repos/{}/none", agent.login)).await.expect(404);
        let events = alice.get(&format!("{EVENTS}&action=label.created")).await.expect(200).json();
        let event = &events[0];
        assert_eq!(event["agent"]["login"], agent.login);
        assert_eq!(event["delegator"]["login"], "alice");
        assert_eq!(event["resource"], format!("repo:{}/bot-home", agent.login));
        assert_eq!((&event["action"], &event["decision"]), (&json!("label.created"), &json!("allow")));
        assert_eq!(event["credential"]["fingerprint"].as_str().map(str::len), Some(12));
        assert_eq!(event["side_effect"], json!({ "object": event["resource"] }));
        // What no agent has yet is there, and empty.
        assert_eq!([&event["task"], &event["grant"], &event["runtime"]], [&Value::Null; 3]);
        assert_eq!(event["position"], Value::Null);
        forge.run_jobs().await;
        let sealed = alice.get(&format!("{EVENTS}&action=label.created")).await.expect(200).json();
        assert!(sealed[0]["position"].as_i64() > Some(0) && sealed[0]["hash"].as_str().map(str::len) == Some(64));
        let bound = alice.get(&format!("{EVENTS}&action=agent.bound")).await.expect(200).json();
        assert_eq!((&bound[0]["resource"], &bound[0]["delegator"]), (&json!("user:alice"), &Value::Null));
    }

    async fn a_refusal_says_what_was_refused_on_what_and_that_nothing_came_of_it(forge: TestForge) {
        let alice = forge.human("alice").await;
        forge.repository(&alice, "work", forge_types::repository::Visibility::Public).await;
        let bob = forge.human_client("bob").await;
        let _ = bob.delete("/api/v3/repos/alice/work").await.expect(403);
        let events = bob.get(&format!("{EVENTS}&decision=deny")).await.expect(200).json();
        let event = &events[0];
        assert_eq!((&event["action"], &event["resource"]), (&json!("repository.delete"), &json!("repo:alice/work")));
        assert_eq!(event["side_effect"], Value::Null);
        assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("admin")));
    }

    async fn events_are_filtered_by_task_and_grant(forge: TestForge) {
        let client = busy(&forge, 2).await;
        crate::world::force(&forge, "UPDATE audit_events SET task = 'issue 7', grant_id = 'tg_7' WHERE id = 2").await;
        for query in ["task=issue%207", "grant=tg_7", "task=issue%207&grant=tg_7&action=label.created&decision=allow"] {
            let events = client.get(&format!("{EVENTS}&{query}")).await.expect(200).json();
            assert_eq!(events.as_array().map(Vec::len), Some(1), "{query}");
            assert_eq!((&events[0]["task"], &events[0]["grant"]), (&json!("issue 7"), &json!("tg_7")));
        }
        for query in ["task=issue", "grant=tg_8", "task=issue%207&decision=deny"] {
            let events = client.get(&format!("{EVENTS}&{query}")).await.expect(200).json();
            assert_eq!(events, json!([]), "{query}");
        }
    }

    /// Attack A90: what somebody sends is to end its line in the log and begin another.
    async fn a90_nothing_that_is_sent_becomes_a_line_of_its_own(forge: TestForge) {
        let alice = busy(&forge, 1).await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&alice, &agent, &json!({})).await;
        let forged = r#"x{"chain":"ach_1","position":1}"#;
        let text = format!("one\ntwo\r\n{forged}\u{2028}\u{85}|=\\");
        // The edge refuses such words.
        let suspension = format!("/api/ext/v1/agents/{}/suspension", agent.login);
        let _ = alice.put(&suspension, &json!({ "reason": text })).await.expect(422);
        // An edge that forgets to leaves them to the log.
        let details = canonical(&json!({ "reason": text }));
        let mut tx = forge.app().db().begin().await.unwrap();
        write_with(&forge, &mut tx, "test.hostile", |event| {
            (event.resource, event.task, event.grant_id) = (Some(text.as_str()), Some(text.as_str()), Some(text.as_str()));
            (event.reason, event.details) = (Some(text.as_str()), details.as_str());
        }).await;
        tx.commit().await.unwrap();
        let sender = alice.with_header(USER_AGENT, &format!("{forged} CEF:0|a|b"));
        sender.put(&suspension, &json!({ "reason": "it errs" })).await.expect(204);
        forge.run_jobs().await;
        let native = export(&forge, AuditFormat::Native).await;
        assert!(native.contains(r"one\ntwo\r\n"), "the words are in it: {native}");
        let count = usize::try_from(verify(&forge).await.sealed).unwrap();
        for format in [AuditFormat::Native, AuditFormat::Ocsf] {
            let text = export(&forge, format).await;
            assert_eq!(text.lines().count(), count, "{text}");
            assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object())));
        }
        let cef = export(&forge, AuditFormat::Cef).await;
        assert_eq!(cef.split(['\n', '\r', '\u{85}', '\u{2028}']).filter(|line| !line.is_empty()).count(), count);
        for line in cef.lines() {
            assert!(line.starts_with("CEF:0|forge|forge|"), "{line}");
        }
        assert_eq!(verify(&forge).await.findings, Vec::<String>::new());
    }

    async fn ocsf_and_cef_carry_the_ten_fields(forge: TestForge) {
        let agent = forge.registered_agent("bot").await;
        let label = json!({ "name": "new", "color": "ff0000" });
        agent.client.post(&format!("/api/v3/repos/{}/bot-home/labels", agent.login), &label).await.expect(201);
        forge.run_jobs().await;
        let resource = format!("repo:{}/bot-home", agent.login);
        let ocsf = export(&forge, AuditFormat::Ocsf).await;
        let event: Value = serde_json::from_str(ocsf.lines().last().unwrap()).unwrap();
        assert_eq!((&event["class_uid"], &event["category_uid"]), (&json!(6003), &json!(6)));
        assert_eq!(event["type_uid"].as_i64(), event["activity_id"].as_i64().map(|activity| 600_300 + activity));
        for required in ["time", "severity_id", "metadata", "api", "actor", "src_endpoint"] {
            assert!(event.get(required).is_some(), "{required}: {event}");
        }
        assert_eq!(event["time"].as_i64(), Some(forge.now().as_micros() / 1000));
        let own = &event["unmapped"];
        assert_eq!((&own["agent"], &own["resource"], &own["action"]), (&json!(agent.login), &json!(resource), &json!("label.created")));
        assert_eq!((&own["decision"], &own["side_effect"]["object"]), (&json!("allow"), &json!(resource)));
        assert!(own["token_fingerprint"].is_string() && own["hash"].is_string());
        let cef = export(&forge, AuditFormat::Cef).await;
        let line = cef.lines().last().unwrap();
        for part in [&format!("forgeAgent={}", agent.login), &format!("request={resource}"), "act=label.created", "outcome=allow", "forgeTokenFingerprint=", "forgeSideEffect="] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
