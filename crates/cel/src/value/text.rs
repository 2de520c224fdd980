//! Text and bytes, borrowed or shared; how numbers are written.

use std::ops::Deref;
use std::sync::Arc;

/// Text of a value.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of a document or of the program.
    Borrowed(&'a str),
    /// Made by an evaluation.
    Shared(Arc<str>),
}

/// Bytes of a value.
#[derive(Clone, Debug)]
pub enum Octets<'a> {
    /// Of the program or of the caller.
    Borrowed(&'a [u8]),
    /// Made by an evaluation.
    Shared(Arc<[u8]>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

impl Deref for Octets<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Octets<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Shared(bytes.into())
    }
}

/// A double as `string()` writes it: the shortest digits that mean it, with an exponent where Go has one.
pub(crate) fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        let text = if value > 0.0 { "+Inf" } else { "-Inf" };
        return text.to_owned();
    }
    let written = format!("{value:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}
