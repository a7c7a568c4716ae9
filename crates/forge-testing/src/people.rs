//! Accounts and tokens for tests, put straight into the database: how they come about otherwise is tested elsewhere.

use forge_auth::token::{Secret, base62, mint};
use forge_store::accounts::NewAccount;
use forge_store::agents::NewAgent;
use forge_store::credentials::NewCredential;
use forge_types::Scopes;
use forge_types::account::{Account, AccountKind, AccountStatus};
use forge_types::agent::StandingAccess;
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

    /// Creates an agent that nobody owns.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn agent(&self, login: &str) -> Account {
        let account = self.account(login, AccountKind::Agent, false).await;
        let new = NewAgent {
            account_id: account.id,
            standing_access: StandingAccess::Full,
            expires_unbound_at: None,
            registered_from: None,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        forge_store::agents::insert(&mut tx, &new).await.expect("an agent");
        tx.commit().await.expect("a commit");
        account
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

    /// Returns a new token of the account.
    ///
    /// # Panics
    /// When a scope is unknown.
    pub async fn token(&self, account: &Account, kind: CredentialKind, scopes: Option<&str>) -> Secret {
        let scopes = scopes.map(|scopes| Scopes::parse(scopes).expect("known scopes"));
        let secret = mint(self.app().token_prefix(), kind, |buffer| self.random().fill(buffer));
        let hash = self.keys().hash(&secret).expect("generated keys are whole");
        let family = base62(20, |buffer| self.random().fill(buffer));
        let new = NewCredential {
            account_id: account.id,
            kind,
            hash,
            key_id: self.keys().current_id(),
            tail: secret.tail(),
            fingerprint: &secret.fingerprint(),
            name: "test",
            scopes: scopes.as_ref(),
            acting_id: None,
            client_id: None,
            family: &family,
            parent_id: None,
            grant_id: None,
            audience: None,
            cnf_jkt: None,
            cnf_x5t: None,
            runtime: None,
            expires_at: None,
            renewable_until: None,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        forge_store::credentials::insert(&mut tx, &new, self.now()).await.expect("a credential");
        tx.commit().await.expect("a commit");
        secret
    }

    /// Returns the keyed hash under which a secret is stored, for putting rows straight into the database.
    ///
    /// # Panics
    /// Never: generated keys are whole.
    pub fn hash_for(&self, purpose: &str, secret: &Secret) -> [u8; 32] {
        self.keys().hash_for(purpose, secret.expose().as_bytes()).expect("generated keys are whole")
    }

    /// Returns the account of this login.
    ///
    /// # Panics
    /// When there is none.
    pub async fn find_account(&self, login: &str) -> Account {
        let mut conn = self.app().db().read().await.expect("a connection");
        let found = forge_store::accounts::find_by_login(&mut conn, login).await.expect("an answer");
        found.expect("an account of this login")
    }

    /// Suspends an account, however an administrator does that.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn suspend(&self, account: &Account) {
        self.status(account, AccountStatus::Suspended).await;
    }

    /// Lets a suspended account act again.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn restore(&self, account: &Account) {
        self.status(account, AccountStatus::Active).await;
    }

    async fn status(&self, account: &Account, status: AccountStatus) {
        let mut tx = self.app().db().begin().await.expect("a transaction");
        forge_store::accounts::update_status(&mut tx, account.id, status, None, self.now())
            .await
            .expect("a changed status");
        tx.commit().await.expect("a commit");
    }

    async fn account(&self, login: &str, kind: AccountKind, is_site_admin: bool) -> Account {
        let email = format!("{login}@forge.example");
        let new = NewAccount {
            kind,
            login,
            name: None,
            email: Some(&email),
            description: None,
            is_site_admin,
            created_by: None,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        let account = forge_store::accounts::insert(&mut tx, &new, self.now()).await.expect("a free login");
        tx.commit().await.expect("a commit");
        account
    }
}
