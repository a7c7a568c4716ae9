//! Which repository and service a path means, and where a repository that moved is now.

use axum::http::Uri;
use forge_git::wire::Service;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Returns the name without `.git`.
pub(super) fn repository_name(segment: &str) -> &str {
    segment.strip_suffix(".git").unwrap_or(segment)
}

/// Returns the service that a query asks for.
pub(super) fn service(query: Option<&str>) -> Option<Service> {
    let parameters: Vec<(String, String)> = serde_urlencoded::from_str(query?).ok()?;
    let (_, name) = parameters.into_iter().find(|(key, _)| key == "service")?;
    Service::from_name(&name)
}

/// Returns where to send a client that used a former name. Letter case alone is no move.
pub(super) fn moved(uri: &Uri, asked: (&str, &str), present: (&str, &str)) -> Option<String> {
    let (owner, segment) = asked;
    if owner.eq_ignore_ascii_case(present.0) && repository_name(segment).eq_ignore_ascii_case(present.1) {
        return None;
    }
    let encode = |text: &str| {
        utf8_percent_encode(text, NON_ALPHANUMERIC)
            .to_string()
            .replace("%2D", "-")
            .replace("%2E", ".")
            .replace("%5F", "_")
    };
    let suffix = if segment.ends_with(".git") { ".git" } else { "" };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("/{}/{}{suffix}/info/refs{query}", encode(present.0), encode(present.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_is_taken_off_once() {
        assert_eq!(repository_name("a.git"), "a");
        assert_eq!(repository_name("a"), "a");
        assert_eq!(repository_name("a.git.git"), "a.git");
    }

    #[test]
    fn only_the_two_services_are_known() {
        assert_eq!(service(Some("service=git-upload-pack")), Some(Service::UploadPack));
        assert_eq!(service(Some("x=1&service=git-receive-pack")), Some(Service::ReceivePack));
        for query in [None, Some(""), Some("service=git-evil"), Some("service")] {
            assert_eq!(service(query), None, "{query:?}");
        }
    }

    #[test]
    fn former_name_leads_to_the_present_one_with_the_same_question() {
        let uri: Uri = "/a/old.git/info/refs?service=git-upload-pack".parse().unwrap();
        let location = moved(&uri, ("a", "old.git"), ("a-b", "new.name"));
        assert_eq!(location.as_deref(), Some("/a-b/new.name.git/info/refs?service=git-upload-pack"));
        assert_eq!(moved(&uri, ("A", "OLD.git"), ("a", "old")), None);
    }
}
