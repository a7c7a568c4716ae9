//! Our schema is a part of GitHub's.

use forge_testing::contract::extensions::Extensions;
use forge_testing::contract::graphql::{differences, github_sdl};

#[test]
fn every_name_and_type_is_githubs_or_listed_as_ours() {
    let ours = include_str!("../../schema/forge.graphql");
    let found = differences(ours, &github_sdl(), &Extensions::of_this_project()).expect("readable schemas");
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_planted_mistake_is_found() {
    let ours = include_str!("../../schema/forge.graphql");
    let github = github_sdl();
    for (right, wrong) in
        [("nameWithOwner: String!", "nameWithOwner: String"), ("type Label ", "type Lable ")]
    {
        assert!(ours.contains(right), "{right}");
        let planted = ours.replace(right, wrong);
        let found = differences(&planted, &github, &Extensions::of_this_project()).expect("readable schemas");
        assert!(!found.is_empty(), "{wrong}");
    }
}
