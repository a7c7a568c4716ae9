//! Walking history: commits, and the objects that a client lacks.
//!
//! Everything here works on [`Slot`](crate::packs::Slot)s of one [`PackSet`](crate::PackSet) and blocks.

mod beyond;
mod filter;
mod graph;
mod missing;
mod reach;
mod search;
mod shallow;
mod slots;

pub(crate) use beyond::find_beyond;
pub(crate) use filter::Filter;
pub(crate) use graph::Graph;
pub(crate) use missing::{Missing, Wanted, find_missing};
pub(crate) use reach::{all_reach_any, reaches_all};
pub(crate) use search::{Search, search};
pub(crate) use shallow::{Depth, Shallow, deepen};
pub(crate) use slots::SlotSet;
