//! The binary as its users run it: arguments in, text and exit code out.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot begin says so"
)]

mod admission;
mod audit;
mod authority;
mod azure;
mod both_ways;
mod chart;
mod db;
mod detect;
mod docker;
mod ending;
mod estate;
#[expect(
    dead_code,
    reason = "the fake is another crate's, whose tests use more of it"
)]
#[path = "../../../collect/tests/kubernetes/fake.rs"]
mod fake;
mod formats;
mod gate;
mod gate_images;
mod hostile_events;
mod image;
mod java;
mod k8s;
mod manners;
mod node;
mod observer;
mod own;
mod places;
mod sbom;
mod secrets;
mod sensor;
mod server;
mod simulate;
mod support;
mod suppressions;
mod truth;
