//! The doors that exist: routes and mutations, read from the sources.

use std::collections::BTreeSet;
use std::path::Path;

use forge_testing::tools;

/// Every door of the product, as `METHOD /route` and `mutation name`, with `{}` for each parameter.
pub(crate) fn of_the_product() -> BTreeSet<String> {
    let mut doors = BTreeSet::new();
    for room in ["forge-api", "forge-graphql", "forge-web", "forge-server"] {
        let folder = tools::workspace().join("crates").join(room).join("src");
        each_source(&folder, &mut |source| routes(source, &mut doors));
    }
    let schema = std::fs::read_to_string(tools::workspace().join("schema/forge.graphql")).unwrap_or_default();
    doors.extend(mutations(&schema));
    doors
}

/// Returns whether a door is among those that exist, also where a router is nested below a repository.
pub(crate) fn exists(doors: &BTreeSet<String>, door: &str) -> bool {
    let door = normalized(door);
    let nested = door.replacen(" /repos/{}/{}/", " /", 1);
    doors.contains(&door) || doors.contains(&nested)
}

/// Writes a door with `{}` for each parameter.
fn normalized(door: &str) -> String {
    let mut text = String::new();
    let mut rest = door;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    text + rest
}

/// Calls `visit` with each Rust source below a folder.
pub(crate) fn each_source(folder: &Path, visit: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// Finds `.route("PATH", get(…).post(…))`.
fn routes(source: &str, doors: &mut BTreeSet<String>) {
    for call in source.split(".route(").skip(1) {
        let call = &call[..end_of_call(call)];
        let Some(path) = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        for method in ["get", "post", "put", "patch", "delete"] {
            let is_served = call.match_indices(&format!("{method}(")).any(|(at, _)| {
                call[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_')
            });
            if is_served || call.contains("any(") {
                doors.insert(normalized(&format!("{} {path}", method.to_uppercase())));
            }
        }
    }
}

fn end_of_call(text: &str) -> usize {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn mutations(schema: &str) -> Vec<String> {
    let body =
        schema.split("\ntype Mutation {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or("");
    let names = body.lines().filter(|line| line.starts_with(['\t', ' ']));
    names
        .filter_map(|line| line.trim().split(['(', ':']).next())
        .filter(|name| name.chars().next().is_some_and(char::is_alphabetic))
        .map(|name| format!("mutation {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_found_with_each_of_their_methods() {
        let mut doors = BTreeSet::new();
        routes(
            r#"Router::new().route("/a/{x}/b", get(list).post(create)).route("/c", delete(gone))"#,
            &mut doors,
        );
        assert_eq!(doors.into_iter().collect::<Vec<_>>(), ["DELETE /c", "GET /a/{}/b", "POST /a/{}/b"]);
    }

    #[test]
    fn a_route_of_a_nested_router_is_a_door() {
        let doors = BTreeSet::from(["POST /git/refs".to_owned()]);
        assert!(exists(&doors, "POST /repos/{owner}/{repo}/git/refs"));
        assert!(!exists(&doors, "POST /repos/{owner}/{repo}/merges"));
    }

    #[test]
    fn mutations_are_found() {
        let schema = "type Query {\n\ta: Int\n}\n\ntype Mutation {\n\t\"\"\"\n\tWords.\n\t\"\"\"\n\tcreateRef(input: X!): Y\n}\n";
        assert!(mutations(schema).contains(&"mutation createRef".to_owned()));
    }

    #[test]
    fn every_entrance_by_which_refs_change_is_a_door() {
        let doors = of_the_product();
        for door in forge_service::refs::Door::ALL {
            // The console is no door of the network.
            let entrances = door.entrances().iter().filter(|entrance| !entrance.starts_with("forge "));
            for entrance in entrances {
                // Of a repository's routes only what follows its name stands in the source.
                let below = entrance.replacen(" /orgs/{org}/", " /{org}/", 1);
                assert!(exists(&doors, entrance) || exists(&doors, &below), "{entrance}");
            }
        }
    }

    #[test]
    fn the_product_has_doors() {
        assert!(!of_the_product().is_empty());
    }
}
