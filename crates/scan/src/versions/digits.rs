//! Numbers of any length, compared as text: versions hold dates, hashes and worse.

use std::cmp::Ordering;

/// Compares two runs of ASCII digits by value. An empty run counts as zero.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (significant(a), significant(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn significant(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Splits the leading run of bytes that `belongs` accepts from the rest.
pub(super) fn split(text: &[u8], belongs: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| belongs(**byte)).count();
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// Splits the leading digits, of which there must be one, from the rest.
pub(super) fn number(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (digits, rest) = split(text, |byte| byte.is_ascii_digit());
    (!digits.is_empty()).then_some((digits, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_value_without_a_limit() {
        assert_eq!(compare(b"007", b"7"), Ordering::Equal);
        assert_eq!(compare(b"", b"0"), Ordering::Equal);
        assert_eq!(compare(b"9", b"10"), Ordering::Less);
        let (a, b) = ("9".repeat(60), format!("1{}", "0".repeat(60)));
        assert_eq!(compare(a.as_bytes(), b.as_bytes()), Ordering::Less);
        assert_eq!(
            split(b"12ab", |b| b.is_ascii_digit()),
            (&b"12"[..], &b"ab"[..])
        );
    }
}
