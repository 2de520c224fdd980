//! Values on their way into a statement: many rows as one JSON parameter, foreign text made storable.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// How many rows go into one statement: enough that the round trip does not count, few enough that
/// the JSON of rows with long descriptions stays at some megabytes.
pub(crate) const BATCH: usize = 500;

/// The rows as the parameter of `json_each($1)`.
pub(crate) fn rows<T: Serialize>(rows: &[T]) -> String {
    json(&rows)
}

/// A value for a JSON column.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our row structs have text keys and no failing Serialize")
}

/// Numbers for `CAST(value ->> 'n' AS BIGINT)`.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = i64>) -> String {
    #[derive(Serialize)]
    struct Number {
        n: i64,
    }
    rows(
        &numbers
            .into_iter()
            .map(|n| Number { n })
            .collect::<Vec<_>>(),
    )
}

/// Texts for `value ->> 't'`.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    #[derive(Serialize)]
    struct Text<'a> {
        t: &'a str,
    }
    rows(&texts.into_iter().map(|t| Text { t }).collect::<Vec<_>>())
}

/// Foreign text as both databases can hold it: PostgreSQL has no NUL in text.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A short hash over all fields of a row, as hexadecimal text. 128 bits: two rows that differ do not meet.
pub(crate) fn fingerprint<T: Serialize>(row: &T) -> String {
    let digest = Sha256::digest(json(row));
    let mut text = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The pattern for `lower(column) LIKE $1 ESCAPE '!'` that finds `text` anywhere; empty for an empty text.
pub(crate) fn contains_pattern(text: &str) -> String {
    let text = clean(text.trim()).to_ascii_lowercase();
    if text.is_empty() {
        return text;
    }
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A size as both databases hold it. No disk has more than `i64::MAX` bytes.
pub(crate) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A limit or position as both databases hold it.
pub(crate) fn int(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_the_text_itself() {
        assert_eq!(contains_pattern("  "), "");
        assert_eq!(contains_pattern("LibC_6%!"), "%libc!_6!%!!%");
    }

    #[test]
    fn fingerprints_tell_fields_apart() {
        assert_ne!(fingerprint(&("a", "bc")), fingerprint(&("ab", "c")));
        assert_eq!(fingerprint(&"x").len(), 32);
    }
}
