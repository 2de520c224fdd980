//! Amounts as Kubernetes writes them: `500m`, `1.5Gi`, `1e3` (its API conventions, "Quantities").

use std::cmp::Ordering;

/// An amount, exact to a billionth; as in Kubernetes, what is finer is rounded away from zero.
#[derive(Clone, Debug)]
pub(crate) struct Quantity {
    billionths: i128,
    /// As it was written, if it was.
    written: Option<Box<str>>,
}

const ONE: i128 = 1_000_000_000;

/// The suffixes but for exponents: powers of ten, from a billionth, and powers of 1024.
const DECIMAL: &[(&str, u32)] = &[
    ("n", 0),
    ("u", 3),
    ("m", 6),
    ("", 9),
    ("k", 12),
    ("M", 15),
    ("G", 18),
    ("T", 21),
    ("P", 24),
    ("E", 27),
];
const BINARY: &[(&str, u32)] = &[
    ("Ki", 1),
    ("Mi", 2),
    ("Gi", 3),
    ("Ti", 4),
    ("Pi", 5),
    ("Ei", 6),
];

impl Quantity {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // No amount of 64 bits is longer than that with all its digits.
        const LONGEST: usize = 64;
        if text.len() > LONGEST {
            return None;
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let digits: i128 = match format!("{whole}{fraction}").trim_start_matches('0') {
            "" => 0,
            digits => digits.parse().ok()?,
        };
        let places = i32::try_from(fraction.len()).ok()?;
        let magnitude = scaled(digits, places, suffix)?;
        Some(Self {
            billionths: if text.starts_with('-') {
                -magnitude
            } else {
                magnitude
            },
            written: Some(text.into()),
        })
    }

    pub(crate) fn from_int(value: i64) -> Self {
        Self {
            billionths: i128::from(value) * ONE,
            written: None,
        }
    }

    /// The amount as an int, if it is whole and one.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self.billionths % ONE {
            0 => i64::try_from(self.billionths / ONE).ok(),
            _ => None,
        }
    }

    pub(crate) fn as_double(&self) -> f64 {
        match self.as_int() {
            Some(whole) => whole as f64,
            None => self.billionths as f64 / ONE as f64,
        }
    }

    pub(crate) fn sign(&self) -> i64 {
        self.billionths.signum() as i64
    }

    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            billionths: self.billionths.checked_add(other.billionths)?,
            written: None,
        })
    }

    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            billionths: self.billionths.checked_sub(other.billionths)?,
            written: None,
        })
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.billionths.cmp(&other.billionths)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.billionths == other.billionths
    }
}

/// Billionths of digits with so many of them behind the point, and a suffix.
fn scaled(digits: i128, places: i32, suffix: &str) -> Option<i128> {
    let power = if let Some((_, power)) = BINARY.iter().find(|(each, _)| *each == suffix) {
        let unit = 1024i128.checked_pow(*power)?;
        return powered(digits.checked_mul(unit)?, 9 - places);
    } else if let Some((_, power)) = DECIMAL.iter().find(|(each, _)| *each == suffix) {
        i32::try_from(*power).ok()?
    } else {
        let exponent = suffix.strip_prefix(['e', 'E'])?;
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        9 + exponent.parse::<i32>().ok()?
    };
    powered(digits, power - places)
}

/// Times a power of ten; what that cuts off is rounded up.
fn powered(value: i128, power: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let factor = 10i128.checked_pow(power.unsigned_abs());
    match (power >= 0, factor) {
        (true, factor) => value.checked_mul(factor?),
        (false, Some(factor)) => Some(value / factor + i128::from(value % factor != 0)),
        (false, None) => Some(1),
    }
}

impl std::fmt::Display for Quantity {
    /// With the largest suffix that leaves a whole number, if it was not written otherwise.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(written) = &self.written {
            return f.write_str(written);
        }
        let fitting = DECIMAL.iter().rev().find_map(|(suffix, power)| {
            let unit = 10i128.pow(*power);
            (self.billionths % unit == 0).then(|| (self.billionths / unit, suffix))
        });
        match fitting {
            Some((0, _)) | None => f.write_str("0"),
            Some((number, suffix)) => write!(f, "{number}{suffix}"),
        }
    }
}
