//! Asking what somebody may do, in the words of the OpenID AuthZEN authorization API 1.0
//! (<https://openid.net/specs/authorization-api-1_0.html>).

use std::net::IpAddr;

use axum::routing::post;
use axum::{Json, Router};
use forge_service::RequestContext;
use forge_service::access::{self, Answer, Question, ResourceQuestion, SubjectQuestion, Supposed};
use forge_types::id::GrantId;
use forge_types::{Error, ErrorKind, FieldCode, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ApiState;
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiResult;

/// How many questions one request may ask.
const AT_A_TIME: usize = 100;

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/access/evaluate", post(evaluate)).route("/access/evaluations", post(evaluate_many))
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    r#type: String,
    id: String,
    #[serde(default)]
    properties: SubjectProperties,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SubjectProperties {
    grant: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    name: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    r#type: String,
    id: String,
    #[serde(default)]
    properties: ResourceProperties,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ResourceProperties {
    repository: Option<String>,
    paths: Option<Vec<String>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Context {
    surface: Option<String>,
    source: Option<IpAddr>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Body {
    subject: Option<Subject>,
    action: Option<Action>,
    resource: Option<Resource>,
    context: Option<Context>,
}

impl Body {
    /// Returns the question, with what it leaves out taken from `defaults`.
    fn question(self, defaults: &Self) -> Result<Question> {
        let missing = |field| {
            Error::invalid("Evaluation", field, FieldCode::MissingField, format!("{field} is not given"))
        };
        let subject = self.subject.or_else(|| defaults.subject.clone()).ok_or_else(|| missing("subject"))?;
        let action = self.action.or_else(|| defaults.action.clone()).ok_or_else(|| missing("action"))?;
        let resource =
            self.resource.or_else(|| defaults.resource.clone()).ok_or_else(|| missing("resource"))?;
        let context = self.context.or_else(|| defaults.context.clone()).unwrap_or_default();
        Ok(Question {
            subject: SubjectQuestion {
                kind: subject.r#type,
                login: subject.id,
                grant: subject.properties.grant.map(GrantId),
            },
            action: action.name,
            resource: ResourceQuestion {
                kind: resource.r#type,
                id: resource.id,
                repository: resource.properties.repository,
                paths: resource.properties.paths,
            },
            circumstances: Supposed { surface: context.surface, source: context.source },
        })
    }
}

async fn evaluate(Ctx(ctx): Ctx, JsonBody(body): JsonBody<Body>) -> ApiResult<Json<Value>> {
    let question = body.question(&Body::default())?;
    Ok(Json(view(&access::evaluate(&ctx, &question).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyBody {
    subject: Option<Subject>,
    action: Option<Action>,
    resource: Option<Resource>,
    context: Option<Context>,
    evaluations: Vec<Body>,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    evaluations_semantic: Semantic,
}

/// When to stop asking (AuthZEN §7.1.2).
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

async fn evaluate_many(Ctx(ctx): Ctx, JsonBody(body): JsonBody<ManyBody>) -> ApiResult<Json<Value>> {
    if body.evaluations.len() > AT_A_TIME {
        let message = format!("at most {AT_A_TIME} questions are answered at a time");
        return Err(Error::invalid("Evaluation", "evaluations", FieldCode::Invalid, message).into());
    }
    let defaults =
        Body { subject: body.subject, action: body.action, resource: body.resource, context: body.context };
    // Without a list it is one question (AuthZEN §7.1).
    if body.evaluations.is_empty() {
        let question = defaults.clone().question(&defaults)?;
        return Ok(Json(view(&access::evaluate(&ctx, &question).await?)));
    }
    let mut answers = Vec::with_capacity(body.evaluations.len());
    for question in body.evaluations {
        let answer = answer(&ctx, question.question(&defaults)?).await?;
        let is_allowed = answer["decision"] == true;
        answers.push(answer);
        let is_last = match body.options.evaluations_semantic {
            Semantic::ExecuteAll => false,
            Semantic::DenyOnFirstDeny => !is_allowed,
            Semantic::PermitOnFirstPermit => is_allowed,
        };
        if is_last {
            break;
        }
    }
    Ok(Json(json!({ "evaluations": answers })))
}

/// Returns one answer of many: what may not be asked is a no with its reason, and says nothing of the others.
async fn answer(ctx: &RequestContext, question: Question) -> Result<Value> {
    match access::evaluate(ctx, &question).await {
        Ok(answer) => Ok(view(&answer)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid(_)) => {
            let context = json!({ "reason": error.message(), "effect": error.kind().code() });
            Ok(json!({ "decision": false, "context": context }))
        }
        Err(error) => Err(error),
    }
}

fn view(answer: &Answer) -> Value {
    let policy = answer.rule.as_deref().filter(|rule| rule.starts_with("policy:"));
    json!({
        "decision": answer.is_allowed,
        "context": {
            "reason": answer.reason,
            "rule": answer.rule,
            "policy": policy,
            "grant": answer.grant,
            "effect": answer.effect,
            "needed": answer.needed,
        },
    })
}
