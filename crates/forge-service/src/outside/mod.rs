//! Asking a decision point outside the forge, where the operator names one.
//!
//! Deciding waits for nothing, and a transaction holds no network. So a request is tried: what nobody has asked yet is refused
//! and noted, nothing of the try is kept, the decision point is asked about all that was noted, and the request is tried again
//! with the answers: [`Tries`] counts. Each edge runs its requests that way.
//!
//! INVARIANT: while a question is open, no transaction of the request is committed; once one is, nothing is tried again.
//! INVARIANT: each try but the last came upon a question that had not been asked, and so many are asked: the tries end.

mod question;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forge_auth::policy::cedar::Facts;
use forge_auth::policy::{Answer, Answers};
use forge_store::CommitGuard;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::app::App;
use crate::context::{Authority, Mark, RequestContext, Surface};

/// How long an answer may take; what takes longer is a refusal.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// How many questions of one request are asked; the others are refused.
const MOST_QUESTIONS: usize = 100;
/// How many of them are asked at a time.
const AT_A_TIME: usize = 8;
/// The longest reason that is passed on, in characters.
const LONGEST_REASON: usize = 300;

/// What a decision point says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Is it a yes?
    pub is_allowed: bool,
    /// Why not, for whoever asked the forge.
    pub reason: Option<String>,
}

/// The answer, as it comes; an error says why there is none, for the log.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Said, String>> + Send + 'a>>;

/// Where it is asked.
pub trait DecisionPoint: fmt::Debug + Send + Sync {
    /// Asks one question: subject, action, resource and context in the words of the OpenID AuthZEN Authorization API 1.0
    /// (<https://openid.github.io/authzen/>).
    fn ask<'a>(&'a self, question: &'a Value) -> Asking<'a>;
}

/// What is asked outside during one request.
pub(crate) struct Outside {
    point: Arc<dyn DecisionPoint>,
    guard: Arc<CommitGuard>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: Arc<Answers>,
    open: Vec<Open>,
    asked: usize,
}

struct Open {
    facts: Facts,
    question: Value,
}

impl Outside {
    /// Begins a request; none if nobody is to be asked. Whoever has the machine can have the configuration name nobody, so
    /// the console is not bound.
    pub(crate) fn of(app: &App, surface: Surface) -> Option<Arc<Self>> {
        let point = app.decision_point.clone().filter(|_| surface != Surface::Console)?;
        Some(Arc::new(Self { point, guard: Arc::default(), state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what keeps transactions from being committed too early.
    pub(crate) fn guard(&self) -> Arc<CommitGuard> {
        Arc::clone(&self.guard)
    }

    /// Returns what was said so far.
    pub(crate) fn answers(&self) -> Arc<Answers> {
        Arc::clone(&self.state().answers)
    }

    /// Notes a question, and returns whether it will be asked: not if there were too many, and not if something is durable
    /// already, because then the request cannot be tried again.
    pub(crate) fn note(&self, facts: &Facts, authority: Option<&Authority>) -> bool {
        let mut state = self.state();
        if state.open.iter().any(|known| known.facts.is_same_question(facts)) {
            return true;
        }
        if self.guard.has_committed() || state.asked + state.open.len() >= MOST_QUESTIONS {
            return false;
        }
        let question = question::of(facts, authority);
        state.open.push(Open { facts: facts.clone(), question });
        self.guard.shut(true);
        true
    }

    /// Returns whether something is to be asked before the request can be answered.
    pub(crate) fn is_open(&self) -> bool {
        !self.state().open.is_empty()
    }

    /// Asks what is open, and returns whether the request is to be tried again.
    async fn ask(&self) -> bool {
        let open = std::mem::take(&mut self.state().open);
        if open.is_empty() {
            return false;
        }
        let answers: Vec<(Facts, Answer)> = stream::iter(open)
            .map(async |open| {
                let answer = self.answer(&open.question).await;
                (open.facts, answer)
            })
            .buffered(AT_A_TIME)
            .collect()
            .await;
        let mut state = self.state();
        state.asked += answers.len();
        let known = Arc::make_mut(&mut state.answers);
        for (facts, answer) in answers {
            known.put(&facts, answer);
        }
        drop(state);
        self.guard.shut(false);
        true
    }

    async fn answer(&self, question: &Value) -> Answer {
        let silent = |why: &str| {
            tracing::warn!(why, "the external decision point gave no answer");
            Answer::Silent
        };
        match tokio::time::timeout(PATIENCE, self.point.ask(question)).await {
            Ok(Ok(Said { is_allowed: true, .. })) => Answer::Allowed,
            Ok(Ok(Said { reason, .. })) => Answer::Refused(reason.as_deref().and_then(readable)),
            Ok(Err(why)) => silent(&why),
            Err(_) => silent("it took too long"),
        }
    }
}

/// What strangers say is shown on one line of bounded length.
fn readable(reason: &str) -> Option<String> {
    let words: Vec<&str> = reason.split(|c: char| c.is_control() || c.is_whitespace()).collect();
    let line: String = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(LONGEST_REASON).collect();
    (!line.is_empty()).then_some(line)
}

/// The tries of a request: `loop { let outcome = …; if !tries.again().await { return outcome } }`. All that a try does must go
/// through the context or one derived from it.
pub struct Tries<'a> {
    ctx: &'a RequestContext,
    mark: Mark,
}

impl Tries<'_> {
    /// Asks outside about what the try has come upon, and returns whether it is to be made again: its outcome is none then.
    pub async fn again(&mut self) -> bool {
        let Some(outside) = self.ctx.outside() else { return false };
        if !outside.ask().await {
            return false;
        }
        self.ctx.forget_since(&self.mark);
        true
    }
}

impl RequestContext {
    /// Begins the tries of what this request does.
    #[must_use]
    pub fn tries(&self) -> Tries<'_> {
        Tries { ctx: self, mark: self.mark() }
    }

    /// Returns whether anybody outside is asked about this request.
    #[must_use]
    pub fn is_asked_outside(&self) -> bool {
        self.outside().is_some()
    }

    /// Returns whether this try of the request has come upon what is to be asked outside first.
    pub(crate) fn waits_for_outside(&self) -> bool {
        self.outside().is_some_and(|outside| outside.is_open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_without_controls() {
        assert_eq!(readable("no\u{1b}[31m\n  way\t").as_deref(), Some("no [31m way"));
        assert_eq!(readable(" \n"), None);
        assert_eq!(readable(&"x".repeat(9999)).map(|line| line.len()), Some(LONGEST_REASON));
    }
}
