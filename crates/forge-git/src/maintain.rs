//! Fewer and larger packs: every push brings a pack, and each one is another place to look.
//!
//! `git pack-objects` copies the objects of some packs into one. The old packs stay until the caller has changed the
//! manifest; a reader that listed them before finds their objects in the new one.

use std::ffi::OsStr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::durable::blocking;
use crate::process::{Processes, Purpose, read_bounded};
use crate::receive::Quarantine;
use crate::{Error, PackInfo, Repository, Result};

const SETTINGS: [&str; 4] =
    ["pack.threads=1", "pack.windowMemory=128m", "core.bigFileThreshold=32m", "pack.writeReverseIndex=false"];

/// How long combining packs may take.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// How many times a pack has the objects of the next smaller one, when all is well.
const FACTOR: i64 = 2;

/// Returns how many of the smallest packs are to become one, so that each pack has at least twice the objects of the next
/// smaller one. `counts` are the numbers of objects, smallest first. One pack alone is never combined.
pub fn packs_to_combine(counts: &[i64]) -> usize {
    let is_uneven = |at: &usize| counts[*at] < FACTOR * counts[at - 1];
    let Some(mut end) = (1..counts.len()).rev().find(is_uneven).map(|at| at + 1) else { return 0 };
    let mut total: i64 = counts[..end].iter().sum();
    while end < counts.len() && counts[end] < FACTOR * total {
        total += counts[end];
        end += 1;
    }
    end
}

impl Repository {
    /// Copies the objects of these packs into a new one, durably. `unique` is a number that no other pack was or will be given.
    pub async fn combine(
        &self,
        processes: &Processes,
        names: &[String],
        unique: u128,
    ) -> Result<Option<PackInfo>> {
        let repository = self.clone();
        let quarantine = blocking(move || Quarantine::open(&repository, unique)).await?;
        let target = quarantine.pack_directory().join("combined");
        let command = processes.command(self.path(), &SETTINGS);
        let args: [&OsStr; 5] = [
            "pack-objects".as_ref(),
            "--stdin-packs".as_ref(),
            "-q".as_ref(),
            "--delta-base-offset".as_ref(),
            target.as_os_str(),
        ];
        let mut running = processes.start(Purpose::Check, command, &args).await?;
        let child = &mut running.child;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Program("`git pack-objects` has no pipes".into()));
        };
        let input: String = names.iter().map(|name| format!("{name}.pack\n")).collect();
        let feed = async move {
            // If it stops reading, its exit code says so.
            let _ = stdin.write_all(input.as_bytes()).await;
        };
        let work = async {
            let ((), said, _) = tokio::join!(feed, read_bounded(stderr), read_bounded(stdout));
            let status = running.child.wait().await.map_err(Error::io("wait for `git pack-objects`"))?;
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            match status.success() {
                true => Ok(()),
                false => Err(Error::Program(format!("`git pack-objects` ended with {status}: {said}"))),
            }
        };
        match tokio::time::timeout(LONGEST, work).await {
            Ok(done) => done?,
            Err(_) => return Err(Error::Program("combining packs took too long".into())),
        }
        quarantine.publish().await
    }
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
}
