//! What an invitation gives is decided twice: when it is made and when it is accepted.

use forge_testing::{TestForge, for_each_database};
use forge_types::Permission;
use forge_types::organization::{OrganizationRole, TeamRole};
use forge_types::repository::Visibility;
use serde_json::{Value, json};

use crate::{EXT, answer, invite, reads};

fn core_team(role: &str) -> Value {
    json!({ "team_grants": [{ "org": "acme", "team_slug": "core", "role": role }] })
}

for_each_database! {
    async fn a74_an_inviter_who_lost_the_right_gives_nothing_at_all(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        let own = forge.repository(&bob, "own", Visibility::Private).await;
        forge.collaborator(&tools, &bob, Some(Permission::Admin)).await;
        let client = forge.client_of(&bob, None).await;
        let agent = forge.registered_agent("bot").await;
        let made = invite(&client, &json!({ "repo_grants": [
            { "repo_full_name": "bob/own", "permission": "write" },
            { "repo_full_name": "alice/tools", "permission": "write" },
        ] })).await;
        forge.collaborator(&tools, &bob, Some(Permission::Write)).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        forge.collaborator(&tools, &bob, None).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        assert_eq!(reads(&client, &agent).await, 404);
        for repository in [&tools, &own] {
            assert_eq!(forge.permission(repository, &agent.login).await, None);
        }
        forge.collaborator(&tools, &bob, Some(Permission::Admin)).await;
        assert_eq!(answer(&agent.client, &made).await, 201);
        for repository in [&tools, &own] {
            assert_eq!(forge.permission(repository, &agent.login).await, Some(Permission::Write));
        }
    }

    async fn a74_a_repository_that_takes_the_name_of_another_gives_nothing(forge: TestForge) {
        let bob = forge.human("bob").await;
        let former = forge.repository(&bob, "tools", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        let grants = json!([{ "repo_full_name": "bob/tools", "permission": "admin" }]);
        let made = invite(&forge.client_of(&bob, None).await, &json!({ "repo_grants": grants })).await;
        let mut tx = forge.app().db().begin().await.expect("a transaction");
        forge_store::repositories::delete(&mut tx, former.id).await.expect("a deletion");
        tx.commit().await.expect("a commit");
        let latter = forge.repository(&bob, "tools", Visibility::Private).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        assert_eq!(forge.permission(&latter, &agent.login).await, None);
    }

    async fn an_invite_names_a_repository_once_by_whatever_name(forge: TestForge) {
        let alice = forge.human("alice").await;
        forge.repository(&alice, "former", Visibility::Private).await;
        let client = forge.client_of(&alice, None).await;
        let _ = client.patch("/api/v3/repos/alice/former", &json!({ "name": "latter" })).await.expect(200);
        let grant = |name: &str| json!({ "repo_full_name": name, "permission": "read" });
        let path = format!("{EXT}/agent-invites");
        for (one, other) in [("alice/latter", "alice/former"), ("alice/latter", "Alice/Latter")] {
            let _ = client.post(&path, &json!({ "repo_grants": [grant(one), grant(other)] })).await.expect(422);
        }
        let _ = client.post(&path, &json!({ "repo_grants": [grant("alice/former")] })).await.expect(201);
    }

    async fn what_an_agent_has_already_is_not_taken_away(forge: TestForge) {
        let alice = forge.human("alice").await;
        let tools = forge.repository(&alice, "tools", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        let found = forge.find_account(&agent.login).await;
        forge.collaborator(&tools, &found, Some(Permission::Maintain)).await;
        let grants = json!([{ "repo_full_name": "alice/tools", "permission": "read" }]);
        forge.bind(&forge.client_of(&alice, None).await, &agent, &json!({ "repo_grants": grants })).await;
        assert_eq!(forge.permission(&tools, &agent.login).await, Some(Permission::Maintain));
    }

    async fn an_owner_brings_an_agent_into_the_organization_as_a_member(forge: TestForge) {
        let alice = forge.human("alice").await;
        let acme = forge.organization("acme", &[&alice]).await;
        forge.team(&acme, "core", &[]).await;
        let agent = forge.registered_agent("bot").await;
        let client = forge.client_of(&alice, Some("repo admin:org")).await;
        let made = invite(&client, &core_team("maintainer")).await;
        assert_eq!(made["team_grants"], core_team("maintainer")["team_grants"]);
        assert_eq!(answer(&agent.client, &made).await, 201);
        let listed = client.get(&format!("{EXT}/user/agents")).await.expect(200).json();
        assert_eq!(listed[0]["access_summary"]["teams"], core_team("maintainer")["team_grants"]);
        let mut conn = forge.app().db().read().await.expect("a connection");
        let bot = forge.find_account(&agent.login).await;
        let member = forge_store::members::find(&mut conn, acme.id, bot.id).await.expect("an answer");
        assert_eq!(member.expect("a member").role, OrganizationRole::Member);
    }

    async fn a75_who_does_not_manage_a_team_cannot_offer_it(forge: TestForge) {
        let (alice, bob, eve) = (forge.human("alice").await, forge.human("bob").await, forge.human("eve").await);
        let acme = forge.organization("acme", &[&alice]).await;
        forge.member(&acme, &bob, OrganizationRole::Member).await;
        forge.team(&acme, "core", &[(&bob, TeamRole::Member)]).await;
        let path = format!("{EXT}/agent-invites");
        let _ = forge.client_of(&eve, None).await.post(&path, &core_team("member")).await.expect(404);
        let _ = forge.client_of(&bob, None).await.post(&path, &core_team("member")).await.expect(403);
        let narrow = forge.client_of(&alice, Some("repo")).await;
        let _ = narrow.post(&path, &core_team("member")).await.expect(403);
        let _ = forge.client_of(&alice, None).await.post(&path, &core_team("member")).await.expect(201);
    }

    // A maintainer who brought a stranger into the team would bring it into the organization, with all its members read.
    async fn a75_a_maintainer_cannot_bring_strangers_into_the_organization(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let acme = forge.organization("acme", &[&alice]).await;
        forge.member(&acme, &bob, OrganizationRole::Member).await;
        forge.team(&acme, "core", &[(&bob, TeamRole::Maintainer)]).await;
        let secret = forge.repository(&acme, "secret", Visibility::Private).await;
        let agent = forge.registered_agent("bot").await;
        let client = forge.client_of(&bob, None).await;
        let made = invite(&client, &core_team("member")).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        assert_eq!(forge.permission(&secret, &agent.login).await, None);
        let mut named = core_team("member");
        named["agent_login"] = json!(agent.login);
        let _ = client.post(&format!("{EXT}/agent-invites"), &named).await.expect(403);
        forge.member(&acme, &forge.find_account(&agent.login).await, OrganizationRole::Member).await;
        assert_eq!(answer(&agent.client, &made).await, 201);
    }

    // The most an invite makes of an agent is a member with the place in the team; owning takes a human, whoever asks.
    async fn a75_an_agent_never_owns_an_organization(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let acme = forge.organization("acme", &[&alice]).await;
        forge.team(&acme, "core", &[]).await;
        let agent = forge.registered_agent("bot").await;
        let client = forge.client_of(&alice, None).await;
        for role in ["admin", "owner"] {
            let _ = client.post(&format!("{EXT}/agent-invites"), &core_team(role)).await.expect(422);
        }
        forge.bind(&client, &agent, &core_team("maintainer")).await;
        let path = |login: &str| format!("/api/v3/orgs/acme/memberships/{login}");
        let _ = client.put(&path(&agent.login), &json!({ "role": "admin" })).await.expect(422);
        let _ = client.put(&path("bob"), &json!({ "role": "admin" })).await.expect(200);
        // Nor does it bring others in, be they agents.
        let other = forge.registered_agent("other").await;
        let _ = agent.client.put(&path(&other.login), &json!({ "role": "member" })).await.expect(403);
        let _ = agent.client.post(&format!("{EXT}/agent-invites"), &core_team("member")).await.expect(403);
        let team = format!("/api/v3/orgs/acme/teams/core/memberships/{}", other.login);
        let _ = agent.client.put(&team, &json!({ "role": "member" })).await.expect(403);
        let _ = client.put(&path(&other.login), &json!({ "role": "member" })).await.expect(200);
        let _ = agent.client.put(&team, &json!({ "role": "member" })).await.expect(200);
        assert_eq!(bob.login, "bob");
    }

    async fn a74_a_maintainer_who_lost_the_team_gives_no_place_in_it(forge: TestForge) {
        let (alice, bob) = (forge.human("alice").await, forge.human("bob").await);
        let acme = forge.organization("acme", &[&alice, &bob]).await;
        forge.team(&acme, "core", &[]).await;
        let agent = forge.registered_agent("bot").await;
        let made = invite(&forge.client_of(&bob, None).await, &core_team("member")).await;
        forge.member(&acme, &bob, OrganizationRole::Member).await;
        assert_eq!(answer(&agent.client, &made).await, 403);
        forge.member(&acme, &bob, OrganizationRole::Admin).await;
        assert_eq!(answer(&agent.client, &made).await, 201);
    }
}
