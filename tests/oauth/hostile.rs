//! What a request says to mislead: about hosts, addresses, and where to go next; and what answers give away on their way.

use std::net::Ipv6Addr;

use forge_auth::token::Secret;
use forge_testing::for_each_database;
use forge_testing::{Client, ORIGIN, TestForge};
use forge_types::credential::CredentialKind;
use http::HeaderName;
use serde_json::json;

use crate::support::{
    ANYTHING, Device, GITHUB_CLI, PASSWORD, REDIRECT, VERIFIER, authorize_path, call, code, consent, csrf,
    decide, encode, exchange, location, parameter, person, register, sign_in, signed_in, text,
};

fn misled(client: Client) -> Client {
    let lies = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-for", "192.0.2.66"),
        ("forwarded", "host=evil.example;for=192.0.2.66;proto=http"),
        ("x-original-url", "/admin"),
        ("x-http-method-override", "DELETE"),
    ];
    lies.into_iter()
        .fold(client, |client, (name, value)| client.with_header(HeaderName::from_static(name), value))
}

for_each_database! {
    /// Links that go to people or programs would lead them, with what they carry, to whoever sent the request.
    async fn links_come_from_the_settings_whatever_host_a_request_names(forge: TestForge) {
        let alice = person(&forge, "alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let mut honest = forge.client().with_token(&token);
        let mut lying = misled(honest.clone());
        lying.post("/api/v3/user/repos", &json!({ "name": "one" })).await.expect(201);
        honest.post("/api/v3/user/repos", &json!({ "name": "two" })).await.expect(201);
        for path in [
            "/api/v3/", "/api/v3/user", "/api/v3/repos/alice/one", "/api/v3/user/repos?per_page=1", "/.well-known/oauth-authorization-server",
            "/api/ext/v1/user/tokens?per_page=1", "/alice/one", "/settings/tokens",
        ] {
            let (lied, told) = (lying.get(path).await, honest.get(path).await);
            let all = format!("{:?} {}", lied.headers, lied.text());
            assert!(!all.contains("evil.example"), "{path}: {all}");
            assert_eq!(lied.status, told.status, "{path}");
        }
        let device = call(&misled(forge.client()), "/login/device/code", &[("client_id", GITHUB_CLI)]).await.expect(200).json();
        assert_eq!(device["verification_uri"], format!("{ORIGIN}/login/device"));
        assert_eq!(device.get("verification_uri_complete"), None, "the code is typed, never clicked");
        for browser in [&mut lying, &mut honest] {
            let to = location(&browser.visit("/settings/tokens").await);
            assert!(to.starts_with("/login?return_to="), "{to}");
        }
        assert_eq!(lying.delete("/api/v3/repos/alice/none").await.status, 404);
        lying.get("/api/v3/repos/alice/one").await.expect(200);
    }

    async fn an_address_that_a_client_names_for_itself_is_not_believed(forge: TestForge) {
        let mut browser = misled(forge.client());
        person(&forge, "alice").await;
        sign_in(&mut browser, "alice", PASSWORD).await.expect(303);
        let device = Device::begin(&forge, "repo").await;
        let page = browser.visit("/login/device").await.expect(200);
        let fields = [("csrf", csrf(&page)), ("user_code", device.user_code.clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let shown = browser.submit("/login/device", &fields).await.expect(200).text();
        assert!(shown.contains("203.0.113.7") && !shown.contains("192.0.2.66"), "{shown}");
    }

    async fn nobody_is_sent_elsewhere_after_signing_in(forge: TestForge) {
        person(&forge, "alice").await;
        for elsewhere in [
            "//evil.example", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "https://evil.example",
            "https:evil.example", "///evil.example", "javascript:alert(1)", "/x\r\nset-cookie: a=b", " /evil", "\u{2028}//evil", "",
        ] {
            let mut browser = forge.client();
            let page = browser.visit(&format!("/login?{}", encode(&[("return_to", elsewhere)]))).await.expect(200);
            assert!(page.text().contains("name=\"return_to\" value=\"/\""), "{elsewhere:?}: {}", page.text());
            let token = csrf(&page);
            let fields = [("csrf", token.as_str()), ("login", "alice"), ("password", PASSWORD), ("return_to", elsewhere)];
            assert_eq!(location(&browser.submit("/login", &fields).await), "/", "{elsewhere:?}");
            // And again, once signed in.
            let to = browser.visit(&format!("/login?{}", encode(&[("return_to", elsewhere)]))).await;
            assert_eq!(location(&to), "/", "{elsewhere:?}");
        }
        let mut browser = forge.client();
        let token = csrf(&browser.visit("/login").await);
        let fields = [("csrf", token.as_str()), ("login", "alice"), ("password", PASSWORD), ("return_to", "/settings/tokens?page=2")];
        assert_eq!(location(&browser.submit("/login", &fields).await), "/settings/tokens?page=2");
    }

    async fn nothing_a_request_says_becomes_a_header_of_its_own(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let good = authorize_path(&client.client_id, REDIRECT);
        for state in ["a%0d%0aset-cookie:%20evil=1", "a%0aset-cookie:%20evil=1", "a%00b"] {
            let answer = browser.visit(&good.replace("xyz%261", state)).await.expect(400);
            assert!(answer.headers.get_all("set-cookie").iter().all(|cookie| !cookie.to_str().unwrap().contains("evil")));
        }
        let odd = location(&consent(&mut browser, &good.replace("xyz%261", "%22%3E%3Cb%3E%26iss%3Devil%23"), "approve").await);
        assert_eq!(odd.matches("iss=").count(), 1, "{odd}");
        assert!(odd.contains("state=%22%3E%3Cb%3E%26iss%3Devil%23"), "{odd}");
        let path = "/settings/agents/a%0d%0aset-cookie:%20evil=1/reset";
        let answer = browser.visit(path).await;
        assert!(!answer.headers.contains_key("location") || !location(&answer).contains('\n'));
    }

    /// A code or token must not stay in a cache, nor travel in a `Referer`.
    async fn answers_with_secrets_are_kept_by_nobody(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let client = forge.client().with_token(&token);
        let (app, _) = register(&forge, "App", false, REDIRECT).await;
        let fresh = code(&mut browser, &app.client_id, REDIRECT).await;
        let given = exchange(&forge, &app.client_id, &fresh, VERIFIER).await.expect(200);
        let device = call(&forge.client(), "/login/device/code", &[("client_id", GITHUB_CLI)]).await.expect(200);
        let created = client.post(ANYTHING, &json!({ "name": "x" })).await.expect(201);
        let told = call(&client, "/login/oauth/introspect", &[("token", token.expose())]).await.expect(200);
        let refused = call(&forge.client(), "/login/oauth/access_token", &[("client_id", "x")]).await;
        let root = forge.site_admin("root").await;
        let body = json!({ "name": "Server", "is_confidential": true, "redirect_uris": [REDIRECT] });
        let registered = forge.client_of(&root, None).await.post("/api/ext/v1/admin/oauth-clients", &body).await.expect(201);
        assert!(registered.json()["client_secret"].is_string());
        for answer in [&given, &device, &created, &told, &refused, &registered] {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.text());
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        for path in ["/login", "/login/device", "/settings/tokens"] {
            let page = browser.visit(path).await;
            assert_eq!((page.header("cache-control"), page.header("referrer-policy")), (Some("no-store"), Some("same-origin")));
        }
        let private = client.get("/api/v3/user").await.expect(200);
        assert!(private.header("cache-control").unwrap().contains("private"));
    }

    async fn other_sites_cannot_ask_the_authorization_server_with_scripts(forge: TestForge) {
        let browser = signed_in(&forge, "alice").await;
        let (app, _) = register(&forge, "App", false, REDIRECT).await;
        let foreign = browser.with_header(HeaderName::from_static("origin"), "https://evil.example");
        let path = authorize_path(&app.client_id, REDIRECT);
        for method in ["GET", "OPTIONS", "HEAD"] {
            let answer = foreign.send(foreign.request(method.parse().unwrap(), &path)).await;
            let allows: Vec<_> = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
            assert!(allows.is_empty(), "{method}: {allows:?}");
        }
        foreign.get(&path).await.expect(200);
    }

    async fn a7_a_token_in_a_query_or_body_opens_nothing(forge: TestForge) {
        let alice = forge.human("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let value = token.expose();
        forge.client().get(&format!("/api/v3/user?access_token={value}")).await.expect(401);
        let introspect = format!("/login/oauth/introspect?token={value}&access_token={value}");
        call(&forge.client(), &introspect, &[]).await.expect(400);
        let body = json!({ "query": "{viewer{login}}", "access_token": value });
        forge.client().post(&format!("/api/graphql?access_token={value}"), &body).await.expect(401);
        let revoke = format!("/login/oauth/revoke?token={value}");
        call(&forge.client(), &revoke, &[]).await.expect(400);
        forge.client().with_token(&token).get("/api/v3/user").await.expect(200);
    }

    async fn a63_the_variants_of_a_redirect_address(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let (other, _) = register(&forge, "Other", false, "https://other.example/cb").await;
        let (local, _) = register(&forge, "Local", false, "http://[::1]/cb").await;
        for uri in [
            "https://client.example\\@evil.example/callback", "https://client.example\\.evil.example/callback", "https://client.example%2eevil.example/callback",
            "https://user:pass@client.example/callback", "https://client.example:443/callback", "https://CLIENT.example/callback",
            "https://client.example/callback/", "https://client.example/./callback", "https://client.example/x/../callback",
            "https://client.example/callback%00", "https://client.example/other", "https://sub.client.example/callback",
            "https://other.example/cb", "http://client.example/callback", "https://client.example/callback?", "javascript:alert(1)",
            "data:text/html,x", "HTTPS://client.example/callback", "https:/client.example/callback", "https://client.example/callback#",
        ] {
            let answer = browser.visit(&authorize_path(&client.client_id, uri)).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, None), "{uri}");
        }
        for uri in [
            "http://[::1]:9/other", "http://127.0.0.1:9/cb", "http://[::ffff:127.0.0.1]:9/cb", "http://[::2]:9/cb",
            "https://[::1]:9/cb", "http://localhost:9/cb", "http://[::1]@evil.example/cb", "http://[0:0:0:0:0:0:0:1]:9/cb",
        ] {
            let answer = browser.visit(&authorize_path(&local.client_id, uri)).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (400, None), "{uri}");
        }
        browser.visit(&authorize_path(&local.client_id, "http://[::1]:9/cb")).await.expect(200);
        browser.visit(&authorize_path(&other.client_id, "https://other.example/cb")).await.expect(200);
        // The address of the exchange is that of the request, letter by letter.
        let fresh = code(&mut browser, &client.client_id, REDIRECT).await;
        let fields = [
            ("grant_type", "authorization_code"), ("client_id", client.client_id.as_str()), ("code", &fresh),
            ("code_verifier", VERIFIER), ("redirect_uri", "https://client.example/callback/"),
        ];
        call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(400);
        let fresh = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &fresh, VERIFIER).await.expect(200);
    }

    async fn a64_a_verifier_is_neither_left_out_nor_used_for_another_code(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let fresh = code(&mut browser, &client.client_id, REDIRECT).await;
        let fields = [
            ("grant_type", "authorization_code"), ("client_id", client.client_id.as_str()), ("code", &fresh), ("redirect_uri", REDIRECT),
        ];
        let refused = call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(400);
        assert_eq!(refused.json()["error"], "invalid_grant");
        // A code that was asked for with one challenge is not redeemed with the verifier of another.
        let other = authorize_path(&client.client_id, REDIRECT).replace(crate::support::CHALLENGE, &"A".repeat(43));
        let address = location(&consent(&mut browser, &other, "approve").await);
        let foreign = parameter(&address, "code").expect("a code");
        exchange(&forge, &client.client_id, &foreign, VERIFIER).await.expect(400);
        let fresh = code(&mut browser, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &fresh, VERIFIER).await.expect(200);
    }

    async fn a66_every_way_back_names_the_issuer(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let good = authorize_path(&client.client_id, REDIRECT);
        for bad in [good.replace("S256", "plain"), good.replace("response_type=code", "response_type=token")] {
            let back = location(&browser.visit(&bad).await);
            assert_eq!(parameter(&back, "iss").as_deref(), Some(ORIGIN), "{back}");
            assert!(parameter(&back, "error").is_some());
        }
        // What is wrong only when the form comes back names it too.
        let page = browser.visit(&good).await.expect(200);
        let token = csrf(&page);
        let query = good.split_once('?').unwrap().1.replace("S256", "plain");
        let fields = [("csrf", token.as_str()), ("request", &query), ("decision", "approve")];
        let back = location(&browser.submit("/login/oauth/authorize", &fields).await);
        assert_eq!((parameter(&back, "iss").as_deref(), parameter(&back, "code")), (Some(ORIGIN), None));
    }

    /// Many accounts behind one address, and one account behind many: neither gets more guesses at user codes.
    async fn a62_guesses_count_by_account_and_by_address(forge: TestForge) {
        let device = Device::begin(&forge, "repo").await;
        let mut refused = 0;
        for number in 0..6 {
            let mallory = forge.human_client(&format!("mallory{number}")).await;
            for guess in 0..4 {
                let body = json!({ "user_code": format!("BCDF-GH{}{}", ["B", "C", "D", "F", "G", "H"][number], ["J", "K", "L", "M"][guess]) });
                let answer = mallory.post("/api/ext/v1/oauth/device/approve", &body).await;
                refused += usize::from(answer.status == 429);
            }
        }
        assert_eq!(refused, 4, "twenty guesses from one address, and no more");
        let mut honest = signed_in(&forge, "alice").await.at([198, 51, 100, 10].into());
        decide(&mut honest, &device.user_code, "approve").await.expect(200);
    }

    /// Whoever has an IPv6 network has more addresses than there are passwords to guess.
    async fn a80_one_ipv6_network_counts_as_one_address(forge: TestForge) {
        person(&forge, "alice").await;
        let at = |last, network| Ipv6Addr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, last]).into();
        for number in 0..50_u16 {
            let mut browser = forge.client().at(at(number, 1));
            sign_in(&mut browser, &format!("user{number}"), "Password123456").await.expect(422);
        }
        sign_in(&mut forge.client().at(at(999, 1)), "alice", PASSWORD).await.expect(429);
        sign_in(&mut forge.client().at(at(1, 2)), "alice", PASSWORD).await.expect(303);
    }

    /// An application with a person's consent makes a token of its own, to stay when the consent ends.
    async fn what_an_application_made_ends_with_its_consent(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let device = Device::begin(&forge, "repo").await;
        decide(&mut browser, &device.user_code, "approve").await.expect(200);
        let access = text(&device.poll(&forge).await, "access_token");
        let application = forge.client().with_token(&Secret::new(access.clone()));
        let made = application.post(ANYTHING, &json!({ "name": "lasting" })).await.expect(201).json();
        let made = forge.client().with_token(&Secret::new(text(&made, "token")));
        let again = made.post(ANYTHING, &json!({ "name": "still there" })).await.expect(201).json();
        let again = forge.client().with_token(&Secret::new(text(&again, "token")));
        again.get(ANYTHING).await.expect(200);
        call(&forge.client(), "/login/oauth/revoke", &[("token", &access)]).await.expect(200);
        for token in [&application, &made, &again] {
            token.get(ANYTHING).await.expect(401);
        }
    }

    /// A token is replaced by one that it made, so that one stays.
    async fn a_token_outlives_the_one_that_made_it(forge: TestForge) {
        let alice = forge.human("alice").await;
        let old = forge.token(&alice, CredentialKind::Personal, None).await;
        let made = forge.client().with_token(&old).post(ANYTHING, &json!({ "name": "new" })).await.expect(201).json();
        call(&forge.client(), "/login/oauth/revoke", &[("token", old.expose())]).await.expect(200);
        forge.client().with_token(&Secret::new(text(&made, "token"))).get(ANYTHING).await.expect(200);
    }

    /// Whoever was in somebody's browser is out when the person chooses another password, with what they had begun.
    async fn another_password_ends_what_somebody_in_the_browser_had_begun(forge: TestForge) {
        let mut thief = signed_in(&forge, "alice").await;
        let alice = forge.find_account("alice").await;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&forge.client_of(&alice, None).await, &agent, &json!({})).await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let device = Device::begin(&forge, "repo").await;
        decide(&mut thief, &device.user_code, "approve").await.expect(200);
        let begun = code(&mut thief, &client.client_id, REDIRECT).await;
        let page = thief.visit(&format!("/settings/agents/{}", agent.login)).await.expect(200);
        let token = csrf(&page);
        let opened = thief.submit(&format!("/settings/agents/{}/switch", agent.login), &[("csrf", &token)]).await.expect(303);
        let cookie = opened.headers.get_all("set-cookie").iter().find_map(|cookie| {
            cookie.to_str().ok()?.strip_prefix("__Host-forge_switch=")?.split(';').next().map(str::to_owned)
        });
        let switched = forge.client().with_token(&Secret::new(cookie.expect("a switch session")));
        switched.get("/api/v3/user").await.expect(200);
        let mut tx = forge.app().db().begin().await.expect("a transaction");
        let value = Secret::new("p".repeat(43));
        let hash = forge.hash_for("account link", &value);
        let purpose = forge_store::passwords::LinkPurpose::Password;
        let until = forge.now().plus(std::time::Duration::from_secs(60));
        forge_store::passwords::insert_link(&mut tx, &hash, purpose, Some(alice.id), forge.now(), until).await.expect("a link");
        tx.commit().await.expect("a commit");
        let mut owner = forge.client();
        let path = format!("/password/{}", value.expose());
        let token = csrf(&owner.visit(&path).await.expect(200));
        owner.submit(&path, &[("csrf", &token), ("password", "another horse battery")]).await.expect(303);
        thief.visit("/settings/tokens").await.expect(303);
        switched.get("/api/v3/user").await.expect(401);
        assert_eq!(device.poll(&forge).await["error"], "access_denied");
        exchange(&forge, &client.client_id, &begun, VERIFIER).await.expect(400);
        owner.visit("/settings/tokens").await.expect(200);
        let honest = code(&mut owner, &client.client_id, REDIRECT).await;
        exchange(&forge, &client.client_id, &honest, VERIFIER).await.expect(200);
    }
}
