//! <https://docs.github.com/rest/commits/commits>
//!
//! The answer about one commit, or two compared, follows `Accept`: `diff` and `patch` are texts, `sha` is the id alone.

use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LINK};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::commits::{self, CommitQuery, Comparison, ComparisonStatus};
use forge_types::page::PageRequest;
use forge_types::repository::Repository;
use forge_types::{Error, FieldCode, ObjectId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::place::Place;
use crate::ApiState;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::commit::CommitView;
use crate::views::diff::file_view;
use crate::views::{Links, in_path};

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/commits", get(list_commits))
        .route("/commits/{*ref}", get(get_commit))
        .route("/compare/{*basehead}", get(compare_commits))
}

#[derive(Deserialize)]
struct Filter {
    sha: Option<String>,
    path: Option<String>,
    author: Option<String>,
    committer: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

async fn list_commits(
    Ctx(ctx): Ctx,
    place: Place,
    Query(filter): Query<Filter>,
    page: PageQuery,
) -> ApiResult<Response> {
    let query = CommitQuery {
        revision: filter.sha,
        path: filter.path,
        author: filter.author,
        committer: filter.committer,
        since: time("since", filter.since)?,
        until: time("until", filter.until)?,
    };
    let (access, found) = commits::list(&ctx, place.target(), &query, page.request).await?;
    let links = Links::new(ctx.settings());
    let view = |commit| CommitView::new(&links, &access.repository, &commit);
    Ok(page.answer(ctx.settings(), &found.map(view)))
}

fn time(field: &'static str, text: Option<String>) -> Result<Option<Timestamp>, Error> {
    let read = |text: String| {
        let invalid = || {
            let message = format!("{field} is not an ISO 8601 time");
            Error::invalid("Commit", field, FieldCode::Invalid, message)
        };
        Timestamp::parse(&text).ok_or_else(invalid)
    };
    text.filter(|text| !text.is_empty()).map(read).transpose()
}

/// What form of an answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Diff,
    Patch,
    Sha,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let asks = |form: &str| [".", "+"].iter().any(|mark| accept.contains(&format!("{mark}{form}")));
        match () {
            () if !accept.contains("application/vnd.github") => Self::Json,
            () if asks("diff") => Self::Diff,
            () if asks("patch") => Self::Patch,
            () if asks("sha") => Self::Sha,
            () => Self::Json,
        }
    }

    fn text(self, text: impl IntoResponse) -> Response {
        let kind = match self {
            Self::Json => "application/json",
            Self::Diff => "application/vnd.github.diff; charset=utf-8",
            Self::Patch => "application/vnd.github.patch; charset=utf-8",
            Self::Sha => "application/vnd.github.sha; charset=utf-8",
        };
        ([(CONTENT_TYPE, kind)], text).into_response()
    }
}

/// Whether a page is asked for at all.
#[derive(Deserialize)]
struct Asked {
    page: Option<String>,
    per_page: Option<String>,
}

impl Asked {
    fn page(&self, page: &PageQuery) -> Option<PageRequest> {
        (self.page.is_some() || self.per_page.is_some()).then_some(page.request)
    }
}

#[derive(Deserialize)]
struct Named {
    r#ref: String,
}

async fn get_commit(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { r#ref: name }): Path<Named>,
    Query(asked): Query<Asked>,
    page: PageQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let form = Form::of(&headers);
    match form {
        Form::Json => {}
        Form::Diff => return Ok(form.text(commits::diff(&ctx, place.target(), &name).await?)),
        Form::Patch => return Ok(form.text(commits::patch(&ctx, place.target(), &name).await?)),
        Form::Sha => return Ok(form.text(commits::find_id(&ctx, place.target(), &name).await?.to_string())),
    }
    let (access, found) = commits::find(&ctx, place.target(), &name, asked.page(&page)).await?;
    let links = Links::new(ctx.settings());
    let mut view = json!(CommitView::new(&links, &access.repository, &found.commit));
    let stats = found.stats();
    view["stats"] = json!({
        "total": stats.additions + stats.deletions,
        "additions": stats.additions,
        "deletions": stats.deletions,
    });
    let file = |file| file_view(&links, &access.repository, found.commit.id, file);
    view["files"] = found.changes.files.iter().map(file).collect();
    let mut response = Json(view).into_response();
    if let Some(link) = page.link(ctx.settings(), found.changes.has_next, None) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

#[derive(Deserialize)]
struct Compared {
    basehead: String,
}

async fn compare_commits(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Compared { basehead }): Path<Compared>,
    Query(asked): Query<Asked>,
    page: PageQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (base, head) = basehead.split_once("...").ok_or_else(Error::not_found)?;
    let (form, target) = (Form::of(&headers), place.target());
    match form {
        Form::Json | Form::Sha => {}
        Form::Diff => return Ok(form.text(commits::compare_diff(&ctx, target, base, head).await?)),
        Form::Patch => return Ok(form.text(commits::compare_patch(&ctx, target, base, head).await?)),
    }
    let (access, found) = commits::compare(&ctx, target, base, head, asked.page(&page)).await?;
    let view = comparison(&Links::new(ctx.settings()), &access.repository, &found, (base, head));
    let mut response = Json(view).into_response();
    if let Some(link) = page.link(ctx.settings(), found.has_next, None) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn comparison(
    links: &Links,
    repository: &Repository,
    found: &Comparison,
    (base, head): (&str, &str),
) -> Value {
    let full_name = repository.full_name();
    let named = format!("{full_name}/compare/{}...{}", in_path(base), in_path(head));
    let page = links.web(&named);
    let exact = |id: ObjectId| format!("{}:{}", repository.owner.login, id.short());
    let permalink = format!("{full_name}/compare/{}...{}", exact(found.base.id), exact(found.head_id));
    let commit = |commit| CommitView::new(links, repository, commit);
    let status = match found.status() {
        ComparisonStatus::Diverged => "diverged",
        ComparisonStatus::Ahead => "ahead",
        ComparisonStatus::Behind => "behind",
        ComparisonStatus::Identical => "identical",
    };
    json!({
        "url": links.api(&format!("repos/{named}")),
        "html_url": page,
        "permalink_url": links.web(&permalink),
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "base_commit": commit(&found.base),
        "merge_base_commit": commit(&found.merge_base),
        "status": status,
        "ahead_by": found.ahead,
        "behind_by": found.behind,
        "total_commits": found.ahead,
        "commits": found.commits.iter().map(commit).collect::<Vec<_>>(),
        "files": found.files.iter().map(|file| file_view(links, repository, found.head_id, file)).collect::<Vec<_>>(),
    })
}
