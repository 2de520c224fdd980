//! The advisory database as users see it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the advisory database is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Database {
    /// `starter` (the small built-in set: true, but far from complete) or `full`.
    pub kind: String,
    /// Digest of its content.
    pub digest: String,
    /// When it was built.
    #[schema(value_type = String, format = DateTime)]
    pub built: Timestamp,
    /// Number of advisory records.
    pub advisories: u64,
    /// Number of records that were left out, because they say of bug fixes or enhancements and of no vulnerability.
    #[serde(default)]
    pub bug_fixes: u64,
    /// By ecosystem.
    pub sources: Vec<DatabaseSource>,
    /// CISA's catalogue of exploited vulnerabilities, when the database was built with it.
    #[serde(default)]
    pub known_exploited: Option<DatabaseFeed>,
    /// FIRST's EPSS scores, when the database was built with them.
    #[serde(default)]
    pub epss: Option<DatabaseFeed>,
}

/// A feed that rates vulnerabilities which the advisories describe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseFeed {
    /// The day of its edition.
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    /// Entries of that edition.
    pub entries: u64,
    /// Entries that speak of a vulnerability of this database.
    pub used: u64,
}

/// One ecosystem's share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseSource {
    /// OSV ecosystem, such as `Debian`.
    pub ecosystem: String,
    /// Number of records.
    pub advisories: u64,
    /// When the newest of them last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub newest: Option<Timestamp>,
}

impl From<seareeve_model::DatabaseInfo> for Database {
    fn from(info: seareeve_model::DatabaseInfo) -> Self {
        let source = |source: seareeve_model::DatabaseSource| DatabaseSource {
            ecosystem: source.ecosystem,
            advisories: source.advisories,
            newest: source.newest,
        };
        Self {
            kind: info.kind.as_str().to_owned(),
            digest: info.digest.to_string(),
            built: info.built,
            advisories: info.advisories,
            bug_fixes: info.bug_fixes,
            sources: info.sources.into_iter().map(source).collect(),
            known_exploited: info.known_exploited.map(DatabaseFeed::from),
            epss: info.epss.map(DatabaseFeed::from),
        }
    }
}

impl From<seareeve_model::DatabaseFeed> for DatabaseFeed {
    fn from(feed: seareeve_model::DatabaseFeed) -> Self {
        Self {
            date: feed.date,
            entries: feed.entries,
            used: feed.used,
        }
    }
}
