//! What policies are asked about. The same facts are kept, so that it can be asked what another policy would have said.

use std::collections::BTreeSet;
use std::net::IpAddr;

use forge_types::access_group::AccessGroupPlace;
use forge_types::account::AccountKind;
use forge_types::id::AccountId;
use forge_types::{Action, RefKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::ceiling::organization_of;
use super::super::{
    Answers, Means, Presence, Principal, RefFacts, RepositoryFacts, Resource, Signing, Touched,
};
use super::{Policies, binds, risk};

/// The circumstances of a request, as far as decisions turn on them.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The principal's login.
    pub login: &'a str,
    /// The time.
    pub now: Timestamp,
    /// By which surface the request came.
    pub surface: &'a str,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// The host that the forge would speak to.
    pub destination: Option<&'a str>,
    /// What the agent runs in, where that was proved.
    pub runtime: Option<&'a str>,
    /// Whether the token is bound to a key.
    pub has_key: bool,
    /// Whether a human approved just this.
    pub is_approved: bool,
    /// How many things policies refused this credential lately.
    pub recent_refusals: u32,
    /// The access groups of everyone who stands behind the request, in the organization it concerns.
    pub groups: &'a [AccessGroupPlace],
    /// What a decision point outside the forge has said so far, where there is one.
    pub outside: Option<&'a Answers>,
}

impl Circumstances<'_> {
    /// Returns circumstances of which nothing is known but the time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self {
            login: "",
            now,
            surface: "",
            source: None,
            destination: None,
            runtime: None,
            has_key: false,
            is_approved: false,
            recent_refusals: 0,
            groups: &[],
            outside: None,
        }
    }
}

/// Everything that a policy is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What is to be done.
    pub action: String,
    /// Who asks.
    pub principal: Asker,
    /// What it is to be done to.
    pub resource: ResourceFacts,
    /// Under which circumstances.
    pub context: CircumstanceFacts,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// `user` or `agent`.
    pub kind: String,
    /// Its id.
    pub id: i64,
    /// Its login.
    pub login: String,
    /// Whether it administers the forge.
    pub is_site_admin: bool,
    /// The human an agent is bound to.
    pub owner_id: Option<i64>,
    /// The access groups, in the organization that the resource belongs to, of everyone behind the request.
    #[serde(default)]
    pub groups: Vec<i64>,
}

/// What something is to be done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the schema of the policies says what they are")]
pub enum ResourceFacts {
    Account {
        id: i64,
        is_own: bool,
    },
    Organization {
        id: i64,
    },
    Team {
        id: i64,
        organization_id: i64,
    },
    TaskGrant {
        id: String,
        delegator_id: i64,
    },
    Repository {
        id: i64,
        owner_id: i64,
        owner_kind: String,
        full_name: String,
        visibility: String,
        is_archived: bool,
    },
}

/// How the principal proved who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedBy {
    /// The kind of token, or what there was instead.
    pub kind: String,
    /// Whether stealing it would not do.
    pub is_bound: bool,
}

/// The ref that is to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedRef {
    /// Its full name.
    pub name: String,
    /// `branch`, `tag` or `other`.
    pub kind: String,
    /// Whether it is the default branch.
    pub is_default: bool,
    /// Which of the watched path patterns are touched.
    pub touched: Vec<String>,
    /// Whether whoever makes the change has signed it.
    #[serde(default)]
    pub is_signed: bool,
}

/// Under which circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema of the policies says what they are")]
pub struct CircumstanceFacts {
    pub unix_seconds: i64,
    pub surface: String,
    pub runtime: Option<String>,
    pub source: Option<IpAddr>,
    pub destination: Option<String>,
    pub risk: i64,
    pub credential: ProvedBy,
    pub grant: Option<(String, String)>,
    pub is_approved: bool,
    pub recent_refusals: u32,
    pub r#ref: Option<ChangedRef>,
}

impl Facts {
    /// Gathers what policies are told; none if they do not bind this.
    #[must_use]
    pub fn gather(
        policies: &Policies,
        circumstances: &Circumstances<'_>,
        principal: &Principal,
        action: Action,
        resource: &Resource,
    ) -> Option<Self> {
        if !binds(action) {
            return None;
        }
        Some(Self {
            action: action.as_str().to_owned(),
            principal: account(circumstances, principal, resource),
            resource: resource_facts(principal, resource)?,
            context: context(policies, circumstances, principal, action, resource),
        })
    }

    /// Returns the same with everything done that soft policies ask for and a caller could do.
    pub(super) fn satisfied(&self) -> Self {
        let mut facts = self.clone();
        facts.context.is_approved = true;
        facts.context.credential.is_bound = true;
        facts
    }

    /// Returns whether it is the same question, at whatever time.
    #[must_use]
    pub fn is_same_question(&self, other: &Self) -> bool {
        self.timeless() == other.timeless()
    }

    /// Returns the same without what changes from one moment to the next.
    pub(crate) fn timeless(&self) -> Self {
        let mut facts = self.clone();
        facts.context.unix_seconds = 0;
        facts.context.recent_refusals = 0;
        facts
    }
}

/// Returns the word that policies and facts have for a kind of account.
pub(super) const fn kind_name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Human => "user",
        AccountKind::Agent => "agent",
        AccountKind::Organization => "organization",
    }
}

fn account(circumstances: &Circumstances<'_>, principal: &Principal, resource: &Resource) -> Asker {
    let organization = organization_of(resource);
    let groups = circumstances.groups.iter().filter(|place| Some(place.organization_id) == organization);
    Asker {
        kind: kind_name(principal.kind).to_owned(),
        id: principal.id.0,
        login: circumstances.login.to_owned(),
        is_site_admin: principal.is_site_admin,
        owner_id: principal.owner_id.map(|id| id.0),
        groups: groups.map(|place| place.group_id.0).collect::<BTreeSet<i64>>().into_iter().collect(),
    }
}

/// Nothing is done to the forge as a whole, to profiles, kill switches and approvals that a policy binds.
fn resource_facts(principal: &Principal, resource: &Resource) -> Option<ResourceFacts> {
    let of_account = |id: AccountId| ResourceFacts::Account { id: id.0, is_own: id == principal.id };
    Some(match resource {
        Resource::Account { id } => of_account(*id),
        Resource::Agent(agent) => of_account(agent.id),
        Resource::Organization(organization) => ResourceFacts::Organization { id: organization.id.0 },
        Resource::Team(team) => {
            ResourceFacts::Team { id: team.id.0, organization_id: team.organization_id.0 }
        }
        Resource::Grant(grant) => {
            ResourceFacts::TaskGrant { id: grant.id.0.clone(), delegator_id: grant.delegator_id.0 }
        }
        Resource::Repository(repository) => repository_facts(repository),
        Resource::Ref(facts) => repository_facts(&facts.repository),
        Resource::Site | Resource::Profile(_) | Resource::KillSwitch(_) | Resource::Approval(_) => {
            return None;
        }
    })
}

fn repository_facts(repository: &RepositoryFacts) -> ResourceFacts {
    ResourceFacts::Repository {
        id: repository.id.0,
        owner_id: repository.owner_id.0,
        owner_kind: kind_name(repository.owner_kind).to_owned(),
        full_name: repository.full_name.clone(),
        visibility: repository.visibility.as_str().to_owned(),
        is_archived: repository.is_archived,
    }
}

fn context(
    policies: &Policies,
    circumstances: &Circumstances<'_>,
    principal: &Principal,
    action: Action,
    resource: &Resource,
) -> CircumstanceFacts {
    let (kind, is_bound) = credential(circumstances, &principal.means);
    let grant = principal.credential().and_then(|credential| credential.grants.first());
    CircumstanceFacts {
        unix_seconds: circumstances.now.as_seconds(),
        surface: circumstances.surface.to_owned(),
        runtime: circumstances.runtime.map(str::to_owned),
        source: circumstances.source,
        destination: circumstances.destination.map(str::to_owned),
        risk: risk(action),
        credential: ProvedBy { kind: kind.to_owned(), is_bound },
        grant: grant.map(|grant| (grant.id.0.clone(), grant.task.clone())),
        is_approved: circumstances.is_approved,
        recent_refusals: circumstances.recent_refusals,
        r#ref: match resource {
            Resource::Ref(facts) => Some(ref_facts(policies, facts)),
            _ => None,
        },
    }
}

/// A person is as good as bound who was at the browser lately; so is who has the machine.
fn credential(circumstances: &Circumstances<'_>, means: &Means) -> (&'static str, bool) {
    match means {
        Means::Credential(credential) => (credential.kind.as_str(), circumstances.has_key),
        Means::Browser { presence, .. } => ("browser", *presence != Presence::Stale),
        Means::Host => ("host", true),
        Means::Console => ("console", true),
        Means::Deferred => ("deferred", circumstances.has_key),
    }
}

/// If it cannot be told which files are touched, all that anyone asks about count as touched.
fn ref_facts(policies: &Policies, facts: &RefFacts) -> ChangedRef {
    let is_touched = |pattern: &&forge_types::grant::PathPattern| match &facts.touched {
        Touched::Unknown => true,
        Touched::Paths(paths) => paths.iter().any(|path| pattern.is_touched_by(path)),
    };
    let watched = policies.watched_paths(facts.repository.owner_id);
    ChangedRef {
        name: facts.name.as_str().to_owned(),
        kind: match facts.name.kind() {
            RefKind::Branch => "branch",
            RefKind::Tag => "tag",
            RefKind::Note | RefKind::Pull | RefKind::Internal | RefKind::Other => "other",
        }
        .to_owned(),
        is_default: facts.is_default,
        touched: watched.filter(is_touched).map(|pattern| pattern.as_str().to_owned()).collect(),
        is_signed: facts.signing == Signing::Signed,
    }
}
