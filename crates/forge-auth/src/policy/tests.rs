//! The decision, asked as the layers ask it: what is hidden, who can never, what a scope covers, what a right allows.

use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId, RepositoryId};
use forge_types::repository::Visibility;
use forge_types::{Action, Permission, Scope, Scopes};

use super::{
    AgentFacts, CredentialFacts, Decision, Effect, Means, Presence, Principal, ProfileFacts, RefFacts,
    RepositoryFacts, Resource, Signing, Subject, Touched,
};

/// Decides under the policies that the forge comes with.
fn decide(subject: &Subject, action: Action, resource: &Resource) -> Decision {
    let circumstances = super::Circumstances::at(forge_types::Timestamp::from_seconds(0));
    super::decide(&super::Policies::shipped(), &circumstances, subject, action, resource).decision
}

fn principal(kind: AccountKind, credential: CredentialKind, scopes: Option<&str>) -> Principal {
    Principal {
        id: AccountId(7),
        kind,
        is_site_admin: false,
        owner_id: None,
        ceiling: None,
        standing_access: (kind == AccountKind::Agent).then_some(StandingAccess::Full),
        holder_id: None,
        stops: Vec::new(),
        means: Means::Credential(CredentialFacts {
            is_approved: false,
            id: CredentialId(1),
            kind: credential,
            scopes: scopes.map(|text| Scopes::parse(text).expect("known scopes")),
            acting_id: None,
            grants: Vec::new(),
            audience: None,
            lacks_key: false,
            signed_only: false,
            is_of_runtime: false,
        }),
    }
}

fn human(scopes: &str) -> Subject {
    Subject::Principal(principal(AccountKind::Human, CredentialKind::Personal, Some(scopes)))
}

fn repository(visibility: Visibility, permission: Option<Permission>) -> Resource {
    Resource::Repository(RepositoryFacts {
        id: RepositoryId(1),
        owner_id: AccountId(1),
        owner_kind: AccountKind::Human,
        full_name: "alice/work".to_owned(),
        visibility,
        is_archived: false,
        allows_forking: true,
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
fn a29_whose_pushes_must_be_signed_changes_no_ref_unsigned_and_adds_no_key() {
    let mut agent = principal(AccountKind::Agent, CredentialKind::Personal, None);
    if let Means::Credential(credential) = &mut agent.means {
        credential.signed_only = true;
    }
    let own = Resource::Account { id: agent.id };
    let strict = Subject::Principal(agent);
    let change = |signing: Signing| {
        let target = repository(Visibility::Private, Some(Permission::Admin));
        let Resource::Repository(repository) = target else { unreachable!("a repository") };
        let name = forge_types::RefName::branch("main").expect("a name");
        Resource::Ref(RefFacts { repository, name, is_default: false, touched: Touched::nothing(), signing })
    };
    let rule = |subject: &Subject, action, resource: &Resource| match decide(subject, action, resource) {
        Decision::Allow => "allow".into(),
        Decision::Deny(denial) => denial.rule,
    };
    let human = principal(AccountKind::Human, CredentialKind::Personal, None);
    let human = Subject::Principal(human);
    let refused = || change(Signing::Refused("no".to_owned()));
    for action in [Action::BranchCreate, Action::BranchUpdate, Action::BranchDelete, Action::TagCreate] {
        assert_eq!(rule(&strict, action, &change(Signing::Unsigned)), "signing.unsigned");
        assert_eq!(rule(&human, action, &change(Signing::Unsigned)), "allow");
        for subject in [&strict, &human] {
            assert_eq!(rule(subject, action, &change(Signing::Signed)), "allow");
            assert_eq!(rule(subject, action, &refused()), "signing.refused");
        }
    }
    assert_eq!(rule(&strict, Action::SigningKeyCreate, &own), "signing.key");
    assert_eq!(rule(&strict, Action::SigningKeyDelete, &own), "allow");
}

#[test]
fn a_token_that_lacks_the_key_its_agent_demands_is_good_for_nothing() {
    let agent = principal(AccountKind::Agent, CredentialKind::Personal, None);
    let mut unbound = agent.clone();
    if let Means::Credential(credential) = &mut unbound.means {
        credential.lacks_key = true;
    }
    let target = repository(Visibility::Private, Some(Permission::Admin));
    for action in [Action::RepositoryRead, Action::CodeRead, Action::CodePush] {
        assert_eq!(decide(&Subject::Principal(agent.clone()), action, &target), Decision::Allow);
        assert_eq!(
            effect(decide(&Subject::Principal(unbound.clone()), action, &target)),
            Some(Effect::Forbidden)
        );
    }
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
        id: RepositoryId(1),
        owner_id: AccountId(1),
        owner_kind: AccountKind::Human,
        full_name: "alice/work".to_owned(),
        visibility: Visibility::Private,
        is_archived: true,
        allows_forking: true,
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

mod grants {
    use std::sync::Arc;

    use forge_types::RefName;
    use forge_types::grant::{
        BranchPrefix, GrantAction, GrantConstraints, GrantResource, GrantTerms, PathPattern,
    };
    use forge_types::id::GrantId;

    use super::super::{GrantFacts, visible_repositories};
    use super::*;

    fn grant(actions: &[GrantAction], constraints: GrantConstraints) -> GrantFacts {
        let resource = GrantResource::Repo { repository_id: RepositoryId(1), name: "acme/one".to_owned() };
        let actions = actions.iter().copied().collect();
        GrantFacts {
            id: GrantId("tg_x".to_owned()),
            delegator_id: AccountId(1),
            created_by: AccountId(1),
            task: "a task".to_owned(),
            terms: GrantTerms { resources: vec![resource], actions, constraints },
        }
    }

    fn bearer(grants: Vec<GrantFacts>) -> Subject {
        let mut agent = principal(AccountKind::Agent, CredentialKind::Task, None);
        agent.holder_id = Some(AccountId(1));
        agent.standing_access = Some(StandingAccess::ExchangeOnly);
        if let Means::Credential(credential) = &mut agent.means {
            credential.grants = grants;
        }
        Subject::Principal(agent)
    }

    fn facts(id: i64, visibility: Visibility, permission: Option<Permission>) -> RepositoryFacts {
        let Resource::Repository(facts) = repository(visibility, permission) else {
            unreachable!("a repository")
        };
        RepositoryFacts { id: RepositoryId(id), ..facts }
    }

    fn change(name: &str, touched: Touched) -> Resource {
        Resource::Ref(RefFacts {
            repository: facts(1, Visibility::Private, Some(Permission::Admin)),
            name: RefName::new(name).expect("a name"),
            is_default: false,
            touched,
            signing: Signing::Unsigned,
        })
    }

    fn rule(decision: Decision) -> std::borrow::Cow<'static, str> {
        match decision {
            Decision::Allow => "allow".into(),
            Decision::Deny(denial) => denial.rule,
        }
    }

    #[test]
    fn a_grant_conveys_its_actions_and_nothing_else_whatever_the_delegator_may_do() {
        let target = Resource::Repository(facts(1, Visibility::Private, Some(Permission::Admin)));
        for conveyed in GrantAction::ALL {
            let subject = bearer(vec![grant(&[*conveyed], GrantConstraints::default())]);
            let allowed: Vec<&str> = Action::ALL
                .iter()
                .filter(|action| decide(&subject, **action, &target) == Decision::Allow)
                .map(|action| action.as_str())
                .collect();
            let expected: &[&str] = match conveyed {
                GrantAction::ReadCode => &["repository.read", "code.read"],
                GrantAction::CreateBranch => &["repository.read", "code.push", "branch.create"],
                GrantAction::PushBranch => &["repository.read", "code.push", "branch.update"],
                GrantAction::ForcePush => {
                    &["repository.read", "code.push", "branch.force_update", "tag.update"]
                }
                GrantAction::DeleteRef => &["repository.read", "code.push", "branch.delete", "tag.delete"],
                GrantAction::CreateTag => &["repository.read", "code.push", "tag.create"],
                GrantAction::ManageIssues => &["repository.read", "label.manage"],
                _ => &["repository.read"],
            };
            assert_eq!(allowed, expected, "{conveyed}");
        }
    }

    #[test]
    fn a_grant_conveys_no_more_than_the_delegator_may_do_now() {
        let subject = bearer(vec![grant(GrantAction::ALL, GrantConstraints::default())]);
        let of = |permission| Resource::Repository(facts(1, Visibility::Private, permission));
        assert_eq!(rule(decide(&subject, Action::CodePush, &of(Some(Permission::Write)))), "allow");
        assert_eq!(
            rule(decide(&subject, Action::CodePush, &of(Some(Permission::Read)))),
            "rights.repository"
        );
        assert_eq!(rule(decide(&subject, Action::CodeRead, &of(None))), "visibility.repository");
    }

    #[test]
    fn what_no_grant_covers_does_not_exist_but_for_what_everybody_sees() {
        let subject = bearer(vec![grant(GrantAction::ALL, GrantConstraints::default())]);
        let other = |visibility| Resource::Repository(facts(2, visibility, Some(Permission::Admin)));
        let decision = decide(&subject, Action::CodeRead, &other(Visibility::Private));
        assert_eq!(effect(decision), Some(Effect::Hidden));
        let decision = decide(&subject, Action::CodeRead, &other(Visibility::Public));
        assert_eq!(effect(decision), Some(Effect::Forbidden));
        assert_eq!(visible_repositories(&subject).only, Some(vec![RepositoryId(1)]));
    }

    #[test]
    fn each_ref_is_held_against_prefix_and_paths() {
        let constraints = GrantConstraints {
            branch_prefix: Some(BranchPrefix::new("agent/task-123/").expect("a prefix")),
            paths_deny: vec![PathPattern::new(".github/workflows/**").expect("a pattern")],
            ..GrantConstraints::default()
        };
        let subject = bearer(vec![grant(GrantAction::ALL, constraints)]);
        let ask = |action, name: &str, touched| rule(decide(&subject, action, &change(name, touched)));
        let inside = "refs/heads/agent/task-123/x";
        let files = |path: &str| Touched::Paths(Arc::new([path.as_bytes().to_vec()]));
        assert_eq!(ask(Action::BranchCreate, inside, files("src/lib.rs")), "allow");
        assert_eq!(ask(Action::BranchCreate, inside, files(".github/workflows/ci.yml")), "grant.path");
        assert_eq!(ask(Action::BranchCreate, inside, Touched::Unknown), "grant.path_unknown");
        assert_eq!(ask(Action::BranchDelete, inside, Touched::nothing()), "allow");
        for outside in ["refs/heads/main", "refs/heads/agent/task-123", "refs/heads/agent/task-1234/x"] {
            assert_eq!(ask(Action::BranchUpdate, outside, Touched::nothing()), "grant.prefix", "{outside}");
        }
        assert_eq!(ask(Action::TagCreate, "refs/tags/v1", Touched::nothing()), "allow");
        assert_eq!(ask(Action::TagUpdate, "refs/tags/v1", Touched::nothing()), "grant.prefix");
        assert_eq!(ask(Action::TagDelete, "refs/tags/v1", Touched::nothing()), "grant.prefix");
        assert_eq!(ask(Action::OtherRefUpdate, "refs/notes/x", Touched::nothing()), "grant.action");
    }

    #[test]
    fn every_grant_of_the_chain_has_to_convey() {
        let wide = grant(&[GrantAction::ReadCode, GrantAction::PushBranch], GrantConstraints::default());
        let narrow = grant(&[GrantAction::ReadCode], GrantConstraints::default());
        let target = Resource::Repository(facts(1, Visibility::Private, Some(Permission::Admin)));
        for chain in [vec![wide.clone(), narrow.clone()], vec![narrow, wide]] {
            let subject = bearer(chain);
            assert_eq!(rule(decide(&subject, Action::CodeRead, &target)), "allow");
            assert_eq!(rule(decide(&subject, Action::CodePush, &target)), "grant.action");
        }
    }

    #[test]
    fn what_takes_approval_is_refused_and_nobody_is_asked_about_what_would_be_refused_anyway() {
        let requires_approval = [GrantAction::PushBranch, GrantAction::DeleteRef].into();
        let constraints = GrantConstraints { requires_approval, ..GrantConstraints::default() };
        let subject = bearer(vec![grant(&[GrantAction::PushBranch, GrantAction::CreateBranch], constraints)]);
        let ask = |action| rule(decide(&subject, action, &change("refs/heads/x", Touched::nothing())));
        assert_eq!(ask(Action::BranchCreate), "allow");
        assert_eq!(ask(Action::BranchUpdate), "approval.grant");
        assert_eq!(ask(Action::BranchDelete), "grant.action");
    }

    #[test]
    fn a_task_token_is_nothing_outside_of_its_task() {
        let subject = bearer(vec![grant(GrantAction::ALL, GrantConstraints::default())]);
        let own = Resource::Account { id: AccountId(7) };
        let allowed: Vec<&str> = Action::ALL
            .iter()
            .filter(|action| decide(&subject, **action, &own) == Decision::Allow)
            .map(|action| action.as_str())
            .collect();
        assert_eq!(
            allowed,
            [
                "account.read_private",
                "account.list_own",
                "task_grant.create",
                "task_grant.list",
                "approval.list"
            ]
        );
        assert_ne!(decide(&subject, Action::SiteAuditRead, &Resource::Site), Decision::Allow);
    }
}

#[test]
fn a_kill_switch_stops_the_agents_it_is_about_and_no_people() {
    use forge_types::id::KillSwitchId;
    use forge_types::kill_switch::{Stop, StopScope};
    let target = repository(Visibility::Public, Some(Permission::Admin));
    let stopped = |scope: StopScope, kind| {
        let mut principal = principal(kind, CredentialKind::Personal, None);
        principal.owner_id = Some(AccountId(8));
        principal.stops = vec![Stop { id: KillSwitchId("ks_1".to_owned()), scope }];
        decide(&Subject::Principal(principal), Action::CodeRead, &target) != Decision::Allow
    };
    for (scope, stops) in [
        (StopScope::Instance, true),
        (StopScope::Agent(AccountId(7)), true),
        (StopScope::Agent(AccountId(9)), false),
        (StopScope::Owner(AccountId(8)), true),
        (StopScope::Owner(AccountId(9)), false),
        (StopScope::Organization(AccountId(1)), true),
        (StopScope::Organization(AccountId(2)), false),
    ] {
        assert_eq!(stopped(scope.clone(), AccountKind::Agent), stops, "{scope:?}");
        assert!(!stopped(scope, AccountKind::Human));
    }
}
