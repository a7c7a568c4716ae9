//! `cargo xtask fuzz`: looks for inputs that break what reads strangers' bytes.
//!
//! The targets are in `fuzz/`. The driver is libFuzzer, built for the stable toolchain with `RUSTC_BOOTSTRAP=1`, which its
//! instrumentation and the address sanitizer need; the parts of the C++ library come with the crate. What was found worth
//! keeping lies under `target/fuzz/`, so that a later run goes on from there; `--keep` takes the least of it that comes by the
//! same places into the committed inputs. The outcome of each target is kept too, and `--write` puts them all into
//! `docs/soak.md`.

mod build;
mod options;
mod outcome;
mod run;

use std::path::Path;

pub(crate) use options::Options;

use crate::{Result, soak_page};

/// The targets of `forge_fuzz::TARGETS` and how many bytes an input of each has at most.
const TARGETS: [(&str, usize); 8] = [
    ("pkt-line", 4096),
    ("push-request", 4096),
    ("fetch-request", 4096),
    ("ref-name", 512),
    ("pack", 4096),
    ("stored-pack", 8192),
    ("signature", 8192),
    ("token", 2048),
];

/// Runs the chosen targets one after another; the first input that breaks one ends it all.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let program = build::driver(root)?;
    let folder = root.join("target/fuzz/work");
    for (name, max_len) in options.targets() {
        let place = run::Place::prepare(root, &folder, name)?;
        if options.keeps() {
            run::keep(&program, &place)?;
            continue;
        }
        let outcome = run::target(&program, &place, max_len, options.seconds())?;
        outcome.save(&place.work.join("outcome.toml"))?;
        eprintln!("{name}: {}", outcome.summary());
        outcome.check(&place.found)?;
    }
    if options.writes() {
        let lines: Vec<Vec<String>> = TARGETS
            .iter()
            .filter_map(|(name, _)| outcome::load(&folder.join(name).join("outcome.toml"), name))
            .collect();
        soak_page::write(root, "fuzzing", &outcome::section(&lines))?;
    }
    Ok(())
}
