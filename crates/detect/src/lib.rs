//! Events × rules → alerts: Falco's language, the engine that evaluates it, and what Falco has no word for.
//!
//! The engine knows no Kubernetes and no system call: a [`Source`] says which fields there are, an [`Event`] gives
//! their values when they are asked for. This crate does no I/O, has no clock, and never panics on input.

#![warn(clippy::indexing_slicing)]

mod compile;
mod content;
mod detection;
mod engine;
mod examples;
mod language;
mod load;
mod memory;
mod pattern;
mod rules;
pub mod source;
pub mod sources;
mod template;
mod yaml;

pub use content::{Content, ListInfo};
pub use detection::Example;
pub use engine::{Detector, Engine, Matching, Rule, RuleKind};
pub use examples::{ExampleResult, play_examples, run_examples};
pub use load::{Loaded, Loader, Options, UnknownFields};
pub use memory::{MemoryError, MemoryUse};
pub use rules::{Code, Diagnostic};
pub use source::{
    Argument, ArgumentInfo, Event, Field, FieldError, FieldInfo, Kind, Presence, Shape, Source,
    Value, Values,
};
