//! Lists of repositories: they hold exactly what the caller could read one by one.

use forge_testing::{Client, TestForge, for_each_database};
use forge_types::account::Account;
use serde_json::json;

use crate::{names, organization, repository};

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
        let lists = [
            ("/api/v3/user/repos?", 5),
            ("/api/v3/users/alice/repos?", 5),
            ("/api/v3/search/repositories?q=user:alice&", 5),
            ("/api/v3/repos/alice/a/labels?", 9),
        ];
        for (list, length) in lists {
            let last = |link: &str| {
                let part = link.split(", ").find(|part| part.ends_with("rel=\"last\"")).map(str::to_owned);
                part.map(|part| {
                    let address = part.split(['<', '>']).nth(1).expect("an address");
                    address.rsplit('=').next().expect("a value").parse::<u32>().expect("a number")
                })
            };
            let page = async |query: &str| {
                let answer = alice.get(&format!("{list}{query}")).await.expect(200);
                answer.header("link").map(str::to_owned).unwrap_or_default()
            };
            assert_eq!(last(&page("per_page=1").await), Some(length), "{list}");
            assert_eq!(last(&page("per_page=4").await), Some(length.div_ceil(4)), "{list}");
            assert_eq!(last(&page(&format!("per_page=1&page={length}")).await), None, "the last page names none: {list}");
            assert_eq!(last(&page("per_page=100").await), None, "{list}");
        }
    }
}
