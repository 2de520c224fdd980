//! Kubernetes audit events: read from whatever brings them, seen through the fields that rules name, put into what was
//! known before, and taken clean of credentials before anything leaves.
//!
//! Pure: no I/O, no clock. Rules are for `seareeve-detect`; this crate is one of its sources.

#![warn(clippy::indexing_slicing)]

mod addresses;
mod bodies;
mod cluster;
mod coverage;
mod destination;
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
mod told;
mod uri;
mod user;

pub use addresses::{Addresses, address_class};
pub use bodies::{Fault, Form, MOST_EVENT, MOST_UNPACKED, Part, events_in};
pub use cluster::cluster_uid;
pub use coverage::{
    Arrived, Blind, Level, Policy, PolicyError, Request, Seen, Sight, coverage, policy_for, sight,
};
pub use event::AuditEvent;
pub use examples::{run_examples, run_examples_of};
pub use fields::{AuditSource, SOURCE};
pub use known::{State, StateError};
pub use record::{Record, Stage, Unreadable};
pub use redact::{MARK, Redacted, WITHOUT_BODIES, redact, redact_alert, redact_bodies};
pub use source::{Documents, Found, unpack};
