//! A binding that one side did not mean: both see it, and for a day either ends it with exactly what it gave.

use std::time::Duration;

use forge_testing::agents::secret;
use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use forge_types::account::Account;
use forge_types::organization::{OrganizationRole, TeamRole};
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::{EXT, answer, invite, reads};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn undo_path(login: &str) -> String {
    format!("{EXT}/agent-bindings/{login}/undo")
}

/// Returns the agent's role in a team and whether it belongs to the organization.
async fn places(
    forge: &TestForge,
    organization: &Account,
    team: &str,
    login: &str,
) -> (Option<TeamRole>, bool) {
    let (mut conn, bot) =
        (forge.app().db().read().await.expect("a connection"), forge.find_account(login).await);
    let member = forge_store::members::find(&mut conn, organization.id, bot.id).await.expect("an answer");
    let team = forge_store::teams::find_by_slug(&mut conn, None, &organization.login, team)
        .await
        .expect("an answer");
    let team = team.expect("a team").team.id;
    let place = forge_store::team_members::find(&mut conn, team, bot.id).await.expect("an answer");
    (place.map(|place| place.role), member.is_some())
}

fn repositories(grants: &[(&str, &str)]) -> Value {
    let grants: Vec<Value> = grants
        .iter()
        .map(|(name, permission)| json!({ "repo_full_name": name, "permission": permission }))
        .collect();
    json!({ "repo_grants": grants })
}

for_each_database! {
    // The invite was stolen, and the thief's agent accepted it. The human sees that and takes everything back.
    async fn a72_a_human_undoes_the_binding_of_a_stranger_with_all_it_gave(forge: TestForge) {
        let alice = forge.human("alice").await;
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        let acme = forge.organization("acme", &[&alice]).await;
        forge.team(&acme, "core", &[]).await;
        let client = forge.client_of(&alice, None).await;
        let thief = forge.registered_agent("thief").await;
        let mut grants = repositories(&[("alice/tools", "write")]);
        grants["team_grants"] = json!([{ "org": "acme", "team_slug": "core", "role": "maintainer" }]);
        let made = invite(&client, &grants).await;
        let body = json!({ "invite_token": made["invite_token"] });
        let bound = thief.client.post(&format!("{EXT}/agent-bindings/confirm"), &body).await.expect(201).json();
        assert_eq!(bound["undo_until"], "2026-01-02T00:00:00Z");
        for side in [&client, &thief.client] {
            let seen = side.get(&format!("{EXT}/agents/{}", thief.login)).await.expect(200).json();
            assert_eq!((&seen["owner"]["login"], &seen["undo_until"]), (&json!("alice"), &bound["undo_until"]));
        }
        let session = format!("{EXT}/agent-bindings/{}/switch-session", thief.login);
        let session = client.post(&session, &json!({})).await.expect(200).json();
        let undone = client.post(&undo_path(&thief.login), &json!({})).await.expect(200).json();
        let taken = json!({
            "repo_grants": [{ "repo_full_name": "alice/tools", "permission": "write" }],
            "team_grants": [{ "org": "acme", "team_slug": "core", "role": "maintainer" }],
            "org_memberships": ["acme"],
        });
        let expected = json!({ "agent_login": thief.login, "revoked_switch_sessions": 1, "taken_back": taken });
        assert_eq!(undone, expected);
        assert_eq!(forge.permission(&tools, &thief.login).await, None);
        assert_eq!(places(&forge, &acme, "core", &thief.login).await, (None, false));
        assert_eq!(reads(&client, &thief).await, 404);
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        assert_eq!(reads(&switched, &thief).await, 401);
        // The thief cannot use the invite again, and nobody undoes twice.
        assert_eq!(answer(&thief.client, &made).await, 409);
        let _ = client.post(&undo_path(&thief.login), &json!({})).await.expect(404);
        let events = client.get(&format!("{EXT}/audit-events?per_page=100")).await.expect(200).json();
        let names: Vec<&str> = events.as_array().expect("a list").iter().filter_map(|event| event["action"].as_str()).collect();
        let last = ["collaborator.removed", "team.member_removed", "organization.member_removed", "agent.binding_undone", "agent.undo_binding"];
        assert!(names.ends_with(&last), "{names:?}");
    }

    // The agent was talked into accepting; its human-to-be could recover it and act as it.
    async fn a72_an_agent_undoes_its_own_binding_but_nobody_else_does(forge: TestForge) {
        let (mallory, bob) = (forge.human_client("mallory").await, forge.human_client("bob").await);
        let root = forge.site_admin("root").await;
        let agent = forge.registered_agent("bot").await;
        let other = forge.registered_agent("other").await;
        let path = undo_path(&agent.login);
        let _ = agent.client.post(&path, &json!({})).await.expect(409);
        forge.bind(&mallory, &agent, &json!({})).await;
        let session = format!("{EXT}/agent-bindings/{}/switch-session", agent.login);
        let session = mallory.post(&session, &json!({})).await.expect(200).json();
        let switched = forge.client().with_token(&secret(&session["token"]["token"]));
        let _ = switched.post(&path, &json!({})).await.expect(403);
        let _ = bob.post(&path, &json!({})).await.expect(404);
        let _ = other.client.post(&path, &json!({})).await.expect(404);
        let _ = forge.client_of(&root, None).await.post(&path, &json!({})).await.expect(403);
        assert_eq!(reads(&mallory, &agent).await, 200);
        // What its own token may do is its human's to say, but does not keep it.
        let own = format!("{EXT}/agents/{}", agent.login);
        let _ = mallory.patch(&own, &json!({ "standing_access": "exchange_only" })).await.expect(200);
        let _ = agent.client.post(&path, &json!({})).await.expect(200);
        assert_eq!(reads(&mallory, &agent).await, 404);
        assert_eq!(reads(&switched, &agent).await, 401);
    }

    async fn a72_after_a_day_a_binding_stands_until_it_is_unbound(forge: TestForge) {
        let alice = forge.human("alice").await;
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        let client = forge.client_of(&alice, None).await;
        let (late, timely) = (forge.registered_agent("late").await, forge.registered_agent("timely").await);
        for agent in [&late, &timely] {
            forge.bind(&client, agent, &repositories(&[("alice/tools", "read")])).await;
        }
        forge.advance(DAY - Duration::from_micros(1));
        let _ = client.post(&undo_path(&timely.login), &json!({})).await.expect(200);
        forge.advance(Duration::from_micros(1));
        let seen = client.get(&format!("{EXT}/agents/{}", late.login)).await.expect(200).json();
        assert_eq!(seen["undo_until"], Value::Null);
        for side in [&client, &late.client] {
            let refused = side.post(&undo_path(&late.login), &json!({})).await.expect(409);
            assert!(refused.text().contains("24 hours"), "{}", refused.text());
        }
        assert_eq!(forge.permission(&tools, &late.login).await, Some(Permission::Read));
        let _ = client.delete(&format!("{EXT}/agent-bindings/{}", late.login)).await.expect(200);
    }

    async fn undoing_leaves_what_stood_before_and_what_was_decided_since(forge: TestForge) {
        let alice = forge.human("alice").await;
        let client = forge.client_of(&alice, None).await;
        let agent = forge.registered_agent("bot").await;
        let bot = forge.find_account(&agent.login).await;
        let names = ["raised", "equal", "changed", "affirmed", "again"];
        let mut all = Vec::new();
        for name in names {
            all.push(forge.repository(&alice, name, Visibility::Private).await);
        }
        forge.collaborator(&all[0], &bot, Some(Permission::Read)).await;
        forge.collaborator(&all[1], &bot, Some(Permission::Write)).await;
        let full: Vec<String> = names.iter().map(|name| format!("alice/{name}")).collect();
        let grants: Vec<(&str, &str)> = full.iter().map(|name| (name.as_str(), "write")).collect();
        forge.bind(&client, &agent, &repositories(&grants)).await;
        for repository in &all {
            assert_eq!(forge.permission(repository, &agent.login).await, Some(Permission::Write));
        }
        let path = |name: &str| format!("/api/v3/repos/alice/{name}/collaborators/{}", agent.login);
        let _ = client.put(&path("changed"), &json!({ "permission": "admin" })).await;
        let _ = client.put(&path("affirmed"), &json!({ "permission": "push" })).await;
        let _ = client.delete(&path("again")).await.expect(204);
        let _ = client.put(&path("again"), &json!({ "permission": "push" })).await;
        let undone = client.post(&undo_path(&agent.login), &json!({})).await.expect(200).json();
        assert_eq!(undone["taken_back"]["repo_grants"], json!([{ "repo_full_name": "alice/raised", "permission": "write" }]));
        let expected = [Permission::Read, Permission::Write, Permission::Admin, Permission::Write, Permission::Write];
        for (repository, expected) in all.iter().zip(expected) {
            assert_eq!(forge.permission(repository, &agent.login).await, Some(expected), "{}", repository.name);
        }
        // What stood before was never this invite's, so another undoing does not take it.
        forge.bind(&client, &agent, &repositories(&[("alice/raised", "read")])).await;
        let _ = client.post(&undo_path(&agent.login), &json!({})).await.expect(200);
        assert_eq!(forge.permission(&all[0], &agent.login).await, Some(Permission::Read));
    }

    async fn undoing_leaves_places_in_teams_that_others_gave(forge: TestForge) {
        let alice = forge.human("alice").await;
        let acme = forge.organization("acme", &[&alice]).await;
        forge.team(&acme, "core", &[]).await;
        forge.team(&acme, "docs", &[]).await;
        let client = forge.client_of(&alice, None).await;
        let (joined, raised) = (forge.registered_agent("joined").await, forge.registered_agent("raised").await);
        let bot = forge.find_account(&raised.login).await;
        forge.member(&acme, &bot, OrganizationRole::Member).await;
        let team = |team: &str, login: &str| format!("/api/v3/orgs/acme/teams/{team}/memberships/{login}");
        let _ = client.put(&team("core", &raised.login), &json!({ "role": "member" })).await.expect(200);
        let grants = json!({ "team_grants": [{ "org": "acme", "team_slug": "core", "role": "maintainer" }] });
        for agent in [&joined, &raised] {
            forge.bind(&client, agent, &grants).await;
            assert_eq!(places(&forge, &acme, "core", &agent.login).await, (Some(TeamRole::Maintainer), true));
        }
        let _ = client.put(&team("docs", &joined.login), &json!({ "role": "member" })).await.expect(200);
        for agent in [&joined, &raised] {
            let undone = client.post(&undo_path(&agent.login), &json!({})).await.expect(200).json();
            assert_eq!(undone["taken_back"]["org_memberships"], json!([]));
            assert_eq!(undone["taken_back"]["team_grants"], grants["team_grants"]);
        }
        assert_eq!(places(&forge, &acme, "core", &joined.login).await, (None, true));
        assert_eq!(places(&forge, &acme, "docs", &joined.login).await, (Some(TeamRole::Member), true));
        assert_eq!(places(&forge, &acme, "core", &raised.login).await, (Some(TeamRole::Member), true));
    }
}
