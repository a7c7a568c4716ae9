//! What the policies ask of a request that only the database knows: it is looked up before deciding, because deciding
//! waits for nothing.
//!
//! INVARIANT: where nobody has looked, nothing is allowed that policies bind. A use case that forgot to look must not find
//! that nothing binds.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forge_auth::policy::{Denial, Effect, Resource, organization_of, policies_of};
use forge_store::Conn;
use forge_types::Result;
use forge_types::access_group::AccessGroupPlace;
use forge_types::id::AccountId;

use super::RequestContext;
use crate::policies;
use crate::target::Facts;

/// What was looked up so far.
#[derive(Default)]
pub(super) struct Known {
    /// How much policies refused this credential lately, if any asks.
    recent_refusals: AtomicU32,
    groups: Mutex<Groups>,
}

/// The access groups of everyone behind a request.
#[derive(Default)]
struct Groups {
    /// The organizations whose things the request was about so far; nobody need be in a group of one.
    organizations: HashSet<AccountId>,
    places: Arc<Vec<AccessGroupPlace>>,
}

impl Known {
    pub(super) fn recent_refusals(&self) -> u32 {
        self.recent_refusals.load(Ordering::Relaxed)
    }

    fn put_recent_refusals(&self, count: i64) {
        self.recent_refusals.store(u32::try_from(count).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts what was found in one organization in the place of what was found there before.
    fn put_groups(&self, organization: AccountId, places: Vec<AccessGroupPlace>) {
        let mut groups = self.groups();
        let others = groups.places.iter().filter(|place| place.organization_id != organization).cloned();
        groups.places = Arc::new(others.chain(places).collect());
        groups.organizations.insert(organization);
    }
}

impl RequestContext {
    /// Loads what is new of the policies, and what they ask that only the database knows.
    pub(crate) async fn look_at_policies(&self, conn: &mut Conn, found: &impl Facts) -> Result<()> {
        self.inner.app.policies.refresh(conn).await?;
        let resource = found.resource(self);
        self.look_at_groups(conn, organization_of(&resource)).await?;
        self.look_at_refusals(conn, &resource).await
    }

    /// Loads the access groups, in an organization, of everyone who stands behind this request.
    pub(crate) async fn look_at_groups(
        &self,
        conn: &mut Conn,
        organization: Option<AccountId>,
    ) -> Result<()> {
        let Some(organization) = organization.filter(|_| self.inner.caller.account.is_some()) else {
            return Ok(());
        };
        let mut accounts: Vec<AccountId> =
            [self.account_id(), self.rights_id()].into_iter().flatten().collect();
        accounts.extend(self.inner.caller.authority.iter().flat_map(|authority| &authority.delegators));
        accounts.sort_unstable();
        accounts.dedup();
        let places = forge_store::access_groups::list_places(conn, organization, &accounts).await?;
        self.inner.known.put_groups(organization, places);
        Ok(())
    }

    /// Returns whether the groups in this organization are known, or are no matter.
    pub(super) fn has_looked(&self, organization: Option<AccountId>) -> bool {
        let is_known = |id| self.inner.known.groups().organizations.contains(&id);
        self.inner.caller.account.is_none() || organization.is_none_or(is_known)
    }

    /// Returns the access groups that were loaded.
    pub(crate) fn groups(&self) -> Arc<Vec<AccessGroupPlace>> {
        Arc::clone(&self.inner.known.groups().places)
    }

    /// Counts what policies refused this credential lately, if one of those that bind the resource asks.
    pub(crate) async fn look_at_refusals(&self, conn: &mut Conn, resource: &Resource) -> Result<()> {
        let owner = policies_of(resource);
        if let Some(credential) = &self.inner.caller.credential
            && (self.is_asked_outside() || self.policies().count_refusals(owner))
        {
            let since = self.now().minus(policies::RECENT);
            let count = forge_store::decisions::count_refused(conn, credential.id, since).await?;
            self.inner.known.put_recent_refusals(count);
        }
        Ok(())
    }
}

/// Refuses what policies bind where nobody has looked which do.
pub(super) fn unknown() -> Denial {
    Denial {
        effect: Effect::Forbidden,
        rule: "ceiling.unknown".into(),
        message: "it is not known what bounds this".to_owned(),
        grant: None,
    }
}
