//! <https://docs.github.com/rest/issues/labels>

use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use forge_service::labels::{self, LabelChanges, NewLabel};
use serde::Deserialize;

use super::place::Place;
use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;
use crate::page::PageQuery;
use crate::views::Links;
use crate::views::label::LabelView;

pub(super) fn of_repository() -> Router<ApiState> {
    Router::new()
        .route("/labels", get(list_labels_for_repo).post(create_label))
        .route("/labels/{name}", get(get_label).patch(update_label).delete(delete_label))
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn list_labels_for_repo(Ctx(ctx): Ctx, place: Place, page: PageQuery) -> ApiResult<Response> {
    let links = Links::new(ctx.settings());
    let found = labels::list(&ctx, place.target(), page.request).await?;
    let views = found.map(|label| LabelView::new(&links, &place.path(), &label));
    Ok(page.answer(ctx.settings(), &views))
}

async fn get_label(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { name }): Path<Named>,
) -> ApiResult<Json<LabelView>> {
    let label = labels::find(&ctx, place.target(), &name).await?;
    Ok(Json(LabelView::new(&Links::new(ctx.settings()), &place.path(), &label)))
}

#[derive(Deserialize)]
struct LabelBody {
    name: String,
    color: Option<String>,
    description: Option<String>,
}

async fn create_label(
    Ctx(ctx): Ctx,
    place: Place,
    JsonBody(body): JsonBody<LabelBody>,
) -> ApiResult<Response> {
    let new = NewLabel { name: body.name, color: body.color, description: body.description };
    let label = labels::create(&ctx, place.target(), &new).await?;
    let view = LabelView::new(&Links::new(ctx.settings()), &place.path(), &label);
    Ok((StatusCode::CREATED, [(LOCATION, view.url.clone())], Json(view)).into_response())
}

#[derive(Deserialize)]
struct LabelChangesBody {
    new_name: Option<String>,
    name: Option<String>,
    color: Option<String>,
    description: Option<String>,
}

async fn update_label(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { name }): Path<Named>,
    JsonBody(body): JsonBody<LabelChangesBody>,
) -> ApiResult<Json<LabelView>> {
    let changes =
        LabelChanges { name: body.new_name.or(body.name), color: body.color, description: body.description };
    let label = labels::update(&ctx, place.target(), &name, &changes).await?;
    Ok(Json(LabelView::new(&Links::new(ctx.settings()), &place.path(), &label)))
}

async fn delete_label(
    Ctx(ctx): Ctx,
    place: Place,
    Path(Named { name }): Path<Named>,
) -> ApiResult<StatusCode> {
    labels::delete(&ctx, place.target(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
