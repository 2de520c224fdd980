//! Packages, advisories, and what matches.
//!
//! `ecosystems` turn wanted files into packages, `advisories` turn OSV records into one mapped file,
//! `versions` order versions exactly as each ecosystem does, and `matching` joins the two. What then counts is settled
//! by `vex` and `ignore`, in that order; `releases` knows how long distributions are looked after. `sbom` writes what
//! was found for others, and reads what others found. Synchronous and
//! pure, but for opening and writing the advisory file; nothing here knows a server, a store or a user.

#![warn(clippy::indexing_slicing)]

pub mod advisories;
mod bytes;
pub mod ecosystems;
mod examiner;
pub mod ignore;
mod matching;
mod pattern;
pub mod purpose;
pub mod releases;
pub mod sbom;
pub mod secrets;
mod sqlite;
pub mod starter;
pub mod versions;
pub mod vex;

pub use examiner::{Examined, Examiner, RaisingFile, Scanner};
pub use matching::{Matches, match_inventory, match_package};
