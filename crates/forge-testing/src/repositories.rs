//! Repositories for tests, put straight into the database.

use forge_store::repositories::NewRepository;
use forge_types::account::{Account, AccountRef};
use forge_types::id::RepositoryId;
use forge_types::repository::{Repository, RepositorySettings, Visibility};

use crate::forge::TestForge;

impl TestForge {
    /// Creates a repository without refs whose default branch is `main`.
    ///
    /// # Panics
    /// When the owner has one of this name.
    pub async fn repository(&self, owner: &Account, name: &str, visibility: Visibility) -> Repository {
        let new = NewRepository {
            owner: &AccountRef::from(owner),
            name,
            visibility,
            default_branch: "main",
            settings: &RepositorySettings::default(),
            created_by: owner.id,
            lineage: None,
        };
        let mut tx = self.app().db().begin().await.expect("a transaction");
        let repository =
            forge_store::repositories::insert(&mut tx, &new, self.now()).await.expect("a free name");
        tx.commit().await.expect("a commit");
        repository
    }

    /// Returns a repository as it is now.
    ///
    /// # Panics
    /// When it is gone.
    pub async fn repository_now(&self, id: RepositoryId) -> Repository {
        let mut conn = self.app().db().read().await.expect("a connection");
        let found =
            forge_store::repositories::find(&mut conn, None, id).await.expect("a readable repository");
        found.expect("a repository").repository
    }
}
