//! The policies in force on this node.
//!
//! A decision about a change reads how many changes of policies there were, in the transaction it belongs to, and loads what
//! is new; so a change is seen by the next decision on every node. Whoever is deciding meanwhile goes on with the set it has:
//! a set never changes, another one takes its place.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use forge_auth::policy::Policies;
use forge_auth::policy::cedar::{PolicySet, PolicySource};
use forge_store::policies::ChangedPolicy;
use forge_store::{Conn, Tx};
use forge_types::Result;
use forge_types::id::AccountId;

/// The policies in force.
pub(crate) struct Active(RwLock<Known>);

struct Known {
    policies: Arc<Policies>,
    /// How many changes there were when it was last looked.
    version: i64,
    /// The last change of each organization that was loaded.
    versions: HashMap<AccountId, i64>,
}

impl Default for Active {
    fn default() -> Self {
        let known =
            Known { policies: Arc::new(Policies::shipped()), version: 0, versions: HashMap::default() };
        Self(RwLock::new(known))
    }
}

impl Active {
    /// Returns the policies.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).policies)
    }

    /// Puts other policies of the forge in force.
    pub(super) fn replace_instance(&self, set: Arc<PolicySet>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.policies = Arc::new(known.policies.with_instance(set));
    }

    /// Looks whether policies of organizations changed, and loads what did.
    pub(crate) async fn refresh(&self, conn: &mut Conn) -> Result<()> {
        let version = forge_store::policies::version(conn).await?;
        self.load(conn, version).await
    }

    /// The same, and keeps policies from changing until the transaction ends.
    pub(crate) async fn hold(&self, tx: &mut Tx) -> Result<()> {
        let version = forge_store::policies::hold_version(tx).await?;
        self.load(tx, version).await
    }

    async fn load(&self, conn: &mut Conn, version: i64) -> Result<()> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner).version;
        if version == seen {
            return Ok(());
        }
        // After a database was put back from a copy, there were fewer changes than were seen.
        let since = if version < seen { 0 } else { seen };
        let changed = forge_store::policies::list_changed(conn, since).await?;
        let read = tokio::task::spawn_blocking(move || read(changed)).await;
        let read = read.map_err(forge_types::Error::internal)?;
        self.install(version, read, version < seen);
        Ok(())
    }

    /// Others may have loaded the same meanwhile, or what is newer.
    fn install(&self, version: i64, sets: Vec<(AccountId, i64, PolicySet)>, is_anew: bool) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if is_anew {
            known.policies =
                Arc::new(Policies::default().with_instance(Arc::clone(known.policies.instance())));
            known.versions.clear();
            known.version = 0;
        }
        let mut policies = Policies::clone(&known.policies);
        for (id, number, set) in sets {
            if known.versions.get(&id).is_none_or(|seen| *seen < number) {
                policies = policies.with_organization(id, Some(Arc::new(set)));
                known.versions.insert(id, number);
            }
        }
        known.policies = Arc::new(policies);
        known.version = known.version.max(version);
    }
}

/// Reads the policies of each organization. One that this version of the forge does not understand refuses everything it
/// might bind, until an owner removes it.
fn read(changed: Vec<ChangedPolicy>) -> Vec<(AccountId, i64, PolicySet)> {
    let mut organizations: BTreeMap<AccountId, (String, i64, Vec<PolicySource>)> = BTreeMap::new();
    for row in changed {
        let (_, _, sources) =
            organizations.entry(row.organization_id).or_insert((row.login, row.version, Vec::new()));
        if let (Some(name), Some(text)) = (row.name, row.text) {
            sources.push(PolicySource { name, text });
        }
    }
    let read = |(id, (login, version, sources)): (AccountId, (String, i64, Vec<PolicySource>))| {
        let set = PolicySet::of_organization(&login, &sources).unwrap_or_else(|fault| {
            tracing::error!(organization = %login, %fault, "a policy is no longer understood");
            PolicySet::refusing_all(&login, &fault)
        });
        (id, version, set)
    };
    organizations.into_iter().map(read).collect()
}
