//! Accounts and tokens for tests, put straight into the database: how they come about otherwise is tested elsewhere.

use forge_auth::token::Secret;
use forge_store::accounts::NewAccount;
use forge_store::credentials::NewCredential;
use forge_types::Scopes;
use forge_types::account::{Account, AccountKind};
use forge_types::credential::CredentialKind;

use crate::client::Client;
use crate::forge::TestForge;

impl TestForge {
    /// Creates a human.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn human(&self, login: &str) -> Account {
        self.account(login, AccountKind::Human, false).await
    }

    /// Creates a human who administers the forge.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn site_admin(&self, login: &str) -> Account {
        self.account(login, AccountKind::Human, true).await
    }

    /// Returns a client with a personal token of the account, limited to the scopes (`repo,read:org`), or not at all.
    ///
    /// # Panics
    /// When a scope is unknown.
    pub async fn client_of(&self, account: &Account, scopes: Option<&str>) -> Client {
        self.client().with_token(&self.token(account, CredentialKind::Personal, scopes).await)
    }

    /// Creates a human and returns a client with a token that may do whatever the human may.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn human_client(&self, login: &str) -> Client {
        let account = self.human(login).await;
        self.client_of(&account, None).await
    }
}

impl TestForge {
    /// Creates an agent that nobody owns.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn agent(&self, login: &str) -> Account {
        let account = self.account(login, AccountKind::Agent, false).await;
        let mut tx = self.app().db().begin().await.expect("a transaction");
        forge_store::agents::insert(&mut tx, account.id).await.expect("an agent");
        tx.commit().await.expect("a commit");
        account
    }
}
