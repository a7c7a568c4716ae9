//! What an agent runs in: bindings that say which workloads an issuer vouches for open sessions of which agent.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::Timestamp;
use crate::id::{AccountId, WorkloadBindingId};

/// How long a session of a workload lasts where its binding does not say.
pub const DEFAULT_TTL: Duration = Duration::from_secs(60 * 60);

/// The shortest a binding may let sessions last.
pub const SHORTEST_TTL: Duration = Duration::from_secs(60);

/// The issuer of bindings that mean names which the trusted authorities of client certificates give: `dns:` and the name.
pub const AUTHORITIES: &str = "x509";

const LONGEST_SUBJECT: usize = 512;

/// Words that stand in subjects of runs that somebody else than the owner of the code can start: for a proposal to change
/// it, be it in GitHub's or GitLab's words, and in the refs of either. No star stands for them.
const OUTSIDERS: [&str; 4] = ["pull_request", "pull_request_target", "pull", "merge-requests"];

/// Lets workloads open sessions of an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadBinding {
    /// The binding's id; sessions that it opens are of the family of this name.
    pub id: WorkloadBindingId,
    /// The agent.
    pub agent_id: AccountId,
    /// Who vouches for the workloads.
    pub issuer: String,
    /// For whom their tokens are; `None` means for this forge, by its own name as an issuer.
    pub audience: Option<String>,
    /// Which workloads.
    pub subject: SubjectPattern,
    /// Claims that their tokens have beside, each exactly so.
    pub claims: BTreeMap<String, Value>,
    /// How long a session lasts at most.
    pub max_ttl: Duration,
    /// Where the keys of the issuer are had.
    pub keys: IssuerKeys,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last opened a session.
    pub last_used_at: Option<Timestamp>,
}

/// Where the keys of an issuer are had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// They stand in the binding: a set of keys as JSON (RFC 7517 §5).
    Inline(String),
    /// They are published at this address.
    Address(String),
    /// The issuer says where, as OpenID Connect Discovery 1.0 has it.
    Discovered,
}

/// Which subjects are meant: one exactly, or with `*` for whole segments between the separators `:` and `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPattern(String);

/// Why a text is no pattern of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSubject(pub &'static str);

impl SubjectPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it is empty, longer than 512 bytes or has control characters; if a star is a part of a segment; or if there is
    /// one before two segments that stand as they are, which say whose workloads are meant.
    pub fn parse(text: &str) -> Result<Self, BadSubject> {
        if text.is_empty() || text.len() > LONGEST_SUBJECT || text.chars().any(char::is_control) {
            return Err(BadSubject("subject must have 1 to 512 bytes, none of them a control character"));
        }
        let parts: Vec<&str> = segments(text).collect();
        if parts.iter().any(|part| part.contains('*') && *part != "*") {
            return Err(BadSubject("`*` in a subject stands for a whole segment between `:` and `/`"));
        }
        let literal = parts.iter().take_while(|part| **part != "*").filter(|part| !part.is_empty()).count();
        if parts.contains(&"*") && literal < 2 {
            return Err(BadSubject(
                "the first two segments of a subject must stand as they are, so that they say whose workloads are meant",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the pattern as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `subject` is meant. A star stands for one segment that is not empty, and never for a run on
    /// somebody else's proposal: that has to stand in the pattern as it is.
    #[must_use]
    pub fn matches(&self, subject: &str) -> bool {
        let separators = |text: &str| text.chars().filter(|c| is_separator(*c)).collect::<String>();
        let is_meant = |(pattern, part): (&str, &str)| match pattern {
            "*" => !part.is_empty() && !OUTSIDERS.contains(&part),
            _ => pattern == part,
        };
        // Equal separators in equal order: then there are as many segments.
        separators(&self.0) == separators(subject) && segments(&self.0).zip(segments(subject)).all(is_meant)
    }
}

const fn is_separator(character: char) -> bool {
    matches!(character, ':' | '/')
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, subject: &str) -> bool {
        SubjectPattern::parse(pattern).expect("a pattern").matches(subject)
    }

    #[test]
    fn a70_a_star_stands_for_one_segment_and_crosses_no_separator() {
        let pattern = "repo:acme/*:ref:refs/heads/main";
        assert!(matches(pattern, "repo:acme/app:ref:refs/heads/main"));
        for other in [
            "repo:acme-evil/app:ref:refs/heads/main",
            "repo:acme/app/more:ref:refs/heads/main",
            "repo:acme/app:more:ref:refs/heads/main",
            "repo:acme/:ref:refs/heads/main",
            "repo:acme:app:ref:refs/heads/main",
            "repo:acme/app:ref:refs/heads/main2",
            "repo:acme/app:ref:refs/heads/main/x",
            "repo:acme/app:ref:refs/heads/",
            "repo:ACME/app:ref:refs/heads/main",
            "xrepo:acme/app:ref:refs/heads/main",
            "",
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
    }

    #[test]
    fn a70_no_star_stands_for_a_run_on_a_proposal() {
        assert!(matches("repo:acme/app:pull_request", "repo:acme/app:pull_request"));
        assert!(!matches("repo:acme/app:*", "repo:acme/app:pull_request"));
        assert!(!matches("repo:acme/app:*", "repo:acme/app:pull_request_target"));
        assert!(!matches("repo:acme/app:ref:refs/*/*/*", "repo:acme/app:ref:refs/pull/7/merge"));
        assert!(!matches(
            "project_path:acme/app:ref_type:*:ref:refs/*/7/head",
            "project_path:acme/app:ref_type:branch:ref:refs/merge-requests/7/head"
        ));
        assert!(matches("repo:acme/app:*", "repo:acme/app:main"));
    }

    #[test]
    fn a70_a_tag_that_is_named_as_a_branch_is_another_subject() {
        let pattern = "project_path:acme/*:ref_type:branch:ref:main";
        assert!(matches(pattern, "project_path:acme/app:ref_type:branch:ref:main"));
        for other in [
            "project_path:acme/app:ref_type:tag:ref:main",
            "project_path:acme/app:ref_type:branch:ref:main:ref_type:branch:ref:main",
            "project_path:acme/sub/app:ref_type:branch:ref:main",
            "project_path:acme/app:ref_type:branch:ref:x/main",
        ] {
            assert!(!matches(pattern, other), "{other}");
        }
    }

    #[test]
    fn a70_a_subject_says_whose_workloads_are_meant() {
        for good in [
            "system:serviceaccount:ci:robot",
            "system:serviceaccount:*:robot",
            "spiffe://example.org/ci/*",
            "project_path:acme/*:ref_type:branch:ref:main",
            "0123456789",
        ] {
            assert!(SubjectPattern::parse(good).is_ok(), "{good}");
        }
        let long = "x".repeat(513);
        for bad in [
            "",
            "*",
            "*:*",
            "repo:*",
            "repo:*/app:x",
            "*/acme/app",
            "spiffe://*/ci",
            "repo:acme*/app",
            "repo:acme/a*",
            "a\nb",
            &long,
        ] {
            assert!(SubjectPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
