//! Which host a request is for: `api.HOST` has REST at its root and GraphQL at `/graphql`; every other name, all
//! the rest. Nothing that is printed or signed depends on it, and a proof of possession is for the one or the other.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use forge_api::ByApiHost;
use tower::ServiceExt;

/// The routes of `api.HOST`.
#[derive(Clone)]
pub(crate) struct Hosts {
    api_host: String,
    api: Router,
}

impl Hosts {
    pub(crate) fn new(host: &str, api: Router) -> Self {
        Self { api_host: format!("api.{host}"), api }
    }

    fn is_api(&self, request: &Request) -> bool {
        let header = || request.headers().get(HOST).and_then(|value| value.to_str().ok());
        let Some(named) = request.uri().authority().map(http::uri::Authority::as_str).or_else(header) else {
            return false;
        };
        let name = named.rsplit_once(':').map_or(named, |(name, _port)| name);
        name.trim_end_matches('.').eq_ignore_ascii_case(&self.api_host)
    }
}

/// Sends requests for `api.HOST` to its routes.
pub(crate) async fn layer(State(hosts): State<Hosts>, mut request: Request, next: Next) -> Response {
    if hosts.is_api(&request) {
        request.extensions_mut().insert(ByApiHost);
        return hosts.api.oneshot(request).await.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt;

    use super::*;

    async fn answer(uri: &str, host: Option<&str>) -> String {
        let api = Router::new().route("/", get(|| async { "api" }));
        let hosts = Hosts::new("forge.example", api);
        let router =
            Router::new().route("/", get(|| async { "main" })).layer(from_fn_with_state(hosts, layer));
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_api_name_has_routes_of_its_own_in_both_versions_of_http() {
        for host in ["api.forge.example", "API.forge.example:8443", "api.forge.example."] {
            assert_eq!(answer("/", Some(host)).await, "api", "{host}");
        }
        assert_eq!(answer("https://api.forge.example/", None).await, "api");
        for host in [Some("forge.example"), Some("api.evil.example"), Some("xapi.forge.example"), None] {
            assert_eq!(answer("/", host).await, "main", "{host:?}");
        }
    }
}
