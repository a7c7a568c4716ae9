//! Prefixes, patterns and parts of grants.

use super::*;
use crate::RefName;

fn prefix(text: &str) -> BranchPrefix {
    BranchPrefix::new(text).expect("a prefix")
}

#[test]
fn a_prefix_covers_what_lies_below_it_byte_for_byte_and_nothing_else() {
    let prefix = prefix("agent/task-123/");
    let covers = |name: &str| prefix.covers(&RefName::new(name).expect("a name Git accepts"));
    assert!(covers("refs/heads/agent/task-123/fix"));
    assert!(covers("refs/heads/agent/task-123/deep/er"));
    // Nothing is decoded here: this is a branch below the prefix, of an odd name.
    assert!(covers("refs/heads/agent/task-123/%2e%2e/main"));
    for name in [
        "refs/heads/agent/task-123",
        "refs/heads/agent/task-1",
        "refs/heads/agent/task-1234/x",
        "refs/heads/Agent/task-123/x",
        "refs/tags/agent/task-123/x",
        "refs/agent/task-123/x",
        "refs/heads/x/agent/task-123/y",
        "refs/heads/agent/task-123/\u{200b}x",
        "refs/heads/agent/task-123/-x",
    ] {
        assert!(!covers(name), "{name}");
    }
}

#[test]
fn what_is_no_prefix_is_refused() {
    for text in [
        "",
        "/",
        "agent",
        "refs/heads/main/",
        "refs/heads/main",
        "a//",
        "../",
        "a/../",
        "-x/",
        "a b/",
        "\u{200b}/",
    ] {
        assert!(BranchPrefix::new(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_denied_path_is_touched_in_every_way_that_reaches_it() {
    let pattern = PathPattern::new(".github/workflows/**").expect("a pattern");
    for path in [
        ".github/workflows/ci.yml",
        ".github/workflows/deep/er.yml",
        ".GitHub/Workflows/ci.yml",
        ".github./workflows/ci.yml",
        ".git\u{200c}hub/workflows/ci.yml",
        // A link or submodule in place of a directory on the way.
        ".github/workflows",
        ".github",
    ] {
        assert!(pattern.is_touched_by(path.as_bytes()), "{path}");
    }
    for path in ["github/workflows/ci.yml", ".github/dependabot.yml", "docs/.github/workflows/x", ".githubb"]
    {
        assert!(!pattern.is_touched_by(path.as_bytes()), "{path}");
    }
    let matches =
        |pattern: &str, path: &str| PathPattern::new(pattern).expect(pattern).is_touched_by(path.as_bytes());
    assert!(matches("**/CODEOWNERS", "docs/CODEOWNERS") && matches("**/CODEOWNERS", "CODEOWNERS"));
    assert!(
        matches("*.lock", "Cargo.lock") && !matches("*.lock", "x.lock/y") && !matches("*.lock", "a/b.lock")
    );
    assert!(matches("src/?.rs", "src/é.rs") && !matches("src/?.rs", "src/ab.rs"));
    assert!(matches("a/**/z", "a/z") && matches("a/**/z", "a/b/c/z") && !matches("a/**/z", "a/b/c/y/x/z/w"));
}

#[test]
fn patterns_that_would_be_misread_are_refused() {
    for text in
        ["", "/x", "x/", "a//b", "a/../b", "a**", "a/b**/c", "**/**/**/**/x", "[ab]", "!x", "a\\b", "a\nb"]
    {
        assert!(PathPattern::new(text).is_err(), "{text:?}");
    }
}

fn terms(actions: &[GrantAction], resource: GrantResource, constraints: GrantConstraints) -> GrantTerms {
    GrantTerms { resources: vec![resource], actions: actions.iter().copied().collect(), constraints }
}

fn repo(id: i64) -> GrantResource {
    GrantResource::Repo { repository_id: RepositoryId(id), name: format!("acme/r{id}") }
}

#[test]
fn a_part_of_a_grant_goes_beyond_it_in_nothing() {
    use GrantAction::{DeleteRef, PushBranch, ReadCode};
    let bound = GrantConstraints {
        branch_prefix: Some(prefix("agent/")),
        paths_deny: vec![PathPattern::new("x").expect("a pattern")],
        budgets: GrantBudgets { pushes: Some(5), bytes: None },
        requires_approval: [PushBranch].into(),
    };
    let wide = terms(&[ReadCode, PushBranch], repo(1), bound.clone());
    let narrower = GrantConstraints {
        branch_prefix: Some(prefix("agent/a/")),
        paths_deny: vec![
            PathPattern::new("y").expect("a pattern"),
            PathPattern::new("x").expect("a pattern"),
        ],
        budgets: GrantBudgets { pushes: Some(4), bytes: Some(1) },
        requires_approval: [PushBranch, ReadCode].into(),
    };
    assert_eq!(terms(&[ReadCode], repo(1), narrower.clone()).within(&wide), Ok(()));
    assert_eq!(wide.within(&wide), Ok(()));
    let beyond = [
        terms(&[DeleteRef], repo(1), narrower.clone()),
        terms(&[ReadCode], repo(2), narrower.clone()),
        terms(&[ReadCode], repo(1), GrantConstraints { branch_prefix: None, ..narrower.clone() }),
        terms(
            &[ReadCode],
            repo(1),
            GrantConstraints { branch_prefix: Some(prefix("agen/")), ..narrower.clone() },
        ),
        terms(&[ReadCode], repo(1), GrantConstraints { paths_deny: vec![], ..narrower.clone() }),
        terms(
            &[ReadCode],
            repo(1),
            GrantConstraints { budgets: GrantBudgets::default(), ..narrower.clone() },
        ),
        terms(&[ReadCode], repo(1), GrantConstraints { requires_approval: [ReadCode].into(), ..narrower }),
    ];
    for one in beyond {
        assert!(one.within(&wide).is_err(), "{one:?}");
    }
    let branch = GrantResource::Branch {
        repository_id: RepositoryId(1),
        name: "acme/r1".to_owned(),
        ref_name: RefName::branch("x").expect("a name"),
    };
    assert!(branch.within(&repo(1)) && !repo(1).within(&branch) && !branch.within(&repo(2)));
}
