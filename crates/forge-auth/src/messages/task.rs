//! An agent asks a person for a task (RFC 9396), by way of a client: in the device flow or in a pushed authorization request.

use serde::Deserialize as _;
use serde_json::Value;

use super::{OAuthCode, OAuthError, Parameters};
use crate::grant::GrantDetails;
use crate::token::Secret;

/// What an agent asks to be granted.
#[derive(Clone, Debug)]
pub struct TaskRequest {
    /// What is asked for.
    pub details: GrantDetails,
    /// The same as it was written.
    pub text: String,
    /// The agent's own token: who asks has to be known to whoever decides.
    pub subject_token: Secret,
}

impl TaskRequest {
    /// Reads what is asked for; `None` if no task is.
    ///
    /// # Errors
    /// `invalid_authorization_details` unless it is one object that is understood; `invalid_request` without the agent's
    /// token, or if scopes are asked for beside the task.
    pub(super) fn read(parameters: &Parameters) -> Result<Option<Self>, OAuthError> {
        let Some(text) = parameters.find("authorization_details") else { return Ok(None) };
        let refuse = |message: String| OAuthError::new(OAuthCode::InvalidAuthorizationDetails, message);
        let objects: Vec<Value> = serde_json::from_str(text)
            .map_err(|_| refuse("`authorization_details` is no JSON array".to_owned()))?;
        let [object] = objects.as_slice() else {
            return Err(refuse("`authorization_details` has one object: one task".to_owned()));
        };
        let details = GrantDetails::deserialize(object)
            .map_err(|error| refuse(format!("it cannot be read: {error}")))?;
        if details.kind.is_none() {
            return Err(refuse("its `type` is missing".to_owned()));
        }
        if parameters.find("scope").is_some() {
            return Err(OAuthError::invalid_request("a task is asked for without `scope`"));
        }
        let token = parameters.find("subject_token").ok_or_else(|| {
            OAuthError::invalid_request("a task is asked for with the agent's own token as `subject_token`")
        })?;
        Ok(Some(Self { details, text: object.to_string(), subject_token: Secret::new(token.to_owned()) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Result<Option<TaskRequest>, OAuthError> {
        TaskRequest::read(&Parameters::from_form(form)?)
    }

    #[test]
    fn a_task_is_one_object_that_is_understood_and_comes_with_the_agents_token() {
        let good = r#"authorization_details=[{"type":"urn:forge:task-grant:1","task":"x"}]&subject_token=t"#;
        let read_back = read(good).expect("readable").expect("a task");
        assert_eq!(read_back.details.task.as_deref(), Some("x"));
        assert!(read("scope=repo").expect("readable").is_none());
        for bad in [
            r#"authorization_details={"type":"urn:forge:task-grant:1"}&subject_token=t"#,
            r#"authorization_details=[]&subject_token=t"#,
            r#"authorization_details=[{"task":"x"}]&subject_token=t"#,
            r#"authorization_details=[{"type":"urn:forge:task-grant:1","power":"all"}]&subject_token=t"#,
            r#"authorization_details=[{"type":"urn:forge:task-grant:1"}]"#,
            r#"authorization_details=[{"type":"urn:forge:task-grant:1"}]&subject_token=t&scope=repo"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
