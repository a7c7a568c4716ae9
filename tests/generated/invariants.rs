//! What holds of every cell of the rights matrix, whatever the rules are: tried for each action on each resource.

use forge_auth::policy::{Decision, Effect};
use forge_types::Action;

use crate::rights::{columns, decide, sections};

/// Asks everything of two columns, and shows where `holds` does not.
fn compare(one: &str, other: &str, holds: impl Fn(Action, &Decision, &Decision) -> bool) {
    let columns = columns();
    let column = |name: &str| {
        let found = columns.iter().find(|column| column.name == name);
        &found.unwrap_or_else(|| panic!("no column `{name}`")).subject
    };
    let (first, second) = (column(one), column(other));
    let mut broken = Vec::new();
    for section in sections() {
        for action in Action::ALL {
            let (left, right) =
                (decide(first, *action, &section.resource), decide(second, *action, &section.resource));
            if !holds(*action, &left, &right) {
                broken.push(format!("{} on {}: {left:?}, {right:?}", action.as_str(), section.name));
            }
        }
    }
    assert!(broken.is_empty(), "{one} and {other}:\n{}", broken.join("\n"));
}

fn is_allowed(decision: &Decision) -> bool {
    *decision == Decision::Allow
}

/// Whatever the first may do, the second may.
fn is_within(one: &str, other: &str) {
    compare(one, other, |_, left, right| !is_allowed(left) || is_allowed(right));
}

/// Asks whether nobody whose column begins so may do any of these.
fn nobody_may(begins: &str, actions: &[Action]) {
    for column in columns().iter().filter(|column| column.name.starts_with(begins)) {
        for section in sections() {
            for action in actions {
                let decision = decide(&column.subject, *action, &section.resource);
                assert!(!is_allowed(&decision), "{}: {} on {}", column.name, action.as_str(), section.name);
            }
        }
    }
}

/// I2: what is derived from something is never more.
#[test]
fn i2_what_is_narrower_allows_nothing_more() {
    for (narrower, wider) in [
        ("human, browser left open", "human, browser within half an hour"),
        ("human, browser within half an hour", "human, browser within five minutes"),
        ("human, token for public repositories", "human, token without limits"),
        ("human, token of an OAuth client for repositories", "human, token without limits"),
        ("agent, own token, exchange_only", "agent, own token, read"),
        ("agent, own token, read", "agent, own token, full"),
        ("agent, session, full", "agent, own token, full"),
        ("agent, own token that lacks the demanded key", "agent, own token, full"),
        ("agent, task below agent/", "agent, task that may do everything"),
        ("agent, task that may read", "agent, task that may do everything"),
        ("agent, task that asks for everything", "agent, task that may do everything"),
    ] {
        is_within(narrower, wider);
    }
}

/// I3: a task token has no right that whoever delegated lacks. The permission in a question is the delegator's.
#[test]
fn i3_a_task_token_may_nothing_that_its_delegator_may_not() {
    compare("agent, task that may do everything", "human, token without limits", |_, task, delegator| {
        !is_allowed(task) || is_allowed(delegator)
    });
}

/// I7: a human acting as an agent can change nothing about whom the forge trusts.
#[test]
fn i7_a_switch_session_is_the_agent_and_less() {
    use Action as A;
    let tied_to_the_session = [A::AgentSwitchRenew, A::AgentSwitchEnd];
    compare("human acting as the agent", "agent, own token, full", |action, switch, own| {
        !is_allowed(switch) || is_allowed(own) || tied_to_the_session.contains(&action)
    });
    let trust = [
        A::CredentialCreate,
        A::CredentialRevoke,
        A::PublicKeyCreate,
        A::SigningKeyCreate,
        A::AgentKeyManage,
        A::AgentRuntimeManage,
        A::AgentConfirm,
        A::DeviceDecide,
        A::ClientAuthorize,
        A::TaskGrantCreate,
        A::TaskGrantUpdate,
        A::TaskGrantRevoke,
        A::TaskGrantConsent,
        A::TaskGrantClaim,
        A::ApprovalDecide,
        A::CollaboratorManage,
        A::RepositoryTransfer,
    ];
    nobody_may("human acting as the agent", &trust);
}

/// I9: no agent, by whatever credential, administers, owns, approves or stops.
#[test]
fn i9_agents_never_rule() {
    use Action as A;
    let ruling = [
        A::SiteAdminister,
        A::SiteAuditRead,
        A::OrganizationCreate,
        A::OrganizationAdminister,
        A::OrganizationManageMembers,
        A::ApprovalDecide,
        A::AgentInvite,
        A::AgentRuntimeManage,
        A::AgentRecover,
        A::AgentSuspend,
        A::AgentRestore,
        A::AgentRevoke,
        A::AgentSwitch,
        A::AgentDelegate,
        A::DeviceDecide,
        A::ClientAuthorize,
        A::KillSwitchSet,
        A::KillSwitchLift,
        A::RevokeDelegated,
    ];
    nobody_may("agent", &ruling);
    nobody_may("the forge, for that task", &ruling);
}

/// I13: what somebody may not see is hidden whatever is asked of it, with equal words.
#[test]
fn i13_what_is_hidden_is_hidden_whatever_is_asked() {
    for column in columns() {
        for section in sections() {
            let decisions: Vec<Decision> = Action::ALL
                .iter()
                .map(|action| decide(&column.subject, *action, &section.resource))
                .collect();
            let hidden = |decision: &&Decision| matches!(decision, Decision::Deny(denial) if denial.effect == Effect::Hidden);
            let by_visibility = |decision: &&Decision| matches!(decision, Decision::Deny(denial) if denial.rule.starts_with("visibility."));
            if decisions.iter().any(|decision| by_visibility(&decision)) {
                assert!(
                    decisions.iter().all(|decision| hidden(&decision)),
                    "{}, {}",
                    column.name,
                    section.name
                );
            }
            for decision in decisions.iter().filter(hidden) {
                let Decision::Deny(denial) = decision else { continue };
                assert_eq!(denial.message, "Not Found", "{}, {}", column.name, section.name);
            }
        }
    }
}

/// I20: what no rule allows is refused, and every refusal says which rule it was.
#[test]
fn i20_every_refusal_names_its_rule_and_a_bootstrap_secret_opens_nothing() {
    for column in columns() {
        for section in sections() {
            for action in Action::ALL {
                if let Decision::Deny(denial) = decide(&column.subject, *action, &section.resource) {
                    let is_named = denial.rule.contains('.') || denial.rule.starts_with("policy:");
                    assert!(is_named && !denial.message.is_empty(), "{denial:?}");
                }
            }
        }
    }
    nobody_may("agent, bootstrap secret", Action::ALL);
}

/// An approval lifts the need to ask and nothing else, and nobody is asked about what is refused anyway.
#[test]
fn an_approval_makes_the_task_what_it_would_be_without_asking() {
    let (asks, plain) = ("agent, task that asks for everything", "agent, task that may do everything");
    compare("the forge, for that task, approved", plain, |_, approved, plain| {
        is_allowed(approved) == is_allowed(plain)
    });
    compare(asks, plain, |_, asks, plain| {
        let waits = matches!(asks, Decision::Deny(denial) if denial.effect == Effect::Approval);
        (is_allowed(asks) || waits) == is_allowed(plain)
    });
}
