//! Requests to the authorization server.

use data_encoding::BASE64;
use forge_types::Scopes;
use url::form_urlencoded;

use super::{ExchangeRequest, OAuthCode, OAuthError, Parameters, TaskRequest, WorkloadRequest, is_challenge};
use crate::assertion;
use crate::jose::Thumbprint;
use crate::token::Secret;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The grants of the token endpoint.
pub const GRANT_TYPES: [&str; 6] =
    ["authorization_code", "refresh_token", DEVICE_CODE, "client_credentials", TOKEN_EXCHANGE, JWT_BEARER];

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Reads a scope parameter as GitHub does: unknown names are left out. Returns the scopes and whether a refresh token
/// is asked for, which has no scope of GitHub's and is asked for as `offline_access`.
#[must_use]
pub fn split_scope(text: Option<&str>) -> (Scopes, bool) {
    let text = text.unwrap_or_default();
    let wants_refresh = text.split([' ', ',']).any(|name| name == "offline_access");
    (Scopes::parse_known(text), wants_refresh)
}

/// What a client says of itself: in the `Authorization` header or in the body, never in both.
#[derive(Clone, Debug, Default)]
pub struct ClientAuthentication {
    /// The name it gives itself.
    pub client_id: Option<String>,
    /// Its secret.
    pub secret: Option<Secret>,
    /// What it has signed to say who it is, in place of a secret.
    pub assertion: Option<String>,
}

impl ClientAuthentication {
    /// Reads what a client says of itself.
    ///
    /// # Errors
    /// `invalid_request` if it says it twice, `invalid_client` if the header cannot be read.
    pub fn read(basic: Option<&str>, parameters: &Parameters) -> Result<Self, OAuthError> {
        let in_body = Self {
            client_id: parameters.find("client_id").map(str::to_owned),
            secret: parameters.find("client_secret").map(|secret| Secret::new(secret.to_owned())),
            assertion: assertion(parameters)?,
        };
        if in_body.assertion.is_some() && (in_body.secret.is_some() || basic.is_some()) {
            return Err(OAuthError::invalid_request("the client says twice who it is"));
        }
        let Some(encoded) = basic else { return Ok(in_body) };
        let in_header = Self::from_basic(encoded).ok_or_else(OAuthError::invalid_client)?;
        let differs = in_body.client_id.is_some() && in_body.client_id != in_header.client_id;
        if in_body.secret.is_some() || differs {
            return Err(OAuthError::invalid_request("the client says twice who it is"));
        }
        Ok(in_header)
    }

    /// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    fn from_basic(encoded: &str) -> Option<Self> {
        let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        let decode = |part: &str| {
            form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, value)| value.into_owned())
        };
        let (id, secret) = (decode(id)?, decode(secret)?);
        Some(Self {
            client_id: Some(id),
            secret: (!secret.is_empty()).then(|| Secret::new(secret)),
            assertion: None,
        })
    }
}

/// Reads a client assertion (RFC 7521 §4.2), which has one type here.
fn assertion(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let given = parameters.find("client_assertion");
    match (parameters.find("client_assertion_type"), given) {
        (None, None) => Ok(None),
        (Some(assertion::TYPE), Some(text)) => Ok(Some(text.to_owned())),
        _ => Err(OAuthError::invalid_client()),
    }
}

/// A device asks for codes (RFC 8628 §3.1).
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// The client.
    pub client: ClientAuthentication,
    /// What it asks for.
    pub scopes: Scopes,
    /// Whether it asks for a refresh token.
    pub wants_refresh: bool,
    /// The key to which it wants its tokens bound.
    pub dpop_jkt: Option<Thumbprint>,
    /// The task that an agent asks for, in place of access to an account.
    pub task: Option<TaskRequest>,
}

impl DeviceRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// `invalid_request` if the client does not say who it is.
    pub fn read(basic: Option<&str>, parameters: &Parameters) -> Result<Self, OAuthError> {
        let client = ClientAuthentication::read(basic, parameters)?;
        if client.client_id.is_none() {
            return Err(OAuthError::invalid_request("`client_id` is missing"));
        }
        let (scopes, wants_refresh) = split_scope(parameters.find("scope"));
        let task = TaskRequest::read(parameters)?;
        Ok(Self { client, scopes, wants_refresh, dpop_jkt: thumbprint(parameters)?, task })
    }
}

/// A client pushes an authorization request (RFC 9126 §2.1).
#[derive(Clone, Debug)]
pub struct PushedRequest {
    /// The client.
    pub client: ClientAuthentication,
    /// Where the person is to be sent afterwards.
    pub redirect_uri: String,
    /// What it asks for.
    pub request: AuthorizationRequest,
    /// The task that an agent asks for, in place of access to an account.
    pub task: Option<TaskRequest>,
    /// The parameters as a form, without what says who the client and the agent are.
    pub parameters: String,
}

impl PushedRequest {
    /// Reads the request.
    ///
    /// # Errors
    /// What is wrong with it, as the authorization endpoint would say it; `invalid_request` if it names a pushed request.
    pub fn read(basic: Option<&str>, parameters: &Parameters) -> Result<Self, OAuthError> {
        if parameters.find("request_uri").is_some() {
            return Err(OAuthError::invalid_request("a pushed request cannot name another one"));
        }
        let client = ClientAuthentication::read(basic, parameters)?;
        let client_id = client.client_id.as_deref();
        let client_id = client_id.ok_or_else(|| OAuthError::invalid_request("`client_id` is missing"))?;
        let names = [
            "response_type",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
            "dpop_jkt",
        ];
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", client_id);
        for name in names {
            parameters.find(name).map(|value| form.append_pair(name, value));
        }
        Ok(Self {
            redirect_uri: parameters.require("redirect_uri")?.to_owned(),
            request: AuthorizationRequest::read(parameters)?,
            task: TaskRequest::read(parameters)?,
            parameters: form.finish(),
            client,
        })
    }
}

/// A client asks for a token.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// With a device code.
    DeviceCode {
        /// The code.
        device_code: Secret,
        /// The agent's own token, if the code is for a task.
        subject_token: Option<Secret>,
    },
    /// With an authorization code.
    AuthorizationCode {
        /// The code.
        code: Secret,
        /// Where the code was sent.
        redirect_uri: Option<String>,
        /// What the challenge was made from.
        verifier: Option<String>,
        /// The agent's own token, if the code is for a task.
        subject_token: Option<Secret>,
    },
    /// With a refresh token.
    Refresh {
        /// The token.
        token: Secret,
        /// What the new access token is to be limited to.
        scopes: Option<Scopes>,
    },
    /// As itself: an agent with its bootstrap secret.
    ClientCredentials {
        /// What the session is to be limited to.
        scopes: Option<Scopes>,
    },
    /// With another token (RFC 8693).
    Exchange(ExchangeRequest),
    /// As what runs an agent, with its issuer's word for it.
    Workload(WorkloadRequest),
}

impl TokenRequest {
    /// Reads the request. Without a grant type, a request with a code is one for it, as in GitHub's web flow.
    ///
    /// # Errors
    /// `unsupported_grant_type`, or `invalid_request` if something is missing.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let secret = |name| parameters.require(name).map(|value| Secret::new(value.to_owned()));
        let subject_token = || parameters.find("subject_token").map(|value| Secret::new(value.to_owned()));
        let grant_type = match (parameters.find("grant_type"), parameters.find("code")) {
            (None, Some(_)) => "authorization_code",
            (given, _) => given.ok_or_else(|| OAuthError::invalid_request("`grant_type` is missing"))?,
        };
        match grant_type {
            DEVICE_CODE => {
                Ok(Self::DeviceCode { device_code: secret("device_code")?, subject_token: subject_token() })
            }
            "authorization_code" => Ok(Self::AuthorizationCode {
                code: secret("code")?,
                redirect_uri: parameters.find("redirect_uri").map(str::to_owned),
                verifier: parameters.find("code_verifier").map(str::to_owned),
                subject_token: subject_token(),
            }),
            "refresh_token" => {
                Ok(Self::Refresh { token: secret("refresh_token")?, scopes: strict_scopes(parameters)? })
            }
            "client_credentials" => Ok(Self::ClientCredentials { scopes: strict_scopes(parameters)? }),
            JWT_BEARER => Ok(Self::Workload(WorkloadRequest {
                token: secret("assertion")?,
                scopes: strict_scopes(parameters)?,
                is_exchange: false,
            })),
            TOKEN_EXCHANGE if WorkloadRequest::is_meant(parameters) => {
                Ok(Self::Workload(WorkloadRequest::read_exchange(parameters)?))
            }
            TOKEN_EXCHANGE => Ok(Self::Exchange(ExchangeRequest::read(parameters)?)),
            _ => Err(OAuthError::new(OAuthCode::UnsupportedGrantType, "there is no such grant type here")),
        }
    }
}

fn strict_scopes(parameters: &Parameters) -> Result<Option<Scopes>, OAuthError> {
    let Some(text) = parameters.find("scope") else { return Ok(None) };
    let names: Vec<&str> = text.split([' ', ',']).filter(|name| *name != "offline_access").collect();
    Scopes::parse(&names.join(" "))
        .map(Some)
        .map_err(|name| OAuthError::new(OAuthCode::InvalidScope, format!("`{name}` is not a scope")))
}

/// Reads the thumbprint of the key whose proof will come with the code (RFC 9449 §10).
fn thumbprint(parameters: &Parameters) -> Result<Option<Thumbprint>, OAuthError> {
    let Some(text) = parameters.find("dpop_jkt") else { return Ok(None) };
    let malformed = || OAuthError::invalid_request("`dpop_jkt` is not the SHA-256 thumbprint of a key");
    Thumbprint::parse(text).map(Some).ok_or_else(malformed)
}

/// A client asks a person for access (RFC 6749 §4.1.1, RFC 7636 §4.3).
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// What it asks for.
    pub scopes: Scopes,
    /// What it wants to find again in the answer.
    pub state: String,
    /// The S256 challenge.
    pub challenge: String,
    /// The key to which it wants its tokens bound.
    pub dpop_jkt: Option<Thumbprint>,
}

impl AuthorizationRequest {
    /// Reads what does not decide where errors go: the client and where it is sent back to are checked before.
    ///
    /// # Errors
    /// The error that the client is told by redirection.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        if parameters.require("response_type")? != "code" {
            let message = "the only response type is `code`";
            return Err(OAuthError::new(OAuthCode::UnsupportedResponseType, message));
        }
        let state = parameters.require("state")?.to_owned();
        let challenge = parameters.require("code_challenge")?.to_owned();
        if parameters.find("code_challenge_method") != Some("S256") || !is_challenge(&challenge) {
            return Err(OAuthError::invalid_request("the only code challenge method is `S256`"));
        }
        let (scopes, _) = split_scope(parameters.find("scope"));
        Ok(Self { scopes, state, challenge, dpop_jkt: thumbprint(parameters)? })
    }
}

/// A request about a token: to revoke it (RFC 7009 §2.1) or to tell of it (RFC 7662 §2.1).
#[derive(Clone, Debug)]
pub struct TokenToCheck {
    /// The client.
    pub client: ClientAuthentication,
    /// The token; what the request says of its type is a hint and is not needed.
    pub token: Secret,
}

impl TokenToCheck {
    /// Reads the request.
    ///
    /// # Errors
    /// `invalid_request` if there is no token.
    pub fn read(basic: Option<&str>, parameters: &Parameters) -> Result<Self, OAuthError> {
        let client = ClientAuthentication::read(basic, parameters)?;
        Ok(Self { client, token: Secret::new(parameters.require("token")?.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn authorization(form: &str) -> Result<AuthorizationRequest, OAuthError> {
        AuthorizationRequest::read(&Parameters::from_form(form)?)
    }

    #[test]
    fn a64_an_authorization_request_without_state_or_s256_is_refused() {
        let good = format!(
            "response_type=code&state=s&code_challenge={CHALLENGE}&code_challenge_method=S256&scope=repo%20nope"
        );
        assert_eq!(authorization(&good).expect("readable").scopes.to_string(), "repo");
        for (part, other) in [
            ("state=s", "state="),
            ("=S256", "=plain"),
            ("&code_challenge_method=S256", ""),
            (CHALLENGE, "short"),
            ("response_type=code", "response_type=token"),
            ("&scope", "&dpop_jkt=x&scope"),
        ] {
            assert!(authorization(&good.replace(part, other)).is_err(), "{part}");
        }
    }

    #[test]
    fn a_client_that_says_twice_who_it_is_is_refused() {
        let basic = BASE64.encode(b"a%20b:c%3Ad");
        let empty = Parameters::default();
        let read = ClientAuthentication::read(Some(&basic), &empty).expect("readable");
        assert_eq!(read.client_id.as_deref(), Some("a b"));
        assert_eq!(read.secret.expect("a secret").expose(), "c:d");
        let twice = Parameters::from_form("client_secret=x").expect("readable");
        assert!(ClientAuthentication::read(Some(&basic), &twice).is_err());
    }

    #[test]
    fn the_request_of_githubs_web_flow_has_no_grant_type() {
        let form = Parameters::from_form("client_id=a&client_secret=b&code=c&state=d").expect("readable");
        assert!(matches!(TokenRequest::read(&form), Ok(TokenRequest::AuthorizationCode { .. })));
        let none = Parameters::from_form("client_id=a").expect("readable");
        assert!(TokenRequest::read(&none).is_err());
    }
}
