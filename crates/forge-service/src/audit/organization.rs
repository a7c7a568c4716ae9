//! The part of the log that concerns an organization, for its owners, as GitHub's audit-log API asks for it
//! (<https://docs.github.com/enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization>).
//!
//! [`ACTIONS`] says what GitHub calls what happened; what GitHub has no name for keeps ours. Attempts that were refused are
//! not in it, as on GitHub.

use forge_store::audit::{AuditEvent, AuditFilter};
use forge_types::id::{AccountId, AuditEventId};
use forge_types::{Action, Error, FieldCode, Result, Timestamp};

use crate::context::RequestContext;
use crate::organizations::OrganizationTarget;

/// An event of ours, GitHub's name for it, and GitHub's kind of operation.
pub const ACTIONS: &[(&str, &str, &str)] = &[
    ("repository.created", "repo.create", "create"),
    ("repository.deleted", "repo.destroy", "remove"),
    ("repository.renamed", "repo.rename", "modify"),
    ("repository.transferred", "repo.transfer", "transfer"),
    ("repository.archived", "repo.archived", "modify"),
    ("repository.unarchived", "repo.unarchived", "modify"),
    ("repository.visibility_changed", "repo.access", "modify"),
    ("repository.default_branch_changed", "repo.update_default_branch", "modify"),
    ("repository.updated", "repo.update", "modify"),
    ("repository.topics_replaced", "repo.update_topics", "modify"),
    ("collaborator.set", "repo.add_member", "create"),
    ("collaborator.removed", "repo.remove_member", "remove"),
    ("refs.updated", "git.push", "modify"),
    ("label.created", "label.created", "create"),
    ("label.updated", "label.updated", "modify"),
    ("label.deleted", "label.deleted", "remove"),
    ("packs.adopted", "packs.adopted", "restore"),
    ("organization.created", "org.create", "create"),
    ("organization.updated", "org.update", "modify"),
    ("organization.member_added", "org.add_member", "create"),
    ("organization.member_changed", "org.update_member", "modify"),
    ("organization.member_removed", "org.remove_member", "remove"),
    ("organization.membership_shown", "org.update_member_visibility", "modify"),
    ("team.created", "team.create", "create"),
    ("team.updated", "team.update", "modify"),
    ("team.deleted", "team.destroy", "remove"),
    ("team.member_set", "team.add_member", "create"),
    ("team.member_removed", "team.remove_member", "remove"),
    ("team.repository_set", "team.add_repository", "create"),
    ("team.repository_removed", "team.remove_repository", "remove"),
];

/// GitHub's kinds of operation.
const OPERATIONS: &[&str] =
    &["create", "access", "modify", "remove", "authentication", "transfer", "restore"];

/// Which kinds of events are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    /// All but those of Git.
    #[default]
    Web,
    /// Those of Git.
    Git,
    /// All.
    All,
}

/// From where on events are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// From the beginning of the list.
    #[default]
    Start,
    /// After this event, in the order of the list.
    After(AuditEventId),
    /// The last ones before this event, in the order of the list.
    Before(AuditEventId),
}

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct OrganizationAuditQuery {
    /// Qualifiers, such as `actor:octocat action:repo.create`.
    pub phrase: Option<String>,
    /// Which kinds.
    pub include: Include,
    /// From where on.
    pub cursor: Cursor,
    /// Whether the oldest come first.
    pub is_ascending: bool,
    /// How many.
    pub size: u32,
}

/// A part of the list.
#[derive(Clone, Debug)]
pub struct OrganizationAudit {
    /// The organization's id and login.
    pub organization: (AccountId, String),
    /// The events, in the order of the list.
    pub events: Vec<AuditEvent>,
    /// Whether there are more after the last.
    pub has_next: bool,
    /// Whether there are more before the first.
    pub has_previous: bool,
}

/// Returns GitHub's name of an event and of its kind of operation.
#[must_use]
pub fn github_action(event: &str) -> (&str, &'static str) {
    let known = ACTIONS.iter().find(|(ours, ..)| *ours == event);
    known.map_or((event, "modify"), |(_, action, operation)| (*action, *operation))
}

/// Lists what happened in an organization.
///
/// # Errors
/// What the decision says; `Invalid` for a phrase that is not understood.
pub async fn list(
    ctx: &RequestContext,
    target: OrganizationTarget<'_>,
    query: &OrganizationAuditQuery,
) -> Result<OrganizationAudit> {
    let mut conn = ctx.read().await?;
    let found = ctx.authorize(&mut conn, target, Action::OrganizationAuditRead).await?;
    let account = found.organization.account;
    let mut filter = AuditFilter {
        organization_id: Some(account.id),
        decision: Some("allow".to_owned()),
        is_git: match query.include {
            Include::Web => Some(false),
            Include::Git => Some(true),
            Include::All => None,
        },
        ..AuditFilter::default()
    };
    let repository = phrase(query.phrase.as_deref().unwrap_or_default(), &mut filter)?;
    if let Some(name) = repository {
        let (owner, name) = name.split_once('/').unwrap_or((&account.login, &name));
        let named = forge_store::repositories::find_by_name(&mut conn, None, owner, name).await?;
        // One that does not exist has no events; ids begin at 1.
        let id = named.map(|found| found.repository.id);
        filter.repository_id = Some(id.unwrap_or(forge_types::id::RepositoryId(0)));
    }
    // The events before a cursor are the first ones after it when everything is turned around.
    let is_backward = matches!(query.cursor, Cursor::Before(_));
    filter.is_descending = query.is_ascending == is_backward;
    match query.cursor {
        Cursor::Start => {}
        Cursor::After(id) | Cursor::Before(id) if filter.is_descending => filter.before = Some(id),
        Cursor::After(id) | Cursor::Before(id) => filter.after = Some(id),
    }
    let size = query.size.clamp(1, 100) as usize;
    let limit = i64::from(query.size.clamp(1, 100)) + 1;
    let mut events = forge_store::audit::list(&mut conn, &filter, limit).await?;
    let has_more = events.len() > size;
    events.truncate(size);
    if is_backward {
        events.reverse();
    }
    let is_moved = query.cursor != Cursor::Start;
    Ok(OrganizationAudit {
        organization: (account.id, account.login),
        events,
        has_next: if is_backward { true } else { has_more },
        has_previous: if is_backward { has_more } else { is_moved },
    })
}

/// Reads the qualifiers of a phrase into a filter; returns the repository, which is still to be looked up.
fn phrase(text: &str, filter: &mut AuditFilter) -> Result<Option<String>> {
    let (mut repository, mut names) = (None, None::<Vec<String>>);
    for word in text.split_whitespace() {
        let (qualifier, value) = word.split_once(':').ok_or_else(|| {
            wrong(format!(
                "`{word}` is no qualifier: actor:, action:, repo:, created: and operation: are known"
            ))
        })?;
        let value = value.trim_matches('"');
        match qualifier {
            "actor" => filter.actor_login = Some(value.to_owned()),
            "repo" => repository = Some(value.to_owned()),
            "created" => created(value, filter)?,
            "action" => keep(&mut names, action(value, filter)),
            "operation" => keep(&mut names, operation(value)?),
            other => return Err(wrong(format!("the qualifier `{other}:` is not known"))),
        }
    }
    filter.events = names;
    Ok(repository)
}

/// What several qualifiers name is what each of them does.
fn keep(names: &mut Option<Vec<String>>, also: Vec<String>) {
    *names = Some(match names.take() {
        None => also,
        Some(before) => before.into_iter().filter(|name| also.contains(name)).collect(),
    });
}

/// Returns the events that an action names: one, or all of a category such as `repo`.
fn action(value: &str, filter: &mut AuditFilter) -> Vec<String> {
    let category = format!("{value}.");
    let is_named = |action: &str| action == value || action.starts_with(&category);
    let known = ACTIONS.iter().filter(|(_, action, _)| is_named(action));
    let mut names: Vec<String> = known.map(|(ours, ..)| (*ours).to_owned()).collect();
    if names.is_empty() {
        // What GitHub has no name for goes by ours.
        names.push(value.to_owned());
        filter.event_prefix = (!value.contains('.')).then_some(category);
    }
    names
}

fn operation(value: &str) -> Result<Vec<String>> {
    if !OPERATIONS.contains(&value) {
        return Err(wrong(format!("`{value}` is none of {}", OPERATIONS.join(", "))));
    }
    let named = ACTIONS.iter().filter(|(.., operation)| *operation == value);
    Ok(named.map(|(ours, ..)| (*ours).to_owned()).collect())
}

/// Reads `2026-01-01`, `>=2026-01-01T00:00:00Z`, `2026-01-01..2026-02-01` and the like.
fn created(value: &str, filter: &mut AuditFilter) -> Result<()> {
    if let Some((from, to)) = value.split_once("..") {
        filter.since = Some(moment(from)?.0);
        filter.until = Some(moment(to)?.1);
        return Ok(());
    }
    let bounds = |text: &str| moment(text);
    if let Some(text) = value.strip_prefix(">=") {
        filter.since = Some(bounds(text)?.0);
    } else if let Some(text) = value.strip_prefix("<=") {
        filter.until = Some(bounds(text)?.1);
    } else if let Some(text) = value.strip_prefix('>') {
        filter.since = Some(bounds(text)?.1);
    } else if let Some(text) = value.strip_prefix('<') {
        filter.until = Some(bounds(text)?.0);
    } else {
        let (since, until) = bounds(value)?;
        (filter.since, filter.until) = (Some(since), Some(until));
    }
    Ok(())
}

/// Returns when a day or a second begins and when it is over.
fn moment(text: &str) -> Result<(Timestamp, Timestamp)> {
    let day = Timestamp::parse(&format!("{text}T00:00:00Z"));
    let second = Timestamp::parse(text);
    let (since, length) = match (day, second) {
        (Some(day), _) => (day, 24 * 3600),
        (None, Some(second)) => (second, 1),
        (None, None) => return Err(wrong(format!("`{text}` is no date"))),
    };
    Ok((since, since.plus(std::time::Duration::from_secs(length))))
}

fn wrong(message: String) -> Error {
    Error::invalid("AuditLog", "phrase", FieldCode::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AuditFilter {
        let mut filter = AuditFilter::default();
        phrase(text, &mut filter).expect("a phrase");
        filter
    }

    #[test]
    fn actions_are_githubs_names_or_ours() {
        assert_eq!(read("action:repo.create").events, Some(vec!["repository.created".to_owned()]));
        assert!(read("action:team").events.is_some_and(|names| names.len() == 7));
        let ours = read("action:agent");
        assert_eq!(
            (ours.events, ours.event_prefix.as_deref()),
            (Some(vec!["agent".to_owned()]), Some("agent."))
        );
        let both = read("action:repo operation:remove").events.expect("names");
        assert_eq!(both, ["repository.deleted", "collaborator.removed"]);
    }

    #[test]
    fn dates_are_whole_days_and_moments_whole_seconds() {
        let day = |text: &str| Timestamp::parse(&format!("{text}T00:00:00Z"));
        let of = |text: &str| {
            let filter = read(&format!("created:{text}"));
            (filter.since, filter.until)
        };
        assert_eq!(of("2026-01-01"), (day("2026-01-01"), day("2026-01-02")));
        assert_eq!(of(">2026-01-01"), (day("2026-01-02"), None));
        assert_eq!(of("<=2026-01-01"), (None, day("2026-01-02")));
        assert_eq!(of("2026-01-01..2026-01-03"), (day("2026-01-01"), day("2026-01-04")));
        assert_eq!(of(">=2026-01-01T10:00:00Z").0, Timestamp::parse("2026-01-01T10:00:00Z"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["free text", "country:de", "created:soon", "operation:think", "action"] {
            assert!(phrase(text, &mut AuditFilter::default()).is_err(), "{text}");
        }
    }
}
