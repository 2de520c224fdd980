//! Every function of the store, on both databases: see [`both::both`].

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "test helpers are tests too, and say what they did not test"
)]

mod admission;
mod alerts;
mod both;
mod clusters;
mod compliance;
mod connectors;
mod detections;
mod environments;
mod exploitation;
mod findings;
mod health_counts;
mod image_uses;
mod images;
mod intel_lists;
mod jobs;
mod lists;
mod matches;
mod own_content;
mod people;
mod posture;
mod rejudge;
mod sample;
mod scans;
mod schema;
mod secrets;
mod sensors;
mod statements;
mod vex;
