//! Answering a fetch in this process. Everything here blocks.
//!
//! Most fetches are small, and a process for each would cost more than they do. What is large is only prepared here: the ids
//! it takes are handed to `git pack-objects`.

use std::collections::HashSet;
use std::sync::Arc;

use forge_types::ObjectId;

use super::copy::Copy;
use super::negotiate::{Agreement, negotiate};
use super::pack::{Reading, write_pack};
use super::request::Fetch;
use crate::objects::{ObjectKind, from_gix, to_gix};
use crate::packs::{Decoder, PackSet, Slot};
use crate::walk::{Depth, Graph, Missing, Shallow, SlotSet, Wanted, deepen, find_beyond, find_missing};
use crate::wire::{Protocol, RefSnapshot, pkt};
use crate::{Error, Result};

/// Up to this many objects an answer is put together before it is sent.
const AT_ONCE: usize = 256;

/// The same in bytes as they are stored.
const AT_ONCE_BYTES: usize = 256 << 10;

/// Up to this many objects a pack is written here.
const LISTED: usize = 5_000;

/// The same for a client that cuts history: git's own way to it is slow.
const LISTED_SHALLOW: usize = 500_000;

/// An answer, as far as it is ready.
pub(super) enum Prepared {
    /// All of it, without a pack.
    Whole(Vec<u8>),
    /// What comes before the pack, and what it is made of here.
    Small(Vec<u8>, Source),
    /// What comes before the pack, and what `git pack-objects` is to be told.
    Large(Vec<u8>, Order),
}

/// What a pack is made of that is written here.
pub(super) enum Source {
    /// Single objects.
    Chosen(Box<Chosen>),
    /// A stored pack, and what came after it.
    Copied(Box<Copy>),
}

/// The objects of a pack to be written here.
pub(super) struct Chosen {
    decoder: Decoder,
    missing: Missing,
    reading: Reading,
}

/// A pack to be written by `git pack-objects`.
#[derive(Debug)]
pub(super) struct Order {
    /// Revisions, as its standard input takes them.
    pub(super) revisions: String,
    /// The filter, if any.
    pub(super) filter: Option<String>,
    pub(super) reading: Reading,
}

impl Source {
    /// Is the pack so small that it needs no stream?
    pub(super) fn is_tiny(&self) -> Result<bool> {
        let (set, missing) = match self {
            Self::Chosen(chosen) => (chosen.decoder.set(), &chosen.missing),
            Self::Copied(copy) => return Ok(copy.at_most(AT_ONCE_BYTES as u64, AT_ONCE)),
        };
        if missing.objects.len() > AT_ONCE {
            return Ok(false);
        }
        let mut bytes = 0;
        for slot in &missing.objects {
            bytes += set.stored(*slot)?.deflated.len();
        }
        Ok(bytes <= AT_ONCE_BYTES)
    }

    /// Writes it, piece by piece, to `sink`.
    pub(super) fn write(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            Self::Chosen(chosen) => {
                let Chosen { decoder, missing, reading } = &mut **chosen;
                write_pack(decoder, missing, *reading, sink)
            }
            Self::Copied(copy) => copy.write(sink),
        }
    }
}

/// Finds out what the answer is. Wants must have been checked.
pub(super) fn prepare(set: &PackSet, snapshot: &RefSnapshot, fetch: &Fetch) -> Result<Prepared> {
    let mut work = Work { graph: Graph::new(set.clone()), snapshot, fetch };
    let wants = work.wants()?;
    let (commits, others) = work.commits(&wants)?;
    let shallow = work.shallow(&commits)?;
    // In version 2 history is cut after the negotiation, before it was cut first.
    let uncut = SlotSet::new(set.len());
    let grafts = if fetch.protocol() == Protocol::V2 { &uncut } else { &shallow.grafts };
    let agreement = negotiate(&mut work.graph, fetch, &commits, grafts)?;
    let lead = work.lead(&agreement, &shallow);
    if !agreement.is_settled {
        return Ok(Prepared::Whole(lead));
    }
    work.choose(lead, wants, others, agreement.common, &shallow)
}

struct Work<'a> {
    graph: Graph,
    snapshot: &'a RefSnapshot,
    fetch: &'a Fetch,
}

impl Work<'_> {
    fn wants(&self) -> Result<Vec<Slot>> {
        let mut seen = HashSet::new();
        let named = self.fetch.wanted_refs.iter().filter_map(|name| self.snapshot.id_of(name));
        let ids = self.fetch.wants().iter().copied().chain(named);
        ids.filter(|id| seen.insert(*id)).map(|id| self.graph.set().slot_of(&to_gix(id))).collect()
    }

    /// Returns the commits that the wants stand for, and how many stand for something else.
    fn commits(&mut self, wants: &[Slot]) -> Result<(Vec<Slot>, usize)> {
        let (mut commits, mut others) = (Vec::new(), 0);
        for want in wants {
            match self.graph.peel(*want)? {
                (_, end, ObjectKind::Commit) => commits.push(end),
                _ => others += 1,
            }
        }
        Ok((commits, others))
    }

    fn shallow(&mut self, commits: &[Slot]) -> Result<Shallow> {
        // A commit that the client was cut at may be gone here; then there is nothing below it either.
        let client: Vec<Slot> =
            self.fetch.shallow.iter().filter_map(|id| self.graph.set().slot(&to_gix(*id))).collect();
        let asked = &self.fetch.deepen;
        let depth = match asked.commits {
            Some(number) => Depth::Commits { number, is_relative: asked.is_relative },
            None if asked.is_empty() => Depth::Whole,
            None => Depth::Since { time: asked.since, not: self.left_out()? },
        };
        let tips = match depth {
            Depth::Commits { .. } if !client.is_empty() => self.tips()?,
            _ => Vec::new(),
        };
        deepen(&mut self.graph, &tips, commits, &client, &depth)
    }

    /// Returns the commits of all refs that the caller sees.
    fn tips(&mut self) -> Result<Vec<Slot>> {
        let mut tips = Vec::with_capacity(self.snapshot.refs().len());
        for entry in self.snapshot.refs() {
            let slot = self.graph.set().slot_of(&to_gix(entry.id))?;
            if let (_, end, ObjectKind::Commit) = self.graph.peel(slot)? {
                tips.push(end);
            }
        }
        Ok(tips)
    }

    /// Returns the commits of the refs that `deepen-not` names.
    fn left_out(&mut self) -> Result<Vec<Slot>> {
        let mut commits = Vec::new();
        for name in &self.fetch.deepen.not {
            let id = self.snapshot.resolve(name).ok_or_else(|| {
                let shown: String = name.chars().take(100).collect();
                Error::Protocol(format!("deepen-not is not a ref: {shown}"))
            })?;
            let slot = self.graph.set().slot_of(&to_gix(id))?;
            if let (_, end, ObjectKind::Commit) = self.graph.peel(slot)? {
                commits.push(end);
            }
        }
        Ok(commits)
    }

    /// Writes everything that comes before the pack.
    fn lead(&self, agreement: &Agreement, shallow: &Shallow) -> Vec<u8> {
        let is_cut_asked = !self.fetch.deepen.is_empty();
        let mut out = Vec::new();
        match self.fetch.protocol() {
            Protocol::V2 => {
                out.extend_from_slice(&agreement.acks);
                if !agreement.is_settled {
                    return out;
                }
                if is_cut_asked || !self.fetch.shallow.is_empty() {
                    pkt::write_line(&mut out, "shallow-info");
                    self.write_shallow(&mut out, shallow);
                    out.extend_from_slice(pkt::DELIM);
                }
                self.write_wanted_refs(&mut out);
                pkt::write_line(&mut out, "packfile");
            }
            Protocol::V0 | Protocol::V1 => {
                if is_cut_asked {
                    self.write_shallow(&mut out, shallow);
                    out.extend_from_slice(pkt::FLUSH);
                }
                out.extend_from_slice(&agreement.acks);
            }
        }
        out
    }

    fn write_shallow(&self, out: &mut Vec<u8>, shallow: &Shallow) {
        for (word, slots) in [("shallow", &shallow.cut), ("unshallow", &shallow.uncut)] {
            for slot in slots {
                // Without a line feed, as git does: libgit2 takes none.
                pkt::write(out, format!("{word} {}", self.id(*slot)).as_bytes());
            }
        }
    }

    fn write_wanted_refs(&self, out: &mut Vec<u8>) {
        if self.fetch.wanted_refs.is_empty() {
            return;
        }
        pkt::write_line(out, "wanted-refs");
        for name in &self.fetch.wanted_refs {
            if let Some(id) = self.snapshot.id_of(name) {
                pkt::write_line(out, &format!("{id} {name}"));
            }
        }
        out.extend_from_slice(pkt::DELIM);
    }

    fn choose(
        mut self,
        lead: Vec<u8>,
        mut wants: Vec<Slot>,
        others: usize,
        mut common: Vec<Slot>,
        shallow: &Shallow,
    ) -> Result<Prepared> {
        let options = self.fetch.options;
        let is_cut = !self.fetch.deepen.is_empty();
        // A partial clone may be without the objects of the commits that it has.
        let thin = options.thin_pack && self.fetch.filter.is_empty();
        let reading = Reading { thin, ofs_delta: options.ofs_delta };
        wants.extend_from_slice(&shallow.also_wanted);
        common.extend_from_slice(&shallow.uncut);
        if let Some(copy) = self.copy(&wants, &common, shallow)? {
            return Ok(Prepared::Small(lead, Source::Copied(Box::new(copy))));
        }
        let is_everything = common.is_empty() && others == 0 && !is_cut;
        let limit = if is_cut { LISTED_SHALLOW } else { LISTED };
        // A whole history of more than a few thousand objects need not be counted to be known to be large.
        if !is_everything || self.graph.set().len() <= 4 * LISTED {
            let tags = if options.include_tag { self.tags() } else { Vec::new() };
            let wanted = Wanted {
                wants: &wants,
                haves: &common,
                grafts: &shallow.grafts,
                filter: &self.fetch.filter,
                tags: &tags,
                limit,
            };
            if let Some(missing) = find_missing(&mut self.graph, &wanted)? {
                let decoder = self.graph.into_decoder();
                let chosen = Box::new(Chosen { decoder, missing, reading });
                return Ok(Prepared::Small(lead, Source::Chosen(chosen)));
            }
        }
        let order = self.order(&wants, &common, shallow, reading);
        Ok(Prepared::Large(lead, order))
    }

    /// Is this a full clone that a stored pack has nearly all of?
    fn copy(&self, wants: &[Slot], common: &[Slot], shallow: &Shallow) -> Result<Option<Copy>> {
        let set = self.graph.set();
        let fetch = self.fetch;
        let is_whole = common.is_empty()
            && fetch.deepen.is_empty()
            && fetch.shallow.is_empty()
            && shallow.grafted.is_empty()
            && fetch.filter.is_empty()
            && fetch.options.ofs_delta;
        let Some(closure) = set.closure().filter(|_| is_whole) else { return Ok(None) };
        // The closure has what the repository's own refs reach: only who asks for all of them is given it.
        let asked: HashSet<Slot> = wants.iter().copied().collect();
        let is_asked = |id: ObjectId| set.slot(&to_gix(id)).is_some_and(|slot| asked.contains(&slot));
        let mut own = self.snapshot.refs().iter().filter(|entry| entry.name.kind().is_own());
        if !own.all(|entry| is_asked(entry.id)) {
            return Ok(None);
        }
        let mut decoder = Decoder::new(set.clone());
        let beyond = find_beyond(&mut decoder, closure, wants, LISTED)?;
        Ok(beyond.and_then(|beyond| Copy::open(Arc::clone(closure), decoder, beyond)))
    }

    /// Returns the annotated tags that the caller sees, with what they stand for.
    fn tags(&self) -> Vec<(Slot, Slot)> {
        let set = self.graph.set();
        let slot = |id: ObjectId| set.slot(&to_gix(id));
        self.snapshot
            .refs()
            .iter()
            .filter_map(|entry| Some((slot(entry.id)?, slot(entry.peeled?)?)))
            .collect()
    }

    fn order(&self, wants: &[Slot], common: &[Slot], shallow: &Shallow, reading: Reading) -> Order {
        let mut revisions = String::new();
        for slot in &shallow.grafted {
            revisions.push_str(&format!("--shallow {}\n", self.id(*slot)));
        }
        for slot in wants {
            revisions.push_str(&format!("{}\n", self.id(*slot)));
        }
        revisions.push_str("--not\n");
        for slot in common {
            revisions.push_str(&format!("{}\n", self.id(*slot)));
        }
        Order { revisions, filter: self.fetch.filter_text.clone(), reading }
    }

    fn id(&self, slot: Slot) -> ObjectId {
        from_gix(self.graph.set().id(slot))
    }
}
