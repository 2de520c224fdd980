//! Checks, benchmarks and exceptions on made-up assets, through the crate's front door.

mod exceptions;
mod hostile;
mod support;
mod verdicts;
