//! On whose behalf a caller acts. The one place that says it, for every event.

use forge_types::account::AccountRef;

use crate::context::Caller;

/// What stands behind a caller's right to act.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditAuthority {
    /// The human or organization on whose behalf it is done.
    pub(crate) delegator: Option<AccountRef>,
    /// The task it is done for.
    pub(crate) task: Option<String>,
    /// The grant that allows it.
    pub(crate) grant: Option<String>,
    /// The runtime it is done in.
    pub(crate) runtime: Option<String>,
}

/// Returns on whose behalf and in what the caller acts; `None` if for itself alone, wherever that is. With a task token that is
/// whoever granted it, in delegated mode the human whose rights the agent uses, in a switch session the human who opened it.
pub(crate) fn authority(caller: &Caller) -> Option<AuditAuthority> {
    if let Some(authority) = &caller.authority {
        return Some(AuditAuthority {
            delegator: Some(authority.delegator.clone()),
            task: authority.grant.as_ref().map(|granted| granted.task.clone()),
            grant: authority.grant.as_ref().map(|granted| granted.grant_id.0.clone()),
            runtime: caller.runtime.clone(),
        });
    }
    let (delegator, runtime) = (caller.acting.clone(), caller.runtime.clone());
    let is_alone = delegator.is_none() && runtime.is_none();
    (!is_alone).then(|| AuditAuthority { delegator, runtime, ..AuditAuthority::default() })
}
