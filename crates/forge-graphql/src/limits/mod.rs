//! What a query may cost, decided before anything of it runs.
//!
//! INVARIANT: every later pass over a document (validation, execution) is bounded by what was measured here: `nesting`
//! bounds the parser's recursion, `size` what a document is once its fragments are written out, `cost` how many
//! objects the answer can hold. GitHub's rules and words:
//! <https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>.

mod cost;
mod nesting;
mod shape;
mod size;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{Positioned, Value, Variables};

pub(crate) use cost::Cost;
pub(crate) use nesting::is_too_deep_to_parse;
pub(crate) use shape::Shape;

use crate::answer::QueryError;

/// The longest query text that is read, in bytes.
pub(crate) const MAX_QUERY_BYTES: usize = 128 * 1024;

/// Measures a document and refuses it if it is too much, before it is validated.
///
/// # Errors
/// What GitHub answers to such a query.
pub(crate) fn measure(document: &ExecutableDocument) -> Result<(), QueryError> {
    size::check(document)
}

/// Computes what an operation of a valid document costs and refuses it if that is too much.
///
/// # Errors
/// All that is wrong with it, in GitHub's words.
pub(crate) fn cost(
    shape: &Shape,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<Cost, Vec<QueryError>> {
    cost::compute(shape, document, operation, variables)
}

/// Refuses variables that lack a value the operation cannot do without. Variables that it does not declare are ignored.
///
/// # Errors
/// GitHub's words for the first one.
pub(crate) fn check_variables(
    operation: &Positioned<OperationDefinition>,
    variables: &Variables,
) -> Result<(), QueryError> {
    for definition in &operation.node.variable_definitions {
        let variable = &definition.node;
        let given = variables.get(&variable.name.node);
        let is_missing = matches!(given, None | Some(Value::Null));
        let has_default = given.is_none() && variable.default_value.is_some();
        if is_missing && !has_default && !variable.var_type.node.nullable {
            let (name, ty) = (&variable.name.node, &variable.var_type.node);
            let problem = serde_json::json!([{ "path": [], "explanation": "Expected value to not be null" }]);
            let error = QueryError::new(format!("Variable ${name} of type {ty} was provided invalid value"))
                .extension("value", serde_json::Value::Null)
                .extension("problems", problem);
            return Err(error.at(definition.pos));
        }
    }
    Ok(())
}

/// Returns the operation that is to be run.
///
/// # Errors
/// If there is none of that name, or several and no name.
pub(crate) fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d Positioned<OperationDefinition>, QueryError> {
    let unknown = |name: &str| QueryError::new(format!("No operation named \"{name}\""));
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).ok_or_else(|| unknown(name))
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(only),
                _ => Err(QueryError::new("An operation name is required")),
            }
        }
    }
}
