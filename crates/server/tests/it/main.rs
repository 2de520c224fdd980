//! The server as its clients see it: over HTTP, on a real store, with real images.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot begin says so"
)]

mod access;
mod admission;
mod alerts;
mod clouds;
mod clusters;
mod compliance;
mod detections;
mod environments;
#[expect(
    dead_code,
    reason = "the fake is another crate's, whose tests use more of it"
)]
#[path = "../../../collect/tests/kubernetes/fake.rs"]
mod fake;
mod hosts;
mod images_in_use;
mod intel;
mod java;
mod judgement;
mod kafka;
mod matching;
mod own_checks;
mod registries;
mod scanning;
mod sides;
mod support;
mod tls;
