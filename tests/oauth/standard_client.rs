//! The server as a real client library sees it: the `oauth2` crate does every flow it knows.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use forge_testing::Client;
use forge_testing::for_each_database;
use forge_testing::{ORIGIN, TestForge};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, HttpRequest,
    HttpResponse, IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RevocationUrl, Scope,
    StandardDeviceAuthorizationResponse, StandardRevocableToken, TokenIntrospectionResponse, TokenResponse,
    TokenUrl,
};

use crate::support::{REDIRECT, consent, decide, location, opens, parameter, register, signed_in};

/// Carries the library's requests to the router.
struct Wire(Client);

impl<'c> oauth2::AsyncHttpClient<'c> for Wire {
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Self::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut sent = self.0.request(parts.method, parts.uri.path());
            sent.headers_mut().extend(parts.headers);
            *sent.body_mut() = body.into();
            let answer = self.0.send(sent).await;
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

fn at(path: &str) -> String {
    format!("{ORIGIN}{path}")
}

for_each_database! {
    async fn a_library_goes_through_the_code_flow_refreshes_asks_and_revokes(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let (client, secret) = register(&forge, "Server", true, REDIRECT).await;
        let library = BasicClient::new(ClientId::new(client.client_id))
            .set_client_secret(ClientSecret::new(secret.expect("a secret").expose().to_owned()))
            .set_auth_uri(AuthUrl::new(at("/login/oauth/authorize")).unwrap())
            .set_token_uri(TokenUrl::new(at("/login/oauth/access_token")).unwrap())
            .set_revocation_url(RevocationUrl::new(at("/login/oauth/revoke")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(at("/login/oauth/introspect")).unwrap())
            .set_redirect_uri(RedirectUrl::new(REDIRECT.into()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = library
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("repo".into()))
            .set_pkce_challenge(challenge)
            .url();
        let path = format!("{}?{}", url.path(), url.query().unwrap());
        let back = location(&consent(&mut browser, &path, "approve").await);
        assert_eq!(parameter(&back, "state").as_ref(), Some(state.secret()));
        let code = AuthorizationCode::new(parameter(&back, "code").expect("a code"));
        let wire = Wire(forge.client());
        let tokens = library.exchange_code(code).set_pkce_verifier(verifier).request_async(&wire).await.expect("tokens");
        assert_eq!(tokens.expires_in(), Some(Duration::from_secs(3600)));
        let refresh = tokens.refresh_token().expect("a refresh token");
        let renewed = library.exchange_refresh_token(refresh).request_async(&wire).await.expect("tokens");
        let told = library.introspect(renewed.access_token()).request_async(&wire).await.expect("told");
        assert!(told.active() && told.username() == Some("alice"));
        let token = StandardRevocableToken::from(renewed.access_token().clone());
        library.revoke_token(token).expect("over TLS").request_async(&wire).await.expect("revoked");
        assert!(!opens(&forge, renewed.access_token().secret()).await);
    }

    async fn a_library_goes_through_the_device_flow(forge: TestForge) {
        let mut browser = signed_in(&forge, "alice").await;
        let request = forge_service::oauth::clients::ClientRequest { name: "Television".into(), allows_device: true, ..Default::default() };
        let ctx = forge_service::admin::console(forge.app());
        let (client, _) = forge_service::oauth::clients::register(&ctx, &request).await.expect("a client");
        let library = BasicClient::new(ClientId::new(client.client_id))
            .set_auth_type(oauth2::AuthType::RequestBody)
            .set_token_uri(TokenUrl::new(at("/login/oauth/access_token")).unwrap())
            .set_device_authorization_url(DeviceAuthorizationUrl::new(at("/login/device/code")).unwrap());
        let wire = Wire(forge.client());
        let details: StandardDeviceAuthorizationResponse = library
            .exchange_device_code()
            .add_scope(Scope::new("gist".into()))
            .request_async(&wire)
            .await
            .expect("codes");
        assert_eq!(details.interval(), Duration::from_secs(5));
        let polls = std::sync::atomic::AtomicU32::new(0);
        let sleep = |_| {
            polls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            forge.advance(Duration::from_secs(5));
            let (mut browser, code) = (browser.clone(), details.user_code().secret().clone());
            let is_time = polls.load(std::sync::atomic::Ordering::SeqCst) == 2;
            async move {
                if is_time {
                    decide(&mut browser, &code, "approve").await.expect(200);
                }
            }
        };
        let token = library.exchange_device_access_token(&details).request_async(&wire, sleep, None).await.expect("a token");
        assert!(opens(&forge, token.access_token().secret()).await);
        assert!(polls.load(std::sync::atomic::Ordering::SeqCst) >= 2);
        browser.visit("/settings/tokens").await.expect(200);
    }
}
