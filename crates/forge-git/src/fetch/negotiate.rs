//! Finding out what client and server have in common. See "Packfile Negotiation" in gitprotocol-pack(5) and the section
//! `acknowledgments` in gitprotocol-v2(5).
//!
//! Over HTTP each request carries all that was said before, so that nothing is remembered between two of them.

use std::collections::HashSet;

use super::request::{Acks, Fetch, Turn};
use crate::Result;
use crate::objects::{ObjectKind, to_gix};
use crate::packs::Slot;
use crate::walk::{Graph, SlotSet, all_reach_any};
use crate::wire::{Protocol, pkt};

/// What came of the negotiation so far.
#[derive(Debug)]
pub(super) struct Agreement {
    /// What is to be said about the client's objects.
    pub(super) acks: Vec<u8>,
    /// What both have.
    pub(super) common: Vec<Slot>,
    /// Does the pack follow, or does the client go on?
    pub(super) is_settled: bool,
}

/// Answers what the client has. `wants` are the commits asked for; those among `grafts` have no parents.
pub(super) fn negotiate(
    graph: &mut Graph,
    fetch: &Fetch,
    wants: &[Slot],
    grafts: &SlotSet,
) -> Result<Agreement> {
    let talk = Talk { graph, fetch, wants, grafts, out: Vec::new(), common: Vec::new(), met: HashSet::new() };
    match fetch.protocol() {
        Protocol::V2 => talk.version_2(),
        Protocol::V0 | Protocol::V1 => talk.version_0(),
    }
}

struct Talk<'a> {
    graph: &'a mut Graph,
    fetch: &'a Fetch,
    wants: &'a [Slot],
    grafts: &'a SlotSet,
    out: Vec<u8>,
    common: Vec<Slot>,
    met: HashSet<Slot>,
}

impl Talk<'_> {
    fn version_2(mut self) -> Result<Agreement> {
        let fetch = self.fetch;
        let mut has_haves = false;
        let mut acked = Vec::new();
        for id in fetch.haves() {
            has_haves = true;
            if self.meet(id) && !acked.contains(&id) {
                acked.push(id);
            }
        }
        if fetch.is_done() || !has_haves {
            return Ok(self.settled());
        }
        pkt::write_line(&mut self.out, "acknowledgments");
        if acked.is_empty() {
            pkt::write_line(&mut self.out, "NAK");
        }
        for id in acked {
            pkt::write_line(&mut self.out, &format!("ACK {id}"));
        }
        if !fetch.options.wait_for_done && self.is_enough()? {
            pkt::write_line(&mut self.out, "ready");
            self.out.extend_from_slice(pkt::DELIM);
            return Ok(self.settled());
        }
        self.out.extend_from_slice(pkt::FLUSH);
        Ok(self.open())
    }

    /// The words of git's `get_common_commits`.
    fn version_0(mut self) -> Result<Agreement> {
        let acks = self.fetch.options.acks;
        let (mut last, mut is_ready) = (None, false);
        let (mut got_common, mut got_other) = (false, false);
        // The first flush ends the wants.
        let turns = self.fetch.turns.iter().skip_while(|turn| **turn != Turn::Flush).skip(1);
        for turn in turns {
            match turn {
                Turn::Have(id) if self.meet(*id) => {
                    (got_common, last) = (true, Some(*id));
                    match acks {
                        Acks::Detailed => self.say(&format!("ACK {id} common")),
                        Acks::Multi => self.say(&format!("ACK {id} continue")),
                        Acks::First if self.common.len() == 1 => self.say(&format!("ACK {id}")),
                        Acks::First => {}
                    }
                }
                Turn::Have(id) => {
                    got_other = true;
                    if acks != Acks::First && self.is_enough()? {
                        is_ready |= acks == Acks::Detailed;
                        let word = if acks == Acks::Detailed { "ready" } else { "continue" };
                        self.say(&format!("ACK {id} {word}"));
                    }
                }
                Turn::Flush => {
                    if acks == Acks::Detailed
                        && got_common
                        && !got_other
                        && let Some(id) = last
                        && self.is_enough()?
                    {
                        is_ready = true;
                        self.say(&format!("ACK {id} ready"));
                    }
                    if self.common.is_empty() || acks != Acks::First {
                        self.say("NAK");
                    }
                    if self.fetch.options.no_done
                        && is_ready
                        && let Some(id) = last
                    {
                        self.say(&format!("ACK {id}"));
                        return Ok(self.settled());
                    }
                    // Over HTTP the client goes on in another request.
                    return Ok(self.open());
                }
                Turn::Done => {
                    match last {
                        Some(id) if acks != Acks::First => self.say(&format!("ACK {id}")),
                        Some(_) => {}
                        None => self.say("NAK"),
                    }
                    return Ok(self.settled());
                }
            }
        }
        Ok(self.open())
    }

    fn say(&mut self, line: &str) {
        pkt::write_line(&mut self.out, line);
    }

    /// Notes an object of the client's; returns whether it is here, too.
    fn meet(&mut self, id: forge_types::ObjectId) -> bool {
        let Some(slot) = self.graph.set().slot(&to_gix(id)) else { return false };
        if self.met.insert(slot) {
            self.common.push(slot);
        }
        true
    }

    /// Does every want build on something common?
    fn is_enough(&mut self) -> Result<bool> {
        let mut commits = Vec::with_capacity(self.common.len());
        for slot in &self.common {
            let (_, end, kind) = self.graph.peel(*slot)?;
            if kind == ObjectKind::Commit {
                commits.push(end);
            }
        }
        all_reach_any(self.graph, self.wants, &commits, self.grafts)
    }

    fn settled(self) -> Agreement {
        Agreement { acks: self.out, common: self.common, is_settled: true }
    }

    fn open(self) -> Agreement {
        Agreement { acks: self.out, common: self.common, is_settled: false }
    }
}
