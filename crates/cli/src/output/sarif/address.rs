//! Addresses as RFC 3986 lets them be written.

/// A path as a relative reference (sections 2.3 and 4.2).
pub(super) fn of_path(path: &str) -> String {
    encode(path, b"-._~/")
}

/// An address whose other characters are written as `%XX`: records hold addresses as people typed them.
pub(super) fn of_reference(address: &str) -> String {
    encode(address, b"-._~:/?#[]@!$&'()*+,;=%")
}

fn encode(text: &str, stands: &[u8]) -> String {
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || stands.contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_that_may_not() {
        assert_eq!(of_path("usr/a b%:é"), "usr/a%20b%25%3A%C3%A9");
        assert_eq!(
            of_reference("https://a.example/%41?b=c#d <e>\u{1}"),
            "https://a.example/%41?b=c#d%20%3Ce%3E%01"
        );
    }
}
