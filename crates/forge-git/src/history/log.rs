//! A page of a log.

use super::filter::Filter;
use super::topo::in_topological_order;
use super::walk::{Step, Walk};
use super::{LogOrder, LogPage, LogQuery};
use crate::Result;
use crate::objects::{Objects, from_gix};
use crate::packs::Slot;

impl Objects {
    /// Returns commits in an order. Every tip must be a commit.
    ///
    /// A log without hidden commits in date order is walked only as far as the page needs. Others have to be walked to
    /// their end: if that is more than the query allows, they fail with [`TooLarge`](crate::Error::TooLarge).
    pub fn log(&mut self, query: &LogQuery) -> Result<LogPage> {
        let mut page = Page::new(query);
        let mut walk = Walk::new(self, query)?;
        if query.hidden.is_empty() && query.order == LogOrder::Date {
            page.stream(&mut walk)?;
        } else {
            page.collect(&mut walk, query.order)?;
        }
        Ok(page.into_page(walk.graph.set()))
    }
}

/// A page being filled.
struct Page<'a> {
    filter: Filter<'a>,
    skip: usize,
    limit: usize,
    slots: Vec<Slot>,
    has_more: bool,
    is_cut: bool,
}

impl<'a> Page<'a> {
    fn new(query: &'a LogQuery) -> Self {
        let filter = Filter::new(query);
        Self {
            filter,
            skip: query.skip,
            limit: query.limit,
            slots: Vec::new(),
            has_more: false,
            is_cut: false,
        }
    }

    fn stream(&mut self, walk: &mut Walk<'_>) -> Result<()> {
        while !self.has_more {
            match walk.step()? {
                Some(Step::Shown(slot)) => self.offer(walk, slot)?,
                Some(Step::Passed) => {}
                Some(Step::End) => break,
                None => {
                    self.is_cut = true;
                    break;
                }
            }
        }
        Ok(())
    }

    fn collect(&mut self, walk: &mut Walk<'_>, order: LogOrder) -> Result<()> {
        let mut shown = walk.all_shown()?;
        if order == LogOrder::Topological {
            // What is too new for the log takes no part in the order.
            let mut old_enough = Vec::with_capacity(shown.len());
            for slot in shown {
                if self.filter.is_old_enough(walk.graph.commit(slot)?.time) {
                    old_enough.push(slot);
                }
            }
            shown = in_topological_order(walk, &old_enough)?;
        }
        for slot in shown {
            self.offer(walk, slot)?;
            if self.has_more {
                break;
            }
        }
        Ok(())
    }

    /// Takes a commit if it is wanted and its turn has come.
    fn offer(&mut self, walk: &mut Walk<'_>, slot: Slot) -> Result<()> {
        let time = walk.graph.commit(slot)?.time;
        if walk.is_same(slot) || !self.filter.wants(walk.objects, slot, time)? {
            return Ok(());
        }
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.slots.len() < self.limit {
            self.slots.push(slot);
        } else {
            self.has_more = true;
        }
        Ok(())
    }

    fn into_page(self, set: &crate::PackSet) -> LogPage {
        let ids = self.slots.iter().map(|slot| from_gix(set.id(*slot))).collect();
        LogPage { ids, has_more: self.has_more, is_cut: self.is_cut }
    }
}
