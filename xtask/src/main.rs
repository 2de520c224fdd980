//! Project commands: `cargo xtask up | test | gen | tidy | bench | acceptance`.
fn main() {}
