//! What is measured, in the order in which it is measured: what grows repositories comes late.

mod large;
mod operation;
mod pushes;
mod reads;

use crate::Result;
use crate::bench::Bench;

pub(super) use pushes::push_one;

/// One thing to measure; it may fill several lines of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) measure: fn(&mut Bench) -> Result<()>,
}

const ROWS: [Row; 15] = [
    Row { name: "info-refs", measure: reads::info_refs },
    Row { name: "clone-tiny", measure: reads::clone_tiny },
    Row { name: "push-tiny", measure: pushes::tiny },
    Row { name: "push-refs", measure: pushes::refs },
    Row { name: "push-hot", measure: pushes::hot },
    Row { name: "push-many", measure: pushes::many },
    Row { name: "clone-large", measure: large::clone },
    Row { name: "depth1", measure: large::depth_one },
    Row { name: "blob-none", measure: large::without_blobs },
    Row { name: "increment", measure: large::increment },
    Row { name: "clone-large-after", measure: large::clone_after_pushes },
    Row { name: "create", measure: operation::create },
    Row { name: "ls-remote", measure: reads::ls_remote },
    Row { name: "memory", measure: operation::memory },
    Row { name: "push-big", measure: operation::push_big },
];

/// Measured last: it starts the servers anew, with all that the rows before left.
const START: Row = Row { name: "start", measure: operation::start };

/// Returns the rows of these names, all of them for none.
pub(super) fn chosen(names: &[String]) -> Result<Vec<Row>> {
    let rows = || ROWS.into_iter().chain([START]);
    let known: Vec<&str> = rows().map(|row| row.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("unknown row `{unknown}`: {}", known.join(", ")));
    }
    Ok(rows().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_name_and_keep_their_order() {
        let names = |chosen: Vec<Row>| chosen.iter().map(|row| row.name).collect::<Vec<_>>();
        let chosen_two = chosen(&["start".to_owned(), "depth1".to_owned()]);
        assert_eq!(chosen_two.map(names), Ok(vec!["depth1", "start"]));
        assert_eq!(chosen(&[]).map(|rows| rows.len()), Ok(16));
        assert!(chosen(&["depth2".to_owned()]).is_err());
    }
}
