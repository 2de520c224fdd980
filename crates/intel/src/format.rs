//! Which form a list has.

use crate::entry::Kind;
use crate::reading::{Collector, MOST_BYTES, Reading};
use crate::{csv, misp, plain, stix};

/// The form of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// By what is in it: STIX and MISP are told by their keys, everything else is plain.
    #[default]
    Auto,
    /// One on a line, with comments.
    Plain,
    /// A column of a table.
    Csv {
        /// Which one.
        column: Column,
        /// Between columns.
        separator: u8,
    },
    /// A bundle of STIX 2.1 with indicators.
    Stix,
    /// Events or attributes of MISP, or one of its warning lists.
    Misp,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// From 1.
    Number(usize),
    /// As its first line names it.
    Name(String),
}

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is larger than any that is read.
    #[error("{0} bytes, of which {MOST_BYTES} are read")]
    Large(usize),
    /// It is no text.
    #[error("it is no text")]
    NoText,
    /// It is a page for people, as proxies and portals send them.
    #[error("it is a page (HTML), not a list")]
    Page,
    /// It is no JSON, or ends before its end.
    #[error("it is no JSON")]
    Json(#[source] serde_json::Error),
    /// It is JSON of another form.
    #[error("it is no {0}")]
    Other(&'static str),
    /// It has no such column.
    #[error("it has no column {0}")]
    NoColumn(String),
}

impl Format {
    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Plain => "plain",
            Self::Csv { .. } => "csv",
            Self::Stix => "stix",
            Self::Misp => "misp",
        }
    }
}

/// Reads a list, of which entries of the kinds `wanted` are used.
///
/// # Errors
/// When nothing of it can be read. Single entries that cannot be used are counted in the result.
pub fn read(bytes: &[u8], format: &Format, wanted: &[Kind]) -> Result<Reading, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::Large(bytes.len()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(Unreadable::NoText);
    }
    let text = String::from_utf8_lossy(bytes);
    let start = text.trim_start();
    let begins = |with: &str| {
        let begin = start.get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    if begins("<!doctype") || begins("<html") {
        return Err(Unreadable::Page);
    }
    let mut collector = Collector::new(wanted);
    match format {
        Format::Auto if start.starts_with(['{', '[']) => {
            let value = json(&text)?;
            if stix::is_bundle(&value) {
                stix::read(&value, &mut collector)?;
            } else {
                misp::read(&value, &mut collector)?;
            }
        }
        Format::Auto | Format::Plain => plain::read(&text, &mut collector),
        Format::Csv { column, separator } => csv::read(&text, column, *separator, &mut collector)?,
        Format::Stix => stix::read(&json(&text)?, &mut collector)?,
        Format::Misp => misp::read(&json(&text)?, &mut collector)?,
    }
    Ok(collector.finish())
}

/// The depth is bounded by the library.
fn json(text: &str) -> Result<serde_json::Value, Unreadable> {
    serde_json::from_str(text).map_err(Unreadable::Json)
}
