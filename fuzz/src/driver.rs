//! The program that looks for new inputs: libFuzzer around one target, which `FORGE_FUZZ_TARGET` names.
//!
//! Built and run by `cargo xtask fuzz`.

#![no_main]

use std::sync::LazyLock;

use forge_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FORGE_FUZZ_TARGET").expect("FORGE_FUZZ_TARGET names a target");
    *forge_fuzz::find(&name).unwrap_or_else(|| panic!("there is no target `{name}`"))
});

fuzz_target!(|bytes: &[u8]| (CHOSEN.run)(bytes));
