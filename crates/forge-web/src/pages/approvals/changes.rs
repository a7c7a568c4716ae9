//! What would change: refs, commits, files and lines. What is left out is named.

use forge_service::approvals::{Look, ShownChange};
use forge_service::commits::{Brought, ChangedFile};
use forge_types::ObjectId;
use forge_types::approval::{ApprovalState, Asked, HeldChange};
use maud::{Markup, html};

use crate::inert::{inert, inert_text};

/// So many lines of all files are shown; more is read elsewhere than on this page.
const LINES: usize = 4000;

pub(super) fn render(look: &Look, state: ApprovalState) -> Markup {
    if let Asked::Request { action, line, body } = &look.found.approval.asked {
        return request(action.as_str(), line, body);
    }
    let held = look.found.approval.asked.refs();
    let is_readable = look.repository.is_some();
    html! {
        @for one in held { (line(one)) }
        @if state == ApprovalState::Pending {
            @if !is_readable { p.warning { "You cannot read the repository, so its content is not shown." } }
            @for change in &look.changes { (shown(change)) }
        }
    }
}

fn request(action: &str, line: &str, body: &str) -> Markup {
    html! {
        p { "Once you approve, this request does " code { (action) } " when it is made again, exactly so, within a quarter of an hour." }
        pre.diff tabindex="0" role="region" aria-label="The request" { (inert(line)) @if !body.is_empty() { "\n\n" (inert(body)) } }
    }
}

fn line(held: &HeldChange) -> Markup {
    html! {
        p {
            @match (held.old, held.new) {
                (None, Some(new)) => { "Create " code { (inert(held.name.as_str())) } " at " (short(new)) },
                (Some(old), None) => { strong { "Delete" } " " code { (inert(held.name.as_str())) } ", now at " (short(old)) },
                (Some(old), Some(new)) => { "Move " code { (inert(held.name.as_str())) } " from " (short(old)) " to " (short(new)) },
                (None, None) => { code { (inert(held.name.as_str())) } },
            }
        }
        @if held.forced { p.warning { "This is forced: commits that " code { (inert(held.name.as_str())) } " has now would be lost from it." } }
    }
}

fn short(id: ObjectId) -> Markup {
    html! { code title=(id) { (id.short()) } }
}

fn shown(change: &ShownChange) -> Markup {
    let name = change.held.name.as_str();
    html! {
        section aria-label=(inert_text(name)) {
            h3 { (inert(name)) }
            @match (&change.brought, change.held.new) {
                (Some(brought), _) => (shown_content(brought)),
                (None, None) => p.muted { "Nothing is added; the ref goes away." },
                (None, Some(_)) => p.warning { "What this brings cannot be shown here: there is too much of it. Do not approve what nobody has looked at." },
            }
        }
    }
}

fn shown_content(brought: &Brought) -> Markup {
    let mut left = LINES;
    html! {
        p {
            (brought.ahead) @if brought.ahead == 1 { " commit" } @else { " commits" }
            " to be added"
            @if brought.behind > 0 { ", " strong { (brought.behind) } @if brought.behind == 1 { " commit" } @else { " commits" } " not in it" }
            ". Names in commits are what the commits say; nobody checked them."
        }
        ul {
            @for commit in &brought.commits {
                li { (short(commit.id)) " " (inert(commit.message.lines().next().unwrap_or(""))) span.muted { " by " (inert(&commit.author.name)) } }
            }
            @if brought.commits.len() < brought.ahead { li { strong { (brought.ahead - brought.commits.len()) " older commits are not shown." } } }
        }
        @for file in &brought.files { (patch(file, &mut left)) }
        @if brought.has_more_files { p.warning { "More files differ than are shown here." } }
        @if brought.files.is_empty() { p.muted { "No file differs." } }
    }
}

fn patch(file: &ChangedFile, left: &mut usize) -> Markup {
    let lines: Vec<&str> = file.patch.iter().flat_map(|patch| patch.lines()).take(*left).collect();
    *left -= lines.len();
    let of = file.patch.as_ref().map_or(0, |patch| patch.lines().count());
    html! {
        h4 {
            @if let Some(previous) = &file.previous_path { code { (inert(previous)) } " → " }
            code { (inert(&file.path)) }
            span.muted { " +" (file.additions) " −" (file.deletions) }
        }
        @if lines.len() < of { p.warning { (of - lines.len()) " lines of this file are not shown." } }
        @if file.patch.is_none() && file.additions + file.deletions > 0 { p.warning { "The lines of this file are not shown: there are too many." } }
        @if file.patch.is_none() && file.additions + file.deletions == 0 { p.muted { "No lines to show: it is binary, too large, or only its name or mode changes." } }
        @if !lines.is_empty() {
            pre.diff tabindex="0" role="region" aria-label={ "Lines of " (inert_text(&file.path)) } { @for line in &lines { (diff_line(line)) "\n" } }
        }
    }
}

fn diff_line(line: &str) -> Markup {
    html! {
        @match line.as_bytes().first() {
            Some(b'+') => ins { (inert(line)) },
            Some(b'-') => del { (inert(line)) },
            Some(b'@') => span.muted { (inert(line)) },
            _ => (inert(line)),
        }
    }
}
