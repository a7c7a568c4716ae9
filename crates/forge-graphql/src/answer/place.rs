//! Where in a document a position is, as GitHub writes it: `["query Name", "repository", "labels"]`.

use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet};
use async_graphql::{PathSegment, Pos, Positioned};

/// Returns the path to what stands at `position`; none if nothing does.
pub(super) fn path_of(document: &ExecutableDocument, position: Pos) -> Vec<PathSegment> {
    for (name, operation) in document.operations.iter() {
        let kind = match operation.node.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let title = name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"));
        let variables = &operation.node.variable_definitions;
        let is_here = operation.pos == position || variables.iter().any(|variable| variable.pos == position);
        if let Some(path) = below(title, is_here, &operation.node.selection_set.node, position) {
            return path;
        }
    }
    for (name, fragment) in &document.fragments {
        let is_here = fragment.pos == position || fragment.node.type_condition.pos == position;
        let title = format!("fragment {name}");
        if let Some(path) = below(title, is_here, &fragment.node.selection_set.node, position) {
            return path;
        }
    }
    Vec::new()
}

fn below(title: String, is_here: bool, set: &SelectionSet, position: Pos) -> Option<Vec<PathSegment>> {
    let mut path = vec![PathSegment::Field(title)];
    (is_here || find(set, position, &mut path)).then_some(path)
}

/// Extends `path` to `position` and returns true, or leaves it as it was.
fn find(set: &SelectionSet, position: Pos, path: &mut Vec<PathSegment>) -> bool {
    set.items.iter().any(|item| {
        let (name, inner, is_here) = match &item.node {
            Selection::Field(field) => {
                let name = field.node.response_key().node.to_string();
                (name, Some(&field.node.selection_set.node), is_of(field, position))
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let name =
                    condition.map_or_else(|| "...".to_owned(), |on| format!("... on {}", on.node.on.node));
                let is_here = fragment.pos == position || condition.is_some_and(|on| on.pos == position);
                (name, Some(&fragment.node.selection_set.node), is_here)
            }
            Selection::FragmentSpread(spread) => {
                (format!("... {}", spread.node.fragment_name.node), None, spread.pos == position)
            }
        };
        path.push(PathSegment::Field(name));
        let found = is_here || inner.is_some_and(|inner| find(inner, position, path));
        if !found {
            path.pop();
        }
        found
    })
}

fn is_of(field: &Positioned<Field>, position: Pos) -> bool {
    let arguments = &field.node.arguments;
    let directives = &field.node.directives;
    field.pos == position
        || field.node.name.pos == position
        || arguments.iter().any(|(name, value)| name.pos == position || value.pos == position)
        || directives.iter().any(|directive| directive.pos == position)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_field_is_found_through_aliases_and_inline_fragments() {
        let document = parse_query("query Q { a: viewer { ... on User { x } } }").expect("a readable query");
        let names = |column| -> Vec<PathSegment> { path_of(&document, Pos { line: 1, column }) };
        let expected = ["query Q", "a", "... on User", "x"].map(|name| PathSegment::Field(name.to_owned()));
        assert_eq!(names(37), expected);
        assert_eq!(names(11), expected[..2]);
        assert!(names(400).is_empty());
    }
}
