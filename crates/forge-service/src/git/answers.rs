//! Answers to fetches that are asked for again and again, such as the same commit by every job of a pipeline.
//!
//! INVARIANT: the key of an answer names the repository, the state it was in, and everything of the request that the answer
//! depends on. Who asks is not in it: every reader of a repository sees the same refs, and who may read was decided before.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// How many bytes all kept answers have.
const TOTAL: usize = 96 << 20;

/// Larger answers are not kept.
const LARGEST: usize = 32 << 20;

/// Answers up to this size are kept at once, larger ones when they are asked for a second time.
const SMALL: usize = 64 << 10;

/// How many large answers are collected at once. Whether one is too large to be kept shows only at its end: without a bound,
/// each of many clones would hold as much as a kept answer may have.
const COLLECTED: usize = 2;

/// How many questions are remembered whose answers are not kept.
const ASKED: usize = 4096;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question([u8; 32]);

impl Question {
    /// Makes the key of a request to a repository in one state.
    pub(super) fn new(state: &str, what: &str, lines: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [state.as_bytes(), what.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(lines);
        Self(hash.finalize().into())
    }
}

/// An answer in pieces as they were sent. Cheap to clone.
pub(super) type Answer = Arc<[Bytes]>;

/// The kept answers.
#[derive(Debug, Default)]
pub(super) struct Answers {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Question, (Answer, usize, u64)>,
    bytes: usize,
    clock: u64,
    /// What was asked, and whether its answer turned out too large.
    asked: HashMap<Question, bool>,
    collected: HashSet<Question>,
    order: VecDeque<Question>,
}

impl Answers {
    /// Returns the answer if it is kept; otherwise whether it is worth keeping if it is large, because it was asked for
    /// before.
    pub(super) fn find(&self, question: Question) -> Result<Answer, bool> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        if let Some((answer, _, used)) = kept.answers.get_mut(&question) {
            *used = clock;
            return Ok(Arc::clone(answer));
        }
        Err(kept.ask(question))
    }

    /// Returns whether a large answer may be collected; then [`Answers::end_large`] must follow.
    fn begin_large(&self, question: Question) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.collected.len() < COLLECTED && kept.collected.insert(question)
    }

    fn end_large(&self, question: Question, is_too_large: bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.collected.remove(&question);
        if let Some(known) = kept.asked.get_mut(&question).filter(|_| is_too_large) {
            *known = true;
        }
    }

    /// Keeps an answer, if it is not too large.
    pub(super) fn keep(&self, question: Question, pieces: Vec<Bytes>, was_asked: bool) {
        let size: usize = pieces.iter().map(Bytes::len).sum();
        if size > largest(was_asked) {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.make_room(size);
        let clock = kept.clock;
        if let Some((_, former, _)) = kept.answers.insert(question, (pieces.into(), size, clock)) {
            kept.bytes -= former;
        }
        kept.bytes += size;
    }
}

/// An answer that is collected while it is sent.
#[derive(Debug)]
pub(super) struct Keeping {
    answers: Arc<Answers>,
    question: Question,
    was_asked: bool,
    pieces: Vec<Bytes>,
    bytes: usize,
    /// Is it one of the large ones that are collected?
    is_large: bool,
}

impl Keeping {
    pub(super) fn new(answers: &Arc<Answers>, question: Question, was_asked: bool) -> Self {
        let (answers, pieces) = (Arc::clone(answers), Vec::new());
        Self { answers, question, was_asked, pieces, bytes: 0, is_large: false }
    }

    /// Takes the next piece; returns whether the answer is still worth keeping.
    pub(super) fn collect(&mut self, piece: &Bytes) -> bool {
        self.bytes += piece.len();
        self.pieces.push(piece.clone());
        if self.bytes > SMALL && !self.is_large {
            self.is_large = self.was_asked && self.answers.begin_large(self.question);
            return self.is_large;
        }
        self.bytes <= largest(self.was_asked)
    }

    /// Keeps the answer, which is whole.
    pub(super) fn keep(mut self) {
        self.answers.keep(self.question, std::mem::take(&mut self.pieces), self.was_asked);
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if self.is_large {
            self.answers.end_large(self.question, self.bytes > LARGEST);
        }
    }
}

fn largest(was_asked: bool) -> usize {
    if was_asked { LARGEST } else { SMALL }
}

impl Kept {
    /// Remembers a question; returns whether it was asked before and its answer is not known to be too large.
    fn ask(&mut self, question: Question) -> bool {
        if let Some(is_too_large) = self.asked.get(&question) {
            return !is_too_large;
        }
        self.asked.insert(question, false);
        self.order.push_back(question);
        if self.order.len() > ASKED
            && let Some(oldest) = self.order.pop_front()
        {
            self.asked.remove(&oldest);
        }
        false
    }

    /// Drops what was not used for the longest time, a quarter of all at once.
    fn make_room(&mut self, size: usize) {
        if self.bytes + size <= TOTAL {
            return;
        }
        let mut by_use: Vec<(u64, Question)> =
            self.answers.iter().map(|(question, (_, _, used))| (*used, *question)).collect();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        for (_, question) in by_use {
            if self.bytes + size <= TOTAL / 4 * 3 {
                break;
            }
            if let Some((_, former, _)) = self.answers.remove(&question) {
                self.bytes -= former;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: usize) -> Question {
        Question::new("1 1.1 main", "fetch", &number.to_be_bytes())
    }

    #[test]
    fn small_answer_is_kept_at_once_and_a_large_one_when_it_is_asked_for_again() {
        let answers = Answers::default();
        assert_eq!(answers.find(question(1)), Err(false));
        answers.keep(question(1), vec![Bytes::from_static(b"small")], false);
        assert_eq!(answers.find(question(1)).unwrap()[..], [Bytes::from_static(b"small")]);
        let large = vec![Bytes::from(vec![0; SMALL + 1])];
        assert_eq!(answers.find(question(2)), Err(false));
        answers.keep(question(2), large.clone(), false);
        assert_eq!(answers.find(question(2)), Err(true));
        answers.keep(question(2), large, true);
        assert!(answers.find(question(2)).is_ok());
    }

    #[test]
    fn what_is_kept_stays_within_bounds_and_the_last_used_stays() {
        let answers = Answers::default();
        let each = 8 << 20;
        for number in 0..20 {
            answers.keep(question(number), vec![Bytes::from(vec![0; each])], true);
            let _ = answers.find(question(0));
            assert!(answers.kept.lock().unwrap().bytes <= TOTAL);
        }
        assert!(answers.find(question(0)).is_ok(), "used all the time");
        assert!(answers.find(question(1)).is_err());
        answers.keep(question(99), vec![Bytes::from(vec![0; LARGEST + 1])], true);
        assert!(answers.find(question(99)).is_err(), "too large");
    }

    /// Thirty-two clones of one large repository took half a gigabyte: each hoped that its answer was small enough.
    #[test]
    fn few_large_answers_are_collected_and_none_that_was_too_large_before() {
        let answers = Arc::new(Answers::default());
        let large = Bytes::from(vec![0; SMALL + 1]);
        let ask = |number| answers.find(question(number)).unwrap_err();
        for number in 0..3 {
            assert!(!ask(number) && ask(number));
        }
        let mut keeping: Vec<_> =
            [0, 0, 1, 2].map(|number| Keeping::new(&answers, question(number), true)).into();
        let collected: Vec<bool> = keeping.iter_mut().map(|keeping| keeping.collect(&large)).collect();
        assert_eq!(collected, [true, false, true, false], "one for each question, and two in all");
        assert!(!keeping[0].collect(&Bytes::from(vec![0; LARGEST])));
        keeping.clear();
        assert!(!ask(0) && ask(1), "what was too large is not collected again");
        let mut again = Keeping::new(&answers, question(2), true);
        assert!(again.collect(&large), "there is room again");
        again.keep();
        assert!(answers.find(question(2)).is_ok());
    }

    #[test]
    fn parts_of_a_question_do_not_run_into_one_another() {
        assert_ne!(Question::new("a", "bc", b""), Question::new("ab", "c", b""));
        assert_ne!(Question::new("a", "b", b"c"), Question::new("a", "bc", b""));
    }
}
