//! The server as its clients see it: over HTTP, on a real store, with real images.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod clouds;
mod hosts;
mod java;
mod judgement;
mod matching;
mod registries;
mod scanning;
mod support;
