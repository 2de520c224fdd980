//! The rule engine through its front door: files in, alerts out.

mod conditions;
mod files;
mod public;
mod support;
mod syntax;
