//! One REST answer against GitHub's OpenAPI description.
//!
//! Route, status and body must be as described. [`description`] holds the description in a form that is quick to load,
//! [`routes`] finds the operation, [`validators`] checks bodies.

mod description;
pub(super) mod routes;
mod validators;

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use self::description::Description;
use self::routes::Routes;
use self::validators::Validators;
use super::extensions::Extensions;

/// What was asked and what was answered.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The path below `/api/v3`, percent-encoded as it was sent, without query.
    pub path: &'a str,
    /// The status answered.
    pub status: u16,
    /// The answer's `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The answer's body.
    pub body: &'a [u8],
}

/// A description and the deviations from it that are allowed.
pub struct Contract {
    routes: Routes,
    validators: Validators,
    extensions: Extensions,
}

/// Returns GitHub's description with this project's deviations, loaded once per process.
///
/// # Panics
/// When the description is not installed.
pub fn github() -> &'static Contract {
    static GITHUB: OnceLock<Contract> = OnceLock::new();
    GITHUB.get_or_init(|| {
        let package = crate::tools::node_modules().join("@octokit/openapi");
        Contract::load(&package, &crate::tools::folder(), Extensions::of_this_project())
            .unwrap_or_else(|error| panic!("GitHub's OpenAPI description cannot be loaded: {error}"))
    })
}

impl Contract {
    /// Loads the description of an npm package; its quick form is kept in `cache`.
    pub fn load(package: &Path, cache: &Path, extensions: Extensions) -> Result<Self, String> {
        let description = Description::open(package, cache)?;
        let routes = Routes::new(&description.paths);
        Ok(Self { routes, validators: Validators::new(description), extensions })
    }

    /// Checks one answer; an error says everything that differs.
    pub fn check(&self, exchange: &Exchange<'_>) -> Result<(), String> {
        let asked = if exchange.method == "HEAD" { "GET" } else { exchange.method };
        // A route of ours wins over a parameter of GitHub's, as `/user/agents` over `/user/{account_id}`.
        let is_shadowed = |template: &&str| template.contains('{') && self.is_ours(exchange, asked);
        let Some(template) = self.routes.find(exchange.path).filter(|template| !is_shadowed(template)) else {
            return self.check_unknown(exchange, asked);
        };
        let route = format!("{asked} {}", routes::plain(template));
        let Some(responses) = self.validators.responses(template, asked) else {
            return self.check_unknown(exchange, asked);
        };
        let Some(response) = responses.get(&exchange.status.to_string()) else {
            let name = format!("{route} {}", exchange.status);
            if self.extensions.rest_statuses.contains(&name) {
                return Ok(());
            }
            return check_undescribed_status(exchange).map_err(|problem| format!("{route}: {problem}"));
        };
        self.check_body(exchange, &format!("{template} {asked}"), response)
            .map_err(|problem| format!("{route} {}: {problem}", exchange.status))
    }

    /// Returns whether the list of deviations has the route of an answer.
    pub fn is_extension(&self, exchange: &Exchange<'_>) -> bool {
        self.is_ours(exchange, exchange.method)
    }

    /// Returns whether the list of deviations has the route.
    fn is_ours(&self, exchange: &Exchange<'_>, method: &str) -> bool {
        self.extensions.rest_routes.iter().any(|entry| {
            entry
                .split_once(' ')
                .is_some_and(|(m, template)| m == method && routes::matches(template, exchange.path))
        })
    }

    fn check_unknown(&self, exchange: &Exchange<'_>, method: &str) -> Result<(), String> {
        let is_ours = self.is_ours(exchange, method);
        if exchange.status >= 400 {
            return check_error_shape(exchange);
        }
        if is_ours {
            return Ok(());
        }
        Err(format!(
            "{method} {} is not in GitHub's description and not in schema/extensions.toml, yet answers {}",
            exchange.path, exchange.status
        ))
    }

    fn check_body(&self, exchange: &Exchange<'_>, key: &str, response: &Value) -> Result<(), String> {
        let content = response.as_object().filter(|content| !content.is_empty());
        let Some(content) = content else {
            return if exchange.body.is_empty() || exchange.status >= 300 {
                Ok(())
            } else {
                Err("has a body, which the description does not".to_owned())
            };
        };
        if exchange.method == "HEAD" || exchange.status == 304 {
            return if exchange.body.is_empty() { Ok(()) } else { Err("has a body".to_owned()) };
        }
        let media = exchange.content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
        if !is_json(media) {
            let may_differ = exchange.status < 300;
            return if may_differ { Ok(()) } else { Err(format!("is `{media}`, not JSON")) };
        }
        let body = parse(exchange)?;
        if exchange.status >= 400 {
            check_error_shape(exchange)?;
        }
        let Some(schema) = content.get(media).or_else(|| content.get("application/json")) else {
            return Ok(());
        };
        self.validators.check(&format!("{key} {}", exchange.status), schema, &body)
    }
}

/// GitHub's description leaves out many refusals; they all have one shape.
fn check_undescribed_status(exchange: &Exchange<'_>) -> Result<(), String> {
    match exchange.status {
        304 if exchange.body.is_empty() => Ok(()),
        301 | 302 | 307 | 308 | 400..=599 => check_error_shape(exchange),
        status => Err(format!("answers {status}, which the description does not have")),
    }
}

fn check_error_shape(exchange: &Exchange<'_>) -> Result<(), String> {
    if exchange.method == "HEAD" {
        return Ok(());
    }
    let body = parse(exchange)?;
    let wanted = if exchange.status < 400 { ["message", "url"] } else { ["message", "documentation_url"] };
    let missing = wanted.iter().find(|member| !body.get(**member).is_some_and(Value::is_string));
    missing.map_or(Ok(()), |member| Err(format!("{}: error body lacks `{member}`: {body}", exchange.status)))
}

fn parse(exchange: &Exchange<'_>) -> Result<Value, String> {
    serde_json::from_slice(exchange.body)
        .map_err(|error| format!("{}: body is not JSON: {error}", exchange.status))
}

fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

#[cfg(test)]
mod tests;
