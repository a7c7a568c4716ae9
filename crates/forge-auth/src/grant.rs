//! A task grant as it is asked for: an object of RFC 9396 `authorization_details`, read strictly. What is not understood,
//! and what nothing here enforces, is refused: whoever grants must be able to rely on every word.

use std::collections::BTreeSet;

use forge_types::grant::{
    BranchPrefix, DETAILS_TYPE, GrantAction, GrantBudgets, GrantConstraints, PathPattern,
};
use forge_types::{Error, FieldCode, RefName, Result, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// The most resources, and the most denied paths, of one grant.
pub const MOST_ENTRIES: usize = 50;

/// The longest description of a task, in characters.
const MAX_TASK: usize = 200;

/// What is asked for, before any name in it is looked up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantDetails {
    /// RFC 9396's name for the kind of object.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Where it is meant to be used: this forge, or nothing.
    #[serde(default)]
    pub locations: Vec<String>,
    /// What its maker calls the task, for programs.
    #[serde(default)]
    pub identifier: Option<String>,
    /// `agent:LOGIN` or `LOGIN`.
    #[serde(default)]
    pub agent: Option<String>,
    /// `user:LOGIN`, `org:LOGIN`, `LOGIN` of the caller, or `policy:ORGANIZATION/NAME`.
    #[serde(default)]
    pub delegator: Option<String>,
    /// What the work is.
    #[serde(default)]
    pub task: Option<String>,
    /// On what.
    #[serde(default)]
    pub resources: Vec<String>,
    /// What may be done.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Bounds.
    #[serde(default)]
    pub constraints: Option<ConstraintDetails>,
}

/// Bounds, as they are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConstraintDetails {
    branch_prefix: Option<String>,
    paths_deny: Option<Vec<String>>,
    expires_at: Option<String>,
    budgets: Option<BudgetDetails>,
    requires_approval: Option<Vec<String>>,
    network_allowlist: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BudgetDetails {
    pushes: Option<i64>,
    bytes: Option<i64>,
    open_prs: Option<i64>,
}

/// A thing that a grant names, before it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedResource {
    /// The owner of the repository.
    pub owner: String,
    /// The repository.
    pub name: String,
    /// What in it.
    pub part: Part,
}

/// What in a repository a grant names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The repository itself.
    Whole,
    /// A ref.
    Ref(RefName),
    /// An issue.
    Issue(i64),
    /// A pull request.
    Pull(i64),
    /// A secret.
    Secret(String),
    /// A workflow.
    Workflow(String),
}

/// Who is to delegate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedDelegator {
    /// The caller.
    Caller,
    /// This account, which has to be the caller.
    Account(String),
    /// An organization the caller owns.
    Organization(String),
    /// A policy, by organization and name, by which the caller takes a task.
    Policy(String, String),
}

fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::invalid("TaskGrant", field, FieldCode::Invalid, message)
}

fn missing(field: &'static str) -> Error {
    Error::invalid("TaskGrant", field, FieldCode::MissingField, format!("{field} is missing"))
}

fn unenforced(field: &'static str, what: &str) -> Error {
    let message = format!("this forge does not enforce {what}, so a grant cannot have it");
    Error::invalid("TaskGrant", field, FieldCode::Unprocessable, message)
}

impl GrantDetails {
    /// Checks what frames the object.
    ///
    /// # Errors
    /// `Invalid` if it is of another type or meant for another place than `origin`.
    pub fn check_frame(&self, origin: &str) -> Result<()> {
        if self.kind.as_deref().is_some_and(|kind| kind != DETAILS_TYPE) {
            return Err(invalid("type", format!("type must be `{DETAILS_TYPE}`")));
        }
        let is_here = |location: &String| {
            let rest = location.strip_prefix(origin.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !self.locations.iter().all(is_here) {
            return Err(invalid("locations", "locations must be addresses of this forge"));
        }
        Ok(())
    }

    /// Returns the login of the agent.
    ///
    /// # Errors
    /// `Invalid` if there is none.
    pub fn agent_login(&self) -> Result<&str> {
        let agent = self.agent.as_deref().ok_or_else(|| missing("agent"))?;
        let login = agent.strip_prefix("agent:").unwrap_or(agent);
        if login.is_empty() || login.contains(':') {
            return Err(invalid("agent", "agent must be `agent:LOGIN` or `LOGIN`"));
        }
        Ok(login)
    }

    /// Returns who is to delegate.
    ///
    /// # Errors
    /// `Invalid` if it cannot be read.
    pub fn named_delegator(&self) -> Result<NamedDelegator> {
        let Some(text) = self.delegator.as_deref() else { return Ok(NamedDelegator::Caller) };
        match text.split_once(':') {
            None if !text.is_empty() => Ok(NamedDelegator::Account(text.to_owned())),
            Some(("user" | "agent", login)) if !login.is_empty() => {
                Ok(NamedDelegator::Account(login.to_owned()))
            }
            Some(("org", login)) if !login.is_empty() => Ok(NamedDelegator::Organization(login.to_owned())),
            Some(("policy", rest)) => match rest.split_once('/') {
                Some((organization, name)) if !organization.is_empty() && !name.is_empty() => {
                    Ok(NamedDelegator::Policy(organization.to_owned(), name.to_owned()))
                }
                _ => Err(invalid("delegator", "a policy is named `policy:ORGANIZATION/NAME`")),
            },
            _ => {
                Err(invalid("delegator", "delegator must be `user:LOGIN`, `org:LOGIN` or `policy:ORG/NAME`"))
            }
        }
    }

    /// Returns what the work is.
    ///
    /// # Errors
    /// `Invalid` if it is missing, too long, or has characters that are not seen.
    pub fn task(&self) -> Result<String> {
        let given = self.task.as_deref().or(self.identifier.as_deref()).ok_or_else(|| missing("task"))?;
        let task = given.trim();
        if task.is_empty() || task.chars().count() > MAX_TASK {
            return Err(invalid("task", format!("task has 1 to {MAX_TASK} characters")));
        }
        if task.chars().any(char::is_control) {
            return Err(invalid("task", "task is one line"));
        }
        if let (Some(identifier), Some(_)) = (&self.identifier, &self.task)
            && identifier.strip_prefix("task:").unwrap_or(identifier) != task
        {
            return Err(invalid("identifier", "identifier must be the task, if both are given"));
        }
        Ok(task.to_owned())
    }

    /// Returns what it is about.
    ///
    /// # Errors
    /// `Invalid` if there is nothing, too much, or something that cannot be read.
    pub fn named_resources(&self) -> Result<Vec<NamedResource>> {
        named_resources(&self.resources)
    }

    /// Returns what may be done.
    ///
    /// # Errors
    /// `Invalid` if there is nothing or something that is not in the vocabulary.
    pub fn granted_actions(&self) -> Result<BTreeSet<GrantAction>> {
        if self.actions.is_empty() {
            return Err(missing("actions"));
        }
        actions("actions", &self.actions)
    }

    /// Returns the bounds, and when it is to end.
    ///
    /// # Errors
    /// `Invalid` for what cannot be read, and for what nothing enforces.
    pub fn bounds(&self) -> Result<(GrantConstraints, Option<Timestamp>)> {
        self.constraints
            .as_ref()
            .map_or_else(|| Ok((GrantConstraints::default(), None)), ConstraintDetails::bounds)
    }
}

impl ConstraintDetails {
    fn bounds(&self) -> Result<(GrantConstraints, Option<Timestamp>)> {
        if self.network_allowlist.as_ref().is_some_and(|value| !value.is_null()) {
            return Err(unenforced("network_allowlist", "`network_allowlist`"));
        }
        let prefix = self.branch_prefix.as_deref().map(BranchPrefix::new).transpose();
        let paths = self.paths_deny.as_deref().unwrap_or_default();
        if paths.len() > MOST_ENTRIES {
            return Err(invalid("paths_deny", format!("paths_deny has at most {MOST_ENTRIES} entries")));
        }
        let paths: Result<Vec<_>, _> = paths.iter().map(|path| PathPattern::new(path)).collect();
        let moment = |text: &String| {
            Timestamp::parse(text).ok_or_else(|| invalid("expires_at", "expires_at must be an RFC 3339 time"))
        };
        let constraints = GrantConstraints {
            branch_prefix: prefix.map_err(|error| invalid("branch_prefix", error.to_string()))?,
            paths_deny: paths.map_err(|error| invalid("paths_deny", error.to_string()))?,
            budgets: self
                .budgets
                .as_ref()
                .map_or_else(|| Ok(GrantBudgets::default()), BudgetDetails::budgets)?,
            requires_approval: actions(
                "requires_approval",
                self.requires_approval.as_deref().unwrap_or_default(),
            )?,
        };
        if constraints.requires_approval.contains(&GrantAction::ReadCode) {
            let message = "reading cannot wait for a human: leave `read_code` out of the actions instead";
            return Err(invalid("requires_approval", message.to_owned()));
        }
        Ok((constraints, self.expires_at.as_ref().map(moment).transpose()?))
    }
}

impl BudgetDetails {
    fn budgets(&self) -> Result<GrantBudgets> {
        if self.open_prs.is_some() {
            return Err(unenforced("budgets", "a budget of pull requests"));
        }
        if [self.pushes, self.bytes].into_iter().flatten().any(|number| number < 1) {
            return Err(invalid("budgets", "a budget is at least 1"));
        }
        Ok(GrantBudgets { pushes: self.pushes, bytes: self.bytes })
    }
}

fn actions(field: &'static str, names: &[String]) -> Result<BTreeSet<GrantAction>> {
    let known = || GrantAction::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    let read = |name: &String| {
        GrantAction::parse(name)
            .ok_or_else(|| invalid(field, format!("there is no action `{name}`; there are {}", known())))
    };
    names.iter().map(read).collect()
}

/// Reads the names of what a grant is about.
///
/// # Errors
/// `Invalid` if there is nothing, too much, or something that cannot be read.
pub fn named_resources(texts: &[String]) -> Result<Vec<NamedResource>> {
    if texts.is_empty() {
        return Err(missing("resources"));
    }
    if texts.len() > MOST_ENTRIES {
        return Err(invalid("resources", format!("resources has at most {MOST_ENTRIES} entries")));
    }
    texts.iter().map(|text| NamedResource::parse(text)).collect()
}

impl NamedResource {
    fn parse(text: &str) -> Result<Self> {
        let unreadable = || {
            let forms = "repo:OWNER/NAME, branch:OWNER/NAME@REF, issue:OWNER/NAME#N, pull:OWNER/NAME#N, \
                         secret:OWNER/NAME/SECRET or workflow:OWNER/NAME/FILE";
            invalid("resources", format!("`{text}` is none of {forms}"))
        };
        let (kind, rest) = text.split_once(':').ok_or_else(unreadable)?;
        let (owner, rest) = rest.split_once('/').ok_or_else(unreadable)?;
        let split = |separator: char| rest.split_once(separator).ok_or_else(unreadable);
        let number =
            |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0).ok_or_else(unreadable);
        let word = |text: &str| {
            let is_word = !text.is_empty() && !text.contains('/') && !text.chars().any(char::is_control);
            is_word.then(|| text.to_owned()).ok_or_else(unreadable)
        };
        let (name, part) = match kind {
            "repo" => (rest, Part::Whole),
            "branch" => {
                let (name, branch) = split('@')?;
                (name, Part::Ref(ref_name(branch).ok_or_else(unreadable)?))
            }
            "issue" => split('#').and_then(|(name, text)| Ok((name, Part::Issue(number(text)?))))?,
            "pull" => split('#').and_then(|(name, text)| Ok((name, Part::Pull(number(text)?))))?,
            "secret" => split('/').and_then(|(name, text)| Ok((name, Part::Secret(word(text)?))))?,
            "workflow" => split('/').and_then(|(name, text)| Ok((name, Part::Workflow(word(text)?))))?,
            _ => return Err(unreadable()),
        };
        if owner.is_empty() || name.is_empty() || name.contains(['/', '#', '@', ':']) {
            return Err(unreadable());
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned(), part })
    }
}

/// Reads a full ref name, or the short one of a branch.
fn ref_name(text: &str) -> Option<RefName> {
    let name = if text.starts_with("refs/") { RefName::new(text) } else { RefName::branch(text) };
    name.ok().filter(|name| name.check_creatable().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn details(value: Value) -> GrantDetails {
        serde_json::from_value(value).expect("details")
    }

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let details = details(json!({
            "type": DETAILS_TYPE, "locations": ["https://forge.test/api"], "identifier": "task:fix-payment-bug",
            "agent": "agent:coder", "delegator": "user:alice", "task": "fix-payment-bug",
            "resources": ["repo:acme/payments", "issue:acme/payments#123", "branch:acme/payments@agent/x"],
            "actions": ["read_code", "create_branch"],
            "constraints": {"branch_prefix": "agent/task-123/", "expires_at": "2026-01-01T00:00:00Z",
                "requires_approval": ["merge_pr"], "paths_deny": [".github/workflows/**"],
                "budgets": {"pushes": 50, "bytes": 52_428_800}},
        }));
        details.check_frame("https://forge.test").expect("this forge");
        assert_eq!(details.agent_login().expect("a login"), "coder");
        assert_eq!(
            details.named_delegator().expect("a delegator"),
            NamedDelegator::Account("alice".to_owned())
        );
        assert_eq!(details.task().expect("a task"), "fix-payment-bug");
        let resources = details.named_resources().expect("resources");
        assert_eq!(resources[1].part, Part::Issue(123));
        assert_eq!(resources[2].part, Part::Ref(RefName::new("refs/heads/agent/x").expect("a name")));
        assert_eq!(details.granted_actions().expect("actions").len(), 2);
        let (constraints, expires_at) = details.bounds().expect("bounds");
        assert_eq!(constraints.budgets.pushes, Some(50));
        assert!(expires_at.is_some());
    }

    #[test]
    fn what_is_not_understood_or_not_enforced_is_refused() {
        let unknown = [
            json!({"agent": "a", "extra": 1}),
            json!({"constraints": {"max_size": 1}}),
            json!({"constraints": {"budgets": {"cpu": 1}}}),
        ];
        for value in unknown {
            assert!(serde_json::from_value::<GrantDetails>(value.clone()).is_err(), "{value}");
        }
        for constraints in [
            json!({"network_allowlist": []}),
            json!({"budgets": {"open_prs": 2}}),
            json!({"budgets": {"pushes": 0}}),
            json!({"branch_prefix": "agent"}),
            json!({"branch_prefix": ""}),
            json!({"paths_deny": ["/x"]}),
            json!({"requires_approval": ["everything"]}),
            json!({"expires_at": "tomorrow"}),
        ] {
            assert!(details(json!({"constraints": constraints.clone()})).bounds().is_err(), "{constraints}");
        }
        for actions in [json!([]), json!(["admin"]), json!(["READ_CODE"]), json!(["*"])] {
            assert!(details(json!({"actions": actions.clone()})).granted_actions().is_err(), "{actions}");
        }
        for resource in [
            "acme/payments",
            "repo:acme",
            "repo:acme/",
            "repo:/x",
            "repo:acme/x/y",
            "repo:*",
            "org:acme",
            "issue:acme/x",
            "issue:acme/x#0",
            "issue:acme/x#-1",
            "pull:acme/x#1x",
            "branch:acme/x",
            "branch:acme/x@-y",
            "branch:acme/x@a..b",
            "secret:acme/x",
            "workflow:acme/x/a/b",
        ] {
            assert!(details(json!({"resources": [resource]})).named_resources().is_err(), "{resource}");
        }
        assert!(details(json!({"type": "payment"})).check_frame("https://forge.test").is_err());
        assert!(
            details(json!({"locations": ["https://forge.test.evil/"]}))
                .check_frame("https://forge.test")
                .is_err()
        );
        for delegator in ["", "policy:x", "org:", ":x"] {
            assert!(details(json!({"delegator": delegator})).named_delegator().is_err(), "{delegator}");
        }
    }
}
