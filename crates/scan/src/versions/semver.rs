//! Semantic Versioning 2.0.0, strictly: the order of crates.io and Hex, and of OSV's `SEMVER` ranges. Build
//! metadata does not count (section 10), precedence is section 11.
//!
//! Own code, because npm, Go, Pub, NuGet and Bitnami take the same parts in other spellings, and the `semver`
//! crate reads only its own and no number beyond 64 bits; it is what the tests compare with. Hex refuses
//! numbers of more than 14 digits, which nobody publishes.

use std::cmp::Ordering;

use super::digits;

/// `None` when either text is not a semantic version; a leading `v` makes it none.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(Version::parse(a)?.precedence(&Version::parse(b)?))
}

/// What decides the precedence.
pub(super) struct Version<'a> {
    pub(super) numbers: [&'a str; 3],
    pub(super) pre: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts = Parts::split(text);
        let numbers = three_numbers(parts.core)?;
        let is_version = !numbers.into_iter().any(has_leading_zero)
            && parts.pre.is_none_or(is_pre_release)
            && parts.build.is_none_or(are_identifiers);
        is_version.then_some(Self {
            numbers,
            pre: parts.pre,
        })
    }

    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        compare_numbers(&self.numbers, &other.numbers)
            .then_with(|| compare_pre_releases(self.pre, other.pre, compare_identifiers))
    }
}

/// A text cut where all dialects of semantic versions cut it; nothing is checked yet.
pub(super) struct Parts<'a> {
    pub(super) core: &'a str,
    pub(super) pre: Option<&'a str>,
    pub(super) build: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Self {
        let cut = |text: &'a str, at| {
            text.split_once(at)
                .map_or((text, None), |(before, after)| (before, Some(after)))
        };
        let (rest, build) = cut(text, '+');
        let (core, pre) = cut(rest, '-');
        Self { core, pre, build }
    }
}

/// `1.2.3`, where leading zeros are still allowed.
pub(super) fn three_numbers(core: &str) -> Option<[&str; 3]> {
    let mut parts = core.split('.');
    let numbers = [parts.next()?, parts.next()?, parts.next()?];
    let are_numbers = parts.next().is_none() && numbers.into_iter().all(is_number);
    are_numbers.then_some(numbers)
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn has_leading_zero(number: &str) -> bool {
    number.len() > 1 && number.starts_with('0')
}

/// Dot-separated identifiers, none of them empty.
pub(super) fn are_identifiers(text: &str) -> bool {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.split('.')
        .all(|identifier| !identifier.is_empty() && identifier.bytes().all(belongs))
}

/// Identifiers, of which those that are numbers have no leading zero.
pub(super) fn is_pre_release(text: &str) -> bool {
    let is_bad_number = |identifier| is_number(identifier) && has_leading_zero(identifier);
    are_identifiers(text) && !text.split('.').any(is_bad_number)
}

pub(super) fn compare_numbers(a: &[&str; 3], b: &[&str; 3]) -> Ordering {
    compare_lists(a.iter(), b.iter(), |a, b| {
        digits::compare(a.as_bytes(), b.as_bytes())
    })
}

/// A pre-release stands before its release.
pub(super) fn compare_pre_releases(
    a: Option<&str>,
    b: Option<&str>,
    compare: fn(&str, &str) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare_lists(a.split('.'), b.split('.'), compare),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Numbers by value and before words, words by their bytes.
pub(super) fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => digits::compare(a.as_bytes(), b.as_bytes()),
        (false, false) => a.cmp(b),
        (a_is_number, b_is_number) => b_is_number.cmp(&a_is_number),
    }
}

/// The first difference decides; of lists that are equal so far the shorter one is lower.
pub(super) fn compare_lists<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    compare: impl Fn(T, T) -> Ordering,
) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (Some(a), Some(b)) => compare(a, b),
            (None, None) => return Ordering::Equal,
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::versions::laws::{refuses, rises, same};

    #[test]
    fn follows_section_11() {
        let rising = [
            "1.0.0-0",
            "1.0.0-11",
            "1.0.0--",
            "1.0.0-0a",
            "1.0.0-A",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "2.10.0",
            "2.99999999999999999999.0",
            "2.100000000000000000000.0",
        ];
        rises(compare, &rising);
        same(
            compare,
            &[("1.2.3+b.01", "1.2.3"), ("1.0.0-a+b-c", "1.0.0-a+d")],
        );
    }

    #[test]
    fn refuses_what_is_no_semantic_version() {
        let bad = [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "=1.2.3",
            " 1.2.3",
            "01.2.3",
            "1.2.3-01",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.3+a+b",
            "1.2.3-é",
            "1.2.x",
            "1..3",
            "latest",
        ];
        refuses(compare, &bad);
    }

    proptest! {
        #[test]
        fn agrees_with_the_crate(
            a in "0?[0-9]{1,2}\\.[0-2]\\.0(-[01aA.-]{1,5})?(\\+[0a.-]{1,4})?",
            b in "[0-2]\\.[0-2]\\.0(-[01aA.-]{1,5})?(\\+[0a.-]{1,4})?",
        ) {
            let truth = || {
                let (a, b) = (::semver::Version::parse(&a).ok()?, ::semver::Version::parse(&b).ok()?);
                Some(a.cmp_precedence(&b))
            };
            prop_assert_eq!(compare(&a, &b), truth());
        }
    }
}
