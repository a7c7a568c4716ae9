//! The routes that are served, those that are described and the rows of the table are the same.

use std::collections::BTreeSet;
use std::path::Path;

use forge_testing::contract::ours;
use forge_testing::{TestForge, for_each_database, tools};
use http::Method;
use serde_json::json;

use crate::EXT;
use crate::table::routes;

#[test]
fn every_route_that_is_described_is_walked_and_the_other_way_round() {
    let walked: BTreeSet<String> = routes().iter().map(|route| route.name.to_owned()).collect();
    assert_eq!(walked, ours::description().operations());
}

#[test]
fn every_path_that_the_product_routes_is_described_and_the_other_way_round() {
    let mut routed = BTreeSet::new();
    paths_in(&tools::workspace().join("crates/forge-api/src/rest/ext"), &mut routed);
    let described = ours::description().operations();
    let described: BTreeSet<String> =
        described.iter().filter_map(|name| name.split(' ').nth(1)).map(str::to_owned).collect();
    assert_eq!(routed, described);
}

/// Finds `.route("PATH"` in the sources of a folder.
fn paths_in(folder: &Path, paths: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths_in(&path, paths);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let calls = source.split(".route(").skip(1);
        paths.extend(calls.map(|call| call.split('"').nth(1).unwrap().to_owned()));
    }
}

for_each_database! {
    async fn every_method_of_every_path_is_served_if_and_only_if_it_is_described(forge: TestForge) {
        let described = ours::description().operations();
        let paths: BTreeSet<&str> = described.iter().filter_map(|name| name.split(' ').nth(1)).collect();
        for path in paths {
            for method in [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE] {
                let concrete = path.replace("{login}", "nobody").replace("{owner}", "nobody").replace("{repo}", "none").replace("{id}", "7").replace("{client_id}", "none");
                // The client fails on an answer of a route that is not described, and on the lack of one that is.
                let answer = forge.client().send_json(method, &format!("{EXT}{concrete}"), &json!({})).await;
                assert!([200, 401, 404, 422].contains(&answer.status.as_u16()), "{}", answer.text());
            }
        }
        forge.client().get(&format!("{EXT}/nothing")).await.expect(404);
    }

    async fn the_description_that_is_served_is_the_one_that_is_checked(forge: TestForge) {
        let served = forge.client().get(&format!("{EXT}/openapi.json")).await.expect(200);
        let file = std::fs::read_to_string(tools::workspace().join("schema/forge-ext.openapi.json")).unwrap();
        assert_eq!(served.text(), file);
        assert_eq!(served.json()["openapi"], "3.1.0");
        assert_eq!(served.header("content-type"), Some("application/json; charset=utf-8"));
    }
}
