//! What would change: refs, commits, files and lines, and what goes. What is left out is named.

use forge_service::approvals::{Content, Look, ShownChange, ShownCommit, ShownCommits, ShownTag, Unshown};
use forge_types::ObjectId;
use forge_types::approval::{ApprovalState, Asked, HeldChange};
use maud::{Markup, html};

use super::files;
use crate::inert::{inert, inert_text};

/// So many things that are not shown are named at the top; all of them are named where they belong.
const NAMED: usize = 50;

pub(super) fn render(look: &Look, state: ApprovalState) -> Markup {
    if let Asked::Request { action, line, body } = &look.found.approval.asked {
        return request(action.as_str(), line, body);
    }
    let is_pending = state == ApprovalState::Pending;
    html! {
        @if is_pending { (unshown(look)) }
        @for one in look.found.approval.asked.refs() { (line(one)) }
        @if is_pending {
            @for (place, change) in look.changes.iter().enumerate() { (shown(change, place)) }
        }
    }
}

/// Sums up what is not shown, before anything else.
fn unshown(look: &Look) -> Markup {
    let all = look.unshown();
    html! {
        @if !all.is_empty() {
            div.warning role="note" {
                p { strong { "Not all that you would approve is shown on this page:" } }
                ul {
                    @for one in all.iter().take(NAMED) { li { (one_unshown(one)) } }
                    @if all.len() > NAMED { li { strong { (all.len() - NAMED) " more, named below" } } }
                }
                p { "Do not approve what nobody has looked at." }
            }
        }
    }
}

fn one_unshown(one: &Unshown<'_>) -> Markup {
    let name = |held: &HeldChange| html! { code { (inert(held.name.as_str())) } };
    html! {
        @match one {
            Unshown::Repository => "the whole content: you cannot read the repository",
            Unshown::Change(held) => { "all that happens to " (name(held)) ": there is too much of it, or it cannot be read" },
            Unshown::Commits(held, count) => { (count) " older commits of " (name(held)) },
            Unshown::Message(commit) => { "the end of what commit " code { (commit.commit.id) } " says" },
            Unshown::Tag(held) => { "the end of what the tag " (name(held)) " says" },
            Unshown::Files(held, count) => { (count) " files of " (name(held)) ", or more" },
            Unshown::File(file) => {
                code { (inert(&file.file.path)) }
                @if let Some(hidden) = file.hidden { ": " (files::reason(&file.file, hidden)) }
                (files::sides(&file.file))
            },
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

fn shown(change: &ShownChange, place: usize) -> Markup {
    let name = change.held.name.as_str();
    html! {
        section aria-label=(inert_text(name)) {
            h3 { (inert(name)) @if change.is_default { " " span.mark { "default branch" } } }
            @match &change.content {
                Some(content) => (shown_content(&change.held, content, place)),
                None => p.warning { "What this does cannot be shown here: there is too much of it, or it cannot be read." },
            }
        }
    }
}

fn shown_content(held: &HeldChange, content: &Content, place: usize) -> Markup {
    html! {
        @if let Some(tag) = &content.tag { (annotated(tag)) }
        @if held.new.is_some() { (added(held, &content.added)) }
        @if held.new.is_none() || held.forced { (lost(held, content)) }
        @if held.new.is_some() || content.lost.count > 0 {
            h4 { (files_title(held)) }
            @if held.new.is_some() && content.added.count > 1 {
                p.hint { "What one of these commits brings and a later one takes away again is in the history, but not among these lines." }
            }
            (files::render(&content.files, place))
        }
    }
}

const fn files_title(held: &HeldChange) -> &'static str {
    match (held.old, held.new) {
        (None, _) => "Files, compared with where this leaves the default branch",
        (Some(_), Some(_)) if held.forced => {
            "Files, compared with what is there now: lines that go are marked with −"
        }
        (Some(_), Some(_)) => "Files, compared with what is there now",
        (Some(_), None) => "Files that go, compared with where this left the default branch",
    }
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "commit" } else { "commits" }
}

fn added(held: &HeldChange, listed: &ShownCommits) -> Markup {
    html! {
        @match (held.old, listed.count) {
            (None, 0) => p { "No commit is added: the default branch has all of them already." },
            (None, count) => p { (count) " " (plural(count)) " that the default branch does not have." },
            (Some(_), count) => p { (count) " " (plural(count)) " to be added." },
        }
        (commits(listed))
    }
}

fn lost(held: &HeldChange, content: &Content) -> Markup {
    let (leaving, count) = (content.leaving, content.lost.count);
    html! {
        @if count == 0 {
            p {
                @if held.new.is_some() { (leaving) " " (plural(leaving)) @if leaving == 1 { " leaves" } @else { " leave" } " this ref. " }
                "No commit is lost: other refs have all of them."
            }
        } @else {
            div.lost {
                p {
                    @if held.new.is_some() { (leaving) " " (plural(leaving)) @if leaving == 1 { " leaves" } @else { " leave" } " this ref. " }
                    strong { (count) " " (plural(count)) @if count == 1 { " is lost: no ref reaches it any more." } @else { " are lost: no ref reaches them any more." } }
                }
                (commits(&content.lost))
            }
        }
    }
}

fn commits(listed: &ShownCommits) -> Markup {
    let rest = listed.count - listed.commits.len();
    html! {
        @if !listed.commits.is_empty() {
            p.hint { "Names, addresses and messages are what the commits say; nobody checked them." }
            ul.commits { @for commit in &listed.commits { li { (commit_entry(commit)) } } }
        }
        @if rest > 0 { p.warning { strong { (rest) } " older " (plural(rest)) " not shown." } }
    }
}

fn commit_entry(shown: &ShownCommit) -> Markup {
    let commit = &shown.commit;
    html! {
        (short(commit.id))
        (message(&commit.message))
        @if shown.is_cut { p.warning { "What this commit says is longer, and its end is not shown." } }
        div.muted {
            "author " (inert(&commit.author.name)) " <" (inert(&commit.author.email)) ">, committer "
            (inert(&commit.committer.name)) " <" (inert(&commit.committer.email)) ">"
            @if commit.parent_ids.len() > 1 { ", a merge of " (commit.parent_ids.len()) " histories" }
        }
    }
}

fn message(text: &str) -> Markup {
    html! { blockquote.message { (inert(text.trim_end())) } }
}

fn annotated(shown: &ShownTag) -> Markup {
    let tag = &shown.tag;
    html! {
        p { "An annotated tag " code { (inert(&tag.name)) } ", which says:" }
        (message(&tag.message))
        @if shown.is_cut { p.warning { "What this tag says is longer, and its end is not shown." } }
        @if let Some(tagger) = &tag.tagger {
            div.muted { "tagger " (inert(&tagger.name)) " <" (inert(&tagger.email)) ">, which nobody checked" }
        }
    }
}
