//! What correlations and baselines found, in sentences.

use jiff::Timestamp;

use super::evidence::short;
use super::rule::Grouping;
use crate::memory::{Completed, Goal, Surprise};

/// Usual values that are named.
const MOST_USUAL: usize = 3;

/// A time of an event.
pub(super) fn timestamp(nanoseconds: u64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What completed a correlation.
pub(super) fn correlation(completed: &Completed, goal: Goal, names: &[String]) -> Vec<String> {
    let (first, last) = (timestamp(completed.first), timestamp(completed.last));
    let between = format!("between {first} and {last}");
    let events = completed.events;
    vec![match goal {
        Goal::Events(least) => format!("{events} events {between}, of which {least} are too many"),
        Goal::Values(least) => format!(
            "{} different values in {events} events {between}, of which {least} are too many",
            completed.count
        ),
        Goal::Steps { is_ordered, .. } => {
            let order = if is_ordered {
                "in this order"
            } else {
                "in any order"
            };
            format!("all of {} {order} {between}", names.join(", "))
        }
    }]
}

/// What is out of the habit, the strongest reason first.
pub(super) fn baseline(
    surprise: &Surprise,
    group: &Grouping,
    group_values: &[String],
    fields: &Grouping,
    values: &[String],
) -> Vec<String> {
    let who = described(group, group_values);
    let who = if who.is_empty() {
        "anybody".to_owned()
    } else {
        who
    };
    if surprise.is_new_group {
        return vec![format!("nothing was ever seen of {who}")];
    }
    let since = timestamp(surprise.since);
    let what = described(fields, values);
    let often = match surprise.seen {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let mut reasons = vec![format!(
        "{what} was {often} seen of {who} in {} events since {since}",
        surprise.events
    )];
    let mut has_new = false;
    let named = fields.0.iter().zip(values).zip(&surprise.fields);
    for (((field, _), value), (seen, usual)) in named {
        if *seen > 0 {
            continue;
        }
        has_new = true;
        let shown: Vec<String> = usual
            .iter()
            .take(MOST_USUAL)
            .map(|(value, count)| format!("{} ({count})", named_value(value)))
            .collect();
        let more = usual.len().saturating_sub(MOST_USUAL);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let value = named_value(value);
        reasons.push(format!(
            "{field} {value} is new; usual are {}{more}",
            shown.join(", ")
        ));
    }
    if !has_new && fields.0.len() > 1 {
        reasons.push("each of the values was seen, but not together".to_owned());
    }
    reasons
}

fn described(fields: &Grouping, values: &[String]) -> String {
    let pairs = fields.0.iter().zip(values);
    let texts: Vec<String> = pairs
        .map(|((name, _), value)| format!("{name} {}", named_value(value)))
        .collect();
    texts.join(", ")
}

fn named_value(value: &str) -> String {
    if value.is_empty() {
        return "(none)".to_owned();
    }
    short(value.to_owned())
}
