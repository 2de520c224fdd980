//! The binary as its users run it: arguments in, text and exit code out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod db;
mod detect;
mod docker;
mod formats;
mod image;
mod java;
mod k8s;
mod manners;
mod places;
mod sbom;
mod secrets;
mod sensor;
mod server;
mod support;
mod suppressions;
mod truth;
