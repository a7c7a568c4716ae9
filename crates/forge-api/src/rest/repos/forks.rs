//! <https://docs.github.com/rest/repos/forks>

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use forge_service::repositories::{self, NewFork};
use forge_types::repository_query::{RepositoryOrder, RepositorySort};
use forge_types::{Error, FieldCode};
use serde::Deserialize;

use super::super::place::Place;
use super::{full, lists};
use crate::body::OptionalJsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;

/// The body of a request to fork, which may be absent.
#[derive(Default, Deserialize)]
pub(super) struct ForkBody {
    organization: Option<String>,
    name: Option<String>,
    #[serde(default)]
    default_branch_only: bool,
}

/// How a list of forks is ordered.
#[derive(Deserialize)]
pub(super) struct ForksQuery {
    sort: Option<String>,
}

pub(super) async fn create_fork(
    Ctx(ctx): Ctx,
    place: Place,
    OptionalJsonBody(body): OptionalJsonBody<ForkBody>,
) -> ApiResult<Response> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let new = NewFork {
        organization: given(body.organization),
        name: given(body.name),
        default_branch_only: body.default_branch_only,
    };
    let made = repositories::fork(&ctx, place.target(), &new).await?;
    Ok((StatusCode::ACCEPTED, full(&ctx, &made).await?).into_response())
}

/// Stars and watchers are none here, so by them all forks are equal, and the newest come first.
pub(super) async fn list_forks(
    Ctx(ctx): Ctx,
    place: Place,
    page: PageQuery,
    Query(query): Query<ForksQuery>,
) -> ApiResult<Response> {
    let descending = match query.sort.as_deref() {
        None | Some("newest" | "stargazers" | "watchers") => true,
        Some("oldest") => false,
        Some(other) => {
            let message = format!("`{other}` is no order of forks");
            return Err(Error::invalid("Repository", "sort", FieldCode::Invalid, message).into());
        }
    };
    let order = RepositoryOrder { sort: RepositorySort::Created, descending };
    let found = repositories::forks(&ctx, place.target(), order, page.request).await?;
    Ok(lists::answer(&ctx, &page, found))
}
