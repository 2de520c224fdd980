//! Ages of what engines have.

use jiff::Timestamp;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whole days from `time` to `now`. Nothing for what is no time, and for Go's zero, which means never.
pub(crate) fn days(time: &str, now: Timestamp) -> Option<i64> {
    let then: Timestamp = time.parse().ok()?;
    (then.as_second() > 0).then(|| since(then.as_second(), now))
}

/// Whole days from `seconds` after the epoch to `now`; what lies ahead is 0 days ago.
pub(crate) fn since(seconds: i64, now: Timestamp) -> i64 {
    now.as_second()
        .saturating_sub(seconds)
        .max(0)
        .div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_days() {
        let now = "2026-01-10T12:00:00Z".parse().unwrap();
        for (time, expected) in [
            ("2026-01-10T11:00:00.123456789Z", Some(0)),
            ("2026-01-08T13:00:00+01:00", Some(2)),
            ("2027-01-01T00:00:00Z", Some(0)),
            ("0001-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(days(time, now), expected, "{time}");
        }
    }
}
