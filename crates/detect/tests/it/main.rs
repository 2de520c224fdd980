//! The rule engine through its front door: files in, alerts out.

mod conditions;
mod content;
mod correlations;
mod engine;
mod files;
mod hostile;
mod public;
mod support;
mod syntax;
