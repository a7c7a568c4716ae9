//! From what the executor reports to the body of the answer.

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError};
use forge_service::RequestContext;
use forge_types::{Error, ErrorKind, FieldCode, FieldError, Scope};
use serde_json::{Map, Value, json};

use super::error::own;
use super::{Kind, PathSegment, QueryError, place, wording};

/// Returns the body for a query that was not run.
pub(crate) fn refused(errors: &[QueryError]) -> Value {
    json!({ "errors": errors.iter().map(QueryError::to_json).collect::<Vec<_>>() })
}

/// Returns the body for a query that would have cost too much: the data that was not asked for is null.
pub(crate) fn without_data(errors: &[QueryError]) -> Value {
    let mut body = refused(errors);
    body["data"] = Value::Null;
    body
}

/// Returns the error for a text that is no query.
pub(crate) fn syntax(error: &async_graphql::parser::Error) -> QueryError {
    let positions: Vec<_> = error.positions().collect();
    let place = positions.first().map(|at| format!(" at [{}, {}]", at.line, at.column)).unwrap_or_default();
    QueryError::new(format!("Parse error{place}")).locations(positions)
}

/// Returns the body for what the executor made of a query, and whether the database failed it.
pub(crate) fn executed(
    ctx: &RequestContext,
    document: &ExecutableDocument,
    response: Response,
) -> (Value, bool) {
    let mut is_unavailable = false;
    // A query that breaks the schema's rules has not been run: it has errors without data.
    let is_invalid = response.data == async_graphql::Value::Null
        && response.errors.iter().any(|error| error.path.is_empty());
    let errors: Vec<Value> = response
        .errors
        .iter()
        .map(|error| match own(error) {
            Some(cause) => {
                log(cause, error);
                is_unavailable |= matches!(cause.kind(), ErrorKind::Unavailable(_));
                of_use_case(ctx, cause, error).to_json()
            }
            None => of_query(document, error).to_json(),
        })
        .collect();
    let mut body = Map::new();
    if !is_invalid {
        body.insert("data".to_owned(), response.data.into_json().unwrap_or(Value::Null));
    }
    if !errors.is_empty() {
        body.insert("errors".to_owned(), errors.into());
    }
    (Value::Object(body), is_unavailable)
}

fn of_use_case(ctx: &RequestContext, cause: &Error, error: &ServerError) -> QueryError {
    let message = match cause.kind() {
        ErrorKind::InsufficientScope(scopes) => missing_scopes(ctx, scopes, error),
        ErrorKind::Invalid(fields) => fields.first().map_or_else(|| cause.message().to_owned(), broken_rule),
        ErrorKind::Internal => format!(
            "Something went wrong while executing your query. Please include `{}` when reporting this issue.",
            ctx.info().id
        ),
        ErrorKind::NotFound
        | ErrorKind::Unauthenticated
        | ErrorKind::Unproved(_)
        | ErrorKind::Forbidden
        | ErrorKind::ApprovalRequired(_)
        | ErrorKind::Withheld(_)
        | ErrorKind::Malformed
        | ErrorKind::Conflict
        | ErrorKind::Stale
        | ErrorKind::TooLarge
        | ErrorKind::RateLimited(_)
        | ErrorKind::Unavailable(_) => cause.message().to_owned(),
    };
    let rendered = QueryError::new(message)
        .kind(Kind::of(cause.kind()))
        .path(error.path.clone())
        .locations(error.locations.clone());
    match cause.kind() {
        ErrorKind::ApprovalRequired(note) => {
            rendered.extension("code", cause.kind().code().to_uppercase()).extension("approval", json!(note))
        }
        _ => rendered,
    }
}

/// Returns the sentence about a broken rule; where the use case has none, GitHub's for the code.
fn broken_rule(field: &FieldError) -> String {
    if let Some(message) = &field.message {
        return message.clone();
    }
    let name = field.field.replace('_', " ");
    let mut characters = name.chars();
    let name: String = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
    match field.code {
        FieldCode::AlreadyExists => format!("{name} has already been taken"),
        FieldCode::MissingField => format!("{name} can't be blank"),
        FieldCode::Missing => format!("{name} does not exist"),
        FieldCode::Invalid | FieldCode::Unprocessable | FieldCode::Custom => format!("{name} is invalid"),
    }
}

/// GitHub's words, in which clients look for the names of the scopes.
fn missing_scopes(ctx: &RequestContext, wanted: &[&str], error: &ServerError) -> String {
    let field = error.path.iter().rev().find_map(|segment| match segment {
        PathSegment::Field(name) => Some(name.as_str()),
        PathSegment::Index(_) => None,
    });
    let held = ctx.caller().credential.as_ref().and_then(|credential| credential.scopes.as_ref());
    let held: Vec<&str> = held.iter().flat_map(|scopes| scopes.iter()).map(Scope::as_str).collect();
    let settings =
        ctx.settings().people_origin.join("settings/tokens").map_or_else(|_| String::new(), String::from);
    format!(
        "Your token has not been granted the required scopes to execute this query. The '{}' field requires one of \
         the following scopes: [{}], but your token has only been granted the: [{}] scopes. Please modify your \
         token's scopes at: {settings}.",
        field.unwrap_or("query"),
        quoted(wanted),
        quoted(&held)
    )
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn of_query(document: &ExecutableDocument, error: &ServerError) -> QueryError {
    let translated = wording::translate(&error.message).locations(error.locations.clone());
    if !error.path.is_empty() {
        return translated.path(error.path.clone());
    }
    match error.locations.first() {
        Some(position) => translated.path(place::path_of(document, *position)),
        None => translated,
    }
}

fn log(cause: &Error, error: &ServerError) {
    match cause.kind() {
        ErrorKind::Internal => {
            let source = std::error::Error::source(cause).map(ToString::to_string);
            tracing::error!(path = ?error.path, source, "a query failed through our fault");
        }
        ErrorKind::Unavailable(_) => {
            let source = std::error::Error::source(cause).map(ToString::to_string);
            tracing::warn!(source, "a query could not be answered now");
        }
        _ => {}
    }
}
