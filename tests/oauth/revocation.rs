//! Revocation, introspection and metadata.

use forge_testing::for_each_database;
use forge_testing::{ORIGIN, TestForge};
use forge_types::credential::CredentialKind;

use crate::support::{REDIRECT, VERIFIER, call, code, encode, opens, register, signed_in, text};

const INTROSPECT: &str = "/login/oauth/introspect";
const REVOKE: &str = "/login/oauth/revoke";

for_each_database! {
    async fn a71_introspection_tells_a_client_of_its_own_tokens_alone(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (ours, secret) = register(&forge, "Server", true, REDIRECT).await;
        let (other, others_secret) = register(&forge, "Other", true, REDIRECT).await;
        let code = code(&mut browser, &ours.client_id, REDIRECT).await;
        let secret = secret.expect("a secret");
        let fields = [
            ("client_id", ours.client_id.as_str()), ("client_secret", secret.expose()), ("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER),
        ];
        let tokens = call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(200).json();
        let token = text(&tokens, "access_token");
        let ask = |id: String, secret: String, token: String| {
            let caller = forge.client();
            async move {
                let fields = [("client_id", id.as_str()), ("client_secret", &secret), ("token", &token)];
                call(&caller, INTROSPECT, &fields).await
            }
        };
        let own = ask(ours.client_id.clone(), secret.expose().into(), token.clone()).await.expect(200).json();
        assert_eq!((own["active"].as_bool(), own["username"].as_str(), own["scope"].as_str()), (Some(true), Some("alice"), Some("repo read:org")));
        let others_secret = others_secret.expect("a secret");
        let foreign = ask(other.client_id, others_secret.expose().into(), token.clone()).await.expect(200);
        assert_eq!(foreign.text(), r#"{"active":false}"#);
        let unknown = ask(ours.client_id.clone(), secret.expose().into(), "nothing".into()).await.expect(200);
        assert_eq!(unknown.text(), r#"{"active":false}"#);
        call(&forge.client(), INTROSPECT, &[("token", &token)]).await.expect(401);
        call(&forge.client(), INTROSPECT, &[("token", &token), ("client_id", crate::support::GITHUB_CLI)]).await.expect(401);
        ask(ours.client_id, "wrong".into(), token).await.expect(401);
    }

    async fn an_account_asks_about_its_own_tokens_and_an_administrator_about_any(forge: TestForge) {
        let (alice, bob, root) = (forge.human("alice").await, forge.human("bob").await, forge.site_admin("root").await);
        let token = forge.token(&alice, CredentialKind::Personal, Some("gist")).await;
        for (account, scopes, expected) in [(&alice, None, true), (&bob, None, false), (&root, Some("site_admin"), true), (&root, Some("repo"), false)] {
            let caller = forge.client_of(account, scopes).await;
            let answer = call(&caller, INTROSPECT, &[("token", token.expose())]).await.expect(200).json();
            assert_eq!(answer["active"], expected, "{}", account.login);
        }
    }

    async fn a71_revoking_tells_nothing_and_ends_what_it_should(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, _) = register(&forge, "App", false, REDIRECT).await;
        let (other, _) = register(&forge, "Other", false, REDIRECT).await;
        let code = code(&mut browser, &client.client_id, REDIRECT).await;
        let tokens = crate::support::exchange(&forge, &client.client_id, &code, VERIFIER).await.expect(200).json();
        let token = text(&tokens, "access_token");
        for fields in [
            vec![("token", "nothing")], vec![("token", "fgeo_000000000000000000000000000000000000")],
            vec![("token", token.as_str()), ("client_id", other.client_id.as_str())],
        ] {
            let answer = call(&forge.client(), REVOKE, &fields).await.expect(200);
            assert_eq!(answer.text(), "");
            assert!(opens(&forge, &token).await);
        }
        call(&forge.client(), REVOKE, &[("token", &token), ("client_id", "nobody")]).await.expect(401);
        let refresh = text(&tokens, "refresh_token");
        let fields = [("token", refresh.as_str()), ("token_type_hint", "access_token"), ("client_id", &client.client_id)];
        call(&forge.client(), REVOKE, &fields).await.expect(200);
        assert!(!opens(&forge, &token).await);
        crate::support::refresh(&forge, &client.client_id, &refresh).await.expect(400);
    }

    async fn the_server_says_what_it_can_do(forge: TestForge) {
        let metadata = forge.client().get("/.well-known/oauth-authorization-server").await.expect(200).json();
        assert_eq!(metadata["issuer"], ORIGIN);
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
        for (name, address) in metadata.as_object().expect("an object") {
            let Some(path) = address.as_str().filter(|_| name.ends_with("_endpoint")) else { continue };
            let path = path.strip_prefix(ORIGIN).expect("an address of ours");
            let form = encode(&[]);
            let kind = "application/x-www-form-urlencoded";
            let answer = forge.client().send_body("POST".parse().unwrap(), path, kind, form).await;
            assert!(![404, 405].contains(&answer.status.as_u16()), "{name}: {}", answer.status);
        }
    }
}
