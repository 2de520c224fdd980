//! The order of Composer: `VersionParser::normalize` of `composer/semver` 3, then PHP's `version_compare`.
//!
//! Up to four numbers, or a date, then a stability (`dev`, `alpha`, `beta`, `RC`, `patch`) with numbers of its
//! own; build metadata does not count. `1.x-dev` is the branch of what comes after all of `1`. A named branch
//! (`dev-main`) has no place in the order: Composer lets it match no constraint, so it is no version here, nor
//! is a text with white space inside.

use std::cmp::Ordering;

use super::digits;

/// `None` when Composer does not take either text for a version, or it is a named branch.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Version::parse(a)?, Version::parse(b)?);
    let (mut a, mut b) = (a.parts(), b.parts());
    loop {
        let order = match (a.next(), b.next()) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(a), None) => a.compare_with_end(),
            (None, Some(b)) => b.compare_with_end().reverse(),
            (None, None) => return Some(Ordering::Equal),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

/// A part, as `version_compare` ranks them: lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A word that `version_compare` does not know.
    Unknown,
    Dev,
    Alpha,
    Beta,
    Rc,
    Number(i64),
    Patch,
}

impl Part {
    /// What `x` stands for in a branch.
    const LATEST: Self = Self::Number(9_999_999);

    /// PHP's integers end at 2^63 - 1.
    fn number(digits: &str) -> Self {
        Self::Number(digits.parse().unwrap_or(i64::MAX))
    }

    /// A version that goes on with a number or a patch is newer, with anything else it is older.
    fn compare_with_end(self) -> Ordering {
        match self {
            Self::Number(_) | Self::Patch => Ordering::Greater,
            Self::Unknown | Self::Dev | Self::Alpha | Self::Beta | Self::Rc => Ordering::Less,
        }
    }
}

struct Version<'a> {
    /// Numbers, `x`s, and what separates them.
    numbers: &'a str,
    /// What fills the four places; a date is not filled.
    filler: Option<Part>,
    stability: Option<Part>,
    /// The numbers of the stability, and what separates them.
    level: &'a str,
    is_dev: bool,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = bare(text)?;
        let without_v = text.strip_prefix(['v', 'V']).unwrap_or(text);
        classical(without_v)
            .or_else(|| date(without_v))
            .or_else(|| branch(text))
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        let parts = |text: &'a str| {
            let parts = text.split(['.', '-', ':']).filter(|part| !part.is_empty());
            parts.map(|part| match part {
                "x" | "X" | "*" => Part::LATEST,
                digits => Part::number(digits),
            })
        };
        let given = self.numbers.split('.').count();
        let missing = self.filler.map_or(0, |_| 4_usize.saturating_sub(given));
        let filler = self.filler.into_iter().cycle().take(missing);
        let numbers = parts(self.numbers).chain(filler);
        let stability = self.stability.into_iter().chain(parts(self.level));
        let dev = self.is_dev.then_some(Part::Dev);
        numbers.chain(stability).chain(dev)
    }
}

/// Without alias (`… as …`), stability flag (`…@beta`) and build metadata; `None` for named branches.
fn bare(text: &str) -> Option<&str> {
    let mut text = text.trim_matches([' ', '\t', '\n', '\r', '\0', '\x0b']);
    if let Some((version, alias)) = text.split_once(' ') {
        let alias = alias.trim_start_matches(' ').strip_prefix("as ")?;
        let alias = alias.trim_start_matches(' ');
        if alias.is_empty() || alias.contains([',', ' ']) {
            return None;
        }
        text = version;
    }
    let flag = text.rsplit_once('@').filter(|(_, flag)| {
        let stabilities = ["stable", "RC", "beta", "alpha", "dev"];
        stabilities
            .iter()
            .any(|word| word.eq_ignore_ascii_case(flag))
    });
    let text = flag.map_or(text, |(version, _)| version);
    let is_branch = matches!(text, "master" | "trunk" | "default")
        || text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("dev-"));
    if is_branch || text.contains(char::is_whitespace) {
        return None;
    }
    match text.split_once('+') {
        Some((version, build)) if !build.is_empty() => Some(version),
        Some(_) => None,
        None => Some(text),
    }
}

/// `1.2.3.4`, the last three of them optional, the first of five digits at most.
fn classical(text: &str) -> Option<Version<'_>> {
    let is_part = |letter: char| letter == '.' || letter.is_ascii_digit();
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let numbers = text.get(..end)?.trim_end_matches('.');
    let (first, rest) = numbers.split_once('.').unwrap_or((numbers, "0"));
    let is_classical = (1..=5).contains(&first.len())
        && rest.split('.').count() <= 3
        && !rest.split('.').any(str::is_empty);
    if !is_classical {
        return None;
    }
    with_modifiers(text, numbers, Some(Part::Number(0)))
}

/// `2024-05-01`, `20240501.102030`: a year, one to six pairs of digits and up to two shorter numbers.
fn date(text: &str) -> Option<Version<'_>> {
    let is_part = |letter: char| matches!(letter, '.' | ':' | '-') || letter.is_ascii_digit();
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let numbers = text.get(..end)?.trim_end_matches(['.', ':', '-']);
    let (year, rest) = numbers.as_bytes().split_at_checked(4)?;
    let is_date = year.iter().all(u8::is_ascii_digit) && follows_year(rest, 0, 0);
    if !is_date {
        return None;
    }
    with_modifiers(text, numbers, None)
}

/// Whether `rest` continues a date that has so many pairs and shorter numbers already; it recurses once for
/// each, so at most eight times.
fn follows_year(rest: &[u8], pairs: u8, shorter: u8) -> bool {
    let digits = match rest {
        [b'.' | b':' | b'-', digits @ ..] => digits,
        digits => digits,
    };
    let take = |count: usize| {
        let (taken, rest) = digits.split_at_checked(count)?;
        taken.iter().all(u8::is_ascii_digit).then_some(rest)
    };
    let with_pair = || take(2).is_some_and(|rest| follows_year(rest, pairs + 1, 0));
    let with_shorter =
        |count| take(count).is_some_and(|rest| follows_year(rest, pairs, shorter + 1));
    (rest.is_empty() && pairs > 0)
        || (pairs < 6 && shorter == 0 && with_pair())
        || (pairs > 0 && shorter < 2 && (1..=3).any(with_shorter))
}

/// `1.x-dev`: the branch that `1.9999999` would come from.
fn branch(text: &str) -> Option<Version<'_>> {
    let end = text.len().checked_sub(3)?;
    let (name, dev) = text.split_at_checked(end)?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name);
    let numbers = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let is_number =
        |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = numbers.split_once('.').unwrap_or((numbers, "x"));
    let is_branch = dev.eq_ignore_ascii_case("dev")
        && is_number(first)
        && rest.split('.').count() <= 3
        && rest
            .split('.')
            .all(|part| matches!(part, "x" | "X" | "*") || is_number(part));
    is_branch.then_some(Version {
        numbers,
        filler: Some(Part::LATEST),
        stability: None,
        level: "",
        is_dev: true,
    })
}

/// Reads what follows `numbers` in `text`: `[._-][STABILITY[NUMBERS]][[.-]dev]`.
fn with_modifiers<'a>(
    text: &'a str,
    numbers: &'a str,
    filler: Option<Part>,
) -> Option<Version<'a>> {
    let rest = text.get(numbers.len()..)?;
    let rest = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
    let words = [
        ("stable", Part::Unknown),
        ("beta", Part::Beta),
        ("b", Part::Beta),
        ("rc", Part::Rc),
        ("alpha", Part::Alpha),
        ("a", Part::Alpha),
        ("patch", Part::Patch),
        ("pl", Part::Patch),
        ("p", Part::Patch),
    ];
    let version = |stability, level, is_dev| Version {
        numbers,
        filler,
        stability,
        level,
        is_dev,
    };
    for (word, stability) in words {
        let Some((start, tail)) = rest.split_at_checked(word.len()) else {
            continue;
        };
        if !start.eq_ignore_ascii_case(word) {
            continue;
        }
        let level = level(tail);
        if let Some(is_dev) = tail.get(level.len()..).and_then(dev) {
            // Written in small letters, `stable` ends the version.
            return Some(if start == "stable" {
                version(None, "", false)
            } else {
                version(Some(stability), level, is_dev)
            });
        }
    }
    Some(version(None, "", dev(rest)?))
}

/// The numbers that follow a stability, each with at most one separator before it.
fn level(text: &str) -> &str {
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default().as_bytes();
        let separator = usize::from(matches!(rest.first(), Some(b'.' | b'-')));
        let rest = rest.get(separator..).unwrap_or_default();
        let (number, _) = digits::split(rest, |byte| byte.is_ascii_digit());
        if number.is_empty() {
            return text.get(..end).unwrap_or_default();
        }
        end = end.saturating_add(separator).saturating_add(number.len());
    }
}

/// Whether `dev` ends the version; `None` when something else does.
fn dev(text: &str) -> Option<bool> {
    let word = text.strip_prefix(['.', '-']).unwrap_or(text);
    if word.eq_ignore_ascii_case("dev") {
        Some(true)
    } else {
        text.is_empty().then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_composer() {
        let rising = [
            "1.0-STABLE",
            "1.0-dev",
            "1.0-alpha-dev",
            "1.0-alpha",
            "1.0-alpha1",
            "1.0-alpha1.2",
            "1.0-a10",
            "1.0-beta",
            "v1.0.0-RC-dev",
            "1.0.0-RC",
            "1.0.0.rc2",
            "1.0.0-RC11",
            "1.0",
            "1.0-patch1-dev",
            "1.0-p1",
            "1.0-pl2",
            "1.0.0.1",
            "1.0.x-dev",
            "1.9.9",
            "1.x-dev",
            "2",
            "2010-01-02",
            "2010.1.3",
            "2010.x-dev",
            "20100102",
            "20100102.203040",
        ];
        rises(compare, &rising);
        let pairs = [
            ("1", "1.0.0.0"),
            ("v1.2.3", "V01.2.3.0"),
            ("1.2.3-stable1-dev", "1.2.3"),
            ("1.2.3+build", "1.2.3-"),
            ("1.2.3@dev", "1.2.3"),
            ("1.2.3-b1 as 9.9", "1.2.3.beta-1"),
            ("1.X-dev", "1.*.dev"),
            ("2010-01-02-dev", "2010.01:02.dev"),
            ("1.99999999999999999999", "1.9223372036854775807"),
        ];
        same(compare, &pairs);
    }

    #[test]
    fn refuses_what_composer_refuses() {
        let bad = [
            "",
            "dev-main",
            "DEV-main",
            "master",
            "1.0-foo",
            "1.0.0-meh",
            "1.2.3.4.5",
            "1..2",
            "1.0 .0",
            "1.0 as",
            "1.0+",
            "1.0-beta..1",
            "feature-dev",
            "x.1-dev",
            "12345678901234567890123456",
            "2010-1-02-03",
        ];
        refuses(compare, &bad);
    }
}
