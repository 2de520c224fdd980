//! All SQL of Seareeve: SQLite and PostgreSQL from the same queries.
//!
//! One module per noun, one function per query, named `noun::verb`; domain types go in and come out, rows and
//! SQL stay inside. Whoever reads only takes a [`Store`]; whatever must become true together takes a [`Tx`].
//! Time is a parameter. Nothing here matches packages or knows of HTTP.
//!
//! How both databases understand the same text:
//! - Statements are constants. They are not checked at compile time, because sqlx's macros check against one
//!   database only; instead every test of this crate runs on both. No value is ever glued into a statement.
//! - Placeholders are `$1`; types are `BIGINT`, `TEXT` and bytes; sums and counts are cast to `BIGINT`.
//! - Any number of rows goes in as one JSON parameter: `FROM json_each($1)`, columns by `value ->> 'name'`.
//!   SQLite has this built in, the first migration teaches it to PostgreSQL.
//! - Our own times are unix milliseconds. Times that others wrote (an image's, an advisory's) stay text, so
//!   that they come out as they went in.
//! - Text sorts by bytes, case is folded for ASCII only.
//! - `migrations/sqlite` and `migrations/postgres` hold the same tables and columns, which a test compares.
//!
//! Text out of images may hold NUL, which PostgreSQL cannot store: it becomes U+FFFD on both.

#![warn(clippy::indexing_slicing)]

pub mod admission;
pub mod alerts;
pub mod assets;
pub mod attestations;
pub mod audit_blocks;
pub mod audit_clusters;
pub mod audit_policies;
pub mod audit_sources;
pub mod backtests;
mod changes;
pub mod clusters;
mod columns;
pub mod connectors;
mod control_counts;
pub mod detections;
pub mod environments;
mod error;
pub mod exceptions;
pub mod exemptions;
mod exploitation;
pub mod health_counts;
mod ids;
pub mod image_uses;
pub mod images;
pub mod incidents;
pub mod intel_lists;
pub mod jobs;
pub mod join_tokens;
pub mod matches;
pub mod own_content;
pub mod packages;
mod page;
#[cfg(test)]
mod plans;
pub mod recommendation_settings;
mod rows;
pub mod scans;
pub mod scores;
pub mod sensors;
pub mod sessions;
pub mod settings;
pub mod sign_in_links;
mod store;
pub mod summary;
pub mod suppressions;
pub mod tokens;
pub mod users;
pub mod vex_documents;
pub mod vulnerabilities;

pub use changes::{Changes, SeverityCounts};
pub use error::StoreError;
pub use ids::{
    AlertId, AssetId, AttestationId, AuditClusterId, AuditSourceId, BacktestId, ConnectorId,
    ExceptionId, ExemptionId, ImageId, IncidentId, IntelListId, JobId, JoinTokenId, PackageId,
    ScanId, SensorId, SuppressionId, TokenId, TuningId, UserId, VexId, VulnerabilityId,
};
pub use page::{Cursor, Page};
pub use store::{DatabaseUrl, DatabaseUrlError, Dialect, Store, Tx};
