//! How many objects an answer can hold, and what that costs, by GitHub's rules
//! (<https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>): every connection that
//! lists something says how much by `first` or `last`, from 1 to 100; the nodes of all connections, multiplied by those
//! they lie in, are at most 500,000; the cost is a hundredth of the connections' number, at least 1.

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Positioned, Value, Variables};

use super::Shape;
use crate::answer::{Kind, PathSegment, QueryError};

const MAX_NODES: u64 = 500_000;
const MAX_PAGE: i64 = 100;
/// The most connections one query names; each is a statement at least.
const MAX_CONNECTIONS: usize = 500;

/// What a query costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The most nodes that the answer can hold.
    pub(crate) nodes: u64,
    /// What is drawn from the caller's budget.
    pub(crate) points: u64,
}

pub(super) fn compute(
    shape: &Shape,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<Cost, Vec<QueryError>> {
    let root = match operation.node.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let mut walk = Walk {
        shape,
        document,
        operation: &operation.node,
        variables,
        path: Vec::new(),
        nodes: 0,
        connections: 0,
        requests: 0,
        errors: Vec::new(),
    };
    walk.selection(root, &operation.node.selection_set.node, 1);
    walk.finish()
}

struct Walk<'d> {
    shape: &'d Shape,
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    variables: &'d Variables,
    path: Vec<PathSegment>,
    nodes: u64,
    connections: usize,
    requests: u64,
    errors: Vec<QueryError>,
}

impl<'d> Walk<'d> {
    fn finish(mut self) -> Result<Cost, Vec<QueryError>> {
        if self.errors.is_empty() && self.nodes > MAX_NODES {
            let message = format!(
                "This query requests up to {} possible nodes which exceeds the maximum limit of {}.",
                grouped(self.nodes),
                grouped(MAX_NODES)
            );
            self.errors.push(QueryError::new(message).kind(Kind::MaxNodeLimitExceeded));
        }
        if self.errors.is_empty() && self.connections > MAX_CONNECTIONS {
            let message = format!("This query names more than {MAX_CONNECTIONS} connections.");
            self.errors.push(QueryError::new(message).kind(Kind::MaxNodeLimitExceeded));
        }
        if !self.errors.is_empty() {
            self.errors.truncate(20);
            return Err(self.errors);
        }
        // Rounded to the nearest hundred, as GitHub does.
        Ok(Cost { nodes: self.nodes, points: (self.requests.saturating_add(50) / 100).max(1) })
    }

    /// `parents` is how many objects of `type_name` there can be.
    fn selection(&mut self, type_name: &str, set: &'d SelectionSet, parents: u64) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(type_name, field, parents),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.map_or(type_name, |condition| condition.node.on.node.as_str());
                    self.selection(on, &fragment.node.selection_set.node, parents);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.selection(on, &fragment.node.selection_set.node, parents);
                    }
                }
            }
        }
    }

    fn field(&mut self, type_name: &str, field: &'d Positioned<Field>, parents: u64) {
        let Some(shape) = self.shape.field(type_name, &field.node.name.node) else { return };
        self.path.push(PathSegment::Field(field.node.response_key().node.to_string()));
        let children = if shape.is_connection { self.connection(field, parents) } else { parents };
        self.selection(&shape.type_name, &field.node.selection_set.node, children);
        self.path.pop();
    }

    /// Returns how many nodes the connection has at most, under all its parents.
    fn connection(&mut self, field: &Positioned<Field>, parents: u64) -> u64 {
        self.connections += 1;
        self.requests = self.requests.saturating_add(parents);
        let (first, last) = (self.argument(&field.node, "first"), self.argument(&field.node, "last"));
        let (name, size) = match (first, last) {
            (Some(_), Some(_)) => {
                let message = format!(
                    "Passing both `first` and `last` to paginate the `{}` connection is not supported.",
                    field.node.name.node
                );
                self.refuse(field, Kind::Unprocessable, message);
                return parents;
            }
            (Some(size), None) => ("first", size),
            (None, Some(size)) => ("last", size),
            (None, None) => {
                self.without_bounds(field);
                return parents;
            }
        };
        self.check_size(field, name, size);
        let nodes = parents.saturating_mul(u64::try_from(size).unwrap_or(0));
        self.nodes = self.nodes.saturating_add(nodes);
        nodes
    }

    fn check_size(&mut self, field: &Positioned<Field>, name: &str, size: i64) {
        let connection = &field.node.name.node;
        if size < 0 {
            let message = format!("`{name}` on the `{connection}` connection cannot be less than zero.");
            self.refuse(field, Kind::ExcessivePagination, message);
        } else if size > MAX_PAGE {
            let message = format!(
                "Requesting {size} records on the `{connection}` connection exceeds the `{name}` limit of {MAX_PAGE} records."
            );
            self.refuse(field, Kind::ExcessivePagination, message);
        }
    }

    /// A connection that is only counted needs no bounds.
    fn without_bounds(&mut self, field: &Positioned<Field>) {
        if self.lists(&field.node.selection_set.node) {
            let message = format!(
                "You must provide a `first` or `last` value to properly paginate the `{}` connection.",
                field.node.name.node
            );
            self.refuse(field, Kind::MissingPaginationBoundaries, message);
        }
    }

    fn lists(&self, set: &SelectionSet) -> bool {
        set.items.iter().any(|item| match &item.node {
            Selection::Field(field) => matches!(field.node.name.node.as_str(), "nodes" | "edges"),
            Selection::InlineFragment(fragment) => self.lists(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| self.lists(&fragment.node.selection_set.node))
            }
        })
    }

    /// Returns the number that the argument has, written in the query or given as a variable.
    fn argument(&self, field: &Field, name: &str) -> Option<i64> {
        let argument = field.get_argument(name)?.node.clone();
        let value = argument.into_const_with(|variable| self.variable(&variable).cloned().ok_or(()));
        match value {
            Ok(Value::Number(number)) => number.as_i64(),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<&Value> {
        let definitions = &self.operation.variable_definitions;
        let definition = definitions.iter().find(|definition| definition.node.name.node == name)?;
        self.variables.get(name).or_else(|| definition.node.default_value())
    }

    fn refuse(&mut self, field: &Positioned<Field>, kind: Kind, message: String) {
        let error = QueryError::new(message).kind(kind).path(self.path.clone()).at(field.pos);
        self.errors.push(error);
    }
}

/// Writes a number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::value;

    use super::*;

    const SDL: &str = "
        type Query { viewer: User! }
        type User { login: String! repositories(first: Int, last: Int): RepositoryConnection! }
        type RepositoryConnection { nodes: [Repository] totalCount: Int! }
        type Repository { labels(first: Int, last: Int): LabelConnection }
        type LabelConnection { nodes: [Label] }
        type Label { name: String! }";

    fn cost_with(query: &str, variables: Value) -> Result<Cost, Vec<String>> {
        let document = parse_query(query).expect("a readable query");
        let operation = super::super::operation(&document, None).expect("an operation");
        compute(&Shape::read(SDL), &document, operation, &Variables::from_value(variables))
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    fn cost(query: &str) -> Result<Cost, Vec<String>> {
        cost_with(query, value!({}))
    }

    #[test]
    fn nodes_are_counted_as_in_githubs_example() {
        let query =
            "{ viewer { repositories(first: 50) { nodes { labels(first: 10) { nodes { name } } } } } }";
        assert_eq!(cost(query), Ok(Cost { nodes: 550, points: 1 }));
        let query =
            "{ viewer { repositories(first: 100) { nodes { labels(first: 60) { nodes { name } } } } } }";
        assert_eq!(cost(query).map(|cost| (cost.nodes, cost.points)), Ok((6100, 1)));
    }

    #[test]
    fn too_many_nodes_are_refused_in_githubs_words() {
        let labels: String =
            (0..51).map(|n| format!("l{n}: labels(first: 100) {{ nodes {{ name }} }} ")).collect();
        let query = format!("{{ viewer {{ repositories(first: 100) {{ nodes {{ {labels} }} }} }} }}");
        let refused = cost(&query).expect_err("too much");
        assert_eq!(
            refused,
            ["This query requests up to 510,100 possible nodes which exceeds the maximum limit of 500,000."]
        );
    }

    #[test]
    fn a_listed_connection_needs_bounds_and_a_counted_one_does_not() {
        let refused =
            cost("{ viewer { repositories { ...n } } } fragment n on RepositoryConnection { nodes { x } }");
        assert_eq!(
            refused.expect_err("no bounds"),
            [
                "You must provide a `first` or `last` value to properly paginate the `repositories` connection."
            ]
        );
        assert!(cost("{ viewer { repositories { totalCount } } }").is_ok());
    }

    #[test]
    fn bounds_are_checked_whether_written_or_in_a_variable() {
        let variable = "query($n: Int) { viewer { repositories(first: $n) { totalCount } } }";
        let excessive = "Requesting 101 records on the `repositories` connection exceeds the `first` limit of 100 records.";
        assert_eq!(cost_with(variable, value!({ "n": 101 })).expect_err("too many"), [excessive]);
        assert_eq!(
            cost("{ viewer { repositories(first: 101) { totalCount } } }").expect_err("too many"),
            [excessive]
        );
        assert!(cost("{ viewer { repositories(last: -1) { totalCount } } }").is_err());
        assert!(cost("{ viewer { repositories(first: 1, last: 1) { totalCount } } }").is_err());
        assert!(cost_with(variable, value!({ "n": 100 })).is_ok());
    }
}
