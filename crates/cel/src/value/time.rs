//! Spans and points of time, in the ranges that the language gives them (langdef.md, "Overflow").

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::{Reason, cut};

/// A span of time of up to 292 years, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    nanoseconds: i64,
}

/// The units of a duration's text, in nanoseconds.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SECOND: i64 = 1_000_000_000;

impl Duration {
    /// A span of so many nanoseconds.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// How many nanoseconds it lasts.
    #[must_use]
    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    pub(crate) fn checked(nanoseconds: i128) -> Result<Self, Reason> {
        i64::try_from(nanoseconds)
            .map(Self::from_nanoseconds)
            .map_err(|_| Reason::Overflow("duration"))
    }

    /// Reads `1h30m`, `-1.5h`, `0`.
    pub(crate) fn parse(text: &str) -> Result<Self, Reason> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let total = match unsigned {
            "0" => 0,
            _ => parts(unsigned)
                .ok_or_else(|| Reason::invalid(format!("not a duration: {}", cut(text))))?,
        };
        Self::checked(if text.starts_with('-') { -total } else { total })
    }
}

/// Numbers with units, added up; saturates far outside of the range.
fn parts(mut text: &str) -> Option<i128> {
    let mut total: i128 = 0;
    if text.is_empty() {
        return None;
    }
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let name = rest.find(|c: char| c.is_ascii_digit() || c == '.');
        let (name, rest) = rest.split_at(name.unwrap_or(rest.len()));
        let (_, unit) = UNITS.iter().find(|(each, _)| *each == name)?;
        // 30 digits are more than any range has; what follows can only be zeros or out of range.
        let whole: i128 = match whole.trim_start_matches('0') {
            "" => 0,
            digits if digits.len() > 20 => i128::from(u64::MAX),
            digits => digits.parse().ok()?,
        };
        total = total.saturating_add(whole.saturating_mul(*unit));
        let mut scale = *unit;
        for digit in fraction.bytes().take(20) {
            // Digits below a nanosecond do not count, as in Go.
            total += i128::from(digit - b'0') * scale / 10;
            scale /= 10;
        }
        text = rest;
    }
    Some(total)
}

impl std::fmt::Display for Duration {
    /// Decimal seconds: `60.001s`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let magnitude = self.nanoseconds.unsigned_abs();
        if self.nanoseconds < 0 {
            f.write_char('-')?;
        }
        write!(f, "{}", magnitude / SECOND.unsigned_abs())?;
        let rest = magnitude % SECOND.unsigned_abs();
        if rest != 0 {
            let digits = format!("{rest:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_char('s')
    }
}

/// A point in time between the years 1 and 9999, to the nanosecond.
///
/// jiff's own ends a day before the range of the language does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: i32,
}

/// The first and the last second of what RFC 3339 can write.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const RANGE: Reason = Reason::Overflow("timestamp");

impl Timestamp {
    /// The point so many nanoseconds after 1970, if it is in the range.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i128) -> Option<Self> {
        let second = i128::from(SECOND);
        let seconds = i64::try_from(nanoseconds.div_euclid(second)).ok()?;
        Some(Self {
            seconds: SECONDS.contains(&seconds).then_some(seconds)?,
            nanoseconds: i32::try_from(nanoseconds.rem_euclid(second)).ok()?,
        })
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub fn nanoseconds(self) -> i128 {
        i128::from(self.seconds) * i128::from(SECOND) + i128::from(self.nanoseconds)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    pub(crate) fn from_seconds(seconds: i64) -> Result<Self, Reason> {
        Self::from_nanoseconds(i128::from(seconds) * i128::from(SECOND)).ok_or(RANGE)
    }

    /// Reads what RFC 3339 allows and nothing else.
    pub(crate) fn parse(text: &str) -> Result<Self, Reason> {
        let wrong = || Reason::invalid(format!("not a timestamp of RFC 3339: {}", cut(text)));
        let bytes = text.as_bytes();
        let digits = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits > 4 && bytes.get(digits) == Some(&b'-') {
            return Err(RANGE);
        }
        let (start, rest) = text.split_at_checked(19).ok_or_else(wrong)?;
        if !has_shape(start, "0000-00-00T00:00:00") || start.ends_with("60") {
            return Err(wrong());
        }
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => {
                let end = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                let (fraction, zone) = rest.split_at(end);
                (Some(fraction), zone)
            }
            None => (None, rest),
        };
        // What is finer than a nanosecond is cut off, as in Go.
        let fraction = match fraction {
            None => 0,
            Some("") => return Err(wrong()),
            Some(digits) => {
                let digits = digits.get(..9).unwrap_or(digits);
                format!("{digits:0<9}").parse().map_err(|_| wrong())?
            }
        };
        let offset: i64 = match zone {
            "Z" | "z" => 0,
            zone if has_shape(zone, "+00:00") || has_shape(zone, "-00:00") => {
                let number = |range| zone.get::<std::ops::Range<usize>>(range)?.parse().ok();
                let hours: i64 = number(1..3).filter(|hours| *hours < 24).ok_or_else(wrong)?;
                let minutes: i64 = number(4..6).filter(|all| *all < 60).ok_or_else(wrong)?;
                let offset = hours * 3_600 + minutes * 60;
                if zone.starts_with('-') {
                    -offset
                } else {
                    offset
                }
            }
            _ => return Err(wrong()),
        };
        let civil: DateTime = start.parse().map_err(|_| wrong())?;
        let seconds = civil
            .duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0))
            .as_secs();
        let whole = Self::from_seconds(seconds.saturating_sub(offset))?;
        Ok(Self {
            nanoseconds: fraction,
            ..whole
        })
    }

    /// A point so much later, or earlier.
    pub(crate) fn plus(self, nanoseconds: i128) -> Result<Self, Reason> {
        Self::from_nanoseconds(self.nanoseconds().saturating_add(nanoseconds)).ok_or(RANGE)
    }

    pub(crate) fn since(self, earlier: Self) -> Result<Duration, Reason> {
        Duration::checked(self.nanoseconds() - earlier.nanoseconds())
    }

    /// What clocks and calendars show in a zone.
    pub(crate) fn civil(self, zone: &TimeZone) -> Result<DateTime, Reason> {
        // No rule changes in the hours that jiff does not have.
        let known = jiff::Timestamp::from_second(self.seconds).unwrap_or(jiff::Timestamp::MAX);
        let offset = i64::from(zone.to_offset(known).seconds());
        let local =
            jiff::SignedDuration::new(self.seconds.saturating_add(offset), self.nanoseconds);
        DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
            .checked_add(local)
            .map_err(|_| RANGE)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    /// Of a time before the year 1, its first second.
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_nanoseconds(time.as_nanosecond()).unwrap_or(Self {
            seconds: *SECONDS.start(),
            nanoseconds: 0,
        })
    }
}

/// Whether a text has digits where the shape has them, and otherwise the same characters.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(found, wanted)| match wanted {
                b'0' => found.is_ascii_digit(),
                wanted => found.eq_ignore_ascii_case(&wanted),
            })
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339, in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let civil = self.civil(&TimeZone::UTC).map_err(|_| std::fmt::Error)?;
        write!(f, "{civil}Z")
    }
}
