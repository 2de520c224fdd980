//! Checks, benchmarks and exceptions on made-up assets, through the crate's front door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod editions;
mod exceptions;
mod hostile;
mod lab;
mod scope;
mod standing;
mod support;
mod threads;
mod verdicts;
