//! The decision, asked as the layers ask it: what is hidden, who can never, what a scope covers, what a right allows.

use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId};
use forge_types::repository::Visibility;
use forge_types::{Action, Permission, Scope, Scopes};

use super::{
    AgentFacts, CredentialFacts, Decision, Effect, Means, Presence, Principal, ProfileFacts, RepositoryFacts,
    Resource, Subject, decide,
};

fn principal(kind: AccountKind, credential: CredentialKind, scopes: Option<&str>) -> Principal {
    Principal {
        id: AccountId(7),
        kind,
        is_site_admin: false,
        owner_id: None,
        standing_access: (kind == AccountKind::Agent).then_some(StandingAccess::Full),
        means: Means::Credential(CredentialFacts {
            id: CredentialId(1),
            kind: credential,
            scopes: scopes.map(|text| Scopes::parse(text).expect("known scopes")),
            acting_id: None,
        }),
    }
}

fn human(scopes: &str) -> Subject {
    Subject::Principal(principal(AccountKind::Human, CredentialKind::Personal, Some(scopes)))
}

fn repository(visibility: Visibility, permission: Option<Permission>) -> Resource {
    Resource::Repository(RepositoryFacts {
        owner_id: AccountId(1),
        owner_kind: AccountKind::Human,
        visibility,
        is_archived: false,
        permission,
    })
}

fn effect(decision: Decision) -> Option<Effect> {
    match decision {
        Decision::Allow => None,
        Decision::Deny(denial) => Some(denial.effect),
    }
}

#[test]
fn what_cannot_be_read_does_not_exist_whatever_is_asked() {
    let hidden = repository(Visibility::Private, None);
    for action in [Action::RepositoryRead, Action::CodePush, Action::RepositoryDelete] {
        for subject in [Subject::Anonymous, human("repo delete_repo")] {
            assert_eq!(effect(decide(&subject, action, &hidden)), Some(Effect::Hidden));
        }
    }
    let without_scope = decide(
        &human("gist"),
        Action::RepositoryRead,
        &repository(Visibility::Private, Some(Permission::Admin)),
    );
    assert_eq!(effect(without_scope), Some(Effect::Hidden));
}

#[test]
fn the_five_permissions_are_distinct() {
    let allowed = |permission: Permission| -> Vec<&str> {
        let target = repository(Visibility::Private, Some(permission));
        let may = |action: &&Action| decide(&human("repo delete_repo"), **action, &target) == Decision::Allow;
        Action::ALL.iter().filter(may).map(|action| action.as_str()).collect()
    };
    assert!(allowed(Permission::Read).contains(&"code.read"));
    assert!(!allowed(Permission::Triage).contains(&"code.push"));
    assert!(allowed(Permission::Write).contains(&"branch.force_update"));
    assert!(!allowed(Permission::Write).contains(&"repository.update"));
    assert!(allowed(Permission::Maintain).contains(&"repository.update"));
    assert!(!allowed(Permission::Maintain).contains(&"repository.administer"));
    assert!(allowed(Permission::Admin).contains(&"repository.delete"));
}

#[test]
fn anonymous_reads_public_and_is_asked_to_sign_in_for_more() {
    let public = repository(Visibility::Public, None);
    assert_eq!(decide(&Subject::Anonymous, Action::CodeRead, &public), Decision::Allow);
    assert_eq!(effect(decide(&Subject::Anonymous, Action::CodePush, &public)), Some(Effect::Unauthenticated));
}

#[test]
fn a_switch_session_cannot_change_whom_the_forge_trusts() {
    let mut switch = principal(AccountKind::Agent, CredentialKind::Switch, None);
    switch.standing_access = Some(StandingAccess::Full);
    let subject = Subject::Principal(switch);
    let own = Resource::Account { id: AccountId(7) };
    for action in
        [Action::CredentialCreate, Action::PublicKeyCreate, Action::ClientAuthorize, Action::AccountUpdate]
    {
        assert_eq!(effect(decide(&subject, action, &own)), Some(Effect::Forbidden), "{}", action.as_str());
    }
    let writable = repository(Visibility::Private, Some(Permission::Write));
    assert_eq!(decide(&subject, Action::CodePush, &writable), Decision::Allow);
}

#[test]
fn recovery_takes_a_person_who_has_just_confirmed_to_be_there_or_a_token_where_the_forge_takes_one() {
    use forge_types::Timestamp;
    let human = principal(AccountKind::Human, CredentialKind::Personal, Some("repo"));
    let browser = |presence| Means::Browser { authenticated_at: Timestamp::from_micros(0), presence };
    for (means, with_token, with_session) in [
        (human.means.clone(), true, false),
        (Means::Host, true, false),
        (browser(Presence::Confirmed), true, true),
        (browser(Presence::Recent), false, false),
        (browser(Presence::Stale), false, false),
    ] {
        for (recovery_takes_presence, may) in [(false, with_token), (true, with_session)] {
            let facts = AgentFacts {
                id: AccountId(8),
                owner_id: Some(human.id),
                suspended_by: None,
                recovery_takes_presence,
            };
            let subject = Subject::Principal(Principal { means: means.clone(), ..human.clone() });
            let decision = decide(&subject, Action::AgentRecover, &Resource::Agent(facts));
            assert_eq!(decision == Decision::Allow, may, "{means:?} {recovery_takes_presence}");
        }
    }
}

#[test]
fn a_reading_agent_cannot_write_with_its_standing_token() {
    let mut agent = principal(AccountKind::Agent, CredentialKind::Personal, None);
    agent.standing_access = Some(StandingAccess::Read);
    let subject = Subject::Principal(agent);
    let target = repository(Visibility::Private, Some(Permission::Admin));
    assert_eq!(decide(&subject, Action::CodeRead, &target), Decision::Allow);
    assert_eq!(effect(decide(&subject, Action::CodePush, &target)), Some(Effect::Forbidden));
}

#[test]
fn an_agent_never_administers_or_approves() {
    let mut agent = principal(AccountKind::Agent, CredentialKind::Personal, None);
    agent.is_site_admin = true;
    let subject = Subject::Principal(agent);
    for (action, resource) in [
        (Action::SiteAdminister, Resource::Site),
        (Action::DeviceDecide, Resource::Account { id: AccountId(7) }),
        (Action::OrganizationCreate, Resource::Account { id: AccountId(7) }),
    ] {
        assert_eq!(effect(decide(&subject, action, &resource)), Some(Effect::Forbidden));
    }
}

#[test]
fn an_address_is_read_where_it_is_shown_by_those_who_say_who_they_are() {
    let ask = |subject: &Subject, kind, is_email_public| {
        let profile = Resource::Profile(ProfileFacts { kind, is_email_public });
        effect(decide(subject, Action::ProfileReadEmail, &profile))
    };
    let reader = human("repo");
    for kind in [AccountKind::Human, AccountKind::Agent] {
        assert_eq!(ask(&reader, kind, true), None);
        assert_eq!(ask(&reader, kind, false), Some(Effect::Forbidden));
        assert_eq!(ask(&Subject::Anonymous, kind, true), Some(Effect::Unauthenticated));
    }
    assert_eq!(ask(&Subject::Anonymous, AccountKind::Organization, false), None);
    let profile = Resource::Profile(ProfileFacts { kind: AccountKind::Human, is_email_public: true });
    assert_eq!(
        effect(decide(&reader, Action::AccountUpdate, &profile)),
        Some(Effect::MissingScope(vec![Scope::User]))
    );
}

#[test]
fn only_the_operator_at_the_console_puts_refs_back_into_an_archived_repository() {
    let archived = Resource::Repository(RepositoryFacts {
        owner_id: AccountId(1),
        owner_kind: AccountKind::Human,
        visibility: Visibility::Private,
        is_archived: true,
        permission: Some(Permission::Admin),
    });
    let admin = principal(AccountKind::Human, CredentialKind::Personal, None);
    let operator = Principal { means: Means::Console, ..admin.clone() };
    let ask = |principal: Principal| {
        effect(decide(&Subject::Principal(principal), Action::BranchCreate, &archived))
    };
    assert_eq!(ask(admin), Some(Effect::Forbidden));
    assert_eq!(ask(operator), None);
}
