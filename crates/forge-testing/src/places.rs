//! Organizations, teams and collaborators for tests, put straight into the database.

use forge_store::accounts::NewAccount;
use forge_store::teams::NewTeam;
use forge_types::Permission;
use forge_types::account::{Account, AccountKind};
use forge_types::organization::{OrganizationRole, Team, TeamPrivacy, TeamRole};
use forge_types::repository::Repository;

use crate::forge::TestForge;

impl TestForge {
    /// Creates an organization whose members read its repositories, with these owners.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn organization(&self, login: &str, owners: &[&Account]) -> Account {
        let new = NewAccount {
            kind: AccountKind::Organization,
            login,
            name: None,
            email: None,
            description: None,
            is_site_admin: false,
            created_by: None,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        let account = forge_store::accounts::insert(&mut tx, &new, self.now()).await.expect("a free login");
        forge_store::organizations::insert(&mut tx, account.id, Some(Permission::Read), true, self.now())
            .await
            .expect("an organization");
        tx.commit().await.expect("a commit");
        for owner in owners {
            self.member(&account, owner, OrganizationRole::Admin).await;
        }
        account
    }

    /// Makes an account a member of an organization, or gives a member another role.
    ///
    /// # Panics
    /// When it cannot be one.
    pub async fn member(&self, organization: &Account, member: &Account, role: OrganizationRole) {
        let mut tx = self.app().db().begin().await.expect("a transaction");
        forge_store::members::upsert(&mut tx, organization.id, &member.into(), role, self.now())
            .await
            .expect("a member");
        tx.commit().await.expect("a commit");
    }

    /// Creates a team that every member of the organization sees, with these members.
    ///
    /// # Panics
    /// When the name is taken, or somebody is no member of the organization.
    pub async fn team(&self, organization: &Account, slug: &str, members: &[(&Account, TeamRole)]) -> Team {
        let new = NewTeam {
            organization_id: organization.id,
            organization_login: &organization.login,
            name: slug,
            slug,
            description: None,
            privacy: TeamPrivacy::Closed,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        let team = forge_store::teams::insert(&mut tx, &new, self.now()).await.expect("a free name");
        for (member, role) in members {
            forge_store::team_members::upsert(&mut tx, &team, member.id, *role, self.now())
                .await
                .expect("a member of the organization");
        }
        tx.commit().await.expect("a commit");
        team
    }

    /// Gives an account a permission in a repository, or takes away what it was given.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn collaborator(&self, repository: &Repository, account: &Account, may: Option<Permission>) {
        let mut tx = self.app().db().begin().await.expect("a transaction");
        match may {
            Some(permission) => {
                let (who, by) = (account.into(), repository.owner.id);
                forge_store::collaborators::upsert(&mut tx, repository.id, &who, permission, by, self.now())
                    .await
                    .map(drop)
            }
            None => forge_store::collaborators::delete(&mut tx, repository.id, account.id).await.map(drop),
        }
        .expect("a changed collaborator");
        tx.commit().await.expect("a commit");
    }

    /// Returns the strongest permission an account has in a repository.
    ///
    /// # Panics
    /// When there is no such account.
    pub async fn permission(&self, repository: &Repository, login: &str) -> Option<Permission> {
        let mut conn = self.app().db().read().await.expect("a connection");
        let account = forge_store::accounts::find_by_login(&mut conn, login).await.expect("an answer");
        let account = account.expect("an account of this login");
        forge_store::collaborators::find(&mut conn, repository.id, account.id).await.expect("an answer")
    }
}
