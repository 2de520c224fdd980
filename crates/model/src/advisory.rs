//! What is known about a vulnerability, for people; and where a database of such knowledge came from.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::Digest;

/// A CVSS vector with the score computed from it.
#[derive(Clone, Debug, PartialEq)]
pub struct CvssVector {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub version: String,
    /// The vector as published.
    pub vector: String,
    /// Base score, 0.0 to 10.0.
    pub score: f64,
}

/// A link with the kind that OSV gives it (`ADVISORY`, `FIX`, `WEB`, …).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// OSV's reference type.
    pub kind: String,
    /// The address. Only `http` and `https` addresses are kept.
    pub url: String,
}

/// How much an advisory database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatabaseKind {
    /// The small set built into the program: true, but far from complete.
    Starter,
    /// Built from OSV archives.
    Full,
}

impl DatabaseKind {
    /// The stable name used on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Full => "full",
        }
    }
}

/// One ecosystem's share of an advisory database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSource {
    /// OSV ecosystem without release: `Debian`, `PyPI`.
    pub ecosystem: String,
    /// Records read and kept.
    pub advisories: u64,
    /// Newest `modified` among them.
    pub newest: Option<Timestamp>,
}

/// What an advisory database holds of a feed that rates vulnerabilities which others describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFeed {
    /// The day of the feed's edition.
    pub date: Date,
    /// Entries of that edition.
    pub entries: u64,
    /// Entries that speak of a vulnerability of this database.
    pub used: u64,
}

/// What an advisory database is made of. Every finding can be traced to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Starter set or full.
    pub kind: DatabaseKind,
    /// Digest of the database's content.
    pub digest: Digest,
    /// When it was built. The starter set has the date of its facts.
    pub built: Timestamp,
    /// All records that speak of vulnerabilities.
    pub advisories: u64,
    /// Records of bug fixes and enhancements without a vulnerability, which were left out.
    pub bug_fixes: u64,
    /// By ecosystem, sorted.
    pub sources: Vec<DatabaseSource>,
    /// CISA's catalogue of exploited vulnerabilities, when the database was built with it.
    pub known_exploited: Option<DatabaseFeed>,
    /// FIRST's EPSS scores, when the database was built with them.
    pub epss: Option<DatabaseFeed>,
}
