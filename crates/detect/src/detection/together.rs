//! Reading what a detection says of several events: correlations and baselines.

use super::details::{BaselineText, CorrelationText, Counting, Habit, StepText};
use super::read::{MOST_FIELDS, located_list, only};
use crate::rules::{Fault, Item, Located};
use crate::yaml::Node;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
/// Steps of a correlation at most.
const MOST_STEPS: usize = 16;

pub(super) fn correlation(item: Item<'_>) -> Result<CorrelationText, Fault> {
    only(
        item,
        &["type", "group-by", "timespan", "condition", "steps"],
    )?;
    let kind = item.text("type")?;
    let timespan = duration(item, "timespan")?
        .ok_or_else(|| item.fault(item.node, "a correlation has a timespan"))?;
    if timespan > 30 * DAY {
        return Err(item.fault(item.node, "a timespan is at most 30 days"));
    }
    let group_by = fields(item, "group-by", 0)?;
    let steps = steps(item, group_by.len())?;
    let counting = match kind {
        "event_count" | "value_count" => {
            if !steps.is_empty() {
                return Err(item.fault(item.node, format!("{kind} has no steps")));
            }
            let (least, field) = threshold(item)?;
            match (kind, field) {
                ("event_count", None) => Counting::Events(least),
                ("value_count", Some(field)) => Counting::Values(least, field),
                ("event_count", Some(_)) => {
                    return Err(item.fault(item.node, "event_count counts no field"));
                }
                _ => return Err(item.fault(item.node, "value_count has a field in its condition")),
            }
        }
        "temporal" | "temporal_ordered" => {
            if item.has("condition") {
                return Err(item.fault(item.node, format!("{kind} has no condition")));
            }
            if !(2..=MOST_STEPS).contains(&steps.len()) {
                let message = format!("{kind} has 2 to {MOST_STEPS} steps");
                return Err(item.fault(item.node, message));
            }
            Counting::Steps {
                is_ordered: kind == "temporal_ordered",
            }
        }
        other => {
            let message = format!(
                "'{other}' is no correlation: event_count, value_count, temporal and temporal_ordered are"
            );
            return Err(item.fault(item.node, message));
        }
    };
    Ok(CorrelationText {
        counting,
        group_by,
        timespan,
        steps,
    })
}

/// `condition: {gte: 20, field: x}`
fn threshold(item: Item<'_>) -> Result<(u64, Option<Located>), Fault> {
    let Some(node) = item
        .node
        .get("condition")
        .filter(|node| node.pairs().is_some())
    else {
        return Err(item.fault(item.node, "a count has a condition: {gte: …}"));
    };
    let inner = Item { node, ..item };
    if let Some(key) = inner.unknown(&["gte", "gt", "field"]).next() {
        let name = key.text().unwrap_or("?");
        let message = format!(
            "'{name}' cannot be asked: gte and gt can, since what does not happen is no event"
        );
        return Err(item.fault(key, message));
    }
    let number = |key: &str| match inner.optional(key)? {
        None => Ok(None),
        Some(node) => match node.text().unwrap_or_default().parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(item.fault(node, format!("'{key}' is a number"))),
        },
    };
    let least = match (number("gte")?, number("gt")?) {
        (Some(least), None) => least,
        (None, Some(least)) => least.saturating_add(1),
        _ => return Err(item.fault(node, "either gte or gt is wanted")),
    };
    if !(1..=1_000).contains(&least) {
        return Err(item.fault(node, "a count is 1 to 1000"));
    }
    let field = match inner.has("field") {
        true => Some(inner.located("field")?),
        false => None,
    };
    Ok((least, field))
}

fn steps(item: Item<'_>, group: usize) -> Result<Vec<StepText>, Fault> {
    let Some(node) = item.node.get("steps") else {
        return Ok(Vec::new());
    };
    let mut steps = Vec::new();
    for node in node.items().unwrap_or_default() {
        let inner = Item { node, ..item };
        if node.pairs().is_none() {
            return Err(item.fault(node, "a step is {name: …, condition: …} or {rule: …}"));
        }
        only(inner, &["name", "condition", "rule", "group-by"])?;
        let (name, condition) = if inner.has("rule") {
            let rule = inner.text("rule")?.to_owned();
            if inner.has("condition") {
                return Err(item.fault(node, "a step has a condition or a rule, not both"));
            }
            (rule.clone(), Err((rule, inner.located("rule")?)))
        } else {
            (
                inner.text("name")?.to_owned(),
                Ok(inner.located("condition")?),
            )
        };
        let name = match inner.has("name") {
            true => inner.text("name")?.to_owned(),
            false => name,
        };
        let group_by = match inner.has("group-by") {
            false => None,
            true => Some(fields(inner, "group-by", 0)?),
        };
        if group_by
            .as_ref()
            .is_some_and(|fields| fields.len() != group)
        {
            let message = "a step groups by as many fields as its correlation";
            return Err(item.fault(node, message));
        }
        steps.push(StepText {
            name,
            condition,
            group_by,
        });
    }
    Ok(steps)
}

pub(super) fn baseline(item: Item<'_>) -> Result<BaselineText, Fault> {
    only(
        item,
        &[
            "type",
            "group-by",
            "fields",
            "learning",
            "learning_events",
            "forget",
            "share",
            "new_groups",
        ],
    )?;
    let share = match (item.text("type")?, item.optional("share")?) {
        ("first_seen", None) => None,
        ("rare", Some(node)) => match node.text().unwrap_or_default().parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 0.5 => Some(share),
            _ => return Err(item.fault(node, "a share is above 0 and at most 0.5")),
        },
        ("rare", None) => return Err(item.fault(item.node, "what is rare has a share")),
        ("first_seen", Some(node)) => {
            return Err(item.fault(node, "what is seen first has no share"));
        }
        (other, _) => {
            let message = format!("'{other}' is no baseline: first_seen and rare are");
            return Err(item.fault(item.node, message));
        }
    };
    let learning = duration(item, "learning")?
        .ok_or_else(|| item.fault(item.node, "a baseline has a learning window"))?;
    let forget = duration(item, "forget")?.unwrap_or(30 * DAY).max(learning);
    let learning_events = match item.optional("learning_events")? {
        None => 0,
        Some(node) => {
            let number = node.text().unwrap_or_default().parse::<u64>();
            number.map_err(|_| item.fault(node, "'learning_events' is a number"))?
        }
    };
    let alerts_on_new_groups = match item.optional("new_groups")?.and_then(Node::text) {
        None | Some("learn") => false,
        Some("alert") => true,
        Some(other) => {
            let message = format!("'{other}' is neither learn nor alert");
            return Err(item.fault(item.node, message));
        }
    };
    Ok(BaselineText {
        habit: Habit {
            share,
            learning,
            learning_events,
            forget,
            alerts_on_new_groups,
        },
        group_by: fields(item, "group-by", 0)?,
        fields: fields(item, "fields", 1)?,
    })
}

fn fields(item: Item<'_>, key: &str, least: usize) -> Result<Vec<Located>, Fault> {
    let fields = located_list(item, key)?;
    let count = fields.as_ref().map_or(0, Vec::len);
    match fields {
        Some(fields) if (least..=MOST_FIELDS).contains(&count) => Ok(fields),
        Some(_) | None => {
            let message = format!("'{key}' is a list of {least} to {MOST_FIELDS} fields");
            Err(item.fault(item.node, message))
        }
    }
}

/// `90s`, `5m`, `2h`, `7d`, in nanoseconds.
fn duration(item: Item<'_>, key: &str) -> Result<Option<u64>, Fault> {
    let Some(node) = item.optional(key)? else {
        return Ok(None);
    };
    let text = node.text().unwrap_or_default();
    let units = [
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3_600 * SECOND),
        ("d", DAY),
    ];
    let parsed = units.iter().find_map(|(unit, length)| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(*length)
    });
    match parsed.filter(|length| (1..=3_650 * DAY).contains(length)) {
        Some(length) => Ok(Some(length)),
        None => {
            let message = format!("'{text}' is no span of time: 90s, 5m, 2h or 7d are");
            Err(item.fault(node, message))
        }
    }
}
