//! The power is cut: what was never synced may be gone, and the real server starts on what is left.
//!
//! A server is recorded with all that it starts, SQLite and git too (`recorder.c`), while it is pushed to. From the records the
//! disk is made as it may be found after a cut at any moment (`disk`). `FORGE_SEED` and `FORGE_IMAGES` choose which and how
//! many. SQLite alone: PostgreSQL is not ours to start.

use forge_testing::Database;

use crate::disk::{Disk, Luck};
use crate::life::{Life, Random};
use crate::number;
use crate::records::Record;

/// Returns moments to cut the power at: half of them right after the server has said that something is done.
fn moments(records: &[Record], count: usize, random: &mut Random) -> Vec<usize> {
    let told: Vec<usize> =
        (1..=records.len()).filter(|at| matches!(records[at - 1], Record::Told { .. })).collect();
    let mut moments: Vec<usize> = (0..count)
        .map(|at| if at % 2 == 0 { told[random.below(told.len())] } else { random.below(records.len() + 1) })
        .collect();
    moments.sort_unstable();
    moments
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut() {
    let seed = number("FORGE_SEED", 1);
    let mut random = Random::new(seed);
    let mut life = Life::begin(Database::Sqlite, seed);
    let (mut disk, records) = life.record();
    let count = usize::try_from(number("FORGE_IMAGES", 8)).unwrap_or_default();
    let mut done = 0;
    for (number, moment) in moments(&records, count, &mut random).into_iter().enumerate() {
        records[done..moment].iter().for_each(|record| disk.apply(record));
        done = moment;
        let luck = if number % 3 == 0 { Luck::None } else { Luck::Some };
        life.check_image(&disk, &records[..moment], luck, &mut random);
    }
}

/// A disk that has lost what was synced is not taken for a good one.
#[test]
fn a_disk_that_lies_is_found_out() {
    let mut random = Random::new(7);
    let mut life = Life::begin(Database::Sqlite, 7);
    let (mut disk, records) = life.record();
    let mut check = |disk: &Disk, luck| life.check_image(disk, &records, luck, &mut random);
    records.iter().for_each(|record| disk.apply(record));
    check(&disk, Luck::All);
    let broken = std::panic::AssertUnwindSafe(|| check(&disk, Luck::Broken));
    assert!(std::panic::catch_unwind(broken).is_err());
}
