//! <https://docs.github.com/rest/users/users>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use crate::{names, repository};

for_each_database! {
    async fn an_account_sees_itself_and_others_see_its_public_face(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        repository(&alice, "user", "open", "public").await;
        repository(&alice, "user", "closed", "private").await;
        let own = alice.get("/api/v3/user").await.expect(200).json();
        assert_eq!((&own["public_repos"], &own["owned_private_repos"]), (&json!(1), &json!(1)));
        let public = forge.client().get("/api/v3/users/ALICE").await.expect(200).json();
        assert_eq!((&public["login"], &public["public_repos"]), (&json!("alice"), &json!(1)));
        assert!(public.get("owned_private_repos").is_none());
        assert_eq!(forge.client().get(&format!("/api/v3/user/{}", own["id"])).await.expect(200).json(), public);
        forge.client().get("/api/v3/user").await.expect(401);
        forge.client().get("/api/v3/users/nobody").await.expect(404);
    }

    async fn a_profile_is_changed_by_its_owner(forge: TestForge) {
        let account = forge.human("alice").await;
        let alice = forge.client_of(&account, Some("user")).await;
        let body = json!({ "name": "Alice A.", "bio": "Hello", "email": "alice@example.org" });
        let changed = alice.patch("/api/v3/user", &body).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["bio"]), (&json!("Alice A."), &json!("Hello")));
        let emails = alice.get("/api/v3/user/emails").await.expect(200).json();
        assert_eq!(names(&emails, "email"), ["alice@example.org"]);
        alice.patch("/api/v3/user", &json!({ "email": "nowhere" })).await.expect(422);
        alice.patch("/api/v3/user", &json!({ "bio": "x".repeat(161) })).await.expect(422);
        let reader = forge.client_of(&account, Some("repo")).await;
        reader.patch("/api/v3/user", &json!({ "name": "x" })).await.expect(403);
    }

    async fn all_accounts_are_paged_by_number(forge: TestForge) {
        for login in ["a1", "b1", "c1"] {
            forge.human(login).await;
        }
        let first = forge.client().get("/api/v3/users?per_page=2").await.expect(200);
        assert_eq!(names(&first.json(), "login"), ["a1", "b1"]);
        let link = first.header("link").expect("a link").to_owned();
        let next = link.split(['<', '>']).nth(1).and_then(|url| url.strip_prefix("https://forge.example"));
        let second = forge.client().get(next.expect("our own address")).await.expect(200).json();
        assert_eq!(names(&second, "login"), ["c1"]);
    }
}
