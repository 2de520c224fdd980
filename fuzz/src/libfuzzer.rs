//! All targets linked into libFuzzer, which chooses one by the environment: one program is built once, and what is
//! not run costs nothing. `cargo xtask fuzz` starts it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seareeve_fuzz::Target;

/// The variable that names the target.
const VARIABLE: &str = "SEAREEVE_FUZZ_TARGET";

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    Target::find(&name).unwrap_or_else(|| panic!("{VARIABLE} names no target: {name:?}"))
});

fuzz_target!(|input: &[u8]| (TARGET.run)(input));
