//! What a policy mentions, found in its JSON form (<https://docs.cedarpolicy.com/policies/json-format.html>).

use forge_types::grant::PathPattern;
use serde_json::Value;

const SET_QUESTIONS: [&str; 3] = ["contains", "containsAny", "containsAll"];

/// Calls `visit` with every node of an expression.
fn each<'v>(node: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    visit(node);
    match node {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(members) => members.values().for_each(|member| each(member, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns whether the node reads this attribute of something.
fn reads(node: &Value, attribute: &str) -> bool {
    node["."]["attr"] == attribute
}

/// Returns whether the policy reads an attribute of this name.
pub(super) fn mentions(policy: &Value, attribute: &str) -> bool {
    let mut is_mentioned = false;
    each(policy, &mut |node| is_mentioned |= reads(node, attribute));
    is_mentioned
}

/// Returns the names of all actions that the policy speaks of.
pub(super) fn actions(policy: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    each(policy, &mut |node| {
        if node["type"] == "Action" {
            found.extend(node["id"].as_str());
        }
    });
    found
}

/// Returns the path patterns that the policy asks about.
///
/// # Errors
/// What is wrong, if it asks in a way that cannot be answered: which patterns it asks about has to stand in it.
pub(super) fn watched_paths(policy: &Value) -> Result<Vec<PathPattern>, String> {
    let (mut asked, mut read) = (Vec::new(), 0_usize);
    each(policy, &mut |node| {
        read += usize::from(reads(node, "touched"));
        let question = SET_QUESTIONS.iter().map(|name| &node[*name]).find(|question| question.is_object());
        asked.extend(
            question
                .filter(|question| reads(&question["left"], "touched"))
                .map(|question| &question["right"]),
        );
    });
    if asked.len() != read {
        return Err("`context.ref.touched` is asked with `contains(\"a/path/**\")` only".to_owned());
    }
    let mut patterns = Vec::new();
    for text in asked.into_iter().flat_map(literals) {
        let text = text.ok_or("`context.ref.touched` is asked about texts that stand in the policy")?;
        let pattern = PathPattern::new(text);
        patterns.push(pattern.map_err(|error| format!("`{text}` is no path pattern: {error}"))?);
    }
    Ok(patterns)
}

/// Returns the texts of a literal or of a set of literals; none for what is no text.
fn literals(node: &Value) -> Vec<Option<&str>> {
    match node["Set"].as_array() {
        Some(items) => items.iter().map(|item| item["Value"].as_str()).collect(),
        None => vec![node["Value"].as_str()],
    }
}
