//! Reads of many objects by one statement, so that the members of a list cost no statement each.
//!
//! A statement takes a list of ids as a hundred parameters, the last id repeated to the end: the one form that both
//! databases plan with their indexes. Longer lists take a statement per hundred.

mod accounts;
mod labels;
mod organizations;
mod people;
mod refs;

pub use accounts::accounts;
pub use labels::{LabelOrder, LabelOrderField, Labels, labels};
pub use organizations::organizations;
pub use people::{People, people};
pub use refs::{RefsSummary, refs_summaries};

use std::collections::HashMap;
use std::hash::Hash;

use forge_types::window::{Window, Windowed};

use crate::StoreResult;
use crate::row::{Row, Value};

/// How many ids a statement takes.
pub(crate) const BATCH: usize = 100;

/// The parameters `$1` to `$100`.
macro_rules! id_list {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, \
         $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, \
         $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, \
         $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100"
    };
}
pub(crate) use id_list;

/// The parameters `$2` to `$101`, for statements whose first parameter is the caller.
macro_rules! later_id_list {
    () => {
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, \
         $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, \
         $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, \
         $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, $87, \
         $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101"
    };
}
pub(crate) use later_id_list;

/// The part of numbered rows (`position`, `total`) that a window wants: after `$101`, before `$102`, the first `$103`,
/// the last `$104`. The first row comes in any case, for its `total`.
macro_rules! in_window {
    () => {
        "(position = 1 OR (position > $101 AND (CAST($102 AS BIGINT) IS NULL OR position < $102) \
         AND (CAST($103 AS BIGINT) IS NULL OR position <= $101 + $103) AND (CAST($104 AS BIGINT) IS NULL \
         OR position >= CASE WHEN $102 < total + 1 THEN $102 ELSE total + 1 END - $104)))"
    };
}
pub(crate) use in_window;

/// Returns `ids`, at most a hundred and at least one, as the parameters of [`id_list`].
pub(crate) fn padded<I: Copy + Into<Value>>(ids: &[I]) -> Vec<Value> {
    let Some(last) = ids.last() else { return Vec::new() };
    ids.iter().chain(std::iter::repeat(last)).take(BATCH).map(|id| (*id).into()).collect()
}

/// Returns the parameters of [`in_window`].
pub(crate) fn window_parameters(window: Window) -> [Value; 4] {
    [window.after.into(), window.before.into(), window.first.into(), window.last.into()]
}

/// A row that belongs to `parent`, at a position of a list.
pub(crate) struct Placed<P, T> {
    pub(crate) parent: P,
    pub(crate) position: i64,
    pub(crate) total: i64,
    pub(crate) item: T,
}

impl<P, T> Placed<P, T> {
    /// Reads the columns `position` and `total`.
    pub(crate) fn read(row: &Row<'_>, parent: P, item: T) -> StoreResult<Self> {
        Ok(Self { parent, position: row.get("position")?, total: row.get("total")?, item })
    }
}

/// Sorts rows by the list they belong to.
pub(crate) fn gather<P: Eq + Hash, T>(
    rows: Vec<Placed<P, T>>,
    window: Window,
    lists: &mut HashMap<P, Windowed<T>>,
) {
    for row in rows {
        let list = lists.entry(row.parent).or_default();
        list.total = row.total;
        if window.contains(row.position, row.total) {
            list.items.push((row.position, row.item));
        }
    }
}
