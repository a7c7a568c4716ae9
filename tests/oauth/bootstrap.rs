//! Bootstrap secrets, and the sessions they are exchanged for.

use std::time::Duration;

use forge_testing::TestForge;
use forge_testing::for_each_database;
use forge_types::credential::CredentialKind;

use crate::support::{call, opens, text};

for_each_database! {
    async fn a4_a_bootstrap_secret_is_good_at_the_token_endpoint_alone(forge: TestForge) {
        let robot = forge.agent("robot").await;
        let secret = forge.token(&robot, CredentialKind::Bootstrap, None).await;
        assert!(!opens(&forge, secret.expose()).await);
        let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret.expose())];
        let session = call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(200).json();
        assert_eq!(session["expires_in"], 3600);
        let session = text(&session, "access_token");
        assert!(opens(&forge, &session).await);
        forge.advance(Duration::from_secs(3600));
        assert!(!opens(&forge, &session).await);
    }

    async fn an_exchange_takes_the_agents_own_login_and_a_bootstrap_secret(forge: TestForge) {
        let robot = forge.agent("robot").await;
        forge.agent("other").await;
        let secret = forge.token(&robot, CredentialKind::Bootstrap, None).await;
        let standing = forge.token(&robot, CredentialKind::Personal, None).await;
        for (login, secret, status) in [
            ("other", secret.expose(), 401), ("robot", standing.expose(), 401), ("robot", "x", 401), ("Robot", secret.expose(), 200),
        ] {
            let fields = [("grant_type", "client_credentials"), ("client_id", login), ("client_secret", secret)];
            call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(status);
        }
    }

    async fn revoking_the_secret_ends_its_sessions(forge: TestForge) {
        let robot = forge.agent("robot").await;
        let secret = forge.token(&robot, CredentialKind::Bootstrap, None).await;
        let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret.expose())];
        let session = call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(200).json();
        call(&forge.client(), "/login/oauth/revoke", &[("token", secret.expose())]).await.expect(200);
        assert!(!opens(&forge, &text(&session, "access_token")).await);
        call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(401);
    }
}
