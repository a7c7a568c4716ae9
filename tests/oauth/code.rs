//! The authorization code grant.

use std::time::Duration;

use forge_testing::for_each_database;
use forge_testing::{ORIGIN, TestForge};

use crate::support::{
    CHALLENGE, REDIRECT, VERIFIER, authorize_path, call, code, consent, exchange, location, opens, parameter,
    person, register, signed_in, text,
};

for_each_database! {
    async fn a66_consent_leads_back_to_the_client_with_state_and_issuer(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let path = authorize_path(&client.client_id, REDIRECT);
        let approved = location(&consent(&mut browser, &path, "approve").await);
        assert!(approved.starts_with(&format!("{REDIRECT}?")), "{approved}");
        assert_eq!(parameter(&approved, "state").as_deref(), Some("xyz&1"));
        assert_eq!(parameter(&approved, "iss").as_deref(), Some(ORIGIN));
        let declined = location(&consent(&mut browser, &path, "decline").await);
        assert_eq!(parameter(&declined, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&declined, "iss").as_deref(), Some(ORIGIN));
        let token = exchange(&forge, &client.client_id, &parameter(&approved, "code").unwrap(), VERIFIER).await;
        let token = token.expect(200).json();
        assert_eq!((token["scope"].as_str(), token["expires_in"].as_i64()), (Some("repo read:org"), Some(3600)));
        assert!(opens(&forge, &text(&token, "access_token")).await);
    }

    async fn nobody_is_sent_on_before_signing_in_and_the_way_back_is_kept(forge: TestForge) {
        person(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let mut browser = forge.client();
        for path in [authorize_path(&client.client_id, REDIRECT), authorize_path(&client.client_id, REDIRECT).replace("S256", "plain")] {
            let to = location(&browser.visit(&path).await);
            assert!(to.starts_with("/login?return_to=%2Flogin%2Foauth%2Fauthorize"), "{to}");
        }
    }

    /// Each of these would send the code, or at least the person, to somebody else.
    async fn a63_nobody_is_sent_to_an_address_that_is_not_the_clients(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let (local, _) = register(&forge, "Local", false, "http://127.0.0.1/cb").await;
        for uri in [
            "https://client.example/callback/x", "https://client.example/callback?x=1", "https://client.example@evil.example/callback",
            "https://evil.example/callback", "https://client.example/callback#x", "http://127.0.0.1/cb", "//client.example/callback",
        ] {
            let answer = browser.visit(&authorize_path(&client.client_id, uri)).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, None), "{uri}");
        }
        for uri in ["http://localhost:5000/cb", "http://localhost.evil.example:5000/cb", "http://127.0.0.1:5000/other"] {
            browser.visit(&authorize_path(&local.client_id, uri)).await.expect(400);
        }
        browser.visit(&authorize_path(&client.client_id, REDIRECT)).await.expect(200);
        browser.visit(&authorize_path(&local.client_id, "http://127.0.0.1:5000/cb")).await.expect(200);
        browser.visit(&authorize_path("nobody", REDIRECT)).await.expect(400);
        browser.visit(&authorize_path(crate::support::GITHUB_CLI, "http://localhost:5000/")).await.expect(400);
    }

    async fn a64_a_request_without_challenge_state_or_code_goes_back_as_an_error(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let good = authorize_path(&client.client_id, REDIRECT);
        let without = |name: &str| good.replace(&format!("{name}="), &format!("x{name}="));
        for path in [
            without("code_challenge"), without("code_challenge_method"), without("state"), without("response_type"),
            good.replace("S256", "plain"), good.replace(CHALLENGE, "tooshort"),
        ] {
            let back = location(&browser.visit(&path).await);
            assert!(back.starts_with(&format!("{REDIRECT}?error=")), "{back}");
            assert_eq!(parameter(&back, "iss").as_deref(), Some(ORIGIN));
        }
        browser.visit(&format!("{good}&scope=gist")).await.expect(400);
        browser.visit(&good).await.expect(200);
    }

    async fn a64_a_code_is_worth_nothing_without_its_verifier(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        for wrong in ["", CHALLENGE, &VERIFIER[..42], &VERIFIER.replace('d', "e")] {
            let code = code(&mut browser, &client.client_id, REDIRECT).await;
            let refused = exchange(&forge, &client.client_id, &code, wrong).await.expect(400);
            assert_eq!(refused.json()["error"], "invalid_grant", "{wrong}");
            exchange(&forge, &client.client_id, &code, VERIFIER).await.expect(400);
        }
        let code = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &code, VERIFIER).await.expect(200);
    }

    async fn a65_a_code_used_twice_ends_what_it_gave(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let code = code(&mut browser, &client.client_id, REDIRECT).await;
        let token = exchange(&forge, &client.client_id, &code, VERIFIER).await.expect(200).json();
        assert!(opens(&forge, &text(&token, "access_token")).await);
        exchange(&forge, &client.client_id, &code, VERIFIER).await.expect(400);
        assert!(!opens(&forge, &text(&token, "access_token")).await);
        crate::support::refresh(&forge, &client.client_id, &text(&token, "refresh_token")).await.expect(400);
    }

    async fn a65_a_code_is_for_its_own_client_address_and_minute(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let (other, _) = register(&forge, "Other", false, REDIRECT).await;
        let stolen = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &other.client_id, &stolen, VERIFIER).await.expect(400);
        let late = code(&mut browser, &client.client_id, REDIRECT).await;
        forge.advance(Duration::from_secs(60));
        exchange(&forge, &client.client_id, &late, VERIFIER).await.expect(400);
        let code = code(&mut browser, &client.client_id, REDIRECT).await;
        let fields = [("client_id", client.client_id.as_str()), ("code", &code), ("code_verifier", VERIFIER), ("redirect_uri", "https://other.example/")];
        call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(400);
    }

    async fn a_confidential_client_has_to_show_its_secret(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, secret) = register(&forge, "Server", true, REDIRECT).await;
        let code_one = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &code_one, VERIFIER).await.expect(401);
        let secret = secret.expect("a confidential client has a secret");
        for (secret, status) in [("wrong", 401), (secret.expose(), 200)] {
            let fields = [
                ("grant_type", "authorization_code"), ("client_id", &client.client_id), ("client_secret", secret),
                ("code", &code_one), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER),
            ];
            call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(status);
        }
    }

    async fn a67_consent_takes_this_browsers_form_and_is_asked_each_time(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let path = authorize_path(&client.client_id, REDIRECT);
        let request = path.split_once('?').unwrap().1;
        browser.submit("/login/oauth/authorize", &[("request", request), ("decision", "approve")]).await.expect(403);
        consent(&mut browser, &path, "approve").await.expect(303);
        let again = browser.visit(&path).await.expect(200);
        let policy = again.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self' https://client.example;"), "{policy}");
        assert!(again.header("access-control-allow-origin").is_none());
    }

    async fn parameters_that_come_twice_or_in_the_address_are_not_taken(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let code = code(&mut browser, &client.client_id, REDIRECT).await;
        let form = crate::support::encode(&[
            ("grant_type", "authorization_code"), ("client_id", &client.client_id), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER),
        ]);
        let kind = "application/x-www-form-urlencoded";
        let send = |path: String, body: String| {
            let client = forge.client();
            async move { client.send_body("POST".parse().unwrap(), &path, kind, body).await }
        };
        send("/login/oauth/access_token".into(), format!("{form}&code=other")).await.expect(400);
        send(format!("/login/oauth/access_token?{form}"), String::new()).await.expect(400);
        send("/login/oauth/access_token".into(), form).await.expect(200);
    }
}
