//! Everything that Seareeve fetches from outside. It brings bytes or facts and says what it could not bring; what
//! they mean is judged elsewhere.

#![warn(clippy::indexing_slicing)]

pub mod azure;
pub mod docker_host;
pub mod feeds;
pub mod kubernetes;

mod docker;
mod host;
mod redact;
mod shape;
