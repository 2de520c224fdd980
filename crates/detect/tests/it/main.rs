//! The rule engine through its front door: files in, alerts out.







mod public;
mod support;

