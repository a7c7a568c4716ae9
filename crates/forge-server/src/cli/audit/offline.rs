//! Checking an export without any forge: lines are read and hashed on all cores, and linked in their order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use forge_service::audit::line::{self, Read};
use forge_service::audit::verify::{Chain, Report};

use crate::console::audit::{read_checkpoints, read_keys};
use crate::failure::{Failure, Result};

/// How much is handed to a worker at a time.
const PART: u64 = 4 << 20;
/// A line that is longer is no event.
const LONGEST: u64 = 64 << 20;

/// Lines with the number of the first, and what became of them.
type Lines = (usize, Vec<std::result::Result<Read, String>>);

/// Checks an export, and whether it is what checkpoints say.
pub(super) fn verify(export: &Path, checkpoints: Option<&Path>, key: Option<&Path>) -> Result<Report> {
    let (checkpoints, notes) = checkpoints.map(read_checkpoints).transpose()?.unwrap_or_default();
    let keys = key.map(read_keys).transpose()?.unwrap_or_default();
    let failed = |error| Failure::io(format_args!("cannot read `{}`", export.display()), error);
    let mut file = BufReader::new(File::open(export).map_err(failed)?);
    let mut chain = Chain::new(checkpoints, &keys);
    notes.into_iter().for_each(|note| chain.note(note));
    let seen = check(&mut file, &mut chain).map_err(failed)?;
    if seen == 0 {
        return Err(Failure::unavailable(format!("`{}` holds no entry", export.display())));
    }
    Ok(chain.finish())
}

/// Returns how many lines there were.
fn check(file: &mut impl BufRead, chain: &mut Chain) -> std::io::Result<usize> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (parts, work) = sync_channel::<(usize, Vec<u8>)>(1);
            let (done, outcomes) = sync_channel::<Lines>(1);
            scope.spawn(move || {
                work.into_iter().try_for_each(|(first, part)| done.send((first, read(&part))))
            });
            to.push(parts);
            from.push(outcomes);
        }
        // Part after part goes to worker after worker, and comes back in the same order.
        let (mut sent, mut linked, mut lines) = (0, 0, 0);
        while let Some(part) = next_part(file)? {
            if sent - linked == workers {
                link(chain, &from[linked % workers]);
                linked += 1;
            }
            let count = part.iter().filter(|byte| **byte == b'\n').count();
            // A worker that is gone shows when its outcome is awaited.
            let _ = to[sent % workers].send((lines + 1, part));
            (sent, lines) = (sent + 1, lines + count);
        }
        drop(to);
        (linked..sent).for_each(|part| link(chain, &from[part % workers]));
        Ok(lines)
    })
}

/// Returns whole lines, or what is left.
fn next_part(file: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut part = Vec::new();
    file.by_ref().take(PART).read_to_end(&mut part)?;
    if part.is_empty() {
        return Ok(None);
    }
    if part.last() != Some(&b'\n') {
        file.by_ref().take(LONGEST).read_until(b'\n', &mut part)?;
    }
    if part.last() != Some(&b'\n') {
        part.push(b'\n');
    }
    Ok(Some(part))
}

fn read(part: &[u8]) -> Vec<std::result::Result<Read, String>> {
    let lines = part.strip_suffix(b"\n").unwrap_or(part).split(|byte| *byte == b'\n');
    let one = |line: &[u8]| {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
        line::read(text)
    };
    lines.map(one).collect()
}

fn link(chain: &mut Chain, from: &Receiver<Lines>) {
    let Ok((first, lines)) = from.recv() else {
        return chain.find("a part of the export could not be read".to_owned());
    };
    for (number, line) in (first..).zip(lines) {
        match line {
            Err(problem) => chain.find(format!("line {number} is no entry: {problem}")),
            Ok(Read { chain: name, event }) => {
                chain.name(&name);
                match event {
                    Ok(link) => chain.link(&link),
                    Err(event) => chain.unsealed(&event),
                }
            }
        }
    }
}
