//! Packages, advisories, and what matches.
//!
//! `ecosystems` turn wanted files into packages, `advisories` turn OSV records into one mapped file,
//! `versions` order versions exactly as each ecosystem does, and `matching` joins the two. Synchronous and
//! pure, but for opening and writing the advisory file; nothing here knows a server, a store or a user.

#![warn(clippy::indexing_slicing)]

pub mod advisories;
pub mod ecosystems;
mod matching;
pub mod secrets;
pub mod starter;
pub mod versions;

pub use matching::{Matches, match_inventory, match_package};
