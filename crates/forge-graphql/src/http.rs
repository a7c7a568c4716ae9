//! GraphQL over HTTP: what is read, who is refused, and the status of every answer.
//!
//! The layer around these routes has authenticated the caller and left the context in the request. GitHub answers
//! nobody without a credential, whatever is asked
//! (<https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql>).

use std::sync::Arc;

use async_graphql::{Request, Variables};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Json, Router};
use forge_service::RequestContext;
use forge_service::limits::{Quota, Resource, charge, exceeded};
use serde_json::{Value, json};

use crate::answer::{self, Kind, QueryError};
use crate::limits::{self, Shape};
use crate::schema::{self, ForgeSchema};

/// The largest body that is read: a query, and variables that hold texts.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
const DOCUMENTATION: &str = "https://docs.github.com/graphql";
const AUTHENTICATING: &str =
    "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql";
const INTROSPECTION: &str = include_str!("introspection.graphql");

/// The executor with all it needs to know of its schema.
#[derive(Clone)]
pub struct GraphQl {
    schema: ForgeSchema,
    shape: Arc<Shape>,
}

impl GraphQl {
    /// Builds the schema.
    #[must_use]
    pub fn new() -> Self {
        let schema = schema::build();
        let shape = Arc::new(Shape::read(&schema.sdl()));
        Self { schema, shape }
    }
}

impl Default for GraphQl {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the one route, at `path`. The layer around it must put a [`RequestContext`] into each request.
pub fn routes(path: &str, graphql: GraphQl) -> Router {
    let methods = any(unknown_method).get(schema_of).post(execute);
    Router::new().route(path, methods).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(graphql)
}

/// What a client sends.
struct Call {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
}

async fn execute(
    State(graphql): State<GraphQl>,
    context: Option<Extension<RequestContext>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(ctx) = authenticated(context) else { return unauthenticated() };
    let call = match body {
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.");
        }
        Err(_) => return problem(StatusCode::BAD_REQUEST, "The request body could not be read."),
        Ok(body) => read(&body),
    };
    match call {
        Ok(call) => run(&graphql, &ctx, call).await,
        Err(message) => problem(StatusCode::BAD_REQUEST, message),
    }
}

/// GitHub answers `GET` with the schema and runs no query that a URL carries
/// (<https://docs.github.com/graphql/guides/introspection-to-the-graphql-api>).
async fn schema_of(State(graphql): State<GraphQl>, context: Option<Extension<RequestContext>>) -> Response {
    let Some(ctx) = authenticated(context) else { return unauthenticated() };
    let call =
        Call { query: INTROSPECTION.to_owned(), operation_name: None, variables: Variables::default() };
    run(&graphql, &ctx, call).await
}

async fn unknown_method(context: Option<Extension<RequestContext>>) -> Response {
    match authenticated(context) {
        Some(_) => problem(StatusCode::NOT_FOUND, "Not Found"),
        None => unauthenticated(),
    }
}

fn authenticated(context: Option<Extension<RequestContext>>) -> Option<RequestContext> {
    context.map(|Extension(ctx)| ctx).filter(|ctx| ctx.account().is_ok())
}

fn read(body: &[u8]) -> Result<Call, &'static str> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Err("Problems parsing JSON") };
    let Value::Object(mut members) = body else { return Err("Body should be a JSON object") };
    let Some(Value::String(query)) = members.remove("query") else {
        return Err("A query attribute must be specified and must be a string.");
    };
    let operation_name = match members.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err("The operationName attribute must be a string."),
    };
    let variables = match members.remove("variables") {
        None | Some(Value::Null) => Variables::default(),
        Some(Value::Object(variables)) => Variables::from_json(Value::Object(variables)),
        Some(_) => return Err("Variables must be a JSON object."),
    };
    Ok(Call { query, operation_name, variables })
}

async fn run(graphql: &GraphQl, ctx: &RequestContext, call: Call) -> Response {
    let Call { query, operation_name, variables } = call;
    let document = match parse(&query) {
        Ok(document) => document,
        Err(error) => return answer(answer::refused(&[error])),
    };
    let operation = match limits::operation(&document, operation_name.as_deref()) {
        Ok(operation) => operation,
        Err(error) => return answer(answer::refused(&[error])),
    };
    if let Err(error) = limits::check_variables(operation, &variables) {
        return answer(answer::refused(&[error]));
    }
    let cost = match limits::cost(&graphql.shape, &document, operation, &variables) {
        Ok(cost) => cost,
        Err(errors) => return answer(answer::without_data(&errors)),
    };
    let more = u32::try_from(cost.points.saturating_sub(1)).unwrap_or(u32::MAX);
    if let Err(quota) = charge(ctx, Resource::GraphQl, more) {
        return limited(&quota);
    }
    let mut request = Request::new("").variables(variables).data(ctx.clone()).data(cost);
    request.operation_name = operation_name;
    request.set_parsed_query(document.clone());
    let response = graphql.schema.execute(request).await;
    let (body, is_unavailable) = answer::executed(ctx, &document, response);
    if is_unavailable { unavailable(body) } else { answer(body) }
}

fn parse(query: &str) -> Result<async_graphql::parser::types::ExecutableDocument, QueryError> {
    if query.len() > limits::MAX_QUERY_BYTES {
        let message = format!("Query is longer than {} bytes", limits::MAX_QUERY_BYTES);
        return Err(QueryError::new(message));
    }
    if limits::is_too_deep_to_parse(query) {
        return Err(QueryError::new("Query nests too deep to be parsed"));
    }
    let document = async_graphql::parser::parse_query(query).map_err(|error| answer::syntax(&error))?;
    limits::measure(&document)?;
    Ok(document)
}

fn answer(body: Value) -> Response {
    Json(body).into_response()
}

fn unavailable(body: Value) -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn limited(quota: &Quota) -> Response {
    let error = QueryError::new(exceeded(quota).message()).kind(Kind::RateLimited);
    answer(answer::refused(&[error]))
}

fn problem(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "message": message,
        "documentation_url": DOCUMENTATION,
        "status": status.as_str(),
    });
    (status, Json(body)).into_response()
}

fn unauthenticated() -> Response {
    let body = json!({
        "message": "This endpoint requires you to be authenticated.",
        "documentation_url": AUTHENTICATING,
        "status": "401",
    });
    let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"forge\""))];
    (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response()
}
