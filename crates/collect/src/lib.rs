//! Everything that Seareeve fetches from outside. It brings bytes or facts and says what it could not bring; what
//! they mean is judged elsewhere.

#![warn(clippy::indexing_slicing)]

pub mod azure;
pub mod docker_host;
pub mod feeds;
pub mod kubernetes;
pub mod lists;
pub mod steady;
#[cfg(target_os = "linux")]
pub mod watch;

mod certificate;
mod docker;
mod host;
mod shape;

pub use certificate::{ServerCertificate, server_certificate};
