//! The decision point outside the forge, asked over HTTP: the OpenID AuthZEN Authorization API 1.0
//! (<https://openid.github.io/authzen/>) or Open Policy Agent (<https://www.openpolicyagent.org/docs/latest/rest-api/>).
//!
//! INVARIANT: whatever is not plainly a yes is none: another status, another shape, a redirect, an answer that is too long.

use std::sync::Arc;

use forge_service::outside::{Asking, DecisionPoint, Said};
use forge_types::with_causes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use crate::config::{self, DecisionProtocol};
use crate::failure::{Failure, Result};
use crate::{outbound, secret};

/// The longest answer, in bytes.
const LARGEST: usize = 16 * 1024;

/// Where and how it is asked.
pub struct HttpDecisionPoint {
    http: reqwest::Client,
    url: Url,
    protocol: DecisionProtocol,
    token: Option<HeaderValue>,
}

impl std::fmt::Debug for HttpDecisionPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpDecisionPoint").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl HttpDecisionPoint {
    /// Reads the configuration; none if nobody is to be asked.
    ///
    /// # Errors
    /// What is wrong with the configuration, or that TLS cannot be had.
    pub fn configured(config: &config::Policies) -> Result<Option<Arc<dyn DecisionPoint>>> {
        let Some(url) = &config.external_url else { return Ok(None) };
        let token = config.external_token_file.as_deref();
        let token = token.map(|file| secret::read("token of the decision point", file)).transpose()?;
        Ok(Some(Arc::new(Self::at(url, config.external_protocol, token.as_deref())?)))
    }

    /// Asks at this address.
    ///
    /// # Errors
    /// If it is no address of https, or of http on this machine.
    pub fn at(url: &str, protocol: DecisionProtocol, token: Option<&str>) -> Result<Self> {
        let usage = |why: &str| Failure::usage(format!("`policies.external_url`: {why}"));
        let url: Url = url.parse().map_err(|_| usage("it is no URL"))?;
        if !outbound::is_safe(&url) {
            return Err(usage("it must be https, or http to an address of this machine such as 127.0.0.1"));
        }
        let bearer = |token: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| usage("the token holds characters that no header can"))?;
            value.set_sensitive(true);
            Ok::<_, Failure>(value)
        };
        let http =
            outbound::direct_client().map_err(|error| Failure::io("TLS to the decision point", error))?;
        Ok(Self { http, url, protocol, token: token.map(bearer).transpose()? })
    }

    async fn decide(&self, question: &Value) -> Result<Said, String> {
        let body = match self.protocol {
            DecisionProtocol::AuthZen => serde_json::to_vec(question),
            DecisionProtocol::Opa => serde_json::to_vec(&json!({ "input": question })),
        };
        let body = body.map_err(|error| error.to_string())?;
        let mut request =
            self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let response = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("it answers {}", response.status()));
        }
        let answer = outbound::json_body(response, LARGEST).await?;
        let said = match self.protocol {
            DecisionProtocol::AuthZen => read_authzen(&answer),
            DecisionProtocol::Opa => read_opa(&answer),
        };
        said.ok_or_else(|| "it answers what is no decision".to_owned())
    }
}

impl DecisionPoint for HttpDecisionPoint {
    fn ask<'a>(&'a self, question: &'a Value) -> Asking<'a> {
        Box::pin(self.decide(question))
    }
}

/// `{"decision": true}`; a no may say why in `context`, as `reason_user` in some language or as `reason`.
fn read_authzen(answer: &Value) -> Option<Said> {
    let is_allowed = answer.get("decision")?.as_bool()?;
    let context = answer.get("context");
    let reason = context.and_then(|context| {
        [context.get("reason_user"), context.get("reason")].into_iter().flatten().find_map(text)
    });
    Some(Said { is_allowed, reason })
}

/// `{"result": true}`, or `{"result": {"allow": true}}`, which may say why not in `reason`. A rule that is not defined has no
/// `result`.
fn read_opa(answer: &Value) -> Option<Said> {
    let result = answer.get("result")?;
    if let Some(is_allowed) = result.as_bool() {
        return Some(Said { is_allowed, reason: None });
    }
    let is_allowed = result.get("allow")?.as_bool()?;
    Some(Said { is_allowed, reason: result.get("reason").and_then(text) })
}

/// Returns a text, or the first of one for each language, English before others.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(languages) => {
            languages.get("en").or_else(|| languages.values().next())?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn said(is_allowed: bool, reason: Option<&str>) -> Option<Said> {
        Some(Said { is_allowed, reason: reason.map(str::to_owned) })
    }

    #[test]
    fn authzen_answers_are_read_as_they_are_written_there() {
        for (answer, expected) in [
            (json!({"decision": true}), said(true, None)),
            (json!({"decision": false}), said(false, None)),
            (json!({"decision": false, "context": {"reason": "frozen"}}), said(false, Some("frozen"))),
            (
                json!({"decision": false, "context": {"id": "0", "reason_admin": {"en": "P7"},
                       "reason_user": {"de": "gesperrt", "en": "frozen"}}}),
                said(false, Some("frozen")),
            ),
            (json!({"decision": "true"}), None),
            (json!({"result": true}), None),
            (json!({}), None),
            (json!(true), None),
        ] {
            assert_eq!(read_authzen(&answer), expected, "{answer}");
        }
    }

    #[test]
    fn opa_answers_are_a_boolean_or_an_object_with_one() {
        for (answer, expected) in [
            (json!({"result": true}), said(true, None)),
            (json!({"result": false, "decision_id": "x"}), said(false, None)),
            (json!({"result": {"allow": false, "reason": "frozen"}}), said(false, Some("frozen"))),
            (json!({"result": {"allow": true}}), said(true, None)),
            (json!({"result": {"allowed": true}}), None),
            (json!({"result": "true"}), None),
            (json!({"result": []}), None),
            (json!({"decision": true}), None),
            // An undefined rule.
            (json!({}), None),
        ] {
            assert_eq!(read_opa(&answer), expected, "{answer}");
        }
    }

    /// Answers once, with `answer`, and returns what it was sent.
    async fn answering(answer: &str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/decide", listener.local_addr().unwrap());
        let answer = answer.to_owned();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while !text.ends_with('}') {
                let read = stream.read(&mut piece).await.unwrap();
                text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            let _ = stream.write_all(answer.as_bytes()).await;
            text
        });
        (url, served)
    }

    fn http(status: &str, more: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn each_protocol_is_spoken_with_the_token_that_is_wanted() {
        let question = json!({"action": {"name": "branch.update"}});
        for (protocol, answer, body) in [
            (DecisionProtocol::AuthZen, r#"{"decision":true}"#, question.to_string()),
            (DecisionProtocol::Opa, r#"{"result":true}"#, json!({ "input": question }).to_string()),
        ] {
            let (url, served) = answering(&http("200 OK", "", answer)).await;
            let point = HttpDecisionPoint::at(&url, protocol, Some("s3cret")).unwrap();
            assert_eq!(point.ask(&question).await, Ok(Said { is_allowed: true, reason: None }));
            let sent = served.await.unwrap();
            assert!(sent.starts_with("POST /decide HTTP/1.1\r\n"), "{sent}");
            assert!(sent.contains("authorization: Bearer s3cret\r\n"), "{sent}");
            assert!(sent.ends_with(&body), "{sent}");
            assert!(!format!("{point:?}").contains("s3cret"));
        }
    }

    #[tokio::test]
    async fn whatever_is_not_plainly_an_answer_is_none() {
        let yes = r#"{"decision":true}"#;
        let long = format!(r#"{{"decision":true,"pad":"{}"}}"#, "x".repeat(LARGEST));
        for answer in [
            http("403 Forbidden", "", yes),
            http("201 Created", "", yes),
            http("302 Found", "location: http://127.0.0.1:1/\r\n", yes),
            http("200 OK", "", "yes"),
            http("200 OK", "", ""),
            http("200 OK", "", &long),
            "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"decision\":true}".to_owned(),
        ] {
            let (url, served) = answering(&answer).await;
            let point = HttpDecisionPoint::at(&url, DecisionProtocol::AuthZen, None).unwrap();
            let said = point.ask(&json!({"action": {}})).await;
            assert!(said.is_err(), "{answer}: {said:?}");
            let _ = served.await.unwrap();
        }
        let point = HttpDecisionPoint::at("http://127.0.0.1:1/", DecisionProtocol::AuthZen, None).unwrap();
        assert!(point.ask(&json!({})).await.is_err(), "nobody is there");
    }

    #[test]
    fn only_https_or_this_machine_is_asked() {
        for (url, is_good) in [
            ("https://pdp.example/access/v1/evaluation", true),
            ("http://127.0.0.1:8181/v1/data/forge/allow", true),
            ("http://pdp.example/", false),
            ("ftp://pdp.example/", false),
            ("pdp", false),
        ] {
            assert_eq!(HttpDecisionPoint::at(url, DecisionProtocol::AuthZen, None).is_ok(), is_good, "{url}");
        }
        assert!(HttpDecisionPoint::at("https://pdp.example/", DecisionProtocol::Opa, Some("a\nb")).is_err());
    }
}
