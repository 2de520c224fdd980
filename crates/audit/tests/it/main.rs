//! The crate through its boundary: real rules over real recordings.

mod coverage;
mod detections;
mod pages;
mod parity;
mod recordings;
mod redaction;
mod support;
