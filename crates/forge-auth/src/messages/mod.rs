//! OAuth messages: requests as they are read, answers and errors as they are written.
//!
//! Reading is strict: a parameter that comes twice is refused, one without a value counts as left out (RFC 6749 §3.1),
//! and nothing is read from the query of a token request. Nothing here knows a client, a code or a token.

mod answer;
mod error;
mod exchange;
mod metadata;
mod parameters;
mod pkce;
mod redirect;
mod request;
mod task;
mod workload;

/// The client id that every GitHub CLI carries. The secret that comes with it is published, so nobody looks at it.
pub const GITHUB_CLI: &str = "178c6fc778ccc68e1d6a";

pub use answer::{Answer, DeviceAnswer, Encoding, Exchanged, Introspection, PushedAnswer, TokenAnswer};
pub use error::{OAuthCode, OAuthError};
pub use exchange::{ACCESS_TOKEN, ExchangeRequest, GIT_TOKEN, TOOL_TOKEN, Wanted};
pub use metadata::metadata;
pub use parameters::Parameters;
pub use pkce::{is_challenge, is_verifier, verifies};
pub use redirect::{check_registered, is_loopback, matches as redirect_matches, with_parameters};
pub use request::{
    AuthorizationRequest, ClientAuthentication, DeviceRequest, GRANT_TYPES, PushedRequest, TokenRequest,
    TokenToCheck, split_scope,
};
pub use task::TaskRequest;
pub use workload::WorkloadRequest;
