//! GitHub's description in a form that is quick to load.
//!
//! The published file has 13 MB, and every test may run in a process of its own. It is cut once into a table of
//! responses and one small file per schema, without what only people read, and kept beside the other test tools.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// Members that say nothing about what is valid.
const FOR_PEOPLE: &[&str] = &[
    "examples",
    "example",
    "description",
    "externalDocs",
    "x-github",
    "title",
    "tags",
    "summary",
    "deprecated",
];

/// Members whose own members are names, not keywords.
const OF_NAMES: &[&str] = &["properties", "patternProperties"];

/// Changes whenever the form does, so that an old copy is not used.
const FORM: u32 = 1;

/// An opened description.
pub(super) struct Description {
    /// Route template → method → status → media type → schema.
    pub(super) paths: Map<String, Value>,
    schemas: PathBuf,
}

impl Description {
    /// Opens the description of the npm package, cutting it first if that has not been done.
    pub(super) fn open(package: &Path, cache: &Path) -> Result<Self, String> {
        let manifest = read(&package.join("package.json"))?;
        let version = manifest["version"].as_str().ok_or("the package has no version")?;
        let folder = cache.join(format!("openapi-{version}-{FORM}"));
        if !folder.is_dir() {
            cut(&package.join("generated/api.github.com.json"), &folder)?;
        }
        let Value::Object(paths) = read(&folder.join("paths.json"))? else {
            return Err("paths.json is not an object".to_owned());
        };
        Ok(Self { paths, schemas: folder.join("schemas") })
    }

    /// Returns one named schema, with its references to others left as they are.
    pub(super) fn schema(&self, name: &str) -> Result<Value, String> {
        read(&self.schemas.join(format!("{name}.json")))
    }
}

fn cut(source: &Path, folder: &Path) -> Result<(), String> {
    let document = read(source)?;
    // Other processes may be doing the same: each writes a folder of its own, the first to rename wins.
    let parent = folder.parent().ok_or("the cache has no parent")?;
    let io = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(parent).map_err(io)?;
    let own = tempfile::Builder::new().prefix("openapi-").tempdir_in(parent).map_err(io)?;
    fs::create_dir(own.path().join("schemas")).map_err(io)?;
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        write(&own.path().join(format!("schemas/{name}.json")), &lower(schema))?;
    }
    write(&own.path().join("paths.json"), &Value::Object(responses(&document)))?;
    if fs::rename(own.path(), folder).is_ok() || folder.is_dir() {
        return Ok(());
    }
    Err(format!("cannot create {}", folder.display()))
}

fn responses(document: &Value) -> Map<String, Value> {
    let mut paths = Map::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        let mut methods = Map::new();
        let mut template = path.clone();
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let Some(described) = operation["responses"].as_object() else { continue };
            mark_long_parameters(document, operation, &mut template);
            let statuses = described
                .iter()
                .map(|(status, response)| (status.clone(), content(resolve(document, response))));
            methods.insert(method.to_uppercase(), Value::Object(statuses.collect()));
        }
        paths.insert(template, Value::Object(methods));
    }
    paths
}

/// Writes `{+path}` for a parameter that may hold `/`.
fn mark_long_parameters(document: &Value, operation: &Value, template: &mut String) {
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolve(document, parameter);
        if parameter["x-multi-segment"] == json!(true)
            && let Some(name) = parameter["name"].as_str()
        {
            *template = template.replace(&format!("{{{name}}}"), &format!("{{+{name}}}"));
        }
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn content(response: &Value) -> Value {
    let medias = response["content"].as_object().into_iter().flatten();
    let medias = medias.map(|(media, content)| {
        let media = media.split(';').next().unwrap_or(media);
        (media.to_owned(), content.get("schema").map_or(json!({}), lower))
    });
    Value::Object(medias.collect())
}

/// Turns a schema of OpenAPI 3.0 into one of JSON Schema and drops what only people read.
///
/// `oneOf` becomes `anyOf`: GitHub's alternatives overlap, so that its own examples match several.
fn lower(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => Value::Array(items.iter().map(lower).collect()),
        Value::Object(members) => lower_object(members),
        other => other.clone(),
    }
}

fn lower_object(members: &Map<String, Value>) -> Value {
    let mut lowered = Map::new();
    for (name, value) in members {
        if FOR_PEOPLE.contains(&name.as_str()) || name == "nullable" {
            continue;
        }
        let name = if name == "oneOf" { "anyOf" } else { name };
        let value = match value {
            Value::Object(names) if OF_NAMES.contains(&name) => {
                Value::Object(names.iter().map(|(name, schema)| (name.clone(), lower(schema))).collect())
            }
            _ if name == "enum" || name == "default" => value.clone(),
            other => lower(other),
        };
        lowered.insert(name.to_owned(), value);
    }
    if members.get("nullable") == Some(&json!(true)) {
        return json!({ "anyOf": [{ "type": "null" }, lowered] });
    }
    Value::Object(lowered)
}

fn read(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, value: &Value) -> Result<(), String> {
    fs::write(path, value.to_string()).map_err(|error| format!("{}: {error}", path.display()))
}
