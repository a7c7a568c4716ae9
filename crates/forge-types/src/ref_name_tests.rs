//! Which names are refs, and which of them the forge lets anyone create.

use std::process::Command;

use proptest::prelude::*;

use super::*;

fn creatable(name: &str) -> bool {
    RefName::new(name).is_ok_and(|name| name.check_creatable().is_ok())
}

#[test]
fn names_that_git_refuses_are_refused() {
    for name in [
        "main",
        "HEAD",
        "refs",
        "refs/",
        "/refs/heads/a",
        "refs//heads",
        "refs/heads/",
        "refs/heads/a..b",
        "refs/heads/.a",
        "refs/heads/a.lock",
        "refs/heads/a.lock/b",
        "refs/heads/a.",
        "refs/heads/a@{1}",
        "refs/heads/a b",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a:b",
        "refs/heads/a?",
        "refs/heads/a*",
        "refs/heads/a[b",
        "refs/heads/a\\b",
        "refs/heads/a\u{7f}",
        "refs/heads/a\n",
        "refs/heads/../main",
        "refs/heads/agent/task-123/../main",
    ] {
        assert!(RefName::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn names_that_git_accepts_and_people_misread_are_not_creatable() {
    for name in [
        "refs/heads/-x",
        "refs/heads/a/-x",
        "refs/heads/@",
        "refs/heads/HEAD",
        "refs/tags/HEAD",
        "refs/heads/refs/heads/main",
        "refs/heads/refs",
        "refs/heads/ma\u{200b}in",
        "refs/heads/\u{202e}niam",
        "refs/heads/e\u{301}",
        "refs/heads/\u{2066}x",
        "refs/heads/a\u{85}b",
        "refs/heads/a\u{2028}b",
        "refs/heads/\u{feff}main",
        "refs/heads/a\u{3000}b",
        "refs/heads/4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    ] {
        assert!(RefName::new(name).is_ok(), "{name:?} is a name to Git");
        assert!(!creatable(name), "{name:?}");
    }
    assert!(!creatable(&format!("refs/heads/{}", "a".repeat(251))));
    assert!(!creatable(&format!("refs/heads/{}", "abc/".repeat(300) + "d")));
}

#[test]
fn ordinary_names_are_creatable() {
    for name in [
        "refs/heads/main",
        "refs/heads/agent/task-123/x",
        "refs/tags/v1.0",
        "refs/heads/é",
        "refs/heads/日本語",
        "refs/heads/a#b",
        "refs/heads/%2e%2e/main",
        "refs/heads/a@b",
        "refs/heads/main?".trim_end_matches('?'),
        "refs/notes/commits",
        "refs/changes/1/2",
    ] {
        assert!(creatable(name), "{name:?}");
    }
}

#[test]
fn kind_follows_the_prefix_at_a_component_boundary() {
    let kind = |name: &str| RefName::new(name).unwrap().kind();
    assert_eq!(kind("refs/heads/main"), RefKind::Branch);
    assert_eq!(kind("refs/tags/v1"), RefKind::Tag);
    assert_eq!(kind("refs/notes/commits"), RefKind::Note);
    assert_eq!(kind("refs/pull/1/head"), RefKind::Pull);
    assert_eq!(kind("refs/pullx/1"), RefKind::Other);
    for name in [
        "refs/forge/held/1",
        "refs/forge",
        "refs/replace/x",
        "refs/stash",
        "refs/stash/x",
        "refs/remotes/o/m",
    ] {
        assert_eq!(kind(name), RefKind::Internal, "{name}");
    }
    assert_eq!(kind("refs/stashed"), RefKind::Other);
    assert_eq!(kind("refs/headsx/main"), RefKind::Other);
}

#[test]
fn names_that_differ_in_case_or_width_alone_fold_together() {
    let fold = |name: &str| RefName::branch(name).unwrap().fold();
    assert_eq!(fold("Agent/Task-123"), fold("agent/task-123"));
    assert_eq!(fold("tas\u{212a}"), fold("task"));
    assert_eq!(fold("ta\u{17f}k"), fold("task"));
    assert_eq!(fold("straße"), fold("STRASSE"));
    assert_eq!(fold("stra\u{1e9e}e"), fold("straße"));
    assert_ne!(fold("task-1"), fold("task-12"));
}

#[test]
fn every_character_folds_as_its_other_case_does() {
    let fold = |text: String| RefName::branch(&text).map(|name| name.fold());
    for character in '\0'..=char::MAX {
        let cases: [String; 2] = [character.to_lowercase().collect(), character.to_uppercase().collect()];
        if cases[0] == cases[1] {
            continue;
        }
        let once = fold(character.into());
        for other in cases {
            assert_eq!(fold(other), once, "{character:?}");
        }
    }
}

#[test]
fn ancestors_are_every_directory_below_refs() {
    let name = RefName::new("refs/heads/a/b/c").unwrap();
    assert_eq!(name.ancestors().collect::<Vec<_>>(), ["refs/heads/a/b", "refs/heads/a", "refs/heads"]);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    assert!(RefName::from_bytes(b"refs/heads/\xff").is_err());
}

fn git_accepts(name: &str) -> bool {
    Command::new("git").args(["check-ref-format", name]).status().is_ok_and(|status| status.success())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn the_format_check_agrees_with_git(tail in "([a-c./@{~^:?*\\[\\\\ \u{1}-]|\\.lock|é){0,8}") {
        let name = format!("refs/heads/{tail}");
        prop_assert_eq!(RefName::new(name.clone()).is_ok(), git_accepts(&name), "{:?}", name);
    }

    #[test]
    fn fold_is_stable(tail in "\\PC{1,12}") {
        if let Ok(name) = RefName::branch(&tail) {
            let once = name.fold();
            if let Ok(again) = RefName::new(once.clone()) {
                prop_assert_eq!(again.fold(), once);
            }
        }
    }
}
