//! The register of attacks, and the checks that keep it true.

use std::collections::BTreeSet;

use forge_testing::tools;
use serde::Deserialize;

use crate::doors;

/// How many attacks there are.
const CASES: usize = 100;

/// Cases whose doors stand open, and whose tests must exist.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    case: Vec<Case>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    attack: String,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    doors: Vec<String>,
    #[serde(default)]
    settled: Option<String>,
}

fn register() -> Vec<Case> {
    let path = tools::workspace().join("tests/authorization/register.toml");
    let text = std::fs::read_to_string(path).expect("the register");
    toml::from_str::<Register>(&text).unwrap_or_else(|error| panic!("register.toml: {error}")).case
}

/// Returns what is wrong with the register, given the doors that exist and the tests that can be found.
fn problems(
    cases: &[Case],
    doors: &BTreeSet<String>,
    named_after: &BTreeSet<String>,
    exists: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut problems = Vec::new();
    for case in cases {
        let id = &case.id;
        if case.attack.is_empty()
            || (case.tests.is_empty() && case.doors.is_empty() && case.settled.is_none())
        {
            problems.push(format!("{id} has no words, or neither tests nor doors"));
        }
        for test in case.tests.iter().filter(|test| !exists(test)) {
            problems.push(format!("{id} names `{test}`, which does not exist"));
        }
        let is_tried = !case.tests.is_empty() || named_after.contains(id);
        if !is_tried && case.settled.is_none() {
            let open = case.doors.iter().filter(|door| doors::exists(doors, door));
            problems.extend(
                open.map(|door| format!("{id}: the door `{door}` exists, but nothing tries the attack")),
            );
        }
    }
    problems
}

/// Returns the ids of the attacks after which tests are named: `a73_…` tries A73.
fn ids_in_names() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for folder in ["tests", "crates"] {
        doors::each_source(&tools::workspace().join(folder), &mut |source| {
            for part in source.split("fn a").skip(1) {
                let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
                if !digits.is_empty() && part[digits.len()..].starts_with('_') {
                    ids.insert(format!("A{digits}"));
                }
            }
        });
    }
    ids
}

/// Returns whether `path::function` names a test of this project.
fn test_exists(name: &str) -> bool {
    let Some((path, function)) = name.split_once("::") else { return false };
    let source = std::fs::read_to_string(tools::workspace().join(path)).unwrap_or_default();
    source.contains(&format!("fn {function}("))
}

#[test]
fn every_attack_is_tried_or_waits_for_its_door() {
    let problems = problems(&register(), &doors::of_the_product(), &ids_in_names(), test_exists);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_attack_is_listed_once_and_in_order() {
    let ids: Vec<String> = register().into_iter().map(|case| case.id).collect();
    let wanted: Vec<String> = (1..=CASES).map(|number| format!("A{number}")).collect();
    assert_eq!(ids, wanted);
}

#[test]
fn a_door_that_appears_without_tests_fails_the_run() {
    let waiting = Case {
        id: "A1".to_owned(),
        attack: "something".to_owned(),
        doors: vec!["PATCH /repos/{owner}/{repo}/git/refs/{ref}".to_owned()],
        ..Case::default()
    };
    let none = BTreeSet::new();
    let planted = BTreeSet::from(["PATCH /repos/{}/{}/git/refs/{}".to_owned()]);
    let named = BTreeSet::from(["A1".to_owned()]);
    let of = |case: &Case, doors, names| problems(std::slice::from_ref(case), doors, names, |_| true).len();
    assert_eq!(of(&waiting, &none, &none), 0);
    assert_eq!(of(&waiting, &planted, &none), 1);
    assert_eq!(of(&waiting, &planted, &named), 0, "a test has its name");
    let tested = Case { tests: vec!["tests/x.rs::y".to_owned()], ..waiting };
    assert_eq!(of(&tested, &planted, &none), 0);
    assert_eq!(
        problems(&[tested], &planted, &none, |_| false).len(),
        1,
        "a test that does not exist is no test"
    );
}

#[test]
fn the_tests_that_are_named_are_looked_for() {
    assert!(test_exists("tests/authorization/register.rs::every_attack_is_listed_once_and_in_order"));
    assert!(!test_exists("tests/authorization/register.rs::no_such_test"));
    assert!(!test_exists("no_such_file.rs::x"));
}
