//! Whether a value that is assigned to something like `password` can be a password: values in configuration and
//! source are mostly not. Everything here errs towards silence, because the rules that use it have nothing else.

use super::checks::{Candidate, contains, entropy};
use super::placeholders::Placeholders;

/// Shorter values that look random are mostly not.
const SHORTEST: usize = 8;
/// In bits per byte. Words and dates stay below, eight random characters lie at 3.
const LEAST_ENTROPY: f64 = 2.7;

/// A value that somebody drew at random: letters and digits, no word, no code.
pub(super) fn plausible(candidate: Candidate<'_>, placeholders: &Placeholders) -> bool {
    let value = candidate.secret;
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    value.len() >= SHORTEST
        && digits > 0
        && letters > 0
        && literal(candidate, placeholders)
        && entropy(value) >= LEAST_ENTROPY
        && !is_code(candidate)
        && !is_public(candidate.lead)
        && !is_uuid(value)
        && !is_words_with_a_number(value)
}

/// A literal value: no variable, no path, no placeholder.
pub(super) fn literal(candidate: Candidate<'_>, placeholders: &Placeholders) -> bool {
    let value = candidate.secret;
    !value.is_empty()
        && !placeholders.is_word(value)
        && !is_reference(candidate)
        && !is_place(value)
}

/// A variable, a call or a template instead of a value.
fn is_reference(candidate: Candidate<'_>) -> bool {
    let value = candidate.secret;
    const STARTS: &[&[u8]] = &[
        b"$", b"{", b"%", b"<", b"[", b"(", b"@", b"&", b"*", b"!", b"ENC[", b"vault:", b"env:",
        b"file:",
    ];
    const PARTS: &[&[u8]] = &[
        b"${",
        b"$(",
        b"{{",
        b"}}",
        b"<%",
        b"%(",
        b"%s",
        b"%d",
        b"...",
        b"\xe2\x80\xa6",
    ];
    // A password may begin with any of these, but then it stands in quotes, and is not one word in brackets.
    let quoted = is_quoted(candidate);
    STARTS.iter().any(|start| value.starts_with(start))
        && (!quoted || value.last().is_none_or(|byte| !byte.is_ascii_digit()))
        || PARTS.iter().any(|part| contains(value, part))
}

/// A path, an address, or the name of a file.
fn is_place(value: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"/", b"./", b"../", b"~/", b"http:", b"https:", b"arn:", b"urn:",
    ];
    const ENDS: &[&[u8]] = &[
        b".pem",
        b".key",
        b".crt",
        b".json",
        b".yaml",
        b".yml",
        b".txt",
        b".conf",
        b".xml",
        b".properties",
        b".js",
        b".ts",
        b".py",
        b".go",
        b".rb",
        b".php",
        b".html",
    ];
    // Base64 has slashes too, but seldom two, and never at the beginning of a short word.
    let slashes = value.iter().filter(|byte| **byte == b'/').count();
    let is_path =
        STARTS.iter().any(|start| value.starts_with(start)) && (value.len() < 40 || slashes > 2);
    is_path || contains(value, b"://") || ENDS.iter().any(|end| value.ends_with(end))
}

/// An expression of a programming language rather than text in quotes.
fn is_code(candidate: Candidate<'_>) -> bool {
    let value = candidate.secret;
    if value
        .iter()
        .any(|byte| matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'\\' | b'|'))
    {
        return true;
    }
    if is_quoted(candidate) {
        return false;
    }
    if is_number(value) {
        return true;
    }
    // In upper case it is a constant: `TLS13_AES_256`.
    let is_constant =
        |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    if value.iter().all(is_constant) && value.contains(&b'_') {
        return true;
    }
    // Outside of quotes: `config.token2`, `self->key1`, `Type::V2`, `a+b`.
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let parts = value
        .split(|byte| matches!(byte, b'.' | b':'))
        .filter(|part| !part.is_empty());
    let dotted = value.iter().any(|byte| matches!(byte, b'.' | b':'))
        && parts
            .clone()
            .all(|part| part.iter().all(is_word) && !part.first().is_some_and(u8::is_ascii_digit));
    dotted || contains(value, b"->") || contains(value, b"::") || value.ends_with(b"+")
}

/// Whether it stands in quotes.
fn is_quoted(candidate: Candidate<'_>) -> bool {
    let before = candidate.lead.last().copied();
    matches!(before, Some(b'"' | b'\'' | b'`')) && before == candidate.after
}

/// The name says that it is none: `PublicKeyToken`, or which one it is: `private_key_id`. Vault's `secret_id` is one.
fn is_public(lead: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let end = lead.iter().rposition(is_word).map_or(0, |at| at + 1);
    let name = lead.get(..end).unwrap_or_default();
    let start = name
        .iter()
        .rposition(|byte| !is_word(byte))
        .map_or(0, |at| at + 1);
    let name = name.get(start..).unwrap_or_default().to_ascii_lowercase();
    const IDS: &[&[u8]] = &[
        b"key_id",
        b"key-id",
        b"keyid",
        b"token_id",
        b"token-id",
        b"tokenid",
    ];
    contains(&name, b"public") || IDS.iter().any(|end| name.ends_with(end))
}

/// A number of a programming language: `0x80090300_u32`, `-16i32`, `1_000`.
fn is_number(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let digits = value
        .strip_prefix(b"0x")
        .or_else(|| value.strip_prefix(b"0X"));
    let (digits, is_digit): (_, fn(&u8) -> bool) = match digits {
        Some(digits) => (digits, u8::is_ascii_hexdigit),
        None => (value, u8::is_ascii_digit),
    };
    let end = digits
        .iter()
        .position(|byte| !is_digit(byte) && *byte != b'_');
    let suffix = digits
        .get(end.unwrap_or(digits.len())..)
        .unwrap_or_default();
    const SUFFIXES: &[&[u8]] = &[
        b"", b"u8", b"u16", b"u32", b"u64", b"i8", b"i16", b"i32", b"i64", b"usize", b"isize",
        b"U", b"L", b"UL", b"ULL", b"LL", b"n", b"ms", b"s", b"m", b"h", b"d",
    ];
    end != Some(0) && SUFFIXES.contains(&suffix)
}

/// RFC 4122: an identifier far more often than a secret.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `oauth2-client`, `sha256_hash`, `Base64Encoder`, `v1.token.key`: words in which a number occurs. Digits of
/// random text are spread; here they stand at one place and everything else is letters and separators, in the
/// case of words.
fn is_words_with_a_number(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b' ')
    });
    if !is_plain {
        return false;
    }
    let groups = value.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let numbers = groups
        .filter(|group| group.first().is_some_and(u8::is_ascii_digit))
        .count();
    if numbers > 1 {
        return false;
    }
    // Words: each run of letters is lower case, upper case, or lower case after one capital.
    let mut words = 0_usize;
    let mut letters = 0_usize;
    for run in value.chunk_by(|a, b| {
        a.is_ascii_alphabetic()
            && b.is_ascii_alphabetic()
            && (b.is_ascii_lowercase() || a.is_ascii_uppercase())
    }) {
        if run.first().is_some_and(u8::is_ascii_alphabetic) {
            words += 1;
            letters += run.len();
        }
    }
    let has_vowels = value
        .iter()
        .filter(|byte| b"aeiouAEIOU".contains(byte))
        .count()
        * 6
        >= letters;
    words > 0 && letters >= words * 3 && has_vowels
}
