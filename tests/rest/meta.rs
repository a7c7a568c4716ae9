//! The root, `/meta` and what lies beside them.

use forge_testing::{TestForge, for_each_database};

for_each_database! {
    async fn the_root_is_where_clients_test_tokens(forge: TestForge) {
        let account = forge.human("alice").await;
        let alice = forge.client_of(&account, Some("repo,read:org")).await;
        for path in ["/api/v3/", "/api/v3"] {
            let root = alice.get(path).await.expect(200);
            assert_eq!(root.header("x-oauth-scopes"), Some("repo, read:org"));
            assert_eq!(root.json()["current_user_url"], "https://forge.example/api/v3/user");
            forge.client().get(path).await.expect(401);
        }
    }

    async fn the_version_is_one_that_clients_can_read(forge: TestForge) {
        let meta = forge.client().get("/api/v3/meta").await.expect(200).json();
        assert_eq!(meta["installed_version"], "3.21.0");
        let limits = forge.client().get("/api/v3/rate_limit").await.expect(200).json();
        assert!(limits["resources"]["core"]["remaining"].as_i64() > Some(0));
        forge.client().get("/api/v3/zen").await.expect(200);
        forge.client().get("/api/v3/versions").await.expect(200);
    }
}
