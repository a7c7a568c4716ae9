//! GitHub's audit-log API of an organization
//! (<https://docs.github.com/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization>,
//! <https://docs.github.com/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/reviewing-the-audit-log-for-your-organization>).

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

const LOG: &str = "/api/v3/orgs/octo/audit-log";

/// An organization in which alice made two repositories and a team, took bob in, and made a label.
async fn octo(forge: &TestForge) -> Client {
    let alice = forge.human_client("alice").await;
    forge.human("bob").await;
    alice.post("/api/ext/v1/user/orgs", &json!({ "login": "octo" })).await.expect(201);
    for name in ["one", "two"] {
        alice.post("/api/v3/orgs/octo/repos", &json!({ "name": name, "private": true })).await.expect(201);
    }
    alice.post("/api/v3/orgs/octo/teams", &json!({ "name": "crew" })).await.expect(201);
    alice.put("/api/v3/orgs/octo/memberships/bob", &json!({ "role": "member" })).await.expect(200);
    alice
        .post("/api/v3/repos/octo/one/labels", &json!({ "name": "new", "color": "ff0000" }))
        .await
        .expect(201);
    // What happens elsewhere is not the organization's.
    alice.post("/api/v3/user/repos", &json!({ "name": "own" })).await.expect(201);
    alice
}

async fn actions(client: &Client, query: &str) -> Vec<String> {
    let events = client.get(&format!("{LOG}{query}")).await.expect(200).json();
    events.as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

const ALL: [&str; 6] =
    ["org.create", "repo.create", "repo.create", "team.create", "org.add_member", "label.created"];

for_each_database! {
    async fn owners_read_what_happened_newest_first(forge: TestForge) {
        let alice = octo(&forge).await;
        let mut newest_first = ALL;
        newest_first.reverse();
        assert_eq!(actions(&alice, "").await, newest_first);
        assert_eq!(actions(&alice, "?order=asc").await, ALL);
        let events = alice.get(LOG).await.expect(200).json();
        let created = events.as_array().unwrap().iter().find(|event| event["repo"] == "octo/two").unwrap();
        for (name, value) in [
            ("action", json!("repo.create")), ("actor", json!("alice")), ("org", json!("octo")),
            ("operation_type", json!("create")), ("actor_is_agent", json!(false)),
            ("@timestamp", json!(forge.now().as_micros() / 1000)), ("created_at", json!(forge.now().as_micros() / 1000)),
        ] {
            assert_eq!(created[name], value, "{name}: {created}");
        }
        assert!(created["_document_id"].is_string() && created["actor_id"].is_i64() && created["org_id"].is_i64());
        let member = events.as_array().unwrap().iter().find(|event| event["action"] == "org.add_member").unwrap();
        assert_eq!((&member["user"], &member["data"]["resource"]), (&json!("bob"), &json!("org:octo")));
    }

    async fn nobody_else_reads_it(forge: TestForge) {
        octo(&forge).await;
        let bob = forge.find_account("bob").await;
        let _ = forge.client_of(&bob, None).await.get(LOG).await.expect(403);
        let _ = forge.human_client("carol").await.get(LOG).await.expect(403);
        let _ = forge.client().get(LOG).await.expect(401);
        let alice = forge.find_account("alice").await;
        let _ = forge.client_of(&alice, Some("repo,read:org")).await.get(LOG).await.expect(403);
        for scope in ["admin:org", "read:audit_log", "audit_log"] {
            let _ = forge.client_of(&alice, Some(scope)).await.get(LOG).await.expect(200);
        }
        let _ = forge.client_of(&alice, None).await.get("/api/v3/orgs/nobody/audit-log").await.expect(404);
    }

    async fn a_phrase_narrows_it(forge: TestForge) {
        let alice = octo(&forge).await;
        for (phrase, expected) in [
            ("action:repo.create", 2), ("action:repo", 2), ("action:team", 1), ("actor:alice", 6), ("actor:ALICE", 6), ("actor:bob", 0),
            ("repo:octo/one", 2), ("repo:two", 1), ("repo:alice/own", 0), ("repo:octo/none", 0),
            ("operation:create", 6), ("operation:remove", 0), ("action:repo%20repo:one", 1),
            ("created:2026-01-01", 6), ("created:%3E2026-01-01", 0), ("created:2025-12-31..2026-01-01", 6), ("created:%3C2026-01-01", 0),
        ] {
            assert_eq!(actions(&alice, &format!("?phrase={phrase}")).await.len(), expected, "{phrase}");
        }
        for wrong in ["?phrase=free+text", "?phrase=country:de", "?phrase=created:soon", "?order=up", "?include=none", "?after=x"] {
            let _ = alice.get(&format!("{LOG}{wrong}")).await.expect(422);
        }
        let _ = alice.post("/api/v3/repos/octo/one/labels", &json!({ "name": "new", "color": "ff0000" })).await.expect(422);
        assert_eq!(actions(&alice, "?include=all").await.len(), 6);
        assert_eq!(actions(&alice, "?include=git").await.len(), 0);
    }

    async fn links_lead_through_it_and_back(forge: TestForge) {
        let alice = octo(&forge).await;
        for order in ["asc", "desc"] {
            let mut expected: Vec<&str> = ALL.to_vec();
            if order == "desc" {
                expected.reverse();
            }
            let (mut path, mut seen, mut last) = (format!("{LOG}?order={order}&per_page=4"), Vec::new(), None);
            loop {
                let answer = alice.get(&path).await.expect(200);
                let page: Vec<Value> = answer.json().as_array().unwrap().clone();
                seen.extend(page.iter().map(|event| event["action"].as_str().unwrap().to_owned()));
                let link = answer.header("link").unwrap_or_default().to_owned();
                last = relation(&link, "prev").or(last);
                match relation(&link, "next") {
                    Some(next) => path = next,
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{order}");
            let back = alice.get(&last.unwrap()).await.expect(200);
            let back: Vec<String> = back.json().as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect();
            assert_eq!(back, expected[..4], "{order}");
        }
    }
}

fn relation(link: &str, relation: &str) -> Option<String> {
    let wanted = format!("rel=\"{relation}\"");
    let part = link.split(", ").find(|part| part.ends_with(&wanted))?;
    let address = part.split(['<', '>']).nth(1)?;
    Some(address.strip_prefix("https://forge.example").unwrap().to_owned())
}
