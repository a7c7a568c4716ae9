//! The device grant, as the GitHub CLI uses it.

use std::time::Duration;

use forge_testing::TestForge;
use forge_testing::for_each_database;

use crate::support::{Device, GITHUB_CLI, call, csrf, decide, opens, person, sign_in, signed_in, text};
use crate::support::{PASSWORD, register};

const SECOND: Duration = Duration::from_secs(1);

for_each_database! {
    async fn df1_an_approved_code_gives_a_token_once(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo read:org gist unknown").await;
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
        decide(&mut browser, &device.user_code.to_lowercase().replace('-', " "), "approve").await.expect(200);
        let token = device.poll(&forge).await;
        assert_eq!((token["token_type"].as_str(), token["scope"].as_str()), (Some("bearer"), Some("repo read:org gist")));
        assert!(token.get("refresh_token").is_none());
        assert!(opens(&forge, &text(&token, "access_token")).await);
        assert_eq!(device.poll(&forge).await["error"], "invalid_grant");
    }

    async fn a_declined_code_gives_nothing(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        decide(&mut browser, &device.user_code, "decline").await.expect(200);
        assert_eq!(device.poll(&forge).await["error"], "access_denied");
        decide(&mut browser, &device.user_code, "approve").await.expect(422);
    }

    async fn df2_a_device_that_asks_too_early_is_slowed_down_and_one_at_its_own_pace_is_not(forge: TestForge) {
        let device = Device::begin(&forge, "repo").await;
        for _ in 0..5 {
            assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
            forge.advance(5 * SECOND);
        }
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
        let slow = device.poll(&forge).await;
        assert_eq!((slow["error"].as_str(), slow["interval"].as_i64()), (Some("slow_down"), Some(10)));
        forge.advance(10 * SECOND);
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
    }

    async fn df3_a_code_is_over_after_fifteen_minutes(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        forge.advance(900 * SECOND);
        assert_eq!(device.poll(&forge).await["error"], "expired_token");
        decide(&mut browser, &device.user_code, "approve").await.expect(422);
    }

    async fn df4_a_client_that_is_unknown_or_another_gets_nothing(forge: TestForge) {
        let unknown = call(&forge.client(), "/login/device/code", &[("client_id", "nobody")]).await.expect(401);
        assert_eq!(unknown.json()["error"], "invalid_client");
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        decide(&mut browser, &device.user_code, "approve").await.expect(200);
        let (other, _) = register(&forge, "Other", false, "https://other.example/").await;
        let fields = [
            ("client_id", other.client_id.as_str()),
            ("device_code", &device.device_code),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ];
        let refused = call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(400);
        assert_eq!(refused.json()["error"], "invalid_grant");
        let refused = call(&forge.client(), "/login/device/code", &[("client_id", &other.client_id)]).await;
        assert_eq!(refused.expect(400).json()["error"], "unauthorized_client");
        assert!(device.poll(&forge).await.get("access_token").is_some());
    }

    /// Guessing: whoever types five wrong codes cannot even type the right one for a while, from whatever address.
    async fn df5_a62_five_wrong_codes_lock(forge: TestForge) {
        let mut browser = signed_in(&forge, "mallory").await;
        let device = Device::begin(&forge, "repo").await;
        for guess in ["BBBB-BBBB", "CCCC-CCCC", "DDDD-DDDD", "FFFF-FFFF", "GGGG-GGGG"] {
            decide(&mut browser, guess, "approve").await.expect(422);
        }
        decide(&mut browser, &device.user_code, "approve").await.expect(429);
        let mut elsewhere = browser.clone().at([198, 51, 100, 9].into());
        decide(&mut elsewhere, &device.user_code, "approve").await.expect(429);
        let mut honest = signed_in(&forge, "alice").await.at([198, 51, 100, 10].into());
        decide(&mut honest, &device.user_code, "approve").await.expect(200);
        assert!(device.poll(&forge).await.get("access_token").is_some());
    }

    /// Guessing with one's own good codes in between gains nothing.
    async fn a62_a_right_code_does_not_reset_the_count_of_wrong_ones(forge: TestForge) {
        let mut browser = signed_in(&forge, "mallory").await;
        for guess in ["BBBB-BBBB", "CCCC-CCCC", "DDDD-DDDD", "FFFF-FFFF"] {
            decide(&mut browser, guess, "approve").await.expect(422);
        }
        let own = Device::begin(&forge, "repo").await;
        decide(&mut browser, &own.user_code, "approve").await.expect(200);
        decide(&mut browser, "GGGG-GGGG", "approve").await.expect(422);
        decide(&mut browser, "HHHH-HHHH", "approve").await.expect(429);
    }

    async fn a62_the_page_says_who_asks_for_what_and_takes_no_code_from_a_link(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        let page = browser.visit(&format!("/login/device?user_code={}", device.user_code)).await.expect(200);
        assert!(!page.text().contains(&device.user_code));
        let fields = [("csrf", csrf(&page)), ("user_code", device.user_code.clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = browser.submit("/login/device", &fields).await.expect(200).text();
        for detail in ["GitHub CLI", "alice", "203.0.113.7", "forge-testing", "private ones included", "minute ago"] {
            assert!(page.contains(detail), "{detail}: {page}");
        }
    }

    async fn df6_an_agent_decides_nothing(forge: TestForge) {
        let agent = forge.agent("robot").await;
        let human = forge.human("alice").await;
        let device = Device::begin(&forge, "repo").await;
        let body = serde_json::json!({ "user_code": device.user_code });
        for path in ["/api/ext/v1/oauth/device/approve", "/api/ext/v1/oauth/device/reject"] {
            forge.client_of(&agent, None).await.post(path, &body).await.expect(403);
        }
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
        let approved = forge.client_of(&human, None).await.post("/api/ext/v1/oauth/device/approve", &body).await;
        assert_eq!(approved.expect(200).json()["state"], "approved");
        assert!(device.poll(&forge).await.get("access_token").is_some());
    }

    async fn df7_approving_takes_this_browsers_form_and_a_recent_sign_in(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        let forged = [("user_code", device.user_code.as_str()), ("decision", "approve")];
        browser.submit("/login/device/decision", &forged).await.expect(403);
        let mut other = signed_in(&forge, "mallory").await;
        let foreign = csrf(&other.visit("/login/device").await);
        let forged = [("csrf", foreign.as_str()), forged[0], forged[1]];
        browser.submit("/login/device/decision", &forged).await.expect(403);
        let own = csrf(&browser.visit("/login/device").await);
        let elsewhere = browser.clone().with_header("origin".parse().unwrap(), "https://evil.example");
        let form = crate::support::encode(&[("csrf", &own), forged[1], forged[2]]);
        let method = || "POST".parse().unwrap();
        let path = "/login/device/decision";
        let kind = "application/x-www-form-urlencoded";
        elsewhere.send_body(method(), path, kind, form.clone()).await.expect(403);
        assert_eq!(device.poll(&forge).await["error"], "authorization_pending");
        // The same browser half an hour later has to sign in again.
        let stale = Duration::from_secs(30 * 60);
        forge.advance(stale);
        let device = Device::begin(&forge, "repo").await;
        browser.visit("/login/device").await.expect(303);
        browser.send_body(method(), path, kind, form).await.expect(303);
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        decide(&mut browser, &device.user_code, "approve").await.expect(200);
        assert!(device.poll(&forge).await.get("access_token").is_some());
    }

    async fn a_suspended_person_gives_no_token_after_all(forge: TestForge) {
        let alice = person(&forge, "alice").await;
        let mut browser = forge.client();
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        let device = Device::begin(&forge, "repo").await;
        decide(&mut browser, &device.user_code, "approve").await.expect(200);
        forge.suspend(&alice).await;
        browser.get("/settings/tokens").await.expect(303);
        assert_eq!(device.poll(&forge).await["error"], "access_denied");
    }

    async fn deciding_with_a_token_gives_no_more_than_the_token_has(forge: TestForge) {
        let alice = person(&forge, "alice").await;
        let narrow = forge.client_of(&alice, Some("gist")).await;
        let wide = forge.client_of(&alice, Some("repo,gist")).await;
        let device = Device::begin(&forge, "repo").await;
        let body = serde_json::json!({ "user_code": device.user_code });
        narrow.post("/api/ext/v1/oauth/device/approve", &body).await.expect(403);
        wide.post("/api/ext/v1/oauth/device/approve", &body).await.expect(200);
        assert_eq!(device.poll(&forge).await["scope"], "repo");
    }

    async fn the_github_cli_is_answered_as_github_answers_it(forge: TestForge) {
        let form = format!("client_id={GITHUB_CLI}&scope=repo");
        let kind = "application/x-www-form-urlencoded";
        let method = || "POST".parse().unwrap();
        let answer = forge.client().send_body(method(), "/login/device/code", kind, form).await.expect(200);
        assert!(answer.header("content-type").unwrap().starts_with(kind));
        assert!(answer.text().starts_with("device_code="), "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let poll = format!("client_id={GITHUB_CLI}&client_secret=published&device_code=x&grant_type=urn:ietf:params:oauth:grant-type:device_code");
        let answer = forge.client().send_body(method(), "/login/oauth/access_token", kind, poll).await.expect(200);
        assert!(answer.text().starts_with("error=invalid_grant"), "{}", answer.text());
    }

    async fn expiring_tokens_come_with_a_refresh_token(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo read:org gist offline_access").await;
        decide(&mut browser, &device.user_code, "approve").await.expect(200);
        let token = device.poll(&forge).await;
        assert_eq!(token["expires_in"], 3600);
        let again = crate::support::refresh(&forge, GITHUB_CLI, &text(&token, "refresh_token")).await.expect(200);
        assert!(opens(&forge, &text(&again.json(), "access_token")).await);
        assert!(!opens(&forge, &text(&token, "access_token")).await);
    }
}
