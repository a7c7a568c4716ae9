//! Identifiers as newtypes, so that one kind cannot be passed for another.
//!
//! Ids of GitHub's objects are database sequences (clients read them as 32-bit `databaseId`); ids of our own objects
//! are random strings with a prefix that says what they are.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! sequence_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

macro_rules! prefixed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

sequence_ids! {
    /// A human, agent or organization: everything that has a login.
    AccountId,
    /// A repository.
    RepositoryId,
    /// A credential of any kind.
    CredentialId,
    /// A team of an organization.
    TeamId,
    /// A label of a repository.
    LabelId,
    /// A public key of an account.
    PublicKeyId,
    /// A registered OAuth client.
    ClientId,
    /// One push: all ref changes of one request.
    PushId,
    /// An entry of the audit log.
    AuditEventId,
    /// A browser session.
    WebSessionId,
    /// An access group of an organization.
    AccessGroupId,
    /// A policy by which an organization delegates.
    DelegationPolicyId,
    /// Work to be done later.
    JobId,
}

prefixed_ids! {
    /// An invitation of an agent by a human.
    InviteId = "inv_",
    /// A task grant.
    GrantId = "tg_",
    /// A kill switch.
    KillSwitchId = "ks_",
    /// A request for a human's approval.
    ApprovalId = "apr_",
    /// A public key of an agent.
    AgentKeyId = "key_",
    /// A binding of workloads to an agent.
    WorkloadBindingId = "wb_",
    /// One HTTP request or command; it joins answer, log and audit entry.
    RequestId = "req_",
}
