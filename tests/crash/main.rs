//! The forge is killed, again and again, at every step of a push, of maintenance, of a fork and of a deletion. After each start everything that was
//! acknowledged is there, nothing points to what is missing, and nothing lies about.
//!
//! The forge is a process of its own: this very program, started as the command `forge` (`program`). It dies at the places
//! that `forge_git::crash` names, or at any moment. `FORGE_SEED` and `FORGE_CRASHES` choose how often and where; a failure
//! names its seed.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod disk;
mod life;
mod power;
mod program;
mod records;
mod worker;

use forge_git::crash::POINTS;
use forge_testing::{Database, for_each_database_sync};

use life::{Life, Random};

/// Returns a number that the caller of the tests may choose.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

for_each_database_sync! {
    fn what_was_acknowledged_outlives_every_crash(database) {
        let seed = number("FORGE_SEED", 1);
        let mut random = Random::new(seed);
        let mut life = Life::begin(database, seed);
        for round in 0..number("FORGE_CRASHES", POINTS.len() as u64) {
            let place = match usize::try_from(round).unwrap_or_default() {
                // Each place once; then anywhere, and at later visits.
                at if at < POINTS.len() => Some((POINTS[at], 1)),
                _ if random.below(3) == 0 => None,
                _ => Some((POINTS[random.below(POINTS.len())], 1 + random.below(12))),
            };
            let has_died = life.crash(place, &mut random);
            // A place that nobody comes by tests nothing.
            assert!(has_died || round >= POINTS.len() as u64, "seed {seed}: nobody came by {place:?}");
            life.check();
        }
    }
}

/// A check that finds nothing would be worth nothing.
#[test]
fn a_loss_is_found() {
    let mut life = Life::begin(Database::Sqlite, 7);
    life.crash(None, &mut Random::new(7));
    life.check();
    life.lose_a_pack();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.check())).is_err());
}
