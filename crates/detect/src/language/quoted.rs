//! Texts in quotes, and what a backslash means in them.

/// The text between quotes that begins at the start of `input`, and how many bytes it takes with its quotes. Nothing
/// when `input` does not begin with a quote, or the quote does not end.
///
/// # Errors
/// When a backslash stands before something that it cannot.
pub(super) fn read(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let Some(&quote) = input.first().filter(|byte| matches!(byte, b'"' | b'\'')) else {
        return Ok(None);
    };
    // As Falco finds the end: a quote that has no backslash before it, whatever stands before that one.
    let mut end = None;
    let mut before = quote;
    for (at, &byte) in input.iter().enumerate().skip(1) {
        if byte == quote && before != b'\\' {
            end = Some(at);
            break;
        }
        before = byte;
    }
    let Some(end) = end else {
        return Ok(None);
    };
    let inner = input.get(1..end).unwrap_or_default();
    Ok(Some((unescape(inner, quote)?, end.saturating_add(1))))
}

fn unescape(inner: &[u8], quote: u8) -> Result<Vec<u8>, String> {
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let Some(escaped) = bytes.next() else {
            return Err("a backslash at the end of a text".to_owned());
        };
        text.push(match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            // Falco keeps this one for rules that were escaped wrongly.
            b' ' | b'\\' => b'\\',
            b'/' => b'/',
            b'"' | b'\'' if escaped == quote => escaped,
            b'"' | b'\'' => {
                return Err(format!(
                    "\\{} in a text in {}",
                    char::from(escaped),
                    char::from(quote)
                ));
            }
            b'x' => {
                let digit = |byte: Option<u8>| {
                    let digit = byte.and_then(|byte| char::from(byte).to_digit(16));
                    digit.and_then(|digit| u8::try_from(digit).ok())
                };
                match (digit(bytes.next()), digit(bytes.next())) {
                    (Some(high), Some(low)) => (high << 4) | low,
                    _ => return Err("\\x wants two hexadecimal digits".to_owned()),
                }
            }
            other => {
                return Err(format!(
                    "\\{} is no escape",
                    char::from(other).escape_default()
                ));
            }
        });
    }
    Ok(text)
}
