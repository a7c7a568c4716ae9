//! Signing in and out on the page.

use std::time::Duration;

use forge_testing::TestForge;
use forge_testing::for_each_database;
use forge_testing::{Answer, Client};

use crate::support::{PASSWORD, csrf, person, sign_in, signed_in};

fn cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

fn session(client: &Client) -> Option<String> {
    let request = client.request("GET".parse().unwrap(), "/");
    let header = request.headers().get("cookie")?.to_str().ok()?.to_owned();
    header.split("; ").find_map(|pair| pair.strip_prefix("__Host-forge_session=").map(str::to_owned))
}

fn visible(answer: &Answer) -> String {
    let text = answer.text();
    text.split("<main").nth(1).unwrap_or_default().replace(&csrf(answer), "")
}

for_each_database! {
    async fn a79_a_login_that_does_not_exist_and_a_wrong_password_look_the_same(forge: TestForge) {
        person(&forge, "alice").await;
        let suspended = forge.human("nopassword").await;
        let mut pages = Vec::new();
        for login in ["alice", "nobody", &suspended.login] {
            let answer = sign_in(&mut forge.client(), login, "wrong password").await.expect(422);
            pages.push(visible(&answer).replace(login, "LOGIN"));
        }
        assert_eq!(pages[0], pages[1]);
        assert_eq!(pages[0], pages[2]);
        sign_in(&mut forge.client(), "ALICE", PASSWORD).await.expect(303);
    }

    async fn an_address_that_leads_nowhere_is_a_page_too(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        for path in ["/absent", "/alice/hello", "/login/absent"] {
            let page = browser.visit(path).await.expect(404).text();
            assert!(page.contains("<h1>Not found</h1>") && page.contains("Signed in as <strong>alice"), "{path}: {page}");
            assert!(forge.client().visit(path).await.expect(404).text().contains("<h1>Not found</h1>"), "{path}");
        }
    }

    /// Guessing many passwords of one account stops, whether or not the account exists and from however many addresses.
    async fn a80_guessing_an_accounts_password_stops(forge: TestForge) {
        person(&forge, "alice").await;
        for login in ["alice", "nobody"] {
            for attempt in 0..10_u8 {
                let mut browser = forge.client().at([198, 51, 100, attempt].into());
                sign_in(&mut browser, login, "wrong password").await.expect(422);
            }
            let mut browser = forge.client().at([198, 51, 100, 77].into());
            let refused = sign_in(&mut browser, login, PASSWORD).await.expect(429);
            assert!(refused.text().contains("Too many attempts"));
        }
        forge.advance(Duration::from_secs(15 * 60));
        sign_in(&mut forge.client(), "alice", PASSWORD).await.expect(303);
    }

    /// One password for many accounts from one address.
    async fn a80_spraying_from_one_address_stops(forge: TestForge) {
        for number in 0..50 {
            sign_in(&mut forge.client(), &format!("user{number}"), "Password123456").await.expect(422);
        }
        person(&forge, "alice").await;
        sign_in(&mut forge.client(), "alice", PASSWORD).await.expect(429);
        sign_in(&mut forge.client().at([198, 51, 100, 1].into()), "alice", PASSWORD).await.expect(303);
    }

    async fn a82_the_session_is_new_at_sign_in_and_the_former_one_is_over(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let first = session(&browser).expect("a session");
        let before = browser.clone();
        forge.advance(Duration::from_secs(3600));
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        assert_ne!(session(&browser), Some(first));
        before.get("/settings/tokens").await.expect(303);
        browser.get("/settings/tokens").await.expect(200);
    }

    /// An attacker who plants a session id of their choosing gains nothing.
    async fn a82_a_planted_session_is_not_adopted(forge: TestForge) {
        person(&forge, "alice").await;
        let mut browser = forge.client().with_header("cookie".parse().unwrap(), "__Host-forge_session=planted");
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        let attacker = forge.client().with_header("cookie".parse().unwrap(), "__Host-forge_session=planted");
        attacker.get("/settings/tokens").await.expect(303);
    }

    async fn a82_cookies_are_for_this_host_over_tls_alone(forge: TestForge) {
        person(&forge, "alice").await;
        let answer = sign_in(&mut forge.client(), "alice", PASSWORD).await.expect(303);
        let cookie = cookies(&answer).into_iter().find(|cookie| cookie.contains("forge_session")).expect("a session");
        for part in ["__Host-forge_session=", "Path=/;", "HttpOnly", "SameSite=Lax", "Secure"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }

    async fn a82_signing_in_takes_the_form_of_this_browser(forge: TestForge) {
        person(&forge, "alice").await;
        let mut attacker = forge.client();
        let planted = csrf(&attacker.visit("/login").await);
        let mut victim = forge.client();
        victim.visit("/login").await;
        let fields = [("csrf", planted.as_str()), ("login", "alice"), ("password", PASSWORD)];
        victim.submit("/login", &fields).await.expect(403);
        attacker.submit("/login", &fields).await.expect(303);
    }

    async fn signing_out_ends_the_session(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let copy = browser.clone();
        let csrf = csrf(&browser.visit("/settings/tokens").await.expect(200));
        browser.submit("/logout", &[]).await.expect(403);
        browser.submit("/logout", &[("csrf", &csrf)]).await.expect(303);
        assert!(session(&browser).is_none());
        copy.get("/settings/tokens").await.expect(303);
    }

    async fn a_session_ends_by_itself(forge: TestForge) {
        let browser = signed_in(&forge, "alice").await;
        forge.advance(Duration::from_secs(14 * 24 * 3600 - 1));
        browser.get("/settings/tokens").await.expect(200);
        forge.advance(Duration::from_secs(1));
        browser.get("/settings/tokens").await.expect(303);
    }

    async fn a_session_opens_pages_and_no_api(forge: TestForge) {
        let browser = signed_in(&forge, "alice").await;
        browser.get("/settings/tokens").await.expect(200);
        browser.get(crate::support::ANYTHING).await.expect(401);
    }

    async fn every_page_is_safe_from_frames_scripts_and_caches(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        for path in ["/login/device", "/settings/tokens", "/settings/tokens/new", "/setup/none", "/"] {
            let page = browser.visit(path).await;
            let header = |name: &str| page.header(name).unwrap_or_default().to_owned();
            assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"), "{path}");
            assert!(header("content-security-policy").contains("frame-ancestors 'none'; base-uri 'none'"), "{path}");
            assert_eq!((header("cache-control").as_str(), header("x-frame-options").as_str()), ("no-store", "DENY"));
            assert!(!page.text().contains("<script") && !page.text().contains("style="), "{path}");
        }
    }
}
