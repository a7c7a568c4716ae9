//! The rights matrix: what each kind of principal may do with each kind of credential, to each kind and state of resource.
//!
//! It is written from the decision itself. Whoever changes a rule sees in the difference of one file whom it concerns.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use forge_auth::policy::{
    self, AgentFacts, ApprovalFacts, Circumstances, CredentialFacts, Decision, Effect, GrantFacts,
    KillSwitchFacts, Means, OrganizationFacts, Policies, Presence, Principal, ProfileFacts, RefFacts,
    RepositoryFacts, Resource, Signing, Subject, TaskGrantFacts, TeamFacts, Touched,
};
use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::ceiling::Ceiling;
use forge_types::credential::CredentialKind;
use forge_types::grant::{BranchPrefix, GrantAction, GrantConstraints, GrantResource, GrantTerms};
use forge_types::id::{AccountId, CredentialId, GrantId, RepositoryId, TeamId};
use forge_types::organization::{OrganizationRole, TeamPrivacy, TeamRole};
use forge_types::repository::Visibility;
use forge_types::{Action, Permission, RefName, Scopes, Timestamp};

/// Whoever asks.
const SELF: AccountId = AccountId(1);
/// The human of an agent that asks, and whoever delegated.
const OWNER: AccountId = AccountId(2);
/// Somebody else.
const OTHER: AccountId = AccountId(3);
/// Decides under the policies that the forge comes with.
pub(crate) fn decide(subject: &Subject, action: Action, resource: &Resource) -> Decision {
    let circumstances = Circumstances::at(Timestamp::from_micros(0));
    policy::decide(&SHIPPED, &circumstances, subject, action, resource).decision
}

static SHIPPED: LazyLock<Policies> = LazyLock::new(Policies::shipped);

const REPOSITORY: RepositoryId = RepositoryId(1);
const ELSEWHERE: RepositoryId = RepositoryId(2);

const HEAD: &str = "The rights matrix. Written by `cargo xtask refresh-schema` from the decision itself; read it as a difference.

A row is an action, a column is whoever asks, a section is what is asked about.
  .  allowed          H  does not exist for it      U  has to say who it is
  S  lacks a scope    F  forbidden                  A  takes a human's approval
  W  withheld by a policy until something else is so
Actions that nobody in a section may take are left out of it.
";

/// Whoever asks.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) subject: Subject,
}

/// Returns everyone who asks.
pub(crate) fn columns() -> Vec<Column> {
    use {AccountKind as K, CredentialKind as C};
    let browser = |presence| Means::Browser { authenticated_at: Timestamp::from_micros(0), presence };
    let human = |means| Subject::Principal(principal(K::Human, means, None, false));
    let token = |kind, scopes: Option<&str>| {
        Means::Credential(credential(kind, scopes.map(|text| Scopes::parse(text).unwrap()), Vec::new()))
    };
    let agent =
        |kind, access| Subject::Principal(principal(K::Agent, token(kind, None), Some(access), false));
    let tasked = |constraints, actions: &[GrantAction]| {
        let means = Means::Credential(credential(C::Task, None, vec![grant(constraints, actions)]));
        let mut principal = principal(K::Agent, means, Some(StandingAccess::ExchangeOnly), false);
        principal.holder_id = Some(OWNER);
        Subject::Principal(principal)
    };
    let every = GrantAction::ALL;
    let asks = GrantConstraints {
        requires_approval: every.iter().copied().collect(),
        ..GrantConstraints::default()
    };
    let prefix = BranchPrefix::new("agent/").unwrap();
    let within = GrantConstraints { branch_prefix: Some(prefix), ..GrantConstraints::default() };
    let mut approved = tasked(asks.clone(), every);
    if let Subject::Principal(principal) = &mut approved
        && let Means::Credential(credential) = &mut principal.means
    {
        credential.is_approved = true;
    }
    let full = StandingAccess::Full;
    let unbound = {
        let mut facts = credential(C::Personal, None, Vec::new());
        facts.lacks_key = true;
        Subject::Principal(principal(K::Agent, Means::Credential(facts), Some(full), false))
    };
    let delegated = {
        let mut principal = principal(K::Agent, token(C::Personal, None), Some(full), false);
        (principal.holder_id, principal.ceiling) =
            (Some(OWNER), Some(Box::new(Ceiling::of(Permission::Write))));
        Subject::Principal(principal)
    };
    let column = |name, subject| Column { name, subject };
    vec![
        column("nobody", Subject::Anonymous),
        column("human, browser left open", human(browser(Presence::Stale))),
        column("human, browser within half an hour", human(browser(Presence::Recent))),
        column("human, browser within five minutes", human(browser(Presence::Confirmed))),
        column("human, token without limits", human(token(C::Personal, None))),
        column("human, token for public repositories", human(token(C::Personal, Some("public_repo")))),
        column("human, token of an OAuth client for repositories", human(token(C::OAuth, Some("repo")))),
        column("human whom a host vouches for", human(Means::Host)),
        column(
            "site administrator, token",
            Subject::Principal(principal(K::Human, token(C::Personal, None), None, true)),
        ),
        column("agent, own token, full", agent(C::Personal, full)),
        column("agent, own token, read", agent(C::Personal, StandingAccess::Read)),
        column("agent, own token, exchange_only", agent(C::Personal, StandingAccess::ExchangeOnly)),
        column("agent with its human's rights up to write", delegated),
        column("agent, session, full", agent(C::Session, full)),
        column("agent, own token that lacks the demanded key", unbound),
        column("human acting as the agent", agent(C::Switch, full)),
        column("agent, bootstrap secret", agent(C::Bootstrap, full)),
        column("agent, task that may do everything", tasked(GrantConstraints::default(), every)),
        column("agent, task below agent/", tasked(within, every)),
        column("agent, task that may read", tasked(GrantConstraints::default(), &[GrantAction::ReadCode])),
        column("agent, task that asks for everything", tasked(asks, every)),
        column("the forge, for that task, approved", approved),
    ]
}

fn principal(
    kind: AccountKind,
    means: Means,
    standing_access: Option<StandingAccess>,
    is_site_admin: bool,
) -> Principal {
    let owner_id = (kind == AccountKind::Agent).then_some(OWNER);
    Principal {
        id: SELF,
        kind,
        is_site_admin,
        owner_id,
        standing_access,
        ceiling: None,
        holder_id: None,
        stops: Vec::new(),
        means,
    }
}

fn credential(kind: CredentialKind, scopes: Option<Scopes>, grants: Vec<GrantFacts>) -> CredentialFacts {
    CredentialFacts {
        id: CredentialId(1),
        kind,
        scopes,
        acting_id: (kind == CredentialKind::Switch).then_some(OWNER),
        grants,
        audience: None,
        lacks_key: false,
        signed_only: false,
        is_of_runtime: false,
        is_approved: false,
    }
}

fn grant_id() -> GrantId {
    GrantId("tg_1".to_owned())
}

fn grant(constraints: GrantConstraints, actions: &[GrantAction]) -> GrantFacts {
    let resources = vec![GrantResource::Repo { repository_id: REPOSITORY, name: "o/r".to_owned() }];
    let actions: BTreeSet<GrantAction> = actions.iter().copied().collect();
    let terms = GrantTerms { resources, actions, constraints };
    GrantFacts { id: grant_id(), delegator_id: OWNER, created_by: OWNER, task: "t".to_owned(), terms }
}

/// What is asked about.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) resource: Resource,
}

fn section(name: impl Into<String>, resource: Resource) -> Section {
    Section { name: name.into(), resource }
}

/// Returns everything that is asked about.
pub(crate) fn sections() -> Vec<Section> {
    let mut all = vec![
        section("the site", Resource::Site),
        section("one's own account", Resource::Account { id: SELF }),
        section("another's account", Resource::Account { id: OTHER }),
    ];
    for kind in [AccountKind::Human, AccountKind::Agent, AccountKind::Organization] {
        let shown = |is_email_public| Resource::Profile(ProfileFacts { kind, is_email_public });
        all.push(section(format!("profile of kind {} that shows its address", kind.as_str()), shown(true)));
        all.push(section(format!("profile of kind {} that hides its address", kind.as_str()), shown(false)));
    }
    all.extend(repositories());
    all.extend(refs());
    all.extend(organizations());
    all.extend(agents());
    all.extend(authority());
    all
}

fn repository(id: RepositoryId, visibility: Visibility, permission: Option<Permission>) -> RepositoryFacts {
    let owner_kind = AccountKind::Human;
    RepositoryFacts {
        id,
        owner_id: OTHER,
        owner_kind,
        full_name: "o/r".to_owned(),
        visibility,
        is_archived: false,
        allows_forking: true,
        permission,
    }
}

fn repositories() -> Vec<Section> {
    let mut all = Vec::new();
    for visibility in [Visibility::Public, Visibility::Internal, Visibility::Private] {
        let facts = repository(REPOSITORY, visibility, None);
        all.push(section(
            format!("{} repository, no permission", visibility.as_str()),
            Resource::Repository(facts),
        ));
    }
    for permission in Permission::ALL {
        let facts = repository(REPOSITORY, Visibility::Private, Some(permission));
        let name = format!("private repository, {}", permission.role_name());
        all.push(section(name, Resource::Repository(facts)));
    }
    let archived = RepositoryFacts {
        is_archived: true,
        ..repository(REPOSITORY, Visibility::Private, Some(Permission::Admin))
    };
    all.push(section("archived private repository, admin", Resource::Repository(archived)));
    for visibility in [Visibility::Public, Visibility::Private] {
        let facts = repository(ELSEWHERE, visibility, Some(Permission::Admin));
        let name = format!("{} repository outside of the task, admin", visibility.as_str());
        all.push(section(name, Resource::Repository(facts)));
    }
    all
}

fn refs() -> Vec<Section> {
    let change = |name: &str, permission| {
        Resource::Ref(RefFacts {
            repository: repository(REPOSITORY, Visibility::Private, Some(permission)),
            name: RefName::new(name).unwrap(),
            touched: Touched::nothing(),
            is_default: name.ends_with("/main"),
            signing: Signing::Unsigned,
        })
    };
    vec![
        section("refs/heads/main, write", change("refs/heads/main", Permission::Write)),
        section("refs/heads/agent/x, write", change("refs/heads/agent/x", Permission::Write)),
        section("refs/tags/v1, write", change("refs/tags/v1", Permission::Write)),
        section("refs/heads/main, triage", change("refs/heads/main", Permission::Triage)),
    ]
}

fn organizations() -> Vec<Section> {
    let organization = |role, members_can_create_repositories| {
        Resource::Organization(OrganizationFacts { id: OTHER, role, members_can_create_repositories })
    };
    let (member, owner) = (Some(OrganizationRole::Member), Some(OrganizationRole::Admin));
    let team = |privacy, organization_role, role| {
        Resource::Team(TeamFacts { id: TeamId(1), organization_id: OTHER, privacy, organization_role, role })
    };
    vec![
        section("organization, no member", organization(None, true)),
        section("organization, member", organization(member, false)),
        section("organization where members create repositories, member", organization(member, true)),
        section("organization, owner", organization(owner, false)),
        section("visible team, no member of the organization", team(TeamPrivacy::Closed, None, None)),
        section("visible team, member of the organization", team(TeamPrivacy::Closed, member, None)),
        section("secret team, member of the organization", team(TeamPrivacy::Secret, member, None)),
        section("secret team, member", team(TeamPrivacy::Secret, member, Some(TeamRole::Member))),
        section("secret team, maintainer", team(TeamPrivacy::Secret, member, Some(TeamRole::Maintainer))),
        section("secret team, owner of the organization", team(TeamPrivacy::Secret, owner, None)),
    ]
}

fn agents() -> Vec<Section> {
    let agent = |id, owner_id, suspended_by, recovery_takes_presence| {
        Resource::Agent(AgentFacts { id, owner_id, suspended_by, recovery_takes_presence })
    };
    vec![
        section("oneself as an agent", agent(SELF, Some(OWNER), None, false)),
        section("one's own agent", agent(OTHER, Some(SELF), None, false)),
        section("one's own agent, where recovery takes a browser", agent(OTHER, Some(SELF), None, true)),
        section(
            "one's own agent, suspended by an administrator",
            agent(OTHER, Some(SELF), Some(OTHER), false),
        ),
        section("another's agent", agent(OTHER, Some(OTHER), None, false)),
    ]
}

fn authority() -> Vec<Section> {
    let grant = |agent_id, agent_owner_id, delegator_id, owns_delegator| {
        Resource::Grant(TaskGrantFacts {
            id: grant_id(),
            agent_id,
            agent_owner_id,
            delegator_id,
            owns_delegator,
        })
    };
    let approval = |requester_id, delegators: &[AccountId], permission, separates_delegator| {
        Resource::Approval(ApprovalFacts {
            requester_id,
            requester_owner_id: None,
            acting_id: None,
            delegators: delegators.to_vec(),
            grant_id: Some(grant_id()),
            permission,
            separates_delegator,
        })
    };
    let write = Some(Permission::Write);
    vec![
        section("grant for oneself", grant(SELF, None, OWNER, false)),
        section("grant by oneself", grant(OTHER, None, SELF, false)),
        section("grant by one's organization", grant(OTHER, None, OTHER, true)),
        section("grant for one's agent by another", grant(OTHER, Some(SELF), OTHER, false)),
        section("grant among others", grant(OTHER, None, OTHER, false)),
        section("kill switch of one's own", Resource::KillSwitch(KillSwitchFacts { set_by: SELF })),
        section("kill switch of another", Resource::KillSwitch(KillSwitchFacts { set_by: OTHER })),
        section("approval that one asked for, write", approval(SELF, &[OWNER], write, false)),
        section("approval under one's grant, write", approval(OTHER, &[SELF], write, false)),
        section("approval under one's grant, write, strict", approval(OTHER, &[SELF], write, true)),
        section("approval under one's grant, read", approval(OTHER, &[SELF], Some(Permission::Read), false)),
        section("approval among others, write", approval(OTHER, &[OTHER], write, true)),
        section("approval among others, read", approval(OTHER, &[OTHER], Some(Permission::Read), false)),
    ]
}

const fn cell(decision: &Decision) -> char {
    match decision {
        Decision::Allow => '.',
        Decision::Deny(denial) => match denial.effect {
            Effect::Hidden => 'H',
            Effect::Unauthenticated => 'U',
            Effect::MissingScope(_) => 'S',
            Effect::Forbidden => 'F',
            Effect::Approval => 'A',
            Effect::Withheld(_) => 'W',
        },
    }
}

/// Returns the whole matrix.
pub(crate) fn matrix() -> String {
    let columns = columns();
    let mut text = HEAD.to_owned();
    for (at, column) in columns.iter().enumerate() {
        writeln!(text, "  {:>2}  {}", at + 1, column.name).unwrap();
    }
    let numbers = |digit: fn(usize) -> usize| -> String {
        (1..=columns.len()).map(|number| char::from_digit(digit(number) as u32, 10).unwrap()).collect()
    };
    for section in sections() {
        writeln!(text, "\n== {}", section.name).unwrap();
        writeln!(text, "{:36}{}", "", numbers(|number| number / 10)).unwrap();
        writeln!(text, "{:36}{}", "", numbers(|number| number % 10)).unwrap();
        for action in Action::ALL {
            let cells: String = columns
                .iter()
                .map(|column| cell(&decide(&column.subject, *action, &section.resource)))
                .collect();
            if cells.contains(['.', 'A']) {
                writeln!(text, "{:36}{cells}", action.as_str()).unwrap();
            }
        }
    }
    text
}
