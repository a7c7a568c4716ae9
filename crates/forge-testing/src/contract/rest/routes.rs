//! Which route of the description a path belongs to.

use serde_json::{Map, Value};

/// Every route template, the most literal first.
pub(in crate::contract) struct Routes {
    templates: Vec<String>,
}

impl Routes {
    /// Takes the templates of a description.
    pub(in crate::contract) fn new(paths: &Map<String, Value>) -> Self {
        let mut templates: Vec<String> = paths.keys().cloned().collect();
        templates.sort_by_cached_key(|template| rank(template));
        Self { templates }
    }

    /// Returns the template that a path matches; a literal segment wins over a parameter.
    pub(in crate::contract) fn find(&self, path: &str) -> Option<&str> {
        self.templates.iter().map(String::as_str).find(|template| matches(template, path))
    }
}

/// Sorts literals before parameters before parameters that hold `/`, segment by segment.
fn rank(template: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        _ if segment.starts_with("{+") => 2,
        _ if segment.starts_with('{') => 1,
        _ => 0,
    };
    template.split('/').map(rank).collect()
}

/// Returns whether a path has the form of a template.
pub(super) fn matches(template: &str, path: &str) -> bool {
    let mut wanted = template.trim_end_matches('/').split('/');
    let mut given = path.trim_end_matches('/').split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(parameter), Some(value)) if parameter.starts_with("{+") => return !value.is_empty(),
            (Some(parameter), Some(value)) if parameter.starts_with('{') && parameter.ends_with('}') => {
                if value.is_empty() {
                    return false;
                }
            }
            (Some(literal), Some(value)) if segment_matches(literal, value) => {}
            _ => return false,
        }
    }
}

/// A segment may hold a parameter between literal text, as `{base}...{head}` does.
fn segment_matches(template: &str, value: &str) -> bool {
    if !template.contains('{') {
        return template == value;
    }
    let mut rest = value;
    for (index, part) in template.split(['{', '}']).enumerate() {
        let is_literal = index % 2 == 0;
        if is_literal && !part.is_empty() {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
    }
    true
}

/// Returns a template as GitHub writes it.
pub(super) fn plain(template: &str) -> String {
    template.replace("{+", "{")
}
