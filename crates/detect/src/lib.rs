//! Events × rules → alerts: Falco's language, the engine that evaluates it, and what Falco has no word for.
//!
//! The engine knows no Kubernetes and no system call: a [`Source`] says which fields there are, an [`Event`] gives
//! their values when they are asked for. This crate does no I/O, has no clock, and never panics on input.

#![warn(clippy::indexing_slicing)]

pub mod source;

pub use source::{
    Argument, Event, Field, FieldError, FieldInfo, Kind, Presence, Shape, Source, Value, Values,
};
