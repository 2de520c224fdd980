//! The rule engine through its front door: files in, alerts out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conditions;
mod content;
mod correlations;
mod engine;
mod files;
mod hostile;
mod public;
mod support;
mod syntax;
mod tuning;
