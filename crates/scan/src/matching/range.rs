//! OSV's evaluation, exactly (schema 1.7.5, "Evaluation"): is this version affected?
//!
//! A version is affected when it is listed verbatim or lies in any range. A range is walked from its
//! lowest event: `introduced` at or below the version turns it on, `fixed` at or below and
//! `last_affected` below turn it off. With `limit`s the version must be below one of them.

use std::cmp::Ordering;

use crate::advisories::stored::{Event, EventKind, Range, Statement};
use crate::versions::Order;

/// What a statement says about one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading<'a> {
    /// The version is listed verbatim.
    pub(super) listed: bool,
    /// The ranges that the version lies in, with their events sorted.
    pub(super) ranges: Vec<Vec<Event<'a>>>,
    /// A version that could not be compared, so that this reading may be incomplete.
    pub(super) unreadable: Option<&'a str>,
}

impl Reading<'_> {
    pub(super) fn is_hit(&self) -> bool {
        self.listed || !self.ranges.is_empty()
    }
}

/// Evaluates `statement` for `version`.
///
/// An event whose own version cannot be compared is left out and told: it may be the one that fixes, so
/// leaving it out errs on the side of a finding. When the installed version cannot be compared, a range
/// decides only where it needs no comparison (everything since `"0"` is affected).
pub(super) fn read<'a>(order: Order, version: &'a str, statement: &Statement<'a>) -> Reading<'a> {
    let mut reading = Reading {
        listed: statement.versions.contains(&version),
        ..Reading::default()
    };
    for range in &statement.ranges {
        let order = if range.semver {
            order.of_semver_ranges()
        } else {
            order
        };
        let events = walk(order, version, range, &mut reading.unreadable);
        reading.ranges.extend(events);
    }
    reading
}

/// Whether a statement says that no version was ever affected: fixed in `"0"` (Alpine's and Debian's way of
/// saying that the vulnerable code is not in their package). It speaks louder than another record's range.
pub(super) fn denies(statement: &Statement<'_>) -> bool {
    let never = |range: &Range<'_>| {
        let is_fix = |event: &Event<'_>| event.kind == EventKind::Fixed && event.version == "0";
        let is_start =
            |event: &Event<'_>| event.kind == EventKind::Introduced && event.version == "0";
        range.events.iter().any(is_fix)
            && range
                .events
                .iter()
                .all(|event| is_fix(event) || is_start(event))
    };
    statement.versions.is_empty()
        && !statement.ranges.is_empty()
        && statement.ranges.iter().all(never)
}

/// The sorted events, when the version lies in the range.
fn walk<'a>(
    order: Order,
    version: &'a str,
    range: &Range<'a>,
    unreadable: &mut Option<&'a str>,
) -> Option<Vec<Event<'a>>> {
    let needs_order = |event: &Event<'_>| event.version != "0" && !is_no_limit(event);
    if !order.reads(version) && range.events.iter().any(needs_order) {
        unreadable.get_or_insert(version);
        return None;
    }
    let mut events = Vec::with_capacity(range.events.len());
    for event in &range.events {
        if !needs_order(event) || order.reads(event.version) {
            events.push(*event);
        } else {
            unreadable.get_or_insert(event.version);
        }
    }
    events.sort_by(|a, b| compare(order, a.version, b.version).then(a.kind.cmp(&b.kind)));
    let mut affected = false;
    let mut limits = 0_u32;
    let mut below_limit = false;
    for event in &events {
        let against = compare(order, version, event.version);
        match event.kind {
            EventKind::Introduced if against.is_ge() => affected = true,
            EventKind::Fixed if against.is_ge() => affected = false,
            EventKind::LastAffected if against.is_gt() => affected = false,
            EventKind::Limit => {
                limits = limits.saturating_add(1);
                below_limit = below_limit || is_no_limit(event) || against.is_lt();
            }
            EventKind::Introduced | EventKind::Fixed | EventKind::LastAffected => {}
        }
    }
    (affected && (limits == 0 || below_limit)).then_some(events)
}

fn is_no_limit(event: &Event<'_>) -> bool {
    event.kind == EventKind::Limit && event.version == "*"
}

/// `"0"` stands before everything, also before versions such as Debian's `0~1`. Both versions have been
/// read before; `*` is equal to anything, which only the order of limits among themselves sees.
fn compare(order: Order, a: &str, b: &str) -> Ordering {
    match (a, b) {
        ("0", "0") => Ordering::Equal,
        (_, "0") => Ordering::Greater,
        ("0", _) => Ordering::Less,
        (a, b) => order.compare(a, b).unwrap_or(Ordering::Equal),
    }
}

/// A range in words: `>= 1.0, < 1.2 || >= 2.0`.
pub(super) fn in_words(events: &[Event<'_>]) -> String {
    let mut words = String::new();
    for event in events {
        let (between, sign) = match event.kind {
            EventKind::Introduced => (" || ", ">="),
            EventKind::Fixed => (", ", "<"),
            EventKind::LastAffected => (", ", "<="),
            EventKind::Limit => (", limited to", " <"),
        };
        if !words.is_empty() {
            words.push_str(between);
        }
        words.push_str(sign);
        words.push(' ');
        words.push_str(event.version);
    }
    words
}
