//! Kubernetes audit events: read from whatever brings them, seen through the fields that rules name, put into what was
//! known before, and taken clean of credentials before anything leaves.
//!
//! Pure: no I/O, no clock. Rules are for `seareeve-detect`; this crate is one of its sources.

#![warn(clippy::indexing_slicing)]

mod cluster;
mod coverage;
mod event;
mod examples;
mod fields;
mod image;
mod json;
mod known;
mod patch;
mod portrait;
mod record;
mod redact;
mod source;
mod uri;
mod user;

pub use cluster::cluster_uid;
pub use coverage::{Arrived, Blind, Level, Policy, PolicyError, Request, coverage, policy_for};
pub use event::AuditEvent;
pub use examples::run_examples;
pub use fields::{AuditSource, SOURCE};
pub use known::{State, StateError};
pub use record::{Record, Stage, Unreadable};
pub use redact::{Redacted, redact, redact_alert};
pub use source::{Documents, Found, unpack};
