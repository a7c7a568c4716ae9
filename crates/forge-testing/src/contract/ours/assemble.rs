//! From the parts in `schema/ext/` to `schema/forge-ext.openapi.json`.
//!
//! A part is JSON with the members `tag`, `schemas` and `paths`; `document.json` has what stands once. It says what
//! OpenAPI says, in fewer words:
//!
//! - a schema is a word (`text`, `time`, `number`, `flag` or the name of a schema, with `?` where it may be null), a list
//!   with the schema of its items, `{"object": {…}}` with the schemas of the members, where `?` after a name marks one
//!   that may be absent, or JSON Schema. `extends` takes over the members of another object.
//! - an operation has `id`, `summary`, `description`, `parameters` (names or in full), `scopes` of which a token needs one
//!   (`security` or `public` where it is otherwise), `body` with `body_optional`, `success` and the statuses of `errors`.
//! - a response has `description`, `json` or `stream` (server-sent events, with the schema of each), `headers`, and `secret` or `paged` for the headers that go with that.
//!
//! INVARIANT: what is not understood is refused, so that no word of a part is without effect.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// The methods of a path.
const METHODS: &[&str] = &["get", "put", "post", "patch", "delete"];

/// Returns the description that the parts of a folder make, as the text of its file.
pub fn assemble(folder: &Path) -> Result<String, String> {
    let mut parts = BTreeMap::new();
    let listed = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in listed {
        let path = entry.map_err(|error| error.to_string())?.path();
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut part: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        // Members come in one order, whatever order a map of this build keeps them in.
        part.sort_all_objects();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        parts.insert(name, part);
    }
    let mut document = Parts::gather(&parts)?.document()?;
    document.sort_all_objects();
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// All parts as one.
#[derive(Default)]
struct Parts {
    document: Map<String, Value>,
    schemas: Map<String, Value>,
    /// Path → item, each operation with its tag.
    paths: Map<String, Value>,
}

impl Parts {
    fn gather(parts: &BTreeMap<String, Value>) -> Result<Self, String> {
        let mut all = Self::default();
        for (file, part) in parts {
            let within = |problem: String| format!("{file}: {problem}");
            let mut part = members(part).map_err(within)?.clone();
            for (name, schema) in taken(&mut part, "schemas").map_err(within)? {
                if all.schemas.insert(name.clone(), schema).is_some() {
                    return Err(within(format!("the schema `{name}` exists already")));
                }
            }
            let tag = part.remove("tag").unwrap_or_default();
            for (path, mut item) in taken(&mut part, "paths").map_err(within)? {
                for method in METHODS {
                    if let Some(Value::Object(operation)) = item.get_mut(*method) {
                        operation.entry("tag").or_insert_with(|| tag.clone());
                    }
                }
                if all.paths.insert(path.clone(), item).is_some() {
                    return Err(within(format!("the path `{path}` exists already")));
                }
            }
            if file == "document.json" {
                all.document = part;
            } else if let Some(name) = part.keys().next() {
                return Err(within(format!("`{name}` is not understood")));
            }
        }
        Ok(all)
    }

    fn document(mut self) -> Result<Value, String> {
        let mut document = std::mem::take(&mut self.document);
        let errors = taken(&mut document, "errors")?;
        let tags = taken(&mut document, "tags")?;
        let tags: Vec<Value> =
            tags.iter().map(|(name, words)| json!({ "name": name, "description": words })).collect();
        let parameters = taken(&mut document, "parameters")?;
        let parameters = each(&parameters, |parameter| self.parameter(parameter))?;
        let mut responses = Map::new();
        for error in errors.values() {
            let (name, words) = error_words(error)?;
            let content = json!({ "application/json": { "schema": reference("schemas", "Error") } });
            responses.insert(name.to_owned(), json!({ "description": words, "content": content }));
        }
        let components = json!({
            "securitySchemes": taken(&mut document, "securitySchemes")?,
            "parameters": parameters,
            "responses": responses,
            "schemas": each(&self.schemas, |schema| self.schema(schema, false))?,
        });
        let paths = self.paths.iter().map(|(path, item)| {
            let item = self.item(item, &errors).map_err(|problem| format!("{path}: {problem}"))?;
            Ok((path.clone(), item))
        });
        let paths: Map<String, Value> = paths.collect::<Result<_, String>>()?;
        let (info, servers) = (document.remove("info"), document.remove("servers"));
        nothing_left(&document)?;
        Ok(json!({
            "openapi": "3.1.0", "info": info, "servers": servers, "tags": tags, "paths": paths, "components": components,
        }))
    }

    fn item(&self, item: &Value, errors: &Map<String, Value>) -> Result<Value, String> {
        let mut item = members(item)?.clone();
        let mut whole = Map::new();
        if let Some(parameters) = item.remove("parameters") {
            whole.insert("parameters".to_owned(), self.parameters(&parameters)?);
        }
        for method in METHODS {
            if let Some(operation) = item.remove(*method) {
                let operation =
                    self.operation(&operation, errors).map_err(|problem| format!("{method}: {problem}"))?;
                whole.insert((*method).to_owned(), operation);
            }
        }
        nothing_left(&item)?;
        Ok(Value::Object(whole))
    }

    fn operation(&self, operation: &Value, errors: &Map<String, Value>) -> Result<Value, String> {
        let mut given = members(operation)?.clone();
        let mut whole = Map::new();
        let required = |given: &mut Map<String, Value>, name: &str| {
            given.remove(name).ok_or_else(|| format!("`{name}` is missing"))
        };
        whole.insert("operationId".to_owned(), required(&mut given, "id")?);
        whole.insert("summary".to_owned(), required(&mut given, "summary")?);
        whole.insert("tags".to_owned(), json!([required(&mut given, "tag")?]));
        let success = required(&mut given, "success")?;
        whole.extend(given.remove("description").map(|words| ("description".to_owned(), words)));
        whole.insert("security".to_owned(), security(&mut given)?);
        if let Some(parameters) = given.remove("parameters") {
            whole.insert("parameters".to_owned(), self.parameters(&parameters)?);
        }
        let is_optional = given.remove("body_optional").is_some();
        if let Some(body) = given.remove("body") {
            let content = json!({ "application/json": { "schema": self.schema(&body, true)? } });
            whole.insert("requestBody".to_owned(), json!({ "required": !is_optional, "content": content }));
        }
        let mut responses = each(members(&success)?, |response| self.response(response))?;
        let listed = given.remove("errors");
        let listed = listed.as_ref().and_then(Value::as_array).into_iter().flatten().map(Value::to_string);
        for status in listed.chain(["default".to_owned()]) {
            let error = errors.get(&status).ok_or_else(|| format!("the error {status} has no words"))?;
            responses.insert(status, reference("responses", error_words(error)?.0));
        }
        whole.insert("responses".to_owned(), Value::Object(responses));
        nothing_left(&given)?;
        Ok(Value::Object(whole))
    }

    fn parameters(&self, parameters: &Value) -> Result<Value, String> {
        let all = parameters.as_array().ok_or("`parameters` is no list")?.iter().map(|parameter| {
            match parameter.as_str() {
                Some(name) => Ok(reference("parameters", name)),
                None => self.parameter(parameter),
            }
        });
        all.collect()
    }

    fn parameter(&self, parameter: &Value) -> Result<Value, String> {
        let mut parameter = members(parameter)?.clone();
        let schema = parameter.get("schema").ok_or("a parameter has no schema")?;
        parameter.insert("schema".to_owned(), self.schema(schema, true)?);
        Ok(Value::Object(parameter))
    }

    fn response(&self, response: &Value) -> Result<Value, String> {
        let mut given = members(response)?.clone();
        let description = given.remove("description").ok_or("a response has no description")?;
        let mut whole = Map::from_iter([("description".to_owned(), description)]);
        let mut headers = Map::new();
        if given.remove("secret").is_some() {
            let words = "`no-store`: the answer holds a secret that is shown once.";
            let header = json!({ "description": words, "required": true, "schema": { "const": "no-store" } });
            headers.insert("Cache-Control".to_owned(), header);
        }
        if given.remove("paged").is_some() {
            let words = "The neighbouring pages, RFC 8288.";
            headers
                .insert("Link".to_owned(), json!({ "description": words, "schema": { "type": "string" } }));
        }
        for (name, words) in taken(&mut given, "headers")? {
            let header = json!({ "description": words, "required": true, "schema": { "type": "string" } });
            headers.insert(name, header);
        }
        if !headers.is_empty() {
            whole.insert("headers".to_owned(), Value::Object(headers));
        }
        if let Some(schema) = given.remove("json") {
            let content = json!({ "application/json": { "schema": self.schema(&schema, false)? } });
            whole.insert("content".to_owned(), content);
        }
        if let Some(schema) = given.remove("stream") {
            let content = json!({ "text/event-stream": { "schema": self.schema(&schema, false)? } });
            whole.insert("content".to_owned(), content);
        }
        nothing_left(&given)?;
        Ok(Value::Object(whole))
    }

    /// Writes a schema in full; objects of requests are closed.
    fn schema(&self, schema: &Value, is_request: bool) -> Result<Value, String> {
        match schema {
            Value::String(word) => self.word(word),
            Value::Array(items) => match items.as_slice() {
                [item] => Ok(json!({ "type": "array", "items": self.schema(item, is_request)? })),
                _ => Err("a list of schemas has one".to_owned()),
            },
            Value::Object(given) if given.contains_key("object") => self.object(given, is_request),
            Value::Object(given) => {
                let mut whole = given.clone();
                if let Some(items) = given.get("items") {
                    whole.insert("items".to_owned(), self.schema(items, is_request)?);
                }
                Ok(Value::Object(whole))
            }
            other => Err(format!("{other} is no schema")),
        }
    }

    fn word(&self, word: &str) -> Result<Value, String> {
        let (name, may_be_null) = word.strip_suffix('?').map_or((word, false), |name| (name, true));
        let (kind, format) = match name {
            "text" => ("string", None),
            "time" => ("string", Some("date-time")),
            "number" => ("integer", Some("int64")),
            "flag" => ("boolean", None),
            _ if !self.schemas.contains_key(name) => return Err(format!("there is no schema `{name}`")),
            _ if may_be_null => {
                return Ok(json!({ "oneOf": [reference("schemas", name), { "type": "null" }] }));
            }
            _ => return Ok(reference("schemas", name)),
        };
        let mut schema = Map::from_iter([(
            "type".to_owned(),
            if may_be_null { json!([kind, "null"]) } else { json!(kind) },
        )]);
        schema.extend(format.map(|format| ("format".to_owned(), json!(format))));
        Ok(Value::Object(schema))
    }

    fn object(&self, given: &Map<String, Value>, is_request: bool) -> Result<Value, String> {
        let mut given = given.clone();
        let (mut properties, mut required) = (Map::new(), Vec::new());
        if let Some(base) = given.remove("extends") {
            let base =
                base.as_str().and_then(|name| self.schemas.get(name)).ok_or("what it extends is absent")?;
            let base = self.schema(base, is_request)?;
            properties.clone_from(members(&base["properties"])?);
            required.extend(base["required"].as_array().cloned().unwrap_or_default());
        }
        for (name, schema) in taken(&mut given, "object")? {
            let schema = self.schema(&schema, is_request).map_err(|problem| format!("{name}: {problem}"))?;
            match name.strip_suffix('?') {
                Some(name) => properties.insert(name.to_owned(), schema),
                None => {
                    required.push(json!(name));
                    properties.insert(name, schema)
                }
            };
        }
        let mut whole = Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(properties)),
        ]);
        if !required.is_empty() {
            whole.insert("required".to_owned(), Value::Array(required));
        }
        if is_request {
            whole.insert("additionalProperties".to_owned(), json!(false));
        }
        whole.extend(given.remove("description").map(|words| ("description".to_owned(), words)));
        nothing_left(&given)?;
        Ok(Value::Object(whole))
    }
}

fn security(given: &mut Map<String, Value>) -> Result<Value, String> {
    let (scopes, security, public) =
        (given.remove("scopes"), given.remove("security"), given.remove("public"));
    match (scopes, security, public) {
        (None, None, None) => Ok(json!([{ "token": [] }])),
        (Some(Value::Array(scopes)), None, None) => {
            Ok(scopes.iter().map(|scope| json!({ "token": [scope] })).collect())
        }
        (None, Some(security), None) => Ok(security),
        (None, None, Some(_)) => Ok(json!([])),
        _ => Err("`scopes`, `security` and `public` exclude one another".to_owned()),
    }
}

fn error_words(error: &Value) -> Result<(&str, &str), String> {
    let word = |at: usize| error.get(at).and_then(Value::as_str);
    word(0).zip(word(1)).ok_or_else(|| format!("{error} is not name and words"))
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

fn members(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{value} is no object"))
}

fn taken(from: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    match from.remove(name) {
        None => Ok(Map::new()),
        Some(Value::Object(found)) => Ok(found),
        Some(_) => Err(format!("`{name}` is no object")),
    }
}

fn each(
    all: &Map<String, Value>,
    change: impl Fn(&Value) -> Result<Value, String>,
) -> Result<Map<String, Value>, String> {
    let changed = all.iter().map(|(name, value)| {
        Ok((name.clone(), change(value).map_err(|problem| format!("{name}: {problem}"))?))
    });
    changed.collect()
}

fn nothing_left(given: &Map<String, Value>) -> Result<(), String> {
    given.keys().next().map_or(Ok(()), |name| Err(format!("`{name}` is not understood")))
}
