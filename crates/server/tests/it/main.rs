//! The server as its clients see it: over HTTP, on a real store, with real images.

mod access;
mod matching;
mod scanning;
mod support;
