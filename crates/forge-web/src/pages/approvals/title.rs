//! What somebody asks for, in one sentence, and what about it needs more than a glance.

use forge_service::approvals::Look;
use forge_types::approval::{Asked, HeldChange};
use forge_types::repository::RepositoryAccess;
use forge_types::{RefKind, RefName};
use maud::{Markup, html};

use crate::inert::inert;

/// Says what is wanted, to follow "wants to". How many commits come is said where it is known.
pub(super) fn wish(asked: &Asked, repository: Option<&RepositoryAccess>, commits: Option<usize>) -> Markup {
    html! {
        @match asked {
            Asked::Request { action, .. } => { "make one request, for " code { (action.as_str()) } @if repository.is_some() { ", in " } },
            Asked::Refs { refs } => {
                @match refs.as_slice() {
                    [one] => { (of_one(one, repository, commits)) " of " },
                    refs => { "change " (refs.len()) " refs of " },
                }
                @if repository.is_none() { "a repository that you cannot read" }
            },
        }
        @if let Some(access) = repository { (access.repository.owner.login) "/" (access.repository.name) }
    }
}

fn of_one(held: &HeldChange, repository: Option<&RepositoryAccess>, commits: Option<usize>) -> Markup {
    let thing = thing(&held.name);
    let kind = match held.name.kind() {
        RefKind::Branch => "the branch ",
        RefKind::Tag => "the tag ",
        _ => "the ref ",
    };
    let default = if is_default(&held.name, repository) { ", the default branch," } else { "" };
    html! {
        @match (held.old, held.new, held.name.kind()) {
            (None, _, _) => { "create " (kind) (inert(thing)) },
            (Some(_), None, _) => { "delete " (kind) (inert(thing)) (default) },
            (Some(_), Some(_), _) if held.forced => { "overwrite " (kind) (inert(thing)) (default) },
            (Some(_), Some(_), RefKind::Branch) => {
                "push "
                @if let Some(count) = commits { (count) @if count == 1 { " commit" } @else { " commits" } " " }
                "to " (inert(thing)) (default)
            },
            (Some(_), Some(_), _) => { "move " (kind) (inert(thing)) },
        }
    }
}

fn is_default(name: &RefName, repository: Option<&RepositoryAccess>) -> bool {
    let default = repository.map(|access| access.repository.default_branch.as_str());
    name.branch_name().is_some_and(|name| Some(name) == default)
}

/// Returns a branch or tag by its short name, another ref by its whole.
fn thing(name: &RefName) -> &str {
    let whole = name.as_str();
    whole.strip_prefix("refs/heads/").or_else(|| whole.strip_prefix("refs/tags/")).unwrap_or(whole)
}

/// Returns how many commits come, where that is known.
pub(super) fn commits(look: &Look) -> Option<usize> {
    match look.changes.as_slice() {
        [one] => one.content.as_ref().map(|content| content.added.count),
        _ => None,
    }
}

/// Marks what needs more than a glance.
pub(super) fn marks(look: &Look) -> Markup {
    let refs = look.found.approval.asked.refs();
    let touches_workflows = look
        .changes
        .iter()
        .filter_map(|change| change.content.as_ref())
        .any(|content| content.files.touches_workflows);
    let marks = [
        (refs.iter().any(|one| one.forced), "forced"),
        (refs.iter().any(|one| one.new.is_none()), "deletion"),
        (refs.iter().any(|one| is_default(&one.name, look.repository.as_ref())), "default branch"),
        (touches_workflows, "changes .github/workflows"),
        (!look.unshown().is_empty(), "not all is shown"),
    ];
    let marks: Vec<&str> = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark).collect();
    html! {
        @if !marks.is_empty() {
            ul.marks aria-label="Take note" { @for mark in marks { li { (mark) } } }
        }
    }
}
