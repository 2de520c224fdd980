//! The server as its clients see it: over HTTP, on a real store, with real images.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot begin says so"
)]

mod access;
mod alerts;
mod compliance;
mod environments;
mod hosts;
mod java;
mod judgement;
mod matching;
mod own_checks;
mod registries;
mod scanning;
mod support;
