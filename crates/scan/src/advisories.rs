//! Advisories: OSV records become one immutable file, which is opened by mapping it.
//!
//! ```text
//! zips, JSON ── inputs ─→ Builder ── classes, vulnerability, compile ─→ file ── Database ─→ matching
//! ```
//! `osv` reads records, `rating` rates them, `held` and `spool` keep them while building, `classes` finds
//! out which vulnerability a record speaks of, `vulnerability` gathers what is known of it, `module` says which
//! packages of Red Hat's modules it means, `compile` writes, `format` and `stored` are the file's shape,
//! `database` reads it, `changes` compares two files.
//! `signals` reads the feeds that say which vulnerabilities are exploited, or may be.

mod builder;
mod changes;
mod classes;
mod compile;
mod database;
pub(crate) mod ecosystem;
mod format;
mod held;
mod inputs;
pub(crate) mod module;
mod osv;
mod rating;
mod signals;
mod spool;
pub(crate) mod stored;
mod vulnerability;

#[cfg(test)]
mod tests;

pub use builder::{BuildError, BuildProgress, BuildReport, Builder, Sources, build};
pub use changes::changed_names;
pub(crate) use database::Texts;
pub use database::{Database, DatabaseError};
pub use ecosystem::{base, indexed_name, keys_of};
pub use osv::OsvRecord;
pub use signals::{Catalogue, FeedError, Scores};
