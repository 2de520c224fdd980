//! A string of JSON as it stands in the text.

use std::borrow::Cow;

/// What stands between the quotes of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a [u8],
    is_escaped: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn new(raw: &'a [u8], is_escaped: bool) -> Self {
        Self { raw, is_escaped }
    }

    /// The bytes between the quotes, escapes as they are.
    pub(crate) fn raw(self) -> &'a [u8] {
        self.raw
    }

    pub(crate) fn is_escaped(self) -> bool {
        self.is_escaped
    }

    pub(crate) fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Whether it is `other`, however it is written: a patch is logged as its sender wrote it.
    #[inline]
    pub(crate) fn is(self, other: &str) -> bool {
        match self.is_escaped {
            false => self.raw == other.as_bytes(),
            true => self.decode() == other,
        }
    }

    /// The text itself. What is no UTF-8 or no escape becomes U+FFFD: nothing that a name or command could be.
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.is_escaped {
            return Cow::Owned(unescape(self.raw));
        }
        // Nearly always; the other way is much slower in finding out.
        std::str::from_utf8(self.raw)
            .map_or_else(|_| String::from_utf8_lossy(self.raw), Cow::Borrowed)
    }
}

fn unescape(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        let (before, escaped) = rest.split_at_checked(plain).unwrap_or((rest, b""));
        out.push_str(&String::from_utf8_lossy(before));
        let [b'\\', kind, behind @ ..] = escaped else {
            return out;
        };
        rest = behind;
        out.push(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => unicode(&mut rest),
            _ => char::REPLACEMENT_CHARACTER,
        });
    }
    out
}

/// The character of `\uXXXX`, and of a second half behind it. `rest` begins behind the `u`.
fn unicode(rest: &mut &[u8]) -> char {
    let Some(first) = hex(rest) else {
        return char::REPLACEMENT_CHARACTER;
    };
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    let Some(mut behind) = rest.strip_prefix(b"\\u") else {
        return char::REPLACEMENT_CHARACTER;
    };
    match hex(&mut behind) {
        Some(second @ 0xdc00..0xe000) => {
            *rest = behind;
            let high = first.wrapping_sub(0xd800) << 10;
            let low = second.wrapping_sub(0xdc00);
            char::from_u32(0x1_0000_u32.wrapping_add(high | low))
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::REPLACEMENT_CHARACTER,
    }
}

fn hex(rest: &mut &[u8]) -> Option<u32> {
    let (digits, behind) = rest.split_at_checked(4)?;
    let mut value = 0_u32;
    for digit in digits {
        value = (value << 4) | char::from(*digit).to_digit(16)?;
    }
    *rest = behind;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        for raw in [
            r"plain",
            r#"a\"b\\c\/d"#,
            r"\b\f\n\r\t",
            r"\u00e9\ud83d\ude00\u0000",
            "é \u{1f600}",
        ] {
            let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            let text = Text::new(raw.as_bytes(), raw.contains('\\'));
            assert_eq!(text.decode(), expected);
        }
    }

    #[test]
    fn what_is_escaped_is_the_same() {
        assert!(Text::new(br"\u0070rivileged", true).is("privileged"));
        assert!(!Text::new(br"\u0070rivileged", true).is(r"\u0070rivileged"));
    }

    #[test]
    fn what_is_no_escape_does_no_harm() {
        for (raw, expected) in [
            (&br"\ud83d"[..], "\u{fffd}"),
            (br"\ud83d\u0041", "\u{fffd}A"),
            (br"\udc00x", "\u{fffd}x"),
            (br"\u12", "\u{fffd}12"),
            (br"\x41", "\u{fffd}41"),
            (b"a\\", "a"),
            (b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(Text::new(raw, true).decode(), expected);
        }
    }
}
