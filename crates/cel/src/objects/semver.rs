//! Versions as Kubernetes reads them: strictly, or normalised first.

use semver::Version;

/// The longest that is read.
const LONGEST: usize = 256;

pub(crate) fn parse(text: &str, normalize: bool) -> Option<Version> {
    if text.len() > LONGEST {
        return None;
    }
    match normalize {
        true => Version::parse(&normalized(text)).ok(),
        false => Version::parse(text).ok(),
    }
}

/// Without a `v`, with all three numbers, and those without leading zeros.
fn normalized(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts: Vec<&str> = numbers
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            trimmed => trimmed,
        })
        .collect();
    while parts.len() < 3 {
        parts.push("0");
    }
    format!("{}{rest}", parts.join("."))
}
