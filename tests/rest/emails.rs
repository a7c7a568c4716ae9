//! <https://docs.github.com/rest/users/emails>, and who sees the address of a profile
//! (<https://docs.github.com/rest/users/users#get-a-user>).

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::{Value, json};

use crate::names;

const ADDRESS: &str = "alice@forge.example";

async fn address(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["email"].clone()
}

async fn in_graphql(client: &Client, query: &str) -> Value {
    client.graphql(query, json!({})).await.expect(200).json()["data"]["user"]["email"].clone()
}

for_each_database! {
    /// Whoever creates an account is asked for an address; that is no leave to show it.
    async fn an_address_is_for_the_account_itself_until_it_shows_it(forge: TestForge) {
        let account = forge.human("alice").await;
        let (alice, bob) = (forge.client_of(&account, Some("user")).await, forge.human_client("bob").await);
        let by_id = format!("/api/v3/user/{}", account.id);
        let graphql = "{ user(login: \"alice\") { email } }";
        let public = ["/api/v3/users/alice", by_id.as_str()];
        for path in public {
            assert_eq!(address(&forge.client(), path).await, Value::Null, "{path}");
            assert_eq!(address(&bob, path).await, Value::Null, "{path}");
            assert_eq!(address(&alice, path).await, ADDRESS, "{path}");
        }
        assert_eq!(in_graphql(&bob, graphql).await, "");
        assert_eq!(in_graphql(&alice, graphql).await, ADDRESS);
        assert_eq!(address(&alice, "/api/v3/user").await, ADDRESS);

        alice.patch("/api/v3/user/email/visibility", &json!({ "visibility": "public" })).await.expect(200);
        for path in public {
            assert_eq!(address(&forge.client(), path).await, Value::Null, "{path}: only for those who say who they are");
            assert_eq!(address(&bob, path).await, ADDRESS, "{path}");
        }
        assert_eq!(in_graphql(&bob, graphql).await, ADDRESS);
        alice.patch("/api/v3/user/email/visibility", &json!({ "visibility": "private" })).await.expect(200);
        assert_eq!(address(&bob, "/api/v3/users/alice").await, Value::Null);
        assert_eq!(in_graphql(&bob, graphql).await, "");
    }

    async fn a_token_that_may_not_read_addresses_does_not_read_its_own(forge: TestForge) {
        let account = forge.human("alice").await;
        let narrow = forge.client_of(&account, Some("repo")).await;
        assert_eq!(address(&narrow, "/api/v3/user").await, Value::Null);
        narrow.get("/api/v3/user/emails").await.expect(403);
        let wide = forge.client_of(&account, Some("user:email")).await;
        assert_eq!(address(&wide, "/api/v3/user").await, ADDRESS);
    }

    async fn the_lists_of_addresses_tell_which_is_shown(forge: TestForge) {
        let account = forge.human("alice").await;
        let alice = forge.client_of(&account, Some("user")).await;
        let list = async |path: &str| alice.get(path).await.expect(200).json();
        assert_eq!(list("/api/v3/user/emails").await[0]["visibility"], "private");
        assert_eq!(list("/api/v3/user/public_emails").await, json!([]));
        let set = alice.patch("/api/v3/user/email/visibility", &json!({ "visibility": "public" })).await.expect(200);
        assert_eq!(set.json()[0]["visibility"], "public");
        assert_eq!(names(&list("/api/v3/user/public_emails").await, "email"), [ADDRESS]);
        alice.patch("/api/v3/user/email/visibility", &json!({ "visibility": "secret" })).await.expect(422);
        let reader = forge.client_of(&account, Some("user:email")).await;
        reader.patch("/api/v3/user/email/visibility", &json!({ "visibility": "public" })).await.expect(403);
    }

    async fn what_a_profile_is_given_as_its_address_is_what_it_shows(forge: TestForge) {
        let account = forge.human("alice").await;
        let (alice, bob) = (forge.client_of(&account, Some("user")).await, forge.human_client("bob").await);
        alice.patch("/api/v3/user", &json!({ "name": "Alice" })).await.expect(200);
        assert_eq!(address(&bob, "/api/v3/users/alice").await, Value::Null, "nothing was said of the address");
        alice.patch("/api/v3/user", &json!({ "email": "alice@example.org" })).await.expect(200);
        assert_eq!(address(&bob, "/api/v3/users/alice").await, "alice@example.org");
        alice.patch("/api/v3/user", &json!({ "email": "" })).await.expect(200);
        assert_eq!(address(&bob, "/api/v3/users/alice").await, Value::Null);
        assert_eq!(address(&alice, "/api/v3/user").await, "alice@example.org", "hidden, not lost");
    }

    async fn commits_made_for_an_account_carry_only_an_address_it_shows(forge: TestForge) {
        let account = forge.human("alice").await;
        let alice = forge.client_of(&account, None).await;
        let author = async |name: &str| {
            alice.post("/api/v3/user/repos", &json!({ "name": name, "auto_init": true })).await.expect(201);
            let branch = alice.get(&format!("/api/v3/repos/alice/{name}/branches/main")).await.expect(200).json();
            branch["commit"]["commit"]["author"]["email"].as_str().expect("an address").to_owned()
        };
        let graphql = "{ repository(owner: \"alice\", name: \"one\") { viewerDefaultCommitEmail viewerPossibleCommitEmails } }";
        let nobody = format!("{}+alice@users.noreply.forge.example", account.id);
        assert_eq!(author("one").await, nobody);
        let emails = alice.graphql(graphql, json!({})).await.expect(200).json()["data"]["repository"].clone();
        assert_eq!(emails, json!({ "viewerDefaultCommitEmail": nobody, "viewerPossibleCommitEmails": [nobody, ADDRESS] }));
        alice.patch("/api/v3/user/email/visibility", &json!({ "visibility": "public" })).await.expect(200);
        assert_eq!(author("two").await, ADDRESS);
    }

    async fn an_organization_shows_its_address_to_everyone(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "octo", "email": "o@octo.example" })).await.expect(201);
        assert_eq!(address(&forge.client(), "/api/v3/orgs/octo").await, "o@octo.example");
    }
}
