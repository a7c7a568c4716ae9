//! What is it time for?

/// How many times a pack has the objects of the next smaller one, when all is well.
const FACTOR: u64 = 2;

/// From so many objects on, a full clone is worth a pack of its own: making it takes longer than copying it.
pub const LARGE: u64 = 5_000;

/// A repository is rebuilt when the objects that came since are more than this part of what was sorted then. So the work of
/// all rebuilds together stays in proportion to what was pushed.
const PART: u64 = 4;

/// A pack on the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPack {
    /// Its file name without extension.
    pub name: String,
    /// How many objects it has.
    pub objects: u64,
    /// Has it what the visible refs reached when it was made, and did none of them lose anything since?
    pub is_closure: bool,
    /// Has it only what no ref reached?
    pub is_cruft: bool,
}

/// What it is time for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Nothing,
    /// These packs are to become one.
    Combine(Vec<String>),
    /// All packs are to be sorted anew.
    Rebuild,
}

/// Returns what it is time for in a repository of these packs. Fewer than `worth` packs are not combined; one that
/// `rests` is not rebuilt.
pub fn plan(packs: &[ListedPack], worth: usize, rests: bool) -> Plan {
    let total: u64 = packs.iter().filter(|pack| !pack.is_cruft).map(|pack| pack.objects).sum();
    let sorted: u64 = packs.iter().filter(|pack| pack.is_closure).map(|pack| pack.objects).sum();
    let since = total - sorted;
    if !rests && since >= LARGE && since > sorted / PART {
        return Plan::Rebuild;
    }
    let mut rest: Vec<&ListedPack> = packs.iter().filter(|pack| !pack.is_closure && !pack.is_cruft).collect();
    if rest.len() < worth {
        return Plan::Nothing;
    }
    rest.sort_by_key(|pack| pack.objects);
    let counts: Vec<u64> = rest.iter().map(|pack| pack.objects).collect();
    match packs_to_combine(&counts) {
        0 => Plan::Nothing,
        number => Plan::Combine(rest[..number].iter().map(|pack| pack.name.clone()).collect()),
    }
}

/// Returns how many of the smallest packs are to become one, so that each pack has at least twice the objects of the next
/// smaller one. `counts` are the numbers of objects, smallest first. One pack alone is never combined.
fn packs_to_combine(counts: &[u64]) -> usize {
    let is_uneven = |at: &usize| counts[*at] < FACTOR * counts[at - 1];
    let Some(mut end) = (1..counts.len()).rev().find(is_uneven).map(|at| at + 1) else { return 0 };
    let mut total: u64 = counts[..end].iter().sum();
    while end < counts.len() && counts[end] < FACTOR * total {
        total += counts[end];
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_packs_are_combined_until_each_has_twice_the_next() {
        for (counts, expected) in [
            (&[][..], 0),
            (&[5], 0),
            (&[1, 2, 4, 8], 0),
            (&[3, 3], 2),
            (&[1, 1, 1, 1], 4),
            (&[3, 3, 100], 2),
            (&[3, 3, 10, 100], 3),
            (&[1, 2, 3, 1000], 3),
            (&[1, 1, 1, 1, 1000], 4),
        ] {
            assert_eq!(packs_to_combine(counts), expected, "{counts:?}");
        }
    }

    fn plain(objects: u64) -> ListedPack {
        ListedPack { name: format!("pack-{objects}"), objects, is_closure: false, is_cruft: false }
    }

    fn closure(objects: u64) -> ListedPack {
        ListedPack { is_closure: true, ..plain(objects) }
    }

    fn cruft(objects: u64) -> ListedPack {
        ListedPack { is_cruft: true, ..plain(objects) }
    }

    #[test]
    fn large_repository_is_rebuilt_when_much_has_come_or_its_closure_does_not_hold() {
        assert_eq!(plan(&[plain(6_000)], 8, false), Plan::Rebuild);
        assert_eq!(plan(&[plain(6_000)], 8, true), Plan::Nothing);
        assert_eq!(plan(&[plain(4_000)], 8, false), Plan::Nothing);
        assert_eq!(plan(&[closure(100_000), plain(6_000)], 8, false), Plan::Nothing);
        assert_eq!(plan(&[closure(100_000), plain(26_000)], 8, false), Plan::Rebuild);
        assert_eq!(plan(&[closure(6_000), plain(4_000)], 8, false), Plan::Nothing);
        assert_eq!(plan(&[closure(6_000), plain(5_000)], 8, false), Plan::Rebuild);
        assert_eq!(plan(&[closure(6_000), cruft(50_000)], 8, false), Plan::Nothing);
    }

    #[test]
    fn neither_the_closure_nor_what_no_ref_reaches_is_combined_with_others() {
        let packs = [closure(8), cruft(7), plain(3), plain(2)];
        assert_eq!(plan(&packs, 2, false), Plan::Combine(vec!["pack-2".into(), "pack-3".into()]));
        assert_eq!(plan(&packs, 3, false), Plan::Nothing);
    }
}
