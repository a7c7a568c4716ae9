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

/// Sorts literals before parameters before parameters that hold `/`, segment by segment, and what goes on after them first.
fn rank(template: &str) -> Vec<u8> {
    let rank = |segment: &str| match segment {
        _ if segment.starts_with("{+") => 2,
        _ if segment.starts_with('{') => 1,
        _ => 0,
    };
    template.split('/').map(rank).chain([3]).collect()
}

/// Returns whether a path has the form of a template.
pub(super) fn matches(template: &str, path: &str) -> bool {
    let segments = |text: &str| text.trim_end_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    all_match(&segments(template), &segments(path))
}

fn all_match(wanted: &[String], given: &[String]) -> bool {
    match (wanted.split_first(), given.split_first()) {
        (None, None) => true,
        (Some((parameter, rest)), Some((value, _))) if parameter.starts_with("{+") => {
            !value.is_empty() && (1..=given.len()).any(|taken| all_match(rest, &given[taken..]))
        }
        (Some((parameter, rest)), Some((value, left)))
            if parameter.starts_with('{') && parameter.ends_with('}') && !parameter.contains("}...") =>
        {
            !value.is_empty() && all_match(rest, left)
        }
        (Some((literal, rest)), Some((value, left))) => {
            segment_matches(literal, value) && all_match(rest, left)
        }
        _ => false,
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
