//! Asking what somebody may do, and why: the decision, without the deed.
//!
//! INVARIANT: the answer is that of the decision point, on facts loaded as for the deed itself; nothing is decided here.

mod resource;
mod subject;

pub use resource::ResourceQuestion;
pub use subject::SubjectQuestion;

use std::net::IpAddr;

use forge_auth::policy::{Decision, Denial, Effect, organization_of, policies_of};
use forge_types::{Action, Error, FieldCode, Result, Scope, Withheld};

use crate::context::{RequestContext, Surface};
use subject::AskedAs;

/// A question: may this subject do that to this resource?
#[derive(Clone, Debug)]
pub struct Question {
    /// Who would.
    pub subject: SubjectQuestion,
    /// What, by the name of an [`Action`].
    pub action: String,
    /// To what.
    pub resource: ResourceQuestion,
    /// What would be otherwise than in this request.
    pub circumstances: Supposed,
}

/// Circumstances that are supposed.
#[derive(Clone, Debug, Default)]
pub struct Supposed {
    /// The surface it would come by; this one if not set.
    pub surface: Option<String>,
    /// The address it would come from; this one if not set.
    pub source: Option<IpAddr>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Is it a yes?
    pub is_allowed: bool,
    /// The rule that refuses.
    pub rule: Option<String>,
    /// Why, as the caller would be told.
    pub reason: Option<String>,
    /// The grant that the subject acts under, or that refuses.
    pub grant: Option<String>,
    /// What kind of refusal it is, as programs are told.
    pub effect: Option<&'static str>,
    /// What would be needed.
    pub needed: Option<String>,
}

/// Answers a question. Everybody may ask about itself; about an agent also its human; about anybody a site administrator,
/// and an owner of an organization as far as the organization's things go.
///
/// # Errors
/// `NotFound` unless the caller may ask; `Invalid` if the question cannot be read.
pub async fn evaluate(ctx: &RequestContext, question: &Question) -> Result<Answer> {
    ctx.account()?;
    let action = Action::ALL.iter().copied().find(|action| action.as_str() == question.action);
    let action = action.ok_or_else(|| {
        let message = format!("`{}` is no action of this forge", question.action);
        Error::invalid("Evaluation", "action", FieldCode::Invalid, message)
    })?;
    let surface = question.circumstances.surface.as_deref().map(surface).transpose()?;
    let mut conn = ctx.read().await?;
    ctx.app().policies.refresh(&mut conn).await?;
    let seen = question.resource.load(ctx, &mut conn, action).await?;
    let owner = seen.as_ref().and_then(|seen| policies_of(&seen.resource));
    let standing = question.subject.find(ctx, &mut conn, owner).await?;
    let caller = match standing {
        AskedAs::Caller => ctx.caller().clone(),
        AskedAs::Other(caller) => *caller,
        AskedAs::CannotAct(denial) => return Ok(refused(&denial)),
    };
    let asked = ctx.supposing(caller, surface, question.circumstances.source);
    // As the subject would find it: what it is to somebody depends on who that is.
    let Some(found) = question.resource.load(&asked, &mut conn, action).await? else {
        return Ok(hidden());
    };
    asked.look_at_groups(&mut conn, organization_of(&found.resource)).await?;
    asked.look_at_refusals(&mut conn, &found.resource).await?;
    if let Some(reason) = found.refused_to_everyone {
        return Ok(Answer { rule: Some("ref.rule".to_owned()), effect: Some("invalid"), ..no(reason) });
    }
    let grant = asked.grant_id().map(|id| id.0.clone());
    Ok(match asked.rule(action, &found.resource).decision {
        Decision::Allow => {
            Answer { is_allowed: true, rule: None, reason: None, grant, effect: None, needed: None }
        }
        Decision::Deny(denial) => refused(&denial),
    })
}

fn surface(name: &str) -> Result<Surface> {
    let known = [Surface::Rest, Surface::GraphQl, Surface::Git, Surface::OAuth, Surface::Web];
    known.into_iter().find(|surface| surface.as_str() == name).ok_or_else(|| {
        let message = "surface is one of rest, graphql, git, oauth, web";
        Error::invalid("Evaluation", "context", FieldCode::Invalid, message)
    })
}

fn no(reason: String) -> Answer {
    Answer { is_allowed: false, rule: None, reason: Some(reason), grant: None, effect: None, needed: None }
}

fn hidden() -> Answer {
    Answer {
        rule: Some("visibility.absent".to_owned()),
        effect: Some("not_found"),
        needed: Some("access to the resource".to_owned()),
        ..no("Not Found".to_owned())
    }
}

fn refused(denial: &Denial) -> Answer {
    let (effect, needed) = match &denial.effect {
        Effect::Hidden => ("not_found", "access to the resource".to_owned()),
        Effect::Unauthenticated => ("unauthenticated", "a credential".to_owned()),
        Effect::MissingScope(scopes) => {
            let names: Vec<&str> = scopes.iter().copied().map(Scope::as_str).collect();
            ("insufficient_scope", format!("a token with one of the scopes: {}", names.join(", ")))
        }
        Effect::Forbidden => ("forbidden", needed(denial)),
        Effect::Approval => ("approval_required", "a human's approval of just this".to_owned()),
        Effect::Withheld(withheld) => (
            withheld.as_str(),
            match withheld {
                Withheld::ReadOnly => "that an owner of the policy lifts it",
                Withheld::ReviewNeeded => "a review",
                Withheld::StrongerAuthentication => "a token bound to a key, or a recent sign-in",
            }
            .to_owned(),
        ),
    };
    Answer {
        rule: Some(denial.rule.clone().into_owned()),
        grant: denial.grant.as_ref().map(|id| id.0.clone()),
        effect: Some(effect),
        needed: Some(needed),
        ..no(denial.message.clone())
    }
}

/// Says what the layer that refused would have to be given.
fn needed(denial: &Denial) -> String {
    let layer = denial.rule.split(['.', ':']).next().unwrap_or_default();
    match (layer, &denial.grant) {
        ("policy", _) => "that an owner of the policy changes it".to_owned(),
        (_, Some(grant)) => format!("a grant that conveys it; {grant} does not"),
        ("stop", _) => "that the kill switch is lifted".to_owned(),
        ("subject", _) => "another kind of principal or credential".to_owned(),
        _ => denial.message.clone(),
    }
}
