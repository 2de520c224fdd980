//! Transformers: values made of other values.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::language::Transformer;
use crate::source::Value;

/// With padding or without, and lenient about the bits behind the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// Bytes that a made text has at most; what is longer has no value.
const MOST_BYTES: usize = 16 << 20;

/// One value transformed; nothing when it cannot be.
pub(super) fn one(transformer: Transformer, value: &Value<'_>) -> Option<Value<'static>> {
    let Value::Text(text) = value else {
        return None;
    };
    let made = match transformer {
        Transformer::ToLower => text.to_ascii_lowercase(),
        Transformer::ToUpper => text.to_ascii_uppercase(),
        Transformer::B64 => BASE64.decode(text.as_ref()).ok()?,
        Transformer::Basename => {
            let start = memchr::memrchr(b'/', text).map_or(0, |slash| slash.saturating_add(1));
            text.get(start..)?.to_vec()
        }
        Transformer::Len => return Some(Value::Unsigned(u64::try_from(text.len()).ok()?)),
        Transformer::Val | Transformer::Join | Transformer::Concat | Transformer::GetOpt => {
            return None;
        }
    };
    Some(Value::Text(Cow::Owned(made)))
}

/// Texts with a separator between them.
pub(super) fn join(separator: &[u8], texts: &[Cow<'_, [u8]>]) -> Option<Value<'static>> {
    let mut made = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            made.extend_from_slice(separator);
        }
        made.extend_from_slice(text);
        if made.len() > MOST_BYTES {
            return None;
        }
    }
    Some(Value::Text(Cow::Owned(made)))
}

/// What `getopt(3)` finds in arguments: options and their values. With `wanted`, the last value of that option, or its
/// name when it takes none.
pub(super) fn getopt(
    arguments: &[Cow<'_, [u8]>],
    options: &[u8],
    wanted: Option<u8>,
) -> Option<Vec<Vec<u8>>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut selected = None;
    let mut emit = |name: &[u8], value: Option<&[u8]>| match wanted {
        Some(_) => selected = Some(value.unwrap_or(name).to_vec()),
        None => {
            found.push(name.to_vec());
            found.extend(value.map(<[u8]>::to_vec));
        }
    };
    let mut arguments = arguments.iter();
    'arguments: while let Some(argument) = arguments.next() {
        let letters = match argument.as_ref() {
            b"--" => break,
            // Long options are passed over.
            [b'-', b'-', ..] => continue,
            [b'-', letters @ ..] if !letters.is_empty() => letters,
            _ => break,
        };
        for (at, letter) in letters.iter().enumerate() {
            let takes_value = match kind(*letter, options) {
                Some(takes_value) => takes_value,
                None => {
                    if wanted.is_none() {
                        emit(b"?", None);
                    }
                    continue;
                }
            };
            let is_wanted = wanted.is_none_or(|wanted| wanted == *letter);
            let name = std::slice::from_ref(letter);
            if !takes_value {
                if is_wanted {
                    emit(name, None);
                }
                continue;
            }
            let attached = letters
                .get(at.saturating_add(1)..)
                .filter(|rest| !rest.is_empty());
            let value = match attached {
                Some(rest) => Some(rest),
                None => arguments.next().map(AsRef::as_ref),
            };
            match value {
                Some(value) if is_wanted => emit(name, Some(value)),
                None if is_wanted => emit(b"", None),
                Some(_) | None => {}
            }
            continue 'arguments;
        }
    }
    match wanted {
        Some(_) => selected.map(|value| vec![value]),
        None => Some(found),
    }
}

/// Whether an option is there, and takes a value.
fn kind(letter: u8, options: &[u8]) -> Option<bool> {
    if letter == b':' {
        return None;
    }
    // The last mention of a letter adds to the first.
    let mut known = None;
    for (at, option) in options.iter().enumerate() {
        if *option == letter {
            let takes_value = options.get(at.saturating_add(1)) == Some(&b':');
            known = Some(known.unwrap_or_default() || takes_value);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str], options: &str, wanted: Option<u8>) -> Option<Vec<String>> {
        let arguments: Vec<Cow<'_, [u8]>> = arguments
            .iter()
            .map(|text| Cow::Borrowed(text.as_bytes()))
            .collect();
        let found = getopt(&arguments, options.as_bytes(), wanted)?;
        let texts = found
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap());
        Some(texts.collect())
    }

    #[test]
    fn finds_options_as_getopt_does() {
        type Case<'c> = (&'c [&'c str], &'c str, Option<u8>, Option<&'c [&'c str]>);
        let cases: &[Case<'_>] = &[
            (&["-n", ""], "n", None, Some(&["n"])),
            (&["-t", "hello"], "t:", None, Some(&["t", "hello"])),
            (&["-nt", "hello"], "nt:", None, Some(&["n", "t", "hello"])),
            (&["-thello"], "t:", None, Some(&["t", "hello"])),
            (&["-x"], "n", None, Some(&["?"])),
            (&["--exec", "-n"], "n", None, Some(&["n"])),
            (&["--", "-n"], "n", None, Some(&[])),
            (&["file", "-n"], "n", None, Some(&[])),
            (&["-a1", "-a", "2"], "a:", Some(b'a'), Some(&["2"])),
            (&["-n"], "n", Some(b'n'), Some(&["n"])),
            (&["-n"], "nt:", Some(b't'), None),
            (&["-t"], "t:", Some(b't'), Some(&[""])),
        ];
        for (arguments, known, wanted, expected) in cases {
            let expected = expected.map(|texts| {
                texts
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect::<Vec<_>>()
            });
            assert_eq!(
                options(arguments, known, *wanted),
                expected,
                "{arguments:?}"
            );
        }
    }
}
