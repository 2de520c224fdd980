//! Docker's and Podman's engines: where they listen, and asking them within limits.
//!
//! An engine may be broken, or somebody else's: its replies have limits of bytes and of time, and none of them
//! is trusted to be what was asked for. What replies mean is for the caller to know.

#![warn(clippy::indexing_slicing)]

mod client;
mod endpoint;
mod follow;
mod socket;

use ureq::config::Config;

pub use client::{AskError, Client, Limits};
pub use endpoint::{Endpoint, EndpointError};
pub use follow::Heard;

/// An HTTP client whose every connection leads to `endpoint`.
#[must_use]
pub fn agent(endpoint: &Endpoint, config: Config) -> ureq::Agent {
    match endpoint {
        Endpoint::Unix(path) => {
            ureq::Agent::with_parts(config, socket::UnixConnector::new(path), socket::Nowhere)
        }
        Endpoint::Tcp(_) => config.into(),
    }
}
