//! What queries of lists have in common, and numbers that several answers show.

use seareeve_api as api;
use seareeve_model::PackageKind;
use seareeve_store::{Cursor, SeverityCounts};

use crate::error::{ApiError, ApiResult};

/// A list that is separated by commas.
pub(super) fn listed(text: Option<String>) -> Vec<String> {
    text.iter()
        .flat_map(|text| text.split(','))
        .map(str::to_owned)
        .filter(|item| !item.is_empty())
        .collect()
}

/// A word of the model.
pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> ApiResult<T> {
    text.parse()
        .map_err(|error: T::Err| ApiError::bad_request(error.to_string()))
}

/// A type of packages.
pub(super) fn kind(text: &str) -> ApiResult<PackageKind> {
    PackageKind::parse(text)
        .ok_or_else(|| ApiError::bad_request(format!("{text:?} is no package type")))
}

/// Any text is taken; the list refuses what it did not make.
pub(super) fn cursor(text: Option<String>) -> Option<Cursor> {
    text.map(|text| match text.parse() {
        Ok(cursor) => cursor,
        Err(never) => match never {},
    })
}

/// Where the next page begins, for `cursor`.
pub(super) fn next(cursor: Option<Cursor>) -> Option<String> {
    cursor.as_ref().map(Cursor::to_string)
}

/// Numbers by severity.
pub(super) fn counts(counts: SeverityCounts) -> api::SeverityCounts {
    api::SeverityCounts {
        critical: counts.critical,
        high: counts.high,
        medium: counts.medium,
        low: counts.low,
        unknown: counts.unknown,
    }
}

/// How many rows a page has: 50 unless asked for otherwise.
pub(super) fn limit(asked: Option<u32>) -> usize {
    let limit = asked.unwrap_or(50).clamp(1, api::MAX_PAGE);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
