//! One answer of our own interfaces against our own description, `schema/forge-ext.openapi.json`.
//!
//! Stricter than [`super::rest`]: what is described is ours to keep. Every route that answers must be described and every
//! described one must answer, every status and header must be described, and a body has no members beside those that are
//! described. A request that succeeded must be one that the description allows. [`assemble()`] makes the description.

mod assemble;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::HeaderMap;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

pub use self::assemble::assemble;
use super::rest::Exchange;
use super::rest::routes::Routes;

/// Statuses that any operation may answer.
const ANYWHERE: &[u16] = &[400, 413, 429, 500, 503];

/// How many differences of one body are told.
const TOLD: usize = 8;

/// A call of our interfaces.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What was asked and answered; the path is the one below the prefix.
    pub exchange: Exchange<'a>,
    /// The answer's headers.
    pub headers: &'a HeaderMap,
    /// The JSON body that was sent, if one was.
    pub request: Option<&'a Value>,
    /// Whether a route led to the answer.
    pub is_routed: bool,
}

/// Our description.
pub struct Description {
    document: Value,
    routes: Routes,
    /// Components whose objects have no other members than those described.
    closed: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Returns the project's description, loaded once per process.
///
/// # Panics
/// When it cannot be read.
pub fn description() -> &'static Description {
    static OURS: OnceLock<Description> = OnceLock::new();
    OURS.get_or_init(|| {
        let path = crate::tools::workspace().join("schema/forge-ext.openapi.json");
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Description::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    })
}

impl Description {
    /// Reads a description.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let paths = document["paths"].as_object().ok_or("there are no paths")?;
        let (routes, closed) = (Routes::new(paths), closed(&document["components"]));
        Ok(Self { routes, closed, document, compiled: Mutex::default() })
    }

    /// Returns every operation as `METHOD /path`.
    pub fn operations(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let methods = |(path, item): (&String, &Value)| -> Vec<String> {
            let methods = item.as_object().into_iter().flatten().filter(|(name, _)| *name != "parameters");
            methods.map(|(method, _)| format!("{} {path}", method.to_uppercase())).collect()
        };
        paths.flat_map(methods).collect()
    }

    /// Returns one operation.
    pub fn operation(&self, method: &str, template: &str) -> Option<&Value> {
        self.document["paths"].get(template)?.get(method.to_lowercase())
    }

    /// Returns the template and the operation that a request is for.
    pub fn find(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let template = self.routes.find(path)?;
        let asked = if method == "HEAD" { "GET" } else { method };
        Some((template, self.operation(asked, template)?))
    }

    /// Checks one call; an error says what differs.
    pub fn check(&self, call: &Call<'_>) -> Result<(), String> {
        let exchange = &call.exchange;
        let Some((template, operation)) = self.find(exchange.method, exchange.path) else {
            return match call.is_routed {
                true => Err(format!("{} {} is served and not described", exchange.method, exchange.path)),
                false => self.check_body("unknown route", &error_schema(), exchange.body),
            };
        };
        let key = format!("{} {template}", exchange.method);
        let within = |problem: String| format!("{key} {}: {problem}", exchange.status);
        if !call.is_routed {
            return Err(within("is described and not served".to_owned()));
        }
        self.check_response(call, operation, &key).map_err(within)?;
        if exchange.status < 300 {
            self.check_request(call, operation, &key).map_err(within)?;
        }
        Ok(())
    }

    fn check_response(&self, call: &Call<'_>, operation: &Value, key: &str) -> Result<(), String> {
        let exchange = &call.exchange;
        if exchange.status == 304 && exchange.method == "GET" {
            return if exchange.body.is_empty() { Ok(()) } else { Err("has a body".to_owned()) };
        }
        let responses = &operation["responses"];
        let described = responses.get(exchange.status.to_string());
        let described =
            described.or_else(|| responses.get("default").filter(|_| ANYWHERE.contains(&exchange.status)));
        let response = self.resolve(described.ok_or("the status is not described")?);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let value = call.headers.get(name).and_then(|value| value.to_str().ok());
            let wanted = header["schema"]["const"].as_str();
            if value.is_none() && header["required"] == json!(true) {
                return Err(format!("the header `{name}` is missing"));
            }
            if value.is_some() && wanted.is_some_and(|wanted| value != Some(wanted)) {
                return Err(format!("the header `{name}` is {value:?}"));
            }
        }
        if exchange.method == "HEAD" {
            return Ok(());
        }
        if let Some(schema) = response.pointer("/content/text~1event-stream/schema") {
            return self.check_stream(&format!("{key} event"), schema, exchange);
        }
        match response.pointer("/content/application~1json/schema") {
            None if exchange.body.is_empty() => Ok(()),
            None => Err("has a body, which the description does not".to_owned()),
            Some(schema) => {
                let media = exchange.content_type.unwrap_or_default().split(';').next().unwrap_or_default();
                if media != "application/json" {
                    return Err(format!("is `{media}`, not JSON"));
                }
                self.check_body(&format!("{key} {}", exchange.status), schema, exchange.body)
            }
        }
    }

    fn check_request(&self, call: &Call<'_>, operation: &Value, key: &str) -> Result<(), String> {
        let Some(request) = call.request.filter(|request| !request.is_null()) else { return Ok(()) };
        match operation.pointer("/requestBody/content/application~1json/schema") {
            None if *request == json!({}) => Ok(()),
            None => Err("the request has a body, which the description does not".to_owned()),
            Some(schema) => self
                .validate(&format!("{key} request"), schema, request)
                .map_err(|problem| format!("the request is not as described: {problem}")),
        }
    }

    /// Checks each event of a stream but the one that says why it ended.
    fn check_stream(&self, key: &str, schema: &Value, exchange: &Exchange<'_>) -> Result<(), String> {
        if exchange.content_type.is_none_or(|media| !media.starts_with("text/event-stream")) {
            return Err(format!("is {:?}, not a stream of events", exchange.content_type));
        }
        let text = String::from_utf8_lossy(exchange.body);
        let events = text.split("\n\n").filter(|event| event.contains("event: audit"));
        for data in events.filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: "))) {
            self.check_body(key, schema, data.as_bytes())?;
        }
        Ok(())
    }

    fn check_body(&self, key: &str, schema: &Value, body: &[u8]) -> Result<(), String> {
        let body: Value =
            serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
        self.validate(key, schema, &body)
    }

    fn validate(&self, key: &str, schema: &Value, body: &Value) -> Result<(), String> {
        let validator = self.validator(key, schema)?;
        let mut problems: Vec<String> = validator
            .iter_errors(body)
            .take(TOLD)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    fn validator(&self, key: &str, schema: &Value) -> Result<Arc<Validator>, String> {
        let lock = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Ok(Arc::clone(found));
        }
        let root = json!({ "allOf": [closed(schema)], "components": self.closed });
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        let compiled = options.build(&root).map_err(|error| format!("the schema is broken: {error}"))?;
        let compiled = Arc::new(compiled);
        lock().insert(key.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }
}

fn error_schema() -> Value {
    json!({ "$ref": "#/components/schemas/Error" })
}

/// Returns a schema whose objects have no other members than those described.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(closed).collect(),
        Value::Object(members) => {
            let mut whole: Map<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), closed(member))).collect();
            if members.get("type") == Some(&json!("object")) && members.contains_key("properties") {
                whole.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(whole)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
