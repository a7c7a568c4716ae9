//! <https://docs.github.com/rest/teams/teams> and <https://docs.github.com/rest/teams/members>

use forge_testing::{Client, TestForge, for_each_database};
use serde_json::json;

use crate::{names, organization, repository};

/// Creates an organization with a member and a team that the owner made.
async fn with_team(forge: &TestForge, privacy: &str) -> (Client, Client) {
    let owner = forge.human_client("olivia").await;
    let member = forge.human_client("max").await;
    organization(&owner, "acme").await;
    owner.put("/api/v3/orgs/acme/memberships/max", &json!({})).await.expect(200);
    let body = json!({ "name": "The Core", "description": "core", "privacy": privacy });
    let team = owner.post("/api/v3/orgs/acme/teams", &body).await.expect(201).json();
    assert_eq!(team["slug"], "the-core");
    (owner, member)
}

for_each_database! {
    async fn a_secret_team_does_not_exist_for_those_outside(forge: TestForge) {
        let (owner, member) = with_team(&forge, "secret").await;
        member.get("/api/v3/orgs/acme/teams/the-core").await.expect(404);
        assert_eq!(member.get("/api/v3/orgs/acme/teams").await.expect(200).json(), json!([]));
        owner.patch("/api/v3/orgs/acme/teams/the-core", &json!({ "privacy": "closed" })).await.expect(200);
        member.get("/api/v3/orgs/acme/teams/the-core").await.expect(200);
        assert_eq!(names(&member.get("/api/v3/orgs/acme/teams").await.expect(200).json(), "slug"), ["the-core"]);
        let stranger = forge.human_client("sam").await;
        stranger.get("/api/v3/orgs/acme/teams/the-core").await.expect(404);
        stranger.get("/api/v3/orgs/acme/teams").await.expect(403);
        member.patch("/api/v3/orgs/acme/teams/the-core", &json!({ "name": "Mine" })).await.expect(403);
    }

    async fn slugs_follow_names_and_are_unique(forge: TestForge) {
        let (owner, _) = with_team(&forge, "closed").await;
        owner.post("/api/v3/orgs/acme/teams", &json!({ "name": "the core" })).await.expect(422);
        owner.post("/api/v3/orgs/acme/teams", &json!({ "name": "!!!" })).await.expect(422);
        let renamed = owner.patch("/api/v3/orgs/acme/teams/the-core", &json!({ "name": "Base" })).await.expect(200);
        assert_eq!(renamed.json()["slug"], "base");
        owner.get("/api/v3/orgs/acme/teams/the-core").await.expect(404);
        owner.delete("/api/v3/orgs/acme/teams/base").await.expect(204);
        owner.get("/api/v3/orgs/acme/teams/base").await.expect(404);
    }

    async fn joining_a_team_takes_belonging_to_the_organization(forge: TestForge) {
        let (owner, member) = with_team(&forge, "closed").await;
        forge.human_client("sam").await;
        let path = "/api/v3/orgs/acme/teams/the-core/memberships";
        let set = owner.put(&format!("{path}/max"), &json!({ "role": "maintainer" })).await.expect(200).json();
        assert_eq!((&set["role"], &set["state"]), (&json!("maintainer"), &json!("active")));
        member.put(&format!("{path}/sam"), &json!({})).await.expect(403);
        owner.put(&format!("{path}/sam"), &json!({})).await.expect(200);
        owner.get("/api/v3/orgs/acme/members/sam").await.expect(204);
        let listed = member.get("/api/v3/orgs/acme/teams/the-core/members").await.expect(200).json();
        assert_eq!(names(&listed, "login"), ["max", "olivia", "sam"]);
        let teams = member.get("/api/v3/user/teams").await.expect(200).json();
        assert_eq!(names(&teams, "slug"), ["the-core"]);
        owner.delete("/api/v3/orgs/acme/members/sam").await.expect(204);
        owner.get(&format!("{path}/sam")).await.expect(404);
        member.delete(&format!("{path}/max")).await.expect(204);
        member.delete(&format!("{path}/max")).await.expect(404);
    }

    async fn a_team_conveys_its_permission_and_no_more(forge: TestForge) {
        let (owner, member) = with_team(&forge, "closed").await;
        owner.patch("/api/v3/orgs/acme", &json!({ "default_repository_permission": "none" })).await.expect(200);
        repository(&owner, "orgs/acme", "tool", "private").await;
        repository(&owner, "user", "own", "private").await;
        member.get("/api/v3/repos/acme/tool").await.expect(404);
        let path = "/api/v3/orgs/acme/teams/the-core/repos/acme/tool";
        owner.put("/api/v3/orgs/acme/teams/the-core/memberships/max", &json!({})).await.expect(200);
        owner.get(path).await.expect(404);
        owner.put(path, &json!({ "permission": "triage" })).await.expect(204);
        owner.get(path).await.expect(204);
        let seen = member.get("/api/v3/repos/acme/tool").await.expect(200).json();
        let expected = json!({ "admin": false, "maintain": false, "push": false, "triage": true, "pull": true });
        assert_eq!(seen["permissions"], expected);
        let listed = member.get("/api/v3/orgs/acme/teams/the-core/repos").await.expect(200).json();
        assert_eq!(listed[0]["role_name"], "triage");
        assert_eq!(owner.get("/api/v3/repos/acme/tool/teams").await.expect(200).json()[0]["permission"], "triage");
        owner.put("/api/v3/orgs/acme/teams/the-core/repos/olivia/own", &json!({})).await.expect(422);
        member.put(path, &json!({ "permission": "admin" })).await.expect(403);
        owner.put(path, &json!({ "permission": "own" })).await.expect(422);
        owner.delete(path).await.expect(204);
        member.get("/api/v3/repos/acme/tool").await.expect(404);
    }

    async fn a_maintainer_cannot_take_a_repository_it_does_not_administer(forge: TestForge) {
        let (owner, member) = with_team(&forge, "closed").await;
        repository(&owner, "orgs/acme", "tool", "private").await;
        let path = "/api/v3/orgs/acme/teams/the-core";
        owner.put(&format!("{path}/memberships/max"), &json!({ "role": "maintainer" })).await.expect(200);
        member.put(&format!("{path}/repos/acme/tool"), &json!({ "permission": "admin" })).await.expect(403);
    }
}
