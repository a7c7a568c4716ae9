//! Policies: what is taken, what is asked, and what comes of it.

use std::sync::Arc;

use forge_types::Action;
use forge_types::id::AccountId;

use super::facts::{Asker, ChangedRef, CircumstanceFacts, Facts, ProvedBy, ResourceFacts};
use super::source::schema;
use super::{Outcome, Policies, PolicySet, PolicySource, binds, request};
use crate::policy::{Denial, Effect};

const ACME: AccountId = AccountId(3);

fn push() -> Facts {
    Facts {
        action: "branch.update".to_owned(),
        principal: Asker {
            kind: "agent".to_owned(),
            id: 7,
            login: "robo".to_owned(),
            is_site_admin: false,
            owner_id: Some(5),
            groups: Vec::new(),
        },
        resource: ResourceFacts::Repository {
            id: 1,
            owner_id: ACME.0,
            owner_kind: "organization".to_owned(),
            full_name: "acme/payments".to_owned(),
            visibility: "private".to_owned(),
            is_archived: false,
        },
        context: CircumstanceFacts {
            unix_seconds: 1_767_225_600,
            surface: "rest".to_owned(),
            runtime: None,
            source: None,
            destination: None,
            risk: 1,
            credential: ProvedBy { kind: "personal".to_owned(), is_bound: false },
            grant: None,
            is_approved: false,
            recent_refusals: 0,
            r#ref: Some(ChangedRef {
                name: "refs/heads/release/1".to_owned(),
                kind: "branch".to_owned(),
                is_default: false,
                touched: Vec::new(),
                is_signed: false,
            }),
        },
    }
}

fn source(name: &str, text: &str) -> PolicySource {
    PolicySource { name: name.to_owned(), text: text.to_owned() }
}

fn of_acme(texts: &[&str]) -> Policies {
    let sources: Vec<PolicySource> =
        texts.iter().enumerate().map(|(number, text)| source(&format!("p{number}"), text)).collect();
    let set = PolicySet::of_organization("acme", &sources).expect("valid policies");
    Policies::shipped().with_organization(ACME, Some(Arc::new(set)))
}

fn refusal(policies: &Policies, facts: &Facts) -> Option<Denial> {
    policies.judge(Some(ACME), facts).err()
}

fn why_not(text: &str) -> String {
    PolicySet::of_organization("acme", &[source("p", text)]).expect_err(text).to_string()
}

const NO_RELEASE: &str = r#"
    @reason("releases are cut by people")
    forbid (principal is Agent, action in Action::"branch.change", resource)
    when { context.ref.name like "refs/heads/release/*" };
"#;

#[test]
fn a_policy_forbids_what_it_names_and_says_which_it_is() {
    let policies = of_acme(&[NO_RELEASE]);
    let denial = refusal(&policies, &push()).expect("a refusal");
    assert_eq!(denial.effect, Effect::Forbidden);
    assert_eq!(denial.rule, "policy:acme/p0");
    assert_eq!(denial.message, "releases are cut by people; policy:acme/p0 says so");

    let mut other = push();
    other.context.r#ref.as_mut().expect("a ref").name = "refs/heads/releases".to_owned();
    assert_eq!(refusal(&policies, &other), None);
    let mut person = push();
    person.principal.kind = "user".to_owned();
    assert_eq!(refusal(&policies, &person), None);
    // It binds what belongs to its organization alone.
    assert_eq!(policies.judge(Some(AccountId(4)), &push()), Ok(()));
    assert_eq!(policies.judge(None, &push()), Ok(()));
}

#[test]
fn every_action_that_policies_bind_is_in_the_schema_and_no_other() {
    let named: Vec<String> = schema().actions().map(|uid| uid.id().unescaped().to_owned()).collect();
    let groups: Vec<String> = schema().action_groups().map(|uid| uid.id().unescaped().to_owned()).collect();
    for action in Action::ALL {
        assert_eq!(named.iter().any(|name| name == action.as_str()), binds(*action), "{}", action.as_str());
    }
    for name in named.iter().filter(|name| !groups.contains(*name)) {
        assert!(Action::ALL.iter().any(|action| action.as_str() == name), "{name}");
    }
}

#[test]
fn what_is_gathered_has_the_types_of_the_schema() {
    let of_ref = push();
    let with = |action: &str, resource: ResourceFacts| {
        let mut facts = push();
        facts.action = action.to_owned();
        facts.resource = resource;
        facts.context.r#ref = None;
        facts
    };
    let mut full = with("label.manage", of_ref.resource.clone());
    full.principal.kind = "user".to_owned();
    full.context.runtime = Some("build".to_owned());
    full.context.source = "10.0.0.1".parse().ok();
    full.context.destination = Some("example.com".to_owned());
    full.context.grant = Some(("tg_1".to_owned(), "tidy".to_owned()));
    let questions = [
        of_ref,
        full,
        with("credential.create", ResourceFacts::Account { id: 7, is_own: true }),
        with("agent.update", ResourceFacts::Account { id: 8, is_own: false }),
        with("task_grant.update", ResourceFacts::TaskGrant { id: "tg_1".to_owned(), delegator_id: 3 }),
        with("team.create", ResourceFacts::Organization { id: 3 }),
        with("team.update", ResourceFacts::Team { id: 2, organization_id: 3 }),
    ];
    for facts in questions {
        let built = request::build_by(&facts, Some(schema()));
        assert!(
            built.is_ok(),
            "{}: {}",
            facts.action,
            built.err().map(|e| e.to_string()).unwrap_or_default()
        );
    }
}

/// The context: for each fact of it a policy, and the change that flips its answer.
#[test]
fn every_circumstance_can_turn_the_answer() {
    type Change = fn(&mut Facts);
    let flips: [(&str, Change); 18] = [
        ("context.time.hour < 6", |f| f.context.unix_seconds += 7 * 3600),
        // The first of January 2026 is a Thursday.
        ("context.time.weekday == 4", |f| f.context.unix_seconds += 24 * 3600),
        ("context.time.unix < 1767225601", |f| f.context.unix_seconds += 1),
        ("!(context has runtime)", |f| f.context.runtime = Some("build".to_owned())),
        ("context.surface == \"rest\"", |f| f.context.surface = "git".to_owned()),
        ("context.ref.name == \"refs/heads/release/1\"", |f| {
            f.context.r#ref.as_mut().expect("a ref").name = "refs/heads/release/2".to_owned();
        }),
        ("context.ref.kind == \"branch\"", |f| {
            f.context.r#ref.as_mut().expect("a ref").kind = "tag".to_owned();
        }),
        ("!context.ref.is_default", |f| f.context.r#ref.as_mut().expect("a ref").is_default = true),
        ("!context.ref.touched.contains(\"deploy/**\")", |f| {
            f.context.r#ref.as_mut().expect("a ref").touched.push("deploy/**".to_owned());
        }),
        ("!context.ref.is_signed", |f| f.context.r#ref.as_mut().expect("a ref").is_signed = true),
        ("!(context.network has source && context.network.source.isInRange(ip(\"10.0.0.0/8\")))", |f| {
            f.context.source = "10.1.2.3".parse().ok();
        }),
        ("!(context.network has destination)", |f| {
            f.context.destination = Some("example.com".to_owned());
        }),
        ("context.risk < 2", |f| f.context.risk = 3),
        ("!context.approval.is_approved", |f| f.context.is_approved = true),
        ("!context.credential.is_bound", |f| f.context.credential.is_bound = true),
        ("context.credential.kind == \"personal\"", |f| f.context.credential.kind = "oauth".to_owned()),
        ("context.recent.refused < 5", |f| f.context.recent_refusals = 5),
        ("!(context has grant && context.grant.task == \"tidy\")", |f| {
            f.context.grant = Some(("tg_1".to_owned(), "tidy".to_owned()));
        }),
    ];
    for (condition, change) in flips {
        let text = format!(
            "forbid (principal, action == Action::\"branch.update\", resource) when {{ {condition} }};"
        );
        let policies = of_acme(&[&text]);
        let mut facts = push();
        assert!(refusal(&policies, &facts).is_some(), "{condition}");
        change(&mut facts);
        assert_eq!(refusal(&policies, &facts), None, "{condition}");
    }
}

fn soft(outcome: Outcome) -> String {
    format!("@outcome(\"{}\") forbid (principal, action, resource);", outcome.as_str())
}

#[test]
fn a_soft_policy_is_content_with_what_it_asks_for() {
    for outcome in Outcome::ALL {
        let policies = of_acme(&[&soft(outcome)]);
        let denial = refusal(&policies, &push()).expect("a refusal");
        assert_ne!(denial.effect, Effect::Forbidden, "{outcome:?}");
        let satisfied = push().satisfied();
        let is_content = matches!(outcome, Outcome::RequireApproval | Outcome::RequireStrongerAuth);
        assert_eq!(refusal(&policies, &satisfied).is_none(), is_content, "{outcome:?}");
    }
}

#[test]
fn nobody_is_asked_to_approve_what_would_be_refused_all_the_same() {
    let approval = soft(Outcome::RequireApproval);
    let effect = |texts: &[&str]| refusal(&of_acme(texts), &push()).expect("a refusal").effect;
    assert_eq!(effect(&[&approval]), Effect::Approval);
    // A hard one wins.
    assert_eq!(effect(&[&approval, NO_RELEASE]), Effect::Forbidden);
    // One that turns hard once there is an approval wins, too.
    let after = "forbid (principal, action, resource) when { context.approval.is_approved };";
    assert_eq!(effect(&[&approval, after]), Effect::Forbidden);
    // What the caller can mend itself comes before the human.
    for outcome in [Outcome::ReadOnly, Outcome::ReviewBefore, Outcome::RequireStrongerAuth] {
        assert!(matches!(effect(&[&approval, &soft(outcome)]), Effect::Withheld(_)), "{outcome:?}");
    }
    // An archived repository is no matter of approval.
    let mut archived = push();
    if let ResourceFacts::Repository { is_archived, .. } = &mut archived.resource {
        *is_archived = true;
    }
    let denial = refusal(&of_acme(&[&approval]), &archived).expect("a refusal");
    assert_eq!((denial.effect, denial.rule.as_ref()), (Effect::Forbidden, "policy:archived"));
    assert_eq!(denial.message, "Repository was archived so is read-only.");
}

#[test]
fn a_policy_that_cannot_be_evaluated_forbids() {
    let sum = "forbid (principal, action, resource) when { context.time.unix * 9223372036854775807 == 1 };";
    let denial = refusal(&of_acme(&[sum]), &push()).expect("a refusal");
    assert_eq!((denial.effect, denial.rule.as_ref()), (Effect::Forbidden, "policy:acme/p0"));
    let unknown = Facts { action: "repository.read".to_owned(), ..push() };
    assert!(refusal(&of_acme(&[]), &unknown).is_some());
}

#[test]
fn what_would_not_work_as_written_is_not_taken() {
    for (text, said) in [
        ("permit (principal, action, resource);", "a policy forbids"),
        ("forbid (principal == ?principal, action, resource);", "template"),
        ("forbid (principal, action == Action::\"repository.read\", resource);", "they bind neither reads"),
        ("forbid (principal, action == Action::\"kill_switch.set\", resource);", "takes rights away"),
        (
            "forbid (principal, action, resource) when { action == Action::\"code.read\" };",
            "they bind neither reads",
        ),
        ("forbid (principal, action == Action::\"branch.upset\", resource);", "Action::\"branch.upset\""),
        ("forbid (principal, action, resource) when { context.ref.is_default };", "ref"),
        ("forbid (principal, action, resource) when { context.risk == \"high\" };", "type"),
        ("forbid (principal is Robot, action, resource);", "Robot"),
        ("@outcome(\"ask_nicely\") forbid (principal, action, resource);", "none of the outcomes"),
        ("@outcom(\"read_only\") forbid (principal, action, resource);", "none of the annotations"),
        ("@message(\"No.\") forbid (principal, action, resource);", "none of the annotations"),
        ("forbid (principal, action == Action::\"team.create\", resource is Team);", "impossible"),
        ("forbid (principal, action, resource); forbid (principal, action, resource);", "policy `p`"),
        ("forbid (principal, action, resource) when {", "policy `p`"),
        (
            "forbid (principal, action in Action::\"ref.change\", resource) when { context.ref.touched.contains(context.ref.name) };",
            "texts that stand in the policy",
        ),
        (
            "forbid (principal, action in Action::\"ref.change\", resource) when { context.ref.touched == [\"a\"] };",
            "is asked with `contains",
        ),
        (
            "forbid (principal, action in Action::\"ref.change\", resource) when { context.ref.touched.contains(\"/a\") };",
            "is no path pattern",
        ),
    ] {
        let words = why_not(text);
        assert!(words.contains(said), "{text}\n{words}");
    }
    let named = |name: &str| PolicySet::of_organization("acme", &[source(name, NO_RELEASE)]).is_ok();
    assert!(named("no-release.1"));
    for name in ["", "No", "a/b", "-a", &"a".repeat(65)] {
        assert!(!named(name), "{name}");
    }
    let twice = [source("a", NO_RELEASE), source("a", NO_RELEASE)];
    assert!(PolicySet::of_organization("acme", &twice).is_err());
}

/// Attack: a policy is written so that reading or asking it takes the stack or the time of everybody.
#[test]
fn a95_policies_have_bounds() {
    let when = |condition: &str| format!("forbid (principal, action, resource) when {{ {condition} }};");
    let long = when(&format!("context.surface == \"{}\"", "a".repeat(9000)));
    assert!(why_not(&long).contains("longer than"));
    assert!(why_not(&when(&format!("{}true{}", "(".repeat(2000), ")".repeat(2000)))).contains("nested"));
    assert!(why_not(&when(&format!("{}true", "if true then ".repeat(400)))).contains("nested"));
    assert!(why_not(&when(&"true && ".repeat(900))).contains("operators"));
    let many: Vec<PolicySource> = (0..201).map(|n| source(&format!("p{n}"), NO_RELEASE)).collect();
    assert!(PolicySet::of_organization("acme", &many).is_err());
    let padded = format!("{NO_RELEASE}// {}", "a".repeat(7000));
    let large: Vec<PolicySource> = (0..10).map(|n| source(&format!("p{n}"), &padded)).collect();
    assert!(PolicySet::of_organization("acme", &large).is_err());
    assert!(PolicySet::of_organization("acme", &large[..9]).is_ok());
}

#[test]
fn paths_are_watched_as_they_are_written() {
    let text = "forbid (principal, action in Action::\"ref.change\", resource) \
                when { context.ref.touched.containsAny([\"deploy/**\", \".github/**\"]) };";
    let policies = of_acme(&[text]);
    let watched: Vec<&str> =
        policies.watched_paths(ACME).map(forge_types::grant::PathPattern::as_str).collect();
    assert_eq!(watched, ["deploy/**", ".github/**"]);
    assert_eq!(policies.watched_paths(AccountId(4)).count(), 0);
    let mut facts = push();
    assert_eq!(refusal(&policies, &facts), None);
    facts.context.r#ref.as_mut().expect("a ref").touched.push("deploy/**".to_owned());
    assert!(refusal(&policies, &facts).is_some());
}

#[test]
fn files_have_named_policies_and_only_those_that_forbid() {
    let of = |text: &str| PolicySet::of_instance(&[source("a.cedar", text)]);
    let two = "@id(\"a\") forbid (principal, action, resource); @id(\"b\") @message(\"No.\") forbid (principal, action, resource);";
    let names: Vec<String> = of(two).expect("two policies").rules().map(|rule| rule.name.clone()).collect();
    assert_eq!(names, ["policy:a", "policy:b"]);
    for bad in [
        "forbid (principal, action, resource);",
        "@id(\"A B\") forbid (principal, action, resource);",
        "@id(\"a\") permit (principal, action, resource);",
        "@id(\"a\") forbid (principal, action, resource); @id(\"a\") forbid (principal, action, resource);",
    ] {
        assert!(of(bad).is_err(), "{bad}");
    }
    assert!(of("").expect("no policies").is_empty());
}
