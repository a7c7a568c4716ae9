//! What the database holds of secrets: nothing that opens anything.

use forge_auth::token::Secret;
use forge_testing::database::OnDatabase as _;
use forge_testing::{Database, TestForge};

use crate::support::{Device, REDIRECT, VERIFIER, code, decide, exchange, opens, register, signed_in, text};

/// Whoever steals the database can neither act as anybody nor finish what somebody has begun.
#[tokio::test]
async fn df8_no_token_or_code_is_in_the_database() {
    let forge = TestForge::on(Database::Sqlite).await;
    let mut browser = signed_in(&forge, "alice").await;
    let (client, secret) = register(&forge, "App", false, REDIRECT).await;
    assert!(secret.is_none());
    let device = Device::begin(&forge, "repo").await;
    decide(&mut browser, &device.user_code, "approve").await.expect(200);
    let token = text(&device.poll(&forge).await, "access_token");
    let unused = code(&mut browser, &client.client_id, REDIRECT).await;
    let used = code(&mut browser, &client.client_id, REDIRECT).await;
    let pair = exchange(&forge, &client.client_id, &used, VERIFIER).await.expect(200).json();
    assert!(opens(&forge, &token).await);

    let copy = forge.folder().join("copy.db");
    forge.app().db().copy_sqlite_to(&copy).await.expect("a copy");
    let bytes = std::fs::read(&copy).expect("readable");
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(
        holds("GitHub CLI") && holds(&Secret::new(token.clone()).fingerprint()),
        "the copy has what it should"
    );
    let secrets =
        [token, unused, used, text(&pair, "access_token"), text(&pair, "refresh_token"), device.device_code];
    for secret in secrets.iter().chain([&device.user_code, &device.user_code.replace('-', "")]) {
        assert!(!holds(secret), "{secret}");
    }
    assert!(!holds(crate::support::PASSWORD));
}
