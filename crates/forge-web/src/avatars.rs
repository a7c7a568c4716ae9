//! Pictures of accounts: a pattern that an account's number alone decides, drawn here and kept nowhere.
//!
//! Nothing is loaded and nobody else is asked. A number without an account has a pattern too, so that the picture says
//! nothing about who exists.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::WebState;

/// Changes whenever the drawing does, so that browsers ask for the new one.
const DRAWING: u32 = 1;

/// How many pixels wide a picture is unless the caller says otherwise, and at most, as on GitHub.
const USUAL: u16 = 460;

/// The pattern has this many fields on each side.
const FIELDS: usize = 5;

/// Returns the route of all pictures.
pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/avatars/{id}", get(avatar))
}

#[derive(Deserialize)]
struct Wanted {
    s: Option<String>,
}

async fn avatar(Path(id): Path<String>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let Some(id) = id.parse::<i64>().ok().filter(|id| *id > 0) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let size = wanted.s.and_then(|text| text.parse().ok()).unwrap_or(USUAL).clamp(1, USUAL);
    let tag = format!("\"{DRAWING}-{id}-{size}\"");
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, "image/svg+xml")], draw(id, size)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Draws the picture of an account: fields mirrored at the middle, in one colour.
fn draw(id: i64, size: u16) -> String {
    let bits = mixed(id.unsigned_abs());
    let hue = (bits >> 32) % 360;
    let mut fields = String::new();
    for row in 0..FIELDS {
        for column in 0..FIELDS {
            let mirrored = column.min(FIELDS - 1 - column);
            if bits >> (row * FIELDS.div_ceil(2) + mirrored) & 1 == 1 {
                fields.push_str(&format!("M{column} {row}h1v1h-1z"));
            }
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" viewBox=\"-.5 -.5 6 6\" \
         shape-rendering=\"crispEdges\"><path fill=\"#f0f0f0\" d=\"M-.5-.5h6v6h-6z\"/>\
         <path fill=\"hsl({hue},50%,45%)\" d=\"{fields}\"/></svg>\n"
    )
}

/// Spreads neighbouring numbers over all bits, as SplitMix64 does.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_picture_and_another_account_another() {
        assert_eq!(draw(7, 40), draw(7, 40));
        assert_ne!(draw(7, 40), draw(8, 40));
        let pictures: std::collections::HashSet<String> = (1..500).map(|id| draw(id, 40)).collect();
        assert!(pictures.len() > 495, "{}", pictures.len());
    }
}
