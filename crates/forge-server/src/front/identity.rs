//! Callers that somebody else has authenticated: the host in which the forge is embedded, or a proxy in front.
//!
//! INVARIANT: a header names a caller only on a connection from an address or with a certificate that the
//! configuration names; from everyone else it is removed before any room sees it. A browser that another site
//! set in motion is not the person: such requests are refused when they would change something.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use forge_api::PreAuthenticated;
use forge_api::error::ApiError;
use forge_service::people::identities::from_host;
use forge_service::{App, RequestInfo, Surface};
use forge_types::Error;
use futures_util::future::BoxFuture;

pub use forge_service::people::identities::HostIdentity;

use crate::config::{AddressRange, AuthorizationOf, Fingerprint, IdentityProxy};
use crate::net::Peer;

/// Says who sends a request. Implemented by programs that embed the forge.
pub trait HostAuthenticator: Send + Sync + 'static {
    /// Returns the person whom the host has authenticated; `None` leaves the request to present a token or a
    /// session of the forge's own, or nothing.
    fn authenticate(&self, request: &Parts) -> impl Future<Output = Option<HostIdentity>> + Send;

    /// Returns whether `Authorization` is the host's own where it has authenticated somebody. Then it is dropped;
    /// otherwise it presents a token of the forge's, which decides instead of the host's word.
    fn owns_authorization(&self) -> bool {
        false
    }
}

/// The same, as the layer holds it.
pub(crate) trait Authenticate: Send + Sync {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Option<HostIdentity>>;

    fn owns_authorization(&self) -> bool;
}

impl<H: HostAuthenticator> Authenticate for H {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Option<HostIdentity>> {
        Box::pin(HostAuthenticator::authenticate(self, request))
    }

    fn owns_authorization(&self) -> bool {
        HostAuthenticator::owns_authorization(self)
    }
}

/// All who may say who sends a request.
#[derive(Clone)]
pub(crate) struct Identities {
    app: Arc<App>,
    origins: Arc<[String]>,
    host: Option<Arc<dyn Authenticate>>,
    proxy: Option<Arc<Proxy>>,
}

impl Identities {
    pub(crate) fn new(
        app: Arc<App>,
        host: Option<Arc<dyn Authenticate>>,
        proxy: Option<IdentityProxy>,
    ) -> Self {
        let settings = app.settings();
        let origins =
            [&settings.origin, &settings.people_origin].map(|url| url.origin().ascii_serialization());
        Self { origins: origins.into(), app, host, proxy: proxy.map(|proxy| Arc::new(Proxy(proxy))) }
    }

    fn info(&self, parts: &Parts) -> RequestInfo {
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        RequestInfo {
            id: self.app.new_request_id(),
            surface: Surface::Web,
            ip: parts.extensions.get::<forge_api::Peer>().map(|peer| peer.0.to_string()),
            user_agent: user_agent.map(|text| text.chars().take(256).collect()),
            certificate: None,
        }
    }

    async fn identity(&self, parts: &mut Parts) -> Option<HostIdentity> {
        let named = self.proxy.as_ref().and_then(|proxy| proxy.take(parts));
        let Some(host) = &self.host else { return named };
        let known = host.authenticate(parts).await;
        if known.is_some() && host.owns_authorization() {
            parts.headers.remove(header::AUTHORIZATION);
        }
        known.or(named)
    }
}

/// Leaves the caller in the request if somebody trusted has named one.
pub(crate) async fn layer(State(identities): State<Identities>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(identity) = identities.identity(&mut parts).await {
        if is_foreign(&parts, &identities.origins) {
            return ApiError(Error::forbidden("requests of other sites cannot use your sign-in"))
                .into_response();
        }
        match from_host(&identities.app, &identity, identities.info(&parts)).await {
            Ok(caller) => drop(parts.extensions.insert(PreAuthenticated(caller))),
            Err(error) => return ApiError(error).into_response(),
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Whether another site made a browser send a request that would change something.
fn is_foreign(parts: &Parts, origins: &[String]) -> bool {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let value = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let is_other_site = !matches!(value("sec-fetch-site"), None | Some("same-origin" | "none"));
    let is_other_origin =
        value(header::ORIGIN.as_str()).is_some_and(|origin| !origins.iter().any(|ours| ours == origin));
    is_other_site || is_other_origin
}

/// A proxy that names people in headers.
struct Proxy(IdentityProxy);

impl Proxy {
    /// Takes the identity headers out of a request; what they say counts only from the proxy.
    fn take(&self, parts: &mut Parts) -> Option<HostIdentity> {
        let is_trusted = parts.extensions.get::<Peer>().is_some_and(|peer| self.is_trusted(peer));
        let mut text = |name: &String| take(&mut parts.headers, name);
        let (subject, login) = (text(&self.0.subject_header), text(&self.0.login_header));
        let (email, groups) = (text(&self.0.email_header), text(&self.0.groups_header));
        let subject = subject.filter(|_| is_trusted)?;
        if self.0.authorization == AuthorizationOf::Proxy {
            parts.headers.remove(header::AUTHORIZATION);
        }
        let groups: Vec<String> =
            groups.unwrap_or_default().split(',').map(|group| group.trim().to_owned()).collect();
        let site_admin = self.0.admin_group.as_ref().map(|admins| groups.contains(admins));
        Some(HostIdentity {
            provider: self.0.provider.clone(),
            login: login.unwrap_or_else(|| subject.clone()),
            subject,
            email,
            groups: groups.into_iter().filter(|group| !group.is_empty()).collect(),
            site_admin,
        })
    }

    fn is_trusted(&self, peer: &Peer) -> bool {
        let addresses: &[AddressRange] = &self.0.addresses.0;
        let certificates: &[Fingerprint] = &self.0.certificates.0;
        addresses.iter().any(|range| range.contains(peer.ip()))
            || peer.certificate.is_some_and(|certificate| certificates.contains(&certificate))
    }
}

/// Removes a header. One that is there twice says nothing: a client may have added the other.
fn take(headers: &mut HeaderMap, name: &String) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none());
    let text = value
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned);
    headers.remove(name);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: Fingerprint = Fingerprint([7; 32]);

    fn proxy() -> Proxy {
        let mut proxy = crate::config::Config::default().identity_proxy;
        proxy.addresses.0.push("10.0.0.7".parse().unwrap());
        proxy.certificates.0.push(CERTIFICATE);
        proxy.admin_group = Some("admins".into());
        Proxy(proxy)
    }

    fn parts(address: &str, certificate: Option<Fingerprint>, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer { address: format!("{address}:1").parse().unwrap(), certificate });
        parts
    }

    const HEADERS: [(&str, &str); 3] = [
        ("x-forwarded-user", "sub-1"),
        ("x-forwarded-email", "mona@example.com"),
        ("x-forwarded-groups", "a, admins"),
    ];

    #[test]
    fn the_proxys_word_counts_by_address_or_by_certificate() {
        for (address, certificate) in [("10.0.0.7", None), ("192.0.2.1", Some(CERTIFICATE))] {
            let identity = proxy().take(&mut parts(address, certificate, &HEADERS)).unwrap();
            assert_eq!((identity.subject.as_str(), identity.login.as_str()), ("sub-1", "sub-1"));
            assert_eq!(identity.groups, ["a", "admins"]);
            assert_eq!(identity.site_admin, Some(true));
        }
    }

    #[test]
    fn from_anyone_else_the_headers_are_removed_unheard() {
        for certificate in [None, Some(Fingerprint([8; 32]))] {
            let mut parts = parts("10.0.0.8", certificate, &HEADERS);
            assert!(proxy().take(&mut parts).is_none());
            assert!(parts.headers.is_empty());
        }
    }

    #[test]
    fn a_header_that_is_there_twice_says_nothing() {
        let mut twice =
            parts("10.0.0.7", None, &[("x-forwarded-user", "mona"), ("X-Forwarded-User", "admin")]);
        assert!(proxy().take(&mut twice).is_none());
    }

    #[test]
    fn authorization_is_dropped_where_it_is_the_proxys_and_the_proxy_names_somebody() {
        let kept = |owner, address, named: bool| {
            let mut proxy = proxy();
            proxy.0.authorization = owner;
            let headers = [("authorization", "Basic bW9uYTp4"), ("x-forwarded-user", "sub-1")];
            let mut parts = parts(address, None, if named { &headers } else { &headers[..1] });
            assert_eq!(proxy.take(&mut parts).is_some(), named && address == "10.0.0.7");
            parts.headers.contains_key("authorization")
        };
        assert!(!kept(AuthorizationOf::Proxy, "10.0.0.7", true));
        assert!(kept(AuthorizationOf::Proxy, "10.0.0.7", false));
        assert!(kept(AuthorizationOf::Proxy, "10.0.0.8", true));
        assert!(kept(AuthorizationOf::Client, "10.0.0.7", true));
    }

    #[test]
    fn without_an_admin_group_the_proxy_says_nothing_about_administrators() {
        let mut proxy = proxy();
        proxy.0.admin_group = None;
        assert_eq!(proxy.take(&mut parts("10.0.0.7", None, &HEADERS)).unwrap().site_admin, None);
    }

    #[test]
    fn another_site_cannot_act_through_the_persons_browser() {
        let origins = ["https://forge.example".to_owned()];
        let foreign = |headers: &[(&str, &str)]| is_foreign(&parts("10.0.0.7", None, headers), &origins);
        assert!(!foreign(&[]));
        assert!(!foreign(&[("origin", "https://forge.example"), ("sec-fetch-site", "same-origin")]));
        assert!(foreign(&[("origin", "https://evil.example")]));
        assert!(foreign(&[("origin", "null")]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("sec-fetch-site", "same-site")]));
    }
}
