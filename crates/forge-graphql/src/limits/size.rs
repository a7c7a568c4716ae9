//! How large a document is once its fragments are written out. Fragments are measured once each, so that measuring
//! costs no more than the text is long, however often they spread each other.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use crate::answer::QueryError;

/// The most fields that a document selects.
const MAX_FIELDS: usize = 20_000;
/// The deepest selection. `gh` selects nine deep, GraphiQL's introspection thirteen.
const MAX_DEPTH: usize = 25;
/// The most fields at the root of a query: each is at least a statement.
const MAX_QUERY_ROOTS: usize = 250;
/// The most fields at the root of a mutation: each is a transaction.
const MAX_MUTATION_ROOTS: usize = 100;

/// Refuses a document that is too deep or too large, or whose fragments contain themselves.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), QueryError> {
    let mut measured = Measured { fragments: &document.fragments, known: HashMap::new() };
    let mut fields = 0_usize;
    for (_, operation) in document.operations.iter() {
        let size = measured.selection(&operation.node.selection_set.node, 0)?;
        check_depth(size.depth)?;
        check_roots(operation.node.ty, size.roots)?;
        fields = fields.saturating_add(size.fields);
    }
    for name in document.fragments.keys() {
        let size = measured.fragment(name, 0)?;
        check_depth(size.depth)?;
        fields = fields.saturating_add(size.fields);
    }
    if fields > MAX_FIELDS {
        return Err(QueryError::new(format!(
            "Query selects {fields} fields, which exceeds the maximum of {MAX_FIELDS}"
        )));
    }
    Ok(())
}

fn check_depth(depth: usize) -> Result<(), QueryError> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(QueryError::new(format!("Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}")))
}

fn check_roots(kind: OperationType, roots: usize) -> Result<(), QueryError> {
    let (most, what) = match kind {
        OperationType::Mutation => (MAX_MUTATION_ROOTS, "mutation"),
        OperationType::Query | OperationType::Subscription => (MAX_QUERY_ROOTS, "query"),
    };
    if roots <= most {
        return Ok(());
    }
    Err(QueryError::new(format!("A {what} may have at most {most} fields at its root; this one has {roots}")))
}

#[derive(Clone, Copy, Default)]
struct Size {
    /// All fields.
    fields: usize,
    /// The fields that are not below another.
    roots: usize,
    depth: usize,
}

struct Measured<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while a fragment is being measured: met again, it contains itself.
    known: HashMap<&'d str, Option<Size>>,
}

impl<'d> Measured<'d> {
    fn fragment(&mut self, name: &'d str, nesting: usize) -> Result<Size, QueryError> {
        match self.known.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(QueryError::new(format!("Fragment {name} contains an infinite loop"))),
            None => {}
        }
        // Validation says which fragments are missing.
        let Some(definition) = self.fragments.get(name) else { return Ok(Size::default()) };
        self.known.insert(name, None);
        let size = self.selection(&definition.node.selection_set.node, nesting)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }

    /// `nesting` bounds this function's own recursion through chains of fragments.
    fn selection(&mut self, set: &'d SelectionSet, nesting: usize) -> Result<Size, QueryError> {
        check_depth(nesting / 4)?;
        let mut whole = Size::default();
        for item in &set.items {
            let part = match &item.node {
                Selection::Field(field) => {
                    let inner = self.selection(&field.node.selection_set.node, nesting + 1)?;
                    Size { fields: inner.fields.saturating_add(1), roots: 1, depth: inner.depth + 1 }
                }
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node, nesting + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, nesting + 1)?
                }
            };
            whole.fields = whole.fields.saturating_add(part.fields);
            whole.roots = whole.roots.saturating_add(part.roots);
            whole.depth = whole.depth.max(part.depth);
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refusal(query: &str) -> Option<String> {
        check(&parse_query(query).expect("a readable query")).err().map(|error| error.message)
    }

    #[test]
    fn an_ordinary_query_passes() {
        assert_eq!(refusal("query A { viewer { ...f } } fragment f on User { login name }"), None);
    }

    #[test]
    fn a_fragment_that_contains_itself_is_refused() {
        let refused =
            refusal("{ viewer { ...a } } fragment a on User { ...b } fragment b on User { x { ...a } }");
        assert!(refused.is_some_and(|message| message.ends_with("contains an infinite loop")));
    }

    #[test]
    fn fragments_that_multiply_are_refused_in_no_time() {
        let mut query = "{ viewer { ...f0 } } ".to_owned();
        for level in 0..60 {
            let next = level + 1;
            query += &format!("fragment f{level} on User {{ ...f{next} ...f{next} ...f{next} }} ");
        }
        query += "fragment f60 on User { login }";
        assert!(refusal(&query).is_some_and(|message| message.contains("exceeds the maximum of 20000")));
    }

    #[test]
    fn depth_counts_through_fragments() {
        let mut query = "{ a { ...f0 } } ".to_owned();
        for level in 0..30 {
            query += &format!("fragment f{level} on X {{ a {{ ...f{} }} }} ", level + 1);
        }
        query += "fragment f30 on X { a }";
        assert_eq!(refusal(&query).as_deref(), Some("Query has depth of 32, which exceeds max depth of 25"));
    }

    #[test]
    fn a_long_chain_of_fragments_is_refused_without_recursing_through_it() {
        let mut query = "{ ...f0 } ".to_owned();
        for level in 0..2000 {
            query += &format!("fragment f{level} on X {{ ...f{} }} ", level + 1);
        }
        query += "fragment f2000 on X { a }";
        assert!(refusal(&query).is_some());
    }

    #[test]
    fn aliases_at_the_root_are_counted_through_fragments() {
        let aliases: String = (0..101).map(|n| format!("a{n}: x ")).collect();
        assert!(refusal(&format!("mutation {{ {aliases} }}")).is_some());
        assert!(refusal(&format!("{{ {aliases} }}")).is_none());
        let spread = format!("mutation {{ ...all }} fragment all on Mutation {{ {aliases} }}");
        assert!(refusal(&spread).is_some());
    }
}
