//! Exchanging one token for a narrower one (RFC 8693), with the details of RFC 9396 and the places of RFC 8707.

use forge_types::grant::DETAILS_TYPE;
use forge_types::id::GrantId;
use serde::Deserialize;

use super::{OAuthCode, OAuthError, Parameters};
use crate::token::Secret;

/// RFC 8693's name for an access token.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Ours for a token for the Git transport of one repository.
pub const GIT_TOKEN: &str = "urn:forge:token-type:git";

/// Ours for a token for one tool.
pub const TOOL_TOKEN: &str = "urn:forge:token-type:tool";

/// What is wanted for the token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A token for a task.
    Task,
    /// A token for the Git transport of one repository.
    Git,
    /// A token for one tool.
    Tool,
}

/// A request to exchange a token.
#[derive(Clone, Debug)]
pub struct ExchangeRequest {
    /// The token that is presented.
    pub subject_token: Secret,
    /// What is wanted for it.
    pub wanted: Wanted,
    /// The grant the new token is to be for.
    pub grant_id: Option<GrantId>,
    /// Where it is to be good for anything: addresses.
    pub resources: Vec<String>,
    /// How many seconds it is to last; the default of its kind, if not said.
    pub lifetime: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    #[serde(rename = "type")]
    kind: String,
    grant_id: String,
}

impl ExchangeRequest {
    /// Reads the request. Actors are refused: an agent acts as itself, and for whom it acts stands in its grant.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_authorization_details` if something is missing or not understood.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let kind = parameters.find("subject_token_type").unwrap_or(ACCESS_TOKEN);
        if kind != ACCESS_TOKEN {
            return Err(OAuthError::invalid_request(format!(
                "`subject_token_type` must be `{ACCESS_TOKEN}`"
            )));
        }
        for name in ["actor_token", "actor_token_type", "scope", "audience"] {
            if parameters.find(name).is_some() {
                let message = format!("`{name}` is not taken here; a grant says what the token is for");
                return Err(OAuthError::invalid_request(message));
            }
        }
        let lifetime = parameters.find("expires_in").map(str::parse).transpose();
        let lifetime =
            lifetime.map_err(|_| OAuthError::invalid_request("`expires_in` is a number of seconds"))?;
        Ok(Self {
            subject_token: Secret::new(parameters.require("subject_token")?.to_owned()),
            wanted: wanted(parameters.find("requested_token_type"))?,
            grant_id: parameters.find("authorization_details").map(grant_id).transpose()?,
            resources: parameters.resources().map(str::to_owned).collect(),
            lifetime,
        })
    }
}

fn wanted(name: Option<&str>) -> Result<Wanted, OAuthError> {
    match name {
        None | Some(ACCESS_TOKEN) => Ok(Wanted::Task),
        Some(GIT_TOKEN) => Ok(Wanted::Git),
        Some(TOOL_TOKEN) => Ok(Wanted::Tool),
        Some(_) => {
            let message =
                format!("`requested_token_type` is `{ACCESS_TOKEN}`, `{GIT_TOKEN}` or `{TOOL_TOKEN}`");
            Err(OAuthError::invalid_request(message))
        }
    }
}

fn grant_id(text: &str) -> Result<GrantId, OAuthError> {
    let refuse = |message: &str| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, message);
    let example = format!(r#"[{{"type":"{DETAILS_TYPE}","grant_id":"tg_…"}}]"#);
    let unreadable = || refuse(&format!("`authorization_details` must be {example}"));
    let details: Vec<Details> = serde_json::from_str(text).map_err(|_| unreadable())?;
    match details.as_slice() {
        [details] if details.kind == DETAILS_TYPE => Ok(GrantId(details.grant_id.clone())),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::TokenRequest;

    fn read(more: &str) -> Result<ExchangeRequest, OAuthError> {
        let text =
            format!("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x{more}");
        match TokenRequest::read(&Parameters::from_form(&text)?)? {
            TokenRequest::Exchange(request) => Ok(request),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn details_name_one_grant_and_nothing_that_is_not_understood() {
        let details = r#"&authorization_details=[{"type":"urn:forge:task-grant:1","grant_id":"tg_1"}]"#;
        assert_eq!(read(details).expect("readable").grant_id, Some(GrantId("tg_1".to_owned())));
        for details in [
            "[]",
            "{}",
            r#"[{"type":"urn:forge:task-grant:1"}]"#,
            r#"[{"type":"payment","grant_id":"tg_1"}]"#,
            r#"[{"type":"urn:forge:task-grant:1","grant_id":"tg_1","actions":["release"]}]"#,
            r#"[{"type":"urn:forge:task-grant:1","grant_id":"tg_1"},{"type":"urn:forge:task-grant:1","grant_id":"tg_2"}]"#,
        ] {
            let error = read(&format!("&authorization_details={details}")).expect_err(details);
            assert_eq!(error.code, OAuthCode::InvalidAuthorizationDetails, "{details}");
        }
    }

    #[test]
    fn places_may_come_more_than_once_and_actors_not_at_all() {
        let request = read("&resource=https://a/x.git&resource=https://a/api/v3").expect("readable");
        assert_eq!(request.resources, ["https://a/x.git", "https://a/api/v3"]);
        assert!(read("&actor_token=y").is_err() && read("&scope=repo").is_err());
        assert!(read("&subject_token_type=urn:ietf:params:oauth:token-type:id_token").is_err());
        assert_eq!(
            read("&requested_token_type=urn:forge:token-type:git").expect("readable").wanted,
            Wanted::Git
        );
    }
}
