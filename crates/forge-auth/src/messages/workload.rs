//! A workload asks for a session of an agent with what its issuer says of it: as an authorization grant (RFC 7523 §2.1),
//! or as a token to exchange (RFC 8693 §2.1), which is the same in other words.

use forge_types::Scopes;

use super::{ACCESS_TOKEN, OAuthError, Parameters};
use crate::token::Secret;

/// RFC 8693's name for a signed token of whatever issuer.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A workload asks for a session.
#[derive(Clone, Debug)]
pub struct WorkloadRequest {
    /// What its issuer has signed.
    pub token: Secret,
    /// What the session is to be limited to.
    pub scopes: Option<Scopes>,
    /// Whether the answer is to be in the words of an exchange.
    pub is_exchange: bool,
}

impl WorkloadRequest {
    /// Returns whether an exchange is asked for by a workload.
    pub(super) fn is_meant(parameters: &Parameters) -> bool {
        parameters.find("subject_token_type") == Some(JWT)
    }

    /// Reads an exchange. What comes of it is a session, which can be exchanged for something narrower itself.
    ///
    /// # Errors
    /// `invalid_request` if there is no token, or something is asked for that the session is to be exchanged for.
    pub(super) fn read_exchange(parameters: &Parameters) -> Result<Self, OAuthError> {
        let names = ["actor_token", "actor_token_type", "scope", "audience", "authorization_details"];
        let given = names.into_iter().find(|name| parameters.find(name).is_some());
        let given = given.or_else(|| parameters.resources().next().map(|_| "resource"));
        if let Some(name) = given {
            let message =
                format!("`{name}` is not taken with a workload's token; exchange the session for less");
            return Err(OAuthError::invalid_request(message));
        }
        if parameters.find("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
            let message = format!("`requested_token_type` for a workload's token is `{ACCESS_TOKEN}`");
            return Err(OAuthError::invalid_request(message));
        }
        let token = Secret::new(parameters.require("subject_token")?.to_owned());
        Ok(Self { token, scopes: None, is_exchange: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::TokenRequest;

    fn read(form: &str) -> Result<WorkloadRequest, OAuthError> {
        match TokenRequest::read(&Parameters::from_form(form)?)? {
            TokenRequest::Workload(request) => Ok(request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_workload_asks_in_either_way_and_for_a_session_alone() {
        let grant = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c";
        let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=a.b.c\
                        &subject_token_type=urn:ietf:params:oauth:token-type:jwt";
        assert_eq!(read(grant).expect("readable").token.expose(), "a.b.c");
        assert!(read(exchange).expect("readable").is_exchange);
        assert!(read(&format!("{grant}&scope=nope")).is_err());
        for more in [
            "scope=repo",
            "audience=x",
            "resource=https://forge.example/a/b.git",
            "authorization_details=[]",
            "actor_token=x",
            "requested_token_type=urn:forge:token-type:git",
        ] {
            assert!(read(&format!("{exchange}&{more}")).is_err(), "{more}");
        }
    }
}
