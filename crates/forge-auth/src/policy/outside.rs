//! What a decision point outside the forge says. It is asked by whoever has the network; here its answers count.
//!
//! INVARIANT: it only ever refuses. It is asked about what everything in here allows, and what it does not allow in time is
//! refused.

use super::cedar::Facts;
use super::{Denial, Verdict};

/// What the decision point says of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing against it.
    Allowed,
    /// No, and perhaps why.
    Refused(Option<String>),
    /// Nothing, or nothing that can be understood, in the time it has.
    Silent,
}

/// What was asked during one request, and the answers so far.
#[derive(Clone, Debug, Default)]
pub struct Answers(Vec<(Facts, Answer)>);

/// The outcome of looking for an answer.
pub(super) enum Sought {
    /// It is there.
    Said(Verdict),
    /// It has to be asked.
    Open(Denial),
}

impl Answers {
    /// Adds the answer to a question.
    pub fn put(&mut self, question: &Facts, answer: Answer) {
        self.0.push((question.timeless(), answer));
    }

    /// Looks for the answer to a question, at whatever time it is asked.
    pub(super) fn find(&self, question: &Facts) -> Sought {
        let question = question.timeless();
        let given = self.0.iter().find(|(known, _)| *known == question).map(|(_, answer)| answer);
        match given {
            Some(Answer::Allowed) => Sought::Said(Ok(())),
            Some(Answer::Refused(reason)) => Sought::Said(Err(refused(reason.as_deref()))),
            Some(Answer::Silent) => Sought::Said(Err(silent())),
            None => Sought::Open(silent()),
        }
    }
}

fn refused(reason: Option<&str>) -> Denial {
    let reason = reason.unwrap_or("this is forbidden");
    Denial::forbidden("external.refused", format!("{reason}; the external decision point says so"))
}

fn silent() -> Denial {
    Denial::forbidden(
        "external.silent",
        "the external decision point did not answer in time, so this is refused; try again",
    )
}
