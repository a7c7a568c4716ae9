//! Asking the provider: sending the person there, and exchanging the code they come back with.

use std::future::Future;
use std::pin::Pin;

use forge_auth::jose::Jws;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Provider;
use super::discovery::Known;
use super::id_token::{Expected, Person, judge};

#[derive(Debug, Deserialize, Serialize)]
struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

type OidcClient = Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What has to be found again when the person comes back.
#[derive(Deserialize, Serialize)]
pub(super) struct Journey {
    pub(super) state: String,
    pub(super) nonce: String,
    verifier: String,
    pub(super) return_to: String,
}

/// Carries the library's requests.
struct Wire<'p>(&'p reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let request =
                self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let answer = request.send().await.map_err(Fault)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = HttpResponse::new(answer.bytes().await.map_err(Fault)?.to_vec());
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }
}

/// The provider could not be asked.
#[derive(Debug)]
struct Fault(reqwest::Error);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

impl Provider {
    /// Returns where to send the person, and what to keep meanwhile.
    pub(super) async fn begin(&self, callback: Url, return_to: String) -> Result<(Url, Journey), String> {
        let known = self.known(None).await?;
        let client = self.client(&known, callback)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random().secret().clone();
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(["openid", "profile", "email"].map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("nonce", nonce.clone())
            .set_pkce_challenge(challenge)
            .url();
        let (state, verifier) = (state.secret().clone(), verifier.secret().clone());
        Ok((url, Journey { state, nonce, verifier, return_to }))
    }

    /// Returns whom the provider vouches for, to a person who came back with a code.
    pub(super) async fn finish(
        &self,
        callback: Url,
        code: String,
        journey: &Journey,
        now: i64,
    ) -> Result<Person, String> {
        let known = self.known(None).await?;
        let client = self.client(&known, callback)?;
        let verifier = PkceCodeVerifier::new(journey.verifier.clone());
        let request = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        let answer = request.request_async(&Wire(&self.http)).await.map_err(|error| error.to_string())?;
        let token = Jws::parse(&answer.extra_fields().id_token)
            .map_err(|malformed| format!("the ID token is unreadable: {malformed}"))?;
        let known = self.known(token.header("kid")).await?;
        let expected =
            Expected { issuer: &self.issuer, client_id: &self.client_id, nonce: &journey.nonce, now };
        judge(&token, &known.keys, &expected).map_err(|problem| format!("the ID token is refused: {problem}"))
    }

    /// Returns what accounts made this way are said to come from.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    fn client(&self, known: &Known, callback: Url) -> Result<OidcClient, String> {
        let malformed = |error: url::ParseError| error.to_string();
        let mut client: OidcClient = Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::new(known.authorization_endpoint.clone()).map_err(malformed)?)
            .set_token_uri(TokenUrl::new(known.token_endpoint.clone()).map_err(malformed)?)
            .set_redirect_uri(RedirectUrl::from_url(callback));
        if let Some(secret) = &self.client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.clone()));
        }
        Ok(client)
    }
}
