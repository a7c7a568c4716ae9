//! Pages of lists: `page` and `per_page` in, `Link` out
//! (<https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api>).

use std::convert::Infallible;

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{HeaderValue, LINK};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use forge_service::Settings;
use forge_types::page::{Page, PageRequest};
use serde::Serialize;

/// Which page is wanted, and the address it was wanted at. Values that are no numbers count as absent, as on GitHub.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// The page.
    pub request: PageRequest,
    path: String,
    others: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
        let number = |name: &str| {
            let value = pairs.iter().rev().find(|(key, _)| key == name);
            value.and_then(|(_, value)| value.parse::<u32>().ok())
        };
        let default = PageRequest::default();
        let request =
            PageRequest::new(number("page").unwrap_or(1), number("per_page").unwrap_or(default.size()));
        let path = uri.path().to_owned();
        let others = pairs.into_iter().filter(|(key, _)| key != "page").collect();
        Ok(Self { request, path, others })
    }
}

/// Returns the `Link` header of a list that is paged by what it starts after.
#[must_use]
pub fn since_link(address: &str, size: u32, next: Option<i64>) -> Option<HeaderValue> {
    let text = format!("<{address}?per_page={size}&since={}>; rel=\"next\"", next?);
    HeaderValue::from_str(&text).ok()
}

impl PageQuery {
    /// Returns the answer for `page`: the items as a JSON array, and links to the neighbouring pages and the last one, by
    /// whose number clients count.
    pub fn answer<T: Serialize>(&self, settings: &Settings, page: &Page<T>) -> Response {
        let mut response = Json(&page.items).into_response();
        if let Some(link) = self.link(settings, page.has_next, page.total) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }

    /// Returns the `Link` header, if there are neighbouring pages. The last page names no last page, as on GitHub.
    #[must_use]
    pub fn link(&self, settings: &Settings, has_next: bool, total: Option<i64>) -> Option<HeaderValue> {
        let number = self.request.number();
        let mut links = Vec::new();
        if has_next {
            links.push((number + 1, "next"));
            let last = total.and_then(|total| u32::try_from(total).ok());
            links.extend(last.map(|total| (total.div_ceil(self.request.size()), "last")));
        }
        if number > 1 {
            links.push((1, "first"));
            links.push((number - 1, "prev"));
        }
        let text: Vec<String> = links
            .into_iter()
            .map(|(number, relation)| format!("<{}>; rel=\"{relation}\"", self.address(settings, number)))
            .collect();
        if text.is_empty() { None } else { HeaderValue::from_str(&text.join(", ")).ok() }
    }

    fn address(&self, settings: &Settings, number: u32) -> String {
        let mut pairs: Vec<(&str, &str)> =
            self.others.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let number = number.to_string();
        pairs.push(("page", &number));
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        format!("{}{}?{query}", settings.origin.as_str().trim_end_matches('/'), self.path)
    }
}
