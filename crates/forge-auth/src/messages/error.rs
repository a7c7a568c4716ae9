//! Errors of the authorization server (RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5), and what every other error of the
//! forge becomes here.

use std::time::Duration;

use forge_types::{Error, ErrorKind, ProofProblem};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)*) => {
        /// An error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OAuthCode { $($(#[$doc])* $variant),* }

        impl OAuthCode {
            /// Returns the code as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Returns the HTTP status of answers that carry it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }
        }
    };
}

codes! {
    /// The request is malformed.
    InvalidRequest = "invalid_request", 400;
    /// The client is unknown or did not prove who it is.
    InvalidClient = "invalid_client", 401;
    /// The proof of possession is malformed, not for this request, or has come before (RFC 9449 §5).
    InvalidDpopProof = "invalid_dpop_proof", 400;
    /// The proof of possession must repeat the nonce that the answer brings (RFC 9449 §8).
    UseDpopNonce = "use_dpop_nonce", 400;
    /// The code or token is wrong, used, over, or another client's.
    InvalidGrant = "invalid_grant", 400;
    /// The client may not use this grant.
    UnauthorizedClient = "unauthorized_client", 400;
    /// There is no such grant.
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// There is no such response.
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// More was asked for than may be given.
    InvalidScope = "invalid_scope", 400;
    /// The token is wanted for a place that is not here, or not one of its parent's (RFC 8707).
    InvalidTarget = "invalid_target", 400;
    /// What was asked for in detail cannot be read or given (RFC 9396).
    InvalidAuthorizationDetails = "invalid_authorization_details", 400;
    /// The person said no.
    AccessDenied = "access_denied", 400;
    /// The person has not decided yet.
    AuthorizationPending = "authorization_pending", 400;
    /// The device asks too often.
    SlowDown = "slow_down", 400;
    /// The device code is over.
    ExpiredToken = "expired_token", 400;
    /// Too many requests, or the forge cannot answer now.
    TemporarilyUnavailable = "temporarily_unavailable", 503;
    /// A fault of ours.
    ServerError = "server_error", 500;
}

/// An error on its way to a client.
#[derive(Debug)]
pub struct OAuthError {
    /// What kind it is.
    pub code: OAuthCode,
    /// A sentence for a developer.
    pub description: String,
    /// The seconds between two polls from now on.
    pub interval: Option<i64>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// What the operator may know.
    pub source: Option<Box<Error>>,
}

impl OAuthError {
    /// Creates an error.
    pub fn new(code: OAuthCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), interval: None, retry_after: None, source: None }
    }

    /// The request is malformed.
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(OAuthCode::InvalidRequest, description)
    }

    /// The client is unknown or did not prove who it is: always the same words.
    #[must_use]
    pub fn invalid_client() -> Self {
        Self::new(OAuthCode::InvalidClient, "the client is unknown or did not prove who it is")
    }

    /// The code or token is no good: always the same words.
    #[must_use]
    pub fn invalid_grant() -> Self {
        Self::new(OAuthCode::InvalidGrant, "the code or token is unknown, used, over or another client's")
    }

    /// Returns the members of the answer.
    #[must_use]
    pub fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        let mut members = vec![
            ("error", self.code.as_str().into()),
            ("error_description", self.description.as_str().into()),
        ];
        members.extend(self.interval.map(|seconds| ("interval", seconds.into())));
        members
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let (code, retry_after) = match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::Malformed
            | ErrorKind::TooLarge
            | ErrorKind::Conflict
            | ErrorKind::Stale => (OAuthCode::InvalidRequest, None),
            ErrorKind::Unauthenticated
            | ErrorKind::Unproved(ProofProblem::InvalidToken | ProofProblem::WrongCertificate) => {
                (OAuthCode::InvalidGrant, None)
            }
            ErrorKind::Unproved(ProofProblem::InvalidProof) => (OAuthCode::InvalidDpopProof, None),
            ErrorKind::Unproved(ProofProblem::NonceNeeded) => (OAuthCode::UseDpopNonce, None),
            ErrorKind::Forbidden | ErrorKind::ApprovalRequired(_) | ErrorKind::Withheld(_) => {
                (OAuthCode::AccessDenied, None)
            }
            ErrorKind::InsufficientScope(_) => (OAuthCode::InvalidScope, None),
            ErrorKind::Invalid(fields) if fields.iter().any(|field| field.field == "scopes") => {
                (OAuthCode::InvalidScope, None)
            }
            ErrorKind::Invalid(_) => (OAuthCode::InvalidRequest, None),
            ErrorKind::RateLimited(after) | ErrorKind::Unavailable(after) => {
                (OAuthCode::TemporarilyUnavailable, Some(*after))
            }
            ErrorKind::Internal => (OAuthCode::ServerError, None),
        };
        let description = match error.kind() {
            ErrorKind::Invalid(fields) => fields
                .iter()
                .find_map(|field| field.message.clone())
                .unwrap_or_else(|| error.message().to_owned()),
            ErrorKind::NotFound
            | ErrorKind::Malformed
            | ErrorKind::TooLarge
            | ErrorKind::Conflict
            | ErrorKind::Stale
            | ErrorKind::Unauthenticated
            | ErrorKind::Unproved(_)
            | ErrorKind::Forbidden
            | ErrorKind::ApprovalRequired(_)
            | ErrorKind::Withheld(_)
            | ErrorKind::InsufficientScope(_)
            | ErrorKind::RateLimited(_)
            | ErrorKind::Unavailable(_)
            | ErrorKind::Internal => error.message().to_owned(),
        };
        Self { code, description, interval: None, retry_after, source: Some(Box::new(error)) }
    }
}
