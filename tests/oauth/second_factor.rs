//! Authenticator apps: set up on a page, asked for at the door, enough to confirm a session.

use std::time::Duration;

use forge_auth::totp::{SEED, Seed};
use forge_service::admin;
use forge_service::people::second_factor;
use forge_testing::browser::{PASSWORD, csrf, submit};
use forge_testing::{Client, TestForge, for_each_database};

const PAGE: &str = "/settings/security";

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}`: {text}"));
    rest.split_once(after).unwrap().0
}

/// Sets an app up; returns its seed and the recovery codes.
async fn set_up(forge: &TestForge, browser: &mut Client) -> (Seed, Vec<String>) {
    let page = submit(browser, PAGE, "/settings/security/app", &[]).await.expect(200);
    let text = page.text();
    assert!(text.contains("<svg role=\"img\""), "a picture to scan");
    let seed = between(&text, "id=\"seed\">", "<");
    let seed: [u8; SEED] = data_encoding::BASE32_NOPAD.decode(seed.as_bytes()).unwrap().try_into().unwrap();
    let seed = Seed::new(seed);
    let token = csrf(&page);
    let path = "/settings/security/app/confirm";
    browser.submit(path, &[("csrf", &token), ("code", "000000")]).await.expect(422);
    let code = seed.code_at(forge.now());
    let done = browser.submit(path, &[("csrf", &token), ("code", &code)]).await.expect(200).text();
    let codes = between(&done, "id=\"recovery\">", "<").split_whitespace().map(str::to_owned).collect();
    forge.advance(Duration::from_secs(60));
    (seed, codes)
}

async fn sign_in(forge: &TestForge, password: &str, code: &str) -> (u16, String) {
    let mut browser = forge.client();
    let token = csrf(&browser.visit("/login").await);
    let fields = [("csrf", token.as_str()), ("login", "alice"), ("password", password), ("code", code)];
    let answer = browser.submit("/login", &fields).await;
    (answer.status.as_u16(), answer.text())
}

for_each_database! {
    async fn signing_in_takes_a_code_once_an_app_is_set_up(forge: TestForge) {
        forge.person("alice").await;
        let mut browser = forge.browser("alice").await;
        assert_eq!(sign_in(&forge, PASSWORD, "").await.0, 303, "without an app a password is enough");
        let (seed, codes) = set_up(&forge, &mut browser).await;
        assert_eq!(codes.len(), 8);

        let (status, text) = sign_in(&forge, PASSWORD, "").await;
        assert!(status == 422 && text.contains("takes a code of your authenticator app"), "{text}");
        let (status, text) = sign_in(&forge, PASSWORD, "123456").await;
        assert!(status == 422 && text.contains("the code is wrong") || text.contains("The code is wrong"), "{text}");
        let code = seed.code_at(forge.now());
        let (status, text) = sign_in(&forge, "not the password", &code).await;
        assert!(status == 422 && !text.contains("code is wrong"), "a code says nothing about a password: {text}");
        assert_eq!(sign_in(&forge, PASSWORD, &code).await.0, 303);
        assert_eq!(sign_in(&forge, PASSWORD, &code).await.0, 422, "a code is good once");

        assert_eq!(sign_in(&forge, PASSWORD, &codes[0]).await.0, 303, "the app was lost");
        assert_eq!(sign_in(&forge, PASSWORD, &codes[0]).await.0, 422, "each is good once");
        assert!(browser.visit(PAGE).await.expect(200).text().contains("7 recovery codes are left"));
    }

    async fn a_code_confirms_a_session(forge: TestForge) {
        forge.person("alice").await;
        let mut browser = forge.browser("alice").await;
        let (seed, _) = set_up(&forge, &mut browser).await;
        forge.advance(Duration::from_secs(10 * 60));
        let ask = "/login?confirm=true&return_to=%2Fapprovals";
        let token = csrf(&browser.visit(ask).await.expect(200));
        let code = seed.code_at(forge.now());
        let fields = [("csrf", token.as_str()), ("login", "alice"), ("password", ""), ("code", "000001"), ("return_to", "/approvals")];
        browser.submit("/login", &fields).await.expect(422);
        let fields = [("csrf", token.as_str()), ("login", "alice"), ("password", ""), ("code", code.as_str()), ("return_to", "/approvals")];
        let back = browser.submit("/login", &fields).await.expect(303);
        assert_eq!(back.header("location"), Some("/approvals"));
        browser.visit(ask).await.expect(303);
        // A stranger's code alone opens nothing.
        forge.advance(Duration::from_secs(60));
        assert_eq!(sign_in(&forge, "", &seed.code_at(forge.now())).await.0, 422);
    }

    async fn an_app_is_changed_only_by_who_has_just_confirmed_to_be_there(forge: TestForge) {
        forge.person("alice").await;
        let mut browser = forge.browser("alice").await;
        let token = csrf(&browser.visit(PAGE).await.expect(200));
        forge.advance(Duration::from_secs(5 * 60));
        for path in ["app", "app/confirm", "app/remove"] {
            let path = format!("{PAGE}/{path}");
            let asked = browser.submit(&path, &[("csrf", &token), ("code", "1")]).await.expect(303);
            assert!(asked.header("location").unwrap().starts_with("/login?confirm=true"), "{path}");
        }
        let mut browser = forge.browser("alice").await;
        let (seed, codes) = set_up(&forge, &mut browser).await;
        submit(&mut browser, PAGE, "/settings/security/app", &[]).await.expect(409);
        submit(&mut browser, PAGE, "/settings/security/app/remove", &[]).await.expect(303);
        assert_eq!(sign_in(&forge, PASSWORD, "").await.0, 303);
        let (_, _) = set_up(&forge, &mut browser).await;
        assert_eq!(sign_in(&forge, PASSWORD, &codes[0]).await.0, 422, "codes of a former app");
        assert_eq!(sign_in(&forge, PASSWORD, &seed.code_at(forge.now())).await.0, 422, "a former app");
    }

    /// A guesser who knows the password has ten attempts in a quarter of an hour.
    async fn codes_are_not_guessed(forge: TestForge) {
        forge.person("alice").await;
        let mut browser = forge.browser("alice").await;
        let (seed, _) = set_up(&forge, &mut browser).await;
        for number in 0..10 {
            assert_eq!(sign_in(&forge, PASSWORD, &format!("{number:06}")).await.0, 422);
        }
        assert_eq!(sign_in(&forge, PASSWORD, &seed.code_at(forge.now())).await.0, 429);
        forge.advance(Duration::from_secs(15 * 60));
        assert_eq!(sign_in(&forge, PASSWORD, &seed.code_at(forge.now())).await.0, 303);
    }

    async fn the_operator_lets_somebody_in_who_lost_app_and_codes(forge: TestForge) {
        forge.person("alice").await;
        let mut browser = forge.browser("alice").await;
        set_up(&forge, &mut browser).await;
        let ctx = admin::console(forge.app());
        assert!(second_factor::remove_for(&ctx, "nobody").await.is_err());
        second_factor::remove_for(&ctx, "alice").await.unwrap();
        assert_eq!(sign_in(&forge, PASSWORD, "").await.0, 303);
        assert!(second_factor::remove_for(&ctx, "alice").await.is_err(), "there is none any more");
    }
}
