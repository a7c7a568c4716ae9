//! Lists of repositories: they hold exactly what the caller could read one by one.

use forge_testing::{Client, TestForge, for_each_database};
use forge_types::account::Account;
use serde_json::json;

use crate::keys::KEY;
use crate::{names, organization, repository, statements};

/// A forge with every way to have, and not to have, access.
struct World {
    full_names: Vec<String>,
    callers: Vec<Client>,
    logins: Vec<&'static str>,
}

impl World {
    async fn new(forge: &TestForge) -> Self {
        let logins = ["alice", "bob", "carol", "dave"];
        let mut accounts: Vec<Account> = Vec::new();
        let mut clients = Vec::new();
        for login in logins {
            let account = forge.human(login).await;
            clients.push(forge.client_of(&account, None).await);
            accounts.push(account);
        }
        let [alice, bob, ..] = clients.as_slice() else { unreachable!("four clients") };
        organization(alice, "acme").await;
        organization(bob, "quiet").await;
        bob.patch("/api/v3/orgs/quiet", &json!({ "default_repository_permission": "none" }))
            .await
            .expect(200);
        alice.put("/api/v3/orgs/acme/memberships/bob", &json!({})).await.expect(200);
        bob.put("/api/v3/orgs/quiet/memberships/carol", &json!({})).await.expect(200);
        let mut full_names = Vec::new();
        for (client, place) in [(alice, "user"), (bob, "user"), (alice, "orgs/acme"), (bob, "orgs/quiet")] {
            for visibility in ["public", "private", "internal"] {
                if place == "user" && visibility == "internal" {
                    continue;
                }
                let created = repository(client, place, visibility, visibility).await;
                full_names.push(created["full_name"].as_str().expect("a name").to_owned());
            }
        }
        alice
            .put("/api/v3/repos/alice/private/collaborators/dave", &json!({ "permission": "pull" }))
            .await
            .expect(204);
        bob.post("/api/v3/orgs/quiet/teams", &json!({ "name": "crew", "maintainers": ["carol"] }))
            .await
            .expect(201);
        bob.put("/api/v3/orgs/quiet/teams/crew/repos/quiet/private", &json!({})).await.expect(204);
        let mut callers = clients;
        for account in &accounts {
            callers.push(forge.client_of(account, Some("public_repo")).await);
        }
        callers.push(forge.client());
        Self { full_names, callers, logins: logins.to_vec() }
    }

    /// Returns those of `full_names` that `caller` can read one by one.
    async fn readable(&self, caller: &Client) -> Vec<String> {
        let mut readable = Vec::new();
        for name in &self.full_names {
            if caller.get(&format!("/api/v3/repos/{name}")).await.status == 200 {
                readable.push(name.clone());
            }
        }
        readable.sort();
        readable
    }
}

for_each_database! {
    async fn a_list_holds_exactly_what_could_be_read_one_by_one(forge: TestForge) {
        let world = World::new(&forge).await;
        for caller in &world.callers {
            let readable = world.readable(caller).await;
            let mut listed = Vec::new();
            for login in world.logins.iter().chain(&["acme", "quiet"]) {
                let list = caller.get(&format!("/api/v3/users/{login}/repos")).await.expect(200).json();
                listed.extend(names(&list, "full_name"));
            }
            listed.sort();
            assert_eq!(listed, readable);
            let found = caller.get("/api/v3/search/repositories?q=fork:true&per_page=100").await.expect(200).json();
            let mut found = names(&found["items"], "full_name");
            found.sort();
            assert_eq!(found, readable);
        }
    }

    async fn ones_own_list_holds_what_one_has_a_permission_in(forge: TestForge) {
        let world = World::new(&forge).await;
        let own = async |caller: usize, query: &str| {
            let path = format!("/api/v3/user/repos{query}");
            names(&world.callers[caller].get(&path).await.expect(200).json(), "full_name")
        };
        assert_eq!(own(2, "").await, ["quiet/private"]);
        assert_eq!(own(3, "").await, ["alice/private"]);
        assert_eq!(own(0, "?affiliation=owner&visibility=public").await, ["alice/public"]);
        assert_eq!(
            own(1, "?affiliation=organization_member&direction=desc").await,
            ["quiet/public", "quiet/private", "quiet/internal", "acme/public", "acme/private", "acme/internal"]
        );
        assert_eq!(own(3, "?type=member").await, ["alice/private"]);
        world.callers[0].get("/api/v3/user/repos?type=all&visibility=public").await.expect(422);
        world.callers[8].get("/api/v3/user/repos").await.expect(401);
    }

    async fn pages_follow_one_another_without_gaps(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for name in ["a", "b", "c", "d", "e"] {
            repository(&alice, "user", name, "public").await;
        }
        let mut seen = Vec::new();
        let mut next = Some("/api/v3/users/alice/repos?per_page=2&sort=full_name".to_owned());
        while let Some(path) = next {
            let answer = alice.get(&path).await.expect(200);
            seen.extend(names(&answer.json(), "name"));
            let link = answer.header("link").unwrap_or_default();
            let part = link.split(", ").find(|part| part.ends_with("rel=\"next\""));
            next = part.and_then(|part| part.split(['<', '>']).nth(1)).map(|url| {
                url.strip_prefix("https://forge.example").expect("our own address").to_owned()
            });
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    }

    /// PyGithub counts a list by the number of its last page
    /// (<https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api>).
    async fn a_list_names_its_last_page(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for name in ["a", "b", "c", "d", "e"] {
            repository(&alice, "user", name, "public").await;
        }
        for (list, length) in [
            ("/api/v3/user/repos?", 5),
            ("/api/v3/users/alice/repos?", 5),
            ("/api/v3/search/repositories?q=user:alice&", 5),
            ("/api/v3/repos/alice/a/labels?", 9),
            ("/api/v3/licenses?featured=true&", 3),
        ] {
            names_its_last_page(&alice, list, length).await;
        }
    }

    async fn a_list_of_people_teams_and_keys_names_its_last_page(forge: TestForge) {
        let (alice, put) = (forge.human_client("alice").await, json!({}));
        for login in ["acme", "bees", "cats"] {
            organization(&alice, login).await;
            let team = json!({ "name": login, "privacy": "closed" });
            alice.post("/api/v3/orgs/acme/teams", &team).await.expect(201);
            let name = json!({ "name": login, "visibility": "private" });
            alice.post("/api/v3/orgs/acme/repos", &name).await.expect(201);
            alice.put(&format!("/api/v3/orgs/acme/teams/acme/repos/acme/{login}"), &put).await.expect(204);
            alice.put(&format!("/api/v3/orgs/{login}/public_members/alice"), &put).await.expect(204);
        }
        for login in ["bees", "cats"] {
            alice.put(&format!("/api/v3/orgs/acme/teams/{login}/repos/acme/acme"), &put).await.expect(204);
            alice.put(&format!("/api/v3/orgs/acme/teams/{login}/memberships/alice"), &put).await.expect(200);
        }
        for login in ["bob", "carol"] {
            let member = forge.human_client(login).await;
            alice.put(&format!("/api/v3/orgs/acme/memberships/{login}"), &put).await.expect(200);
            member.put(&format!("/api/v3/orgs/acme/public_members/{login}"), &put).await.expect(204);
            alice.put(&format!("/api/v3/orgs/acme/teams/acme/memberships/{login}"), &put).await.expect(200);
        }
        for number in 1..=3 {
            let key = KEY.replace("jpNSO", &format!("jpN{number}O"));
            for keys in ["keys", "ssh_signing_keys"] {
                alice.post(&format!("/api/v3/user/{keys}"), &json!({ "title": "key", "key": key })).await.expect(201);
            }
            alice.post("/api/ext/v1/user/tokens", &json!({ "name": "spare" })).await.expect(201);
            let agent = forge.registered_agent("bot").await;
            forge.bind(&alice, &agent, &json!({})).await;
        }
        for list in [
            "user/orgs", "user/memberships/orgs", "users/alice/orgs", "orgs/acme/members", "orgs/acme/public_members",
            "orgs/acme/teams", "user/teams", "orgs/acme/teams/acme/members", "orgs/acme/teams/acme/repos",
            "repos/acme/acme/teams", "repos/acme/acme/collaborators", "user/keys", "users/alice/keys",
            "user/ssh_signing_keys", "users/alice/ssh_signing_keys",
        ] {
            names_its_last_page(&alice, &format!("/api/v3/{list}?"), 3).await;
        }
        names_its_last_page(&alice, "/api/v3/orgs/acme/members?role=member&", 2).await;
        names_its_last_page(&alice, "/api/ext/v1/agent-invites?", 3).await;
        names_its_last_page(&alice, "/api/ext/v1/user/agents?", 3).await;
        // The fourth is the one that asks.
        names_its_last_page(&alice, "/api/ext/v1/user/tokens?", 4).await;
    }

    async fn naming_the_last_page_costs_no_statement(forge: TestForge) {
        let alice = forge.human_client("alice").await;
        for login in ["acme", "bees", "cats"] {
            organization(&alice, login).await;
        }
        for query in ["", "?per_page=1", "?per_page=1&page=3", "?page=9"] {
            assert_eq!(statements(&forge, &alice, &format!("/api/v3/user/orgs{query}")).await, 2, "{query}");
        }
    }
}

/// Asserts that a list of this length names its last page wherever another follows.
async fn names_its_last_page(client: &Client, list: &str, length: u32) {
    let last = async |query: &str| {
        let answer = client.get(&format!("{list}{query}")).await.expect(200);
        let link = answer.header("link").unwrap_or_default();
        let part = link.split(", ").find(|part| part.ends_with("rel=\"last\""))?;
        let address = part.split(['<', '>']).nth(1).expect("an address");
        Some(address.rsplit('=').next().expect("a value").parse::<u32>().expect("a number"))
    };
    assert_eq!(last("per_page=1").await, Some(length), "{list}");
    assert_eq!(last("per_page=2").await, (length > 2).then_some(length.div_ceil(2)), "{list}");
    assert_eq!(last(&format!("per_page=1&page={length}")).await, None, "the last page names none: {list}");
    assert_eq!(last("per_page=100").await, None, "{list}");
}
