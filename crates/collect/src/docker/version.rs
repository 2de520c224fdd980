//! Versions of engines as numbers.

/// The leading numbers of a version: `[20, 10, 24]` for `20.10.24+dfsg1`.
pub(crate) fn numbers(version: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    for part in version.trim_start_matches('v').split('.').take(4) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse() else {
            break;
        };
        numbers.push(number);
        if digits.len() != part.len() {
            break;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_begin_with_numbers() {
        for (version, expected) in [
            ("20.10.24+dfsg1", vec![20, 10, 24]),
            ("1.6.20~ds1", vec![1, 6, 20]),
            ("v1.7.2", vec![1, 7, 2]),
            ("28.0.0-rc.1", vec![28, 0, 0]),
            ("dev", vec![]),
            ("99999999999.1", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(numbers(version), expected, "{version}");
        }
    }
}
