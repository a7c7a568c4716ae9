//! Refresh tokens.

use std::time::Duration;

use forge_testing::TestForge;
use forge_testing::for_each_database;
use serde_json::Value;

use crate::support::{REDIRECT, VERIFIER, call, code, exchange, opens, refresh, register, signed_in, text};

async fn tokens(forge: &TestForge) -> (String, Value) {
    let mut browser = signed_in(forge, "alice").await;
    let (client, _) = register(forge, "App", false, REDIRECT).await;
    let code = code(&mut browser, &client.client_id, REDIRECT).await;
    let tokens = exchange(forge, &client.client_id, &code, VERIFIER).await.expect(200).json();
    (client.client_id, tokens)
}

for_each_database! {
    async fn a68_a_refresh_token_used_twice_ends_the_family(forge: TestForge) {
        let (client, first) = tokens(&forge).await;
        let second = refresh(&forge, &client, &text(&first, "refresh_token")).await.expect(200).json();
        let third = refresh(&forge, &client, &text(&second, "refresh_token")).await.expect(200).json();
        assert!(opens(&forge, &text(&third, "access_token")).await);
        let reused = refresh(&forge, &client, &text(&first, "refresh_token")).await.expect(400).json();
        assert_eq!(reused["error"], "invalid_grant");
        assert!(!opens(&forge, &text(&third, "access_token")).await);
        refresh(&forge, &client, &text(&third, "refresh_token")).await.expect(400);
    }

    async fn a68_of_two_parallel_uses_at_most_one_succeeds_and_nothing_survives(forge: TestForge) {
        let (client, first) = tokens(&forge).await;
        let token = text(&first, "refresh_token");
        let (one, other) = tokio::join!(refresh(&forge, &client, &token), refresh(&forge, &client, &token));
        let given: Vec<_> = [one, other].into_iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(given.len(), 1);
        assert!(!opens(&forge, &text(&given[0].json(), "access_token")).await);
        refresh(&forge, &client, &text(&given[0].json(), "refresh_token")).await.expect(400);
    }

    async fn a11_refreshing_narrows_and_never_widens(forge: TestForge) {
        let (client, first) = tokens(&forge).await;
        let ask = |token: String, scope: &'static str| {
            let (client, caller) = (client.clone(), forge.client());
            async move {
                let fields = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &token), ("scope", scope)];
                call(&caller, "/login/oauth/access_token", &fields).await
            }
        };
        let wider = ask(text(&first, "refresh_token"), "repo delete_repo").await.expect(400).json();
        assert_eq!(wider["error"], "invalid_scope");
        let narrower = ask(text(&first, "refresh_token"), "read:org").await.expect(200).json();
        assert_eq!(narrower["scope"], "read:org");
        let full = refresh(&forge, &client, &text(&narrower, "refresh_token")).await.expect(200).json();
        assert_eq!(full["scope"], "repo read:org");
    }

    async fn a_refresh_token_is_for_its_own_client_and_ends(forge: TestForge) {
        let (client, first) = tokens(&forge).await;
        let (other, _) = register(&forge, "Other", false, REDIRECT).await;
        refresh(&forge, &other.client_id, &text(&first, "refresh_token")).await.expect(400);
        let second = refresh(&forge, &client, &text(&first, "refresh_token")).await.expect(200).json();
        forge.advance(Duration::from_secs(181 * 24 * 3600));
        refresh(&forge, &client, &text(&second, "refresh_token")).await.expect(400);
    }

    async fn a5_what_is_no_access_token_opens_nothing(forge: TestForge) {
        let (_, first) = tokens(&forge).await;
        assert!(opens(&forge, &text(&first, "access_token")).await);
        assert!(!opens(&forge, &text(&first, "refresh_token")).await);
        let device = crate::support::Device::begin(&forge, "repo").await;
        assert!(!opens(&forge, &device.device_code).await);
    }
}
