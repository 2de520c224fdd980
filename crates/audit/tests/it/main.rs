//! The crate through its boundary: real rules over real recordings.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod coverage;
mod detections;
mod pages;
mod parity;
mod recordings;
mod redaction;
mod support;
