//! Reading rows: every value that cannot be understood becomes an error that names table, column and row.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use seareeve_model::{AlertSeverity, Severity};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row as _, Type};

use crate::{SeverityCounts, StoreError};

/// A row with what is needed to say where a bad value stands.
pub(crate) struct Columns<'r> {
    row: &'r AnyRow,
    table: &'static str,
    /// The columns of the query that tell which row of the table this is.
    keys: &'static [&'static str],
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r AnyRow, table: &'static str, keys: &'static [&'static str]) -> Self {
        Self { row, table, keys }
    }

    fn get<T: Decode<'r, Any> + Type<Any>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(column, &error))
    }

    /// The error that says that this column of this row cannot be understood.
    pub(crate) fn corrupt(&self, column: &'static str, why: &dyn Display) -> StoreError {
        let key = |name: &&str| match self.row.try_get::<i64, _>(*name) {
            Ok(number) => number.to_string(),
            Err(_not_a_number) => self.row.try_get(*name).unwrap_or_default(),
        };
        StoreError::Corrupt {
            table: self.table,
            column,
            row: self.keys.iter().map(key).collect::<Vec<_>>().join("/"),
            why: why.to_string(),
        }
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    /// A number that cannot be negative.
    pub(crate) fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        let number = self.int(column)?;
        T::try_from(number)
            .map_err(|_out_of_range| self.corrupt(column, &format!("{number} is out of range")))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    /// A number that may not be there, and cannot be negative.
    pub(crate) fn opt_count(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let number = self.opt_int(column)?;
        number.map(|_| self.count(column)).transpose()
    }

    pub(crate) fn hash(&self, column: &'static str) -> Result<[u8; 32], StoreError> {
        let bytes: Vec<u8> = self.get(column)?;
        bytes
            .as_slice()
            .try_into()
            .map_err(|error: std::array::TryFromSliceError| self.corrupt(column, &error))
    }

    /// One of our own times, kept as unix milliseconds.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(self.int(column)?).map_err(|error| self.corrupt(column, &error))
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.opt_int(column)?
            .map(|ms| Timestamp::from_millisecond(ms).map_err(|error| self.corrupt(column, &error)))
            .transpose()
    }

    /// A text with a checked form, such as a digest or a time that others wrote.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.text(column)?
            .parse()
            .map_err(|error| self.corrupt(column, &error))
    }

    pub(crate) fn opt_parsed<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.opt_text(column)?
            .map(|text| text.parse().map_err(|error| self.corrupt(column, &error)))
            .transpose()
    }

    /// A word of one of our enums, by its `parse`.
    pub(crate) fn word<T>(
        &self,
        column: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.corrupt(column, &format!("{text:?} is not a known word")))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.corrupt(column, &error))
    }

    pub(crate) fn opt_json<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| serde_json::from_str(&text).map_err(|error| self.corrupt(column, &error)))
            .transpose()
    }

    /// A severity, kept as 0 (unknown) to 4 (critical) so that it sorts.
    pub(crate) fn severity(&self, column: &'static str) -> Result<Severity, StoreError> {
        let number = self.int(column)?;
        usize::try_from(number)
            .ok()
            .and_then(|index| Severity::ALL.get(index).copied())
            .ok_or_else(|| self.corrupt(column, &format!("{number} is not a severity")))
    }

    /// The severity of an alert, kept as 0 (informational) to 3 (high) so that it sorts.
    pub(crate) fn alert_severity(&self, column: &'static str) -> Result<AlertSeverity, StoreError> {
        let number = self.int(column)?;
        AlertSeverity::ALL
            .into_iter()
            .find(|severity| alert_severity_number(*severity) == number)
            .ok_or_else(|| self.corrupt(column, &format!("{number} is not a severity")))
    }

    /// The columns `critical`, `high`, `medium`, `low` and `unknown`.
    pub(crate) fn severity_counts(&self) -> Result<SeverityCounts, StoreError> {
        Ok(SeverityCounts {
            critical: self.count("critical")?,
            high: self.count("high")?,
            medium: self.count("medium")?,
            low: self.count("low")?,
            unknown: self.count("unknown")?,
        })
    }
}

/// The number under which [`Columns::severity`] finds the severity again.
pub(crate) fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Unknown => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The number under which [`Columns::alert_severity`] finds the severity again.
pub(crate) fn alert_severity_number(severity: AlertSeverity) -> i64 {
    match severity {
        AlertSeverity::Informational => 0,
        AlertSeverity::Low => 1,
        AlertSeverity::Medium => 2,
        AlertSeverity::High => 3,
    }
}
