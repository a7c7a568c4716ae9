//! How long one decision about a change takes, with no, 50 and 200 policies of an organization: allowed and refused.
//!
//! `cargo bench -p forge-auth`; prints the median and the 99th percentile of each in microseconds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use forge_auth::policy::cedar::{PolicySet, PolicySource};
use forge_auth::policy::{
    Circumstances, CredentialFacts, Decision, Means, Policies, Principal, RefFacts, RepositoryFacts,
    Resource, Signing, Subject, Touched, decide,
};
use forge_types::account::AccountKind;
use forge_types::agent::StandingAccess;
use forge_types::credential::CredentialKind;
use forge_types::id::{AccountId, CredentialId, RepositoryId};
use forge_types::repository::Visibility;
use forge_types::{Action, Permission, RefName, Timestamp};

const OWNER: AccountId = AccountId(3);
const TIMES: usize = 5_000;

fn main() {
    for count in [0, 50, 200] {
        let policies = policies(count);
        measure(&format!("allowed, {count} policies"), &policies, "refs/heads/main", true);
        if count > 0 {
            measure(&format!("refused, {count} policies"), &policies, "refs/heads/release-0/1", false);
        }
    }
}

fn policies(count: usize) -> Policies {
    let source = |number: usize| PolicySource {
        name: format!("p{number}"),
        text: format!(
            "forbid (principal is Agent, action in Action::\"ref.change\", resource) \
             when {{ context.ref.name like \"refs/heads/release-{number}/*\" && context.risk < 9 }};"
        ),
    };
    let sources: Vec<PolicySource> = (0..count).map(source).collect();
    let set = PolicySet::of_organization("acme", &sources).expect("valid policies");
    Policies::shipped().with_organization(OWNER, Some(Arc::new(set)))
}

fn measure(what: &str, policies: &Policies, name: &str, is_allowed: bool) {
    let (subject, resource) = (subject(), resource(name));
    let circumstances = Circumstances::at(Timestamp::from_seconds(1_767_225_600));
    let ask = || decide(policies, &circumstances, &subject, Action::BranchUpdate, &resource);
    assert_eq!(ask().decision == Decision::Allow, is_allowed, "{what}");
    let mut spans: Vec<u128> = (0..TIMES)
        .map(|_| {
            let begun = Instant::now();
            black_box(ask());
            begun.elapsed().as_nanos()
        })
        .collect();
    spans.sort_unstable();
    let micros = |span: u128| span as f64 / 1000.0;
    println!(
        "{what:24} p50 {:8.1} µs   p99 {:8.1} µs",
        micros(spans[TIMES / 2]),
        micros(spans[TIMES * 99 / 100])
    );
}

fn subject() -> Subject {
    Subject::Principal(Principal {
        id: AccountId(7),
        kind: AccountKind::Agent,
        is_site_admin: false,
        owner_id: Some(AccountId(5)),
        ceiling: None,
        standing_access: Some(StandingAccess::Full),
        holder_id: None,
        stops: Vec::new(),
        means: Means::Credential(CredentialFacts {
            id: CredentialId(1),
            kind: CredentialKind::Personal,
            scopes: None,
            acting_id: None,
            grants: Vec::new(),
            audience: None,
            lacks_key: false,
            signed_only: false,
            is_of_runtime: false,
            is_approved: false,
        }),
    })
}

fn resource(name: &str) -> Resource {
    Resource::Ref(RefFacts {
        repository: RepositoryFacts {
            id: RepositoryId(1),
            owner_id: OWNER,
            owner_kind: AccountKind::Organization,
            full_name: "acme/payments".to_owned(),
            visibility: Visibility::Private,
            is_archived: false,
            allows_forking: true,
            permission: Some(Permission::Write),
        },
        name: RefName::new(name).expect("a name"),
        is_default: false,
        touched: Touched::nothing(),
        signing: Signing::Unsigned,
    })
}
