//! <https://docs.github.com/rest/users/keys> and <https://docs.github.com/rest/users/ssh-signing-keys>

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

for_each_database! {
    async fn a_key_has_one_owner_in_the_whole_forge(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let bob = forge.human_client("bob").await;
        let body = json!({ "title": "laptop", "key": format!("{KEY} alice@laptop") });
        let created = alice.post("/api/v3/user/keys", &body).await.expect(201).json();
        assert_eq!((&created["key"], &created["title"]), (&json!(KEY), &json!("laptop")));
        for client in [&alice, &bob] {
            let refused = client.post("/api/v3/user/keys", &body).await.expect(422).json();
            assert_eq!(refused["errors"][0]["message"], "key is already in use");
        }
        let id = created["id"].as_i64().expect("a number");
        bob.get(&format!("/api/v3/user/keys/{id}")).await.expect(404);
        bob.delete(&format!("/api/v3/user/keys/{id}")).await.expect(404);
        let public = forge.client().get("/api/v3/users/alice/keys").await.expect(200).json();
        assert_eq!(public[0]["key"], KEY);
        alice.delete(&format!("/api/v3/user/keys/{id}")).await.expect(204);
        assert_eq!(alice.get("/api/v3/user/keys").await.expect(200).json(), json!([]));
        bob.post("/api/v3/user/keys", &body).await.expect(201);
    }

    async fn signing_keys_are_apart_from_keys_to_sign_in(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        let body = json!({ "title": "signing", "key": KEY });
        let created = alice.post("/api/v3/user/ssh_signing_keys", &body).await.expect(201).json();
        alice.post("/api/v3/user/keys", &body).await.expect(201);
        let path = format!("/api/v3/user/ssh_signing_keys/{}", created["id"]);
        alice.get(&path).await.expect(200);
        alice.delete(&path).await.expect(204);
        alice.get(&path).await.expect(404);
        alice.get("/api/v3/user/ssh_signing_keys/none").await.expect(404);
    }

    async fn keys_take_their_own_scopes(forge: TestForge) {
        let account = forge.human("alice").await;
        let body = json!({ "title": "x", "key": KEY });
        let repo = forge.client_of(&account, Some("repo")).await;
        repo.get("/api/v3/user/keys").await.expect(403);
        let writer = forge.client_of(&account, Some("write:public_key")).await;
        let id = writer.post("/api/v3/user/keys", &body).await.expect(201).json()["id"].clone();
        let refused = writer.delete(&format!("/api/v3/user/keys/{id}")).await.expect(403);
        assert_eq!(refused.header("x-accepted-oauth-scopes"), Some("admin:public_key"));
        for key in ["", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"] {
            let body = json!({ "title": "x", "key": key });
            writer.post("/api/v3/user/keys", &body).await.expect(422);
        }
    }
}
