//! Checks bodies against schemas, each schema compiled when it is first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::description::Description;

/// How many differences of one body are told.
const TOLD: usize = 8;

/// A description's schemas.
pub(super) struct Validators {
    description: Description,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Validators {
    /// Takes a description.
    pub(super) fn new(description: Description) -> Self {
        Self { description, compiled: Mutex::default() }
    }

    /// Returns the responses of one operation: status → media type → schema.
    pub(super) fn responses(&self, template: &str, method: &str) -> Option<&Map<String, Value>> {
        self.description.paths.get(template)?.get(method)?.as_object()
    }

    /// Checks a body; an error tells where it differs.
    pub(super) fn check(&self, key: &str, schema: &Value, body: &Value) -> Result<(), String> {
        let validator = self.validator(key, schema)?;
        let mut problems: Vec<String> =
            validator.iter_errors(body).take(TOLD).map(|error| told(&error)).collect();
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    fn validator(&self, key: &str, schema: &Value) -> Result<Arc<Validator>, String> {
        let lock = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(self.compile(schema)?);
        lock().insert(key.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn compile(&self, schema: &Value) -> Result<Validator, String> {
        let mut needed = Map::new();
        self.gather(schema, &mut needed)?;
        let root = json!({ "allOf": [schema], "components": { "schemas": needed } });
        // Formats are not judged: GitHub's examples break its own (`uri` with templates, `date-time` without zone).
        let options = jsonschema::options().should_validate_formats(false);
        options.build(&root).map_err(|error| format!("the description's schema is broken: {error}"))
    }

    /// Collects the named schemas that a schema refers to, however far.
    fn gather(&self, schema: &Value, needed: &mut Map<String, Value>) -> Result<(), String> {
        match schema {
            Value::Array(items) => items.iter().try_for_each(|item| self.gather(item, needed)),
            Value::Object(members) => {
                if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(schema_name)
                    && !needed.contains_key(name)
                {
                    let found = self.description.schema(name)?;
                    needed.insert(name.to_owned(), found.clone());
                    self.gather(&found, needed)?;
                }
                members.values().try_for_each(|member| self.gather(member, needed))
            }
            _ => Ok(()),
        }
    }
}

fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let at = error.instance_path().to_string();
    let text: String = error.to_string().chars().take(200).collect();
    if at.is_empty() { text } else { format!("{at}: {text}") }
}
