//! Reading policies: each is valid against the schema, within bounds, and says nothing that would be ignored.

use std::fmt;
use std::sync::LazyLock;

use cedar_policy::{Effect, Policy, PolicyId, Schema, ValidationMode, Validator};
use forge_types::Action;

use super::{Outcome, PolicySet, Rule, binds, expression};

/// What policies speak of.
const SCHEMA: &str = include_str!("../../../../../schema/forge.cedarschema");

/// The files of the policies that the forge comes with: name and text.
pub const SHIPPED: &[(&str, &str)] =
    &[("archived.cedar", include_str!("../../../../../policies/archived.cedar"))];

/// How many policies an organization may have.
pub const MAX_ORGANIZATION_POLICIES: usize = 200;

/// How long the policies of an organization may be together, in bytes.
pub const MAX_ORGANIZATION_BYTES: usize = 64 * 1024;

/// How long one policy may be, in bytes.
pub const MAX_POLICY_BYTES: usize = 8 * 1024;

/// How deeply brackets may be nested in a policy.
const MAX_NESTING: usize = 32;

/// How many operators a policy may have: each makes the expression one deeper.
const MAX_OPERATORS: usize = 256;

/// What is allowed unless a policy forbids it: by the time a policy is asked, rights have said yes.
const BASE: &str = "permit (principal, action, resource);";

static PARSED: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the shipped schema is valid");
    schema
});

/// Returns the schema.
pub(super) fn schema() -> &'static Schema {
    &PARSED
}

/// A policy as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySource {
    /// Its name; that of its file, if it stands in one.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Why policies are not taken, in the words of whoever found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// Which policy or file is at fault.
    pub name: String,
    /// What is wrong with it.
    pub reasons: Vec<String>,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy `{}`: {}", self.name, self.reasons.join("; "))
    }
}

impl std::error::Error for PolicyFault {}

impl PolicyFault {
    fn new(name: &str, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), reasons: vec![reason.into()] }
    }
}

/// Returns the policies that the forge comes with.
pub(super) fn shipped() -> Vec<PolicySource> {
    let source =
        |(name, text): &(&str, &str)| PolicySource { name: (*name).to_owned(), text: (*text).to_owned() };
    SHIPPED.iter().map(source).collect()
}

impl PolicySet {
    /// Reads the forge's own policies: files with any number of policies, each named by its `@id`.
    ///
    /// # Errors
    /// The first file at fault.
    pub fn of_instance(files: &[PolicySource]) -> Result<Self, PolicyFault> {
        let mut reader = Reader::new();
        for file in files {
            check_bounds(file, MAX_ORGANIZATION_BYTES)?;
            let parsed: cedar_policy::PolicySet =
                file.text.parse().map_err(|error| said(&file.name, &error))?;
            if parsed.templates().next().is_some() {
                return Err(PolicyFault::new(&file.name, "templates are not for files: write policies"));
            }
            for policy in parsed.policies() {
                let id = policy.annotation("id").filter(|id| is_name(id));
                let id =
                    id.ok_or_else(|| PolicyFault::new(&file.name, "each policy has an `@id(\"a-name\")`"))?;
                reader.add(
                    &file.name,
                    &format!("policy:{id}"),
                    policy,
                    &["id", "outcome", "reason", "message"],
                )?;
            }
        }
        reader.finish()
    }

    /// Returns a set that refuses all that a policy can, in place of policies that are at fault.
    ///
    /// # Panics
    /// Never: the policy in it is valid.
    #[must_use]
    pub fn refusing_all(login: &str, fault: &PolicyFault) -> Self {
        let id = PolicyId::new(format!("policy:{login}/{}", fault.name));
        let all = Policy::parse(Some(id.clone()), "forbid (principal, action, resource);");
        let mut reader = Reader::new();
        reader.set.engine.add(all.expect("a policy")).expect("the base has another name");
        let reason = Some("this version of the forge does not understand the policy".to_owned());
        let rule = Rule { name: id.to_string(), outcome: None, reason, message: None };
        reader.set.rules.insert(id, rule);
        reader.set
    }

    /// Reads the policies of the organization called `login`: each has one policy.
    ///
    /// # Errors
    /// The first policy at fault.
    pub fn of_organization(login: &str, sources: &[PolicySource]) -> Result<Self, PolicyFault> {
        let total: usize = sources.iter().map(|source| source.text.len()).sum();
        if sources.len() > MAX_ORGANIZATION_POLICIES || total > MAX_ORGANIZATION_BYTES {
            let last = sources.last().map(|source| source.name.as_str()).unwrap_or_default();
            return Err(PolicyFault::new(
                last,
                "an organization has at most 200 policies and 64 KiB of them",
            ));
        }
        let mut reader = Reader::new();
        for source in sources {
            if !is_name(&source.name) {
                return Err(PolicyFault::new(
                    &source.name,
                    "a name has 1 to 64 of a-z, 0-9, `-`, `_` and `.`, and starts with a letter or digit",
                ));
            }
            check_bounds(source, MAX_POLICY_BYTES)?;
            let policy = Policy::parse(None, &source.text).map_err(|error| said(&source.name, &error))?;
            let rule = format!("policy:{login}/{}", source.name);
            reader.add(&source.name, &rule, &policy, &["outcome", "reason"])?;
        }
        reader.finish()
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
        && text.bytes().next().is_some_and(is_plain)
}

/// Evaluating takes time and stack with what is written; so what is written has bounds, and no clock is needed.
fn check_bounds(source: &PolicySource, max_bytes: usize) -> Result<(), PolicyFault> {
    let refuse = |reason: &str| Err(PolicyFault::new(&source.name, reason));
    if source.text.len() > max_bytes {
        return refuse(&format!("it is longer than {max_bytes} bytes"));
    }
    let (mut depth, mut deepest, mut operators) = (0_usize, 0, 0);
    for byte in source.text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'&' | b'|' | b'+' | b'-' | b'*' | b'!' | b'.' => operators += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let ifs = source.text.matches("if").count();
    if deepest + ifs > MAX_NESTING {
        return refuse("it is nested too deeply");
    }
    if operators > MAX_OPERATORS * source.text.matches(';').count().max(1) {
        return refuse("it has too many operators: write several policies");
    }
    Ok(())
}

/// Puts policies together that were read one by one.
struct Reader {
    set: PolicySet,
}

impl Reader {
    fn new() -> Self {
        let mut set = PolicySet::default();
        let base = Policy::parse(Some(PolicyId::new("base")), BASE).expect("the base is a policy");
        set.engine.add(base).expect("nothing else is there");
        Self { set }
    }

    /// Adds one policy that is called `rule` in refusals; `source` is what is named if something is wrong with it.
    fn add(
        &mut self,
        source: &str,
        rule: &str,
        policy: &Policy,
        annotations: &[&str],
    ) -> Result<(), PolicyFault> {
        let refuse = |reason: String| Err(PolicyFault::new(source, reason));
        if policy.effect() != Effect::Forbid {
            return refuse("a policy forbids; what may be done is said by rights and grants".to_owned());
        }
        if let Some((name, _)) = policy.annotations().find(|(name, _)| !annotations.contains(name)) {
            return refuse(format!("`@{name}` is none of the annotations {}", annotations.join(", ")));
        }
        let outcome = match policy.annotation("outcome") {
            None => None,
            Some(name) => Some(Outcome::parse(name).ok_or_else(|| {
                let known = Outcome::ALL.map(Outcome::as_str).join(", ");
                PolicyFault::new(source, format!("`{name}` is none of the outcomes {known}"))
            })?),
        };
        let json = policy.to_json().map_err(|error| said(source, &error))?;
        check_actions(source, &json)?;
        let watched = expression::watched_paths(&json).map_err(|reason| PolicyFault::new(source, reason))?;
        let id = PolicyId::new(rule);
        if self.set.engine.add(policy.new_id(id.clone())).is_err() {
            return refuse(format!("there is another `{rule}`"));
        }
        self.set.watched.extend(watched);
        self.set.tells_refs_apart |= expression::mentions(&json, "ref");
        self.set.counts_refusals |= expression::mentions(&json, "recent");
        let annotation = |name| policy.annotation(name).map(str::to_owned).filter(|text| !text.is_empty());
        let (reason, message) = (annotation("reason"), annotation("message"));
        self.set.rules.insert(id, Rule { name: rule.to_owned(), outcome, reason, message });
        Ok(())
    }

    /// Validates what was added against the schema. What can never apply is a mistake, too.
    fn finish(self) -> Result<PolicySet, PolicyFault> {
        let result = Validator::new(schema().clone()).validate(&self.set.engine, ValidationMode::Strict);
        let errors = result.validation_errors().map(|error| (error.policy_id(), error.to_string()));
        let warnings = result.validation_warnings().map(|warning| (warning.policy_id(), warning.to_string()));
        let found: Vec<_> = errors.chain(warnings).collect();
        let Some((first, _)) = found.first() else { return Ok(self.set) };
        let name = self.set.rules.get(first).map_or("", |rule| rule.name.as_str());
        let name = name.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        let reasons = found.iter().filter(|(id, _)| id == first).map(|(_, words)| words.clone()).collect();
        Err(PolicyFault { name, reasons })
    }
}

/// The validator would say that there is no such action; this says why.
fn check_actions(source: &str, policy: &serde_json::Value) -> Result<(), PolicyFault> {
    for name in expression::actions(policy) {
        let known = Action::ALL.iter().find(|action| action.as_str() == name);
        if known.is_some_and(|action| !binds(*action)) {
            let reason = format!(
                "`{name}` is no action that policies bind: they bind neither reads nor what takes rights away"
            );
            return Err(PolicyFault::new(source, reason));
        }
    }
    Ok(())
}

/// Returns what the engine says is wrong, with its advice.
fn said(name: &str, error: &dyn std::error::Error) -> PolicyFault {
    let mut reasons = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        reasons.push(cause.to_string());
        source = cause.source();
    }
    PolicyFault { name: name.to_owned(), reasons }
}
