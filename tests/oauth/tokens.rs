//! One's own tokens, and what makes a token good or not.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::TestForge;
use forge_testing::for_each_database;
use forge_types::credential::CredentialKind;
use serde_json::{Value, json};

use crate::support::{ANYTHING, csrf, opens, signed_in, text};

for_each_database! {
    async fn a13_tokens_are_listed_without_their_values(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, Some("repo,gist")).await;
        let created = client.post(ANYTHING, &json!({ "name": "laptop", "scopes": ["gist"] })).await.expect(201).json();
        let value = text(&created, "token");
        assert!(opens(&forge, &value).await);
        let list = client.get(ANYTHING).await.expect(200);
        assert!(!list.text().contains(&value[6..20]), "{}", list.text());
        let entry = &list.json()[0];
        assert_eq!((entry["name"].as_str(), entry["tail"].as_str()), (Some("laptop"), Some(&value[value.len() - 4..])));
        assert_eq!(entry["scopes"], json!(["gist"]));
        assert!(entry.get("token").is_none());
    }

    async fn a1_tokens_of_others_do_not_exist(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let bobs = forge.client_of(&bob, None).await;
        let created = bobs.post(ANYTHING, &json!({ "name": "x" })).await.expect(201).json();
        let mine = forge.client_of(&alice, None).await;
        mine.delete(&format!("{ANYTHING}/{}", created["id"])).await.expect(404);
        let by_value = json!({ "token": created["token"] });
        mine.send_json("DELETE".parse().unwrap(), ANYTHING, &by_value).await.expect(404);
        assert_eq!(mine.get(ANYTHING).await.json().as_array().expect("a list").len(), 1);
        bobs.delete(&format!("{ANYTHING}/{}", created["id"])).await.expect(204);
        assert!(!opens(&forge, &text(&created, "token")).await);
    }

    async fn a11_a_token_gives_no_more_than_it_has(forge: TestForge) {
        let alice = forge.human("alice").await;
        let wide = forge.client_of(&alice, Some("repo,gist")).await;
        let soon = "2026-01-02T00:00:00Z";
        let parent = wide.post(ANYTHING, &json!({ "name": "p", "scopes": "repo", "expires_at": soon })).await.expect(201).json();
        let parent = forge.client().with_token(&Secret::new(text(&parent, "token")));
        for wrong in [
            json!({ "name": "c", "scopes": ["repo", "gist"] }), json!({ "name": "c", "expires_at": "2026-01-03T00:00:00Z" }),
            json!({ "name": "c", "scopes": ["everything"] }), json!({ "name": "c", "expires_at": "tomorrow" }),
            json!({ "name": "c", "expires_at": "2025-01-01T00:00:00Z" }), json!({ "name": "" }), json!({ "scopes": [] }),
            json!({ "name": "c", "admin": true }),
        ] {
            parent.post(ANYTHING, &wrong).await.expect(422);
        }
        let child = parent.post(ANYTHING, &json!({ "name": "c" })).await.expect(201).json();
        assert_eq!((&child["scopes"], child["expires_at"].as_str()), (&json!(["repo"]), Some(soon)));
    }

    async fn a2_a_token_is_over_the_moment_it_ends(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let body = json!({ "name": "x", "expires_at": "2026-01-01T01:00:00Z" });
        let token = text(&client.post(ANYTHING, &body).await.expect(201).json(), "token");
        forge.advance(Duration::from_secs(3599));
        assert!(opens(&forge, &token).await);
        forge.advance(Duration::from_secs(1));
        assert!(!opens(&forge, &token).await);
    }

    async fn a6_a_wrong_checksum_costs_no_statement(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let mut wrong = token.expose().to_owned();
        wrong.replace_range(10..11, if &wrong[10..11] == "a" { "b" } else { "a" });
        let before = forge.statements();
        assert!(!opens(&forge, &wrong).await);
        assert_eq!(forge.statements(), before);
        assert!(opens(&forge, token.expose()).await);
    }

    async fn a7_a8_a_token_comes_in_one_header_and_nowhere_else(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        forge.client().get(&format!("{ANYTHING}?access_token={}", token.expose())).await.expect(401);
        let client = forge.client().with_token(&token);
        let mut request = client.request("GET".parse().unwrap(), ANYTHING);
        request.headers_mut().append("authorization", format!("token {}", token.expose()).parse().unwrap());
        client.send(request).await.expect(400);
        client.get(ANYTHING).await.expect(200);
    }

    /// The user name of Basic means nothing: whoever's token it is, is who asks.
    async fn a9_the_identity_is_the_tokens(forge: TestForge) {
        let (alice, _bob) = (forge.human("alice").await, forge.human("bob").await);
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        forge.client_of(&alice, None).await.post(ANYTHING, &json!({ "name": "alices" })).await.expect(201);
        for text in [format!("bob:{}", token.expose()), format!("{}:x-oauth-basic", token.expose()), format!("{}:", token.expose())] {
            let header = format!("Basic {}", base64(text.as_bytes()));
            let list = forge.client().with_header("authorization".parse().unwrap(), &header).get(ANYTHING).await.expect(200);
            assert!(list.text().contains("alices"));
        }
    }

    async fn a14_no_token_is_dropped_to_make_room(forge: TestForge) {
        let alice = forge.human("alice").await;
        let first = forge.token(&alice, CredentialKind::Personal, None).await;
        let client = forge.client().with_token(&first);
        let mut refused = None;
        for _ in 0..250 {
            let answer = client.post(ANYTHING, &json!({ "name": "x" })).await;
            if answer.status != 201 {
                refused = Some(answer.expect(422).json());
                break;
            }
        }
        let message = refused.expect("there is a limit")["errors"][0]["message"].to_string();
        assert!(message.contains("revoke some"), "{message}");
        assert!(opens(&forge, first.expose()).await);
    }

    async fn revoking_takes_exactly_one_name(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let create = || async { client.post(ANYTHING, &json!({ "name": "x" })).await.expect(201).json() };
        let revoke = |body: Value| {
            let client = client.clone();
            async move { client.send_json("DELETE".parse().unwrap(), ANYTHING, &body).await }
        };
        let (by_id, by_token_id, by_value) = (create().await, create().await, create().await);
        revoke(json!({ "id": by_id["id"], "token": by_id["token"] })).await.expect(422);
        revoke(json!({})).await.expect(422);
        revoke(json!({ "id": by_id["id"] })).await.expect(204);
        revoke(json!({ "token_id": by_token_id["id"] })).await.expect(204);
        revoke(json!({ "token": by_value["token"] })).await.expect(204);
        for token in [by_id, by_token_id, by_value] {
            assert!(!opens(&forge, &text(&token, "token")).await);
        }
    }

    async fn the_page_shows_a_new_token_once(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let page = browser.visit("/settings/tokens/new").await.expect(200);
        let csrf = csrf(&page);
        let fields = [("csrf", csrf.as_str()), ("name", "lap<b>top"), ("lifetime", "30"), ("scopes", "repo"), ("scopes", "read:org")];
        let created = browser.submit("/settings/tokens", &fields).await.expect(201);
        assert_eq!(created.header("cache-control"), Some("no-store"));
        let page = created.text();
        let value = page.split("id=\"token\">").nth(1).expect("the value").split('<').next().unwrap().to_owned();
        assert!(opens(&forge, &value).await);
        let list = browser.visit("/settings/tokens").await.expect(200).text();
        assert!(list.contains("lap&lt;b&gt;top") && !list.contains(&value) && list.contains("2026-01-31"), "{list}");
        let nameless = [("csrf", csrf.as_str()), ("name", " "), ("lifetime", "30")];
        let refused = browser.submit("/settings/tokens", &nameless).await.expect(422).text();
        assert!(refused.contains("href=\"#name\"") && refused.contains("aria-invalid=\"true\""), "{refused}");
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        (0..4).map(move |place| {
            let digit = (number >> (18 - 6 * place)) & 63;
            if place <= chunk.len() { char::from(ALPHABET[digit as usize]) } else { '=' }
        })
    });
    digits.collect()
}
