//! What MISP exports: events with attributes and objects, answers of its search, the events of a feed, and warning lists.
//!
//! Only attributes with `to_ids` are meant for detection; the rest is context.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::entry::Kind;
use crate::format::Unreadable;
use crate::reading::{Collector, Span};

/// How deep events lie in answers.
const DEEPEST: usize = 6;
/// Events of a feed that are fetched, the newest first.
const MOST_EVENTS: usize = 500;

pub(crate) fn read(value: &Value, collector: &mut Collector<'_>) -> Result<(), Unreadable> {
    if let Some(list) = warning_list(value) {
        for item in list {
            match item.as_str() {
                Some(word) => collector.word(word),
                None => collector.unused("an item that is no text", &item.to_string()),
            }
        }
        return Ok(());
    }
    let mut found = false;
    walk(value, collector, &mut found, 0);
    if found {
        Ok(())
    } else {
        Err(Unreadable::Other(
            "event, list of attributes or warning list of MISP",
        ))
    }
}

/// `{"name": …, "type": "cidr", "list": […]}`; regular expressions are nothing to look up.
fn warning_list(value: &Value) -> Option<&Vec<Value>> {
    let list = value.get("list")?.as_array()?;
    let kind = value.get("type").and_then(Value::as_str);
    (kind.is_some() && kind != Some("regex")).then_some(list)
}

fn walk(value: &Value, collector: &mut Collector<'_>, found: &mut bool, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let next = depth.saturating_add(1);
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| walk(item, collector, found, next)),
        Value::Object(object) => {
            for name in ["response", "Event"] {
                if let Some(inner) = object.get(name) {
                    *found |= name == "Event";
                    walk(inner, collector, found, next);
                }
            }
            if let Some(attributes) = object.get("Attribute") {
                *found = true;
                each(attributes, &mut |one| attribute(one, collector));
            }
            if let Some(objects) = object.get("Object") {
                *found = true;
                each(objects, &mut |one| {
                    if is_set(one, "deleted") != Some(true)
                        && let Some(attributes) = one.get("Attribute")
                    {
                        each(attributes, &mut |one| attribute(one, collector));
                    }
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn each(value: &Value, see: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_object).for_each(see),
        Value::Object(object) => see(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// MISP writes `true`, `"1"` and `1`.
fn is_set(object: &Map<String, Value>, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_u64() == Some(1)),
        Value::String(text) => Some(text == "1" || text == "true"),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn attribute(object: &Map<String, Value>, collector: &mut Collector<'_>) {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (kind, value) = (text("type"), text("value"));
    if is_set(object, "deleted") == Some(true) {
        return collector.unused("deleted", value);
    }
    if is_set(object, "to_ids") != Some(true) {
        return collector.unused("not meant for detection (to_ids)", value);
    }
    let span = Span {
        from: None,
        until: time(text("valid_until")),
    };
    let (first, second) = value.split_once('|').unwrap_or((value, ""));
    match kind {
        // Behind the bar stands a port.
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" => {
            collector.of_kind(first, Kind::Address, span);
        }
        "domain" | "hostname" | "hostname|port" => {
            let name = first.split_once(':').map_or(first, |(name, _)| name);
            collector.of_kind(name, Kind::Domain, span);
        }
        "domain|ip" => {
            collector.of_kind(first, Kind::Domain, span);
            collector.of_kind(second, Kind::Address, span);
        }
        "url" | "uri" => collector.of_kind(value, Kind::Url, span),
        "md5" | "sha1" | "sha256" | "sha512" => collector.of_kind(value, Kind::Hash, span),
        "filename|md5" | "filename|sha1" | "filename|sha256" | "filename|sha512" => {
            // Names may hold bars.
            let hash = value.rsplit_once('|').map_or(value, |(_, hash)| hash);
            collector.of_kind(hash, Kind::Hash, span);
        }
        "" => collector.unused("an attribute without a type", value),
        other => collector.unused(&format!("attributes of the type {other}"), value),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Whether this is the manifest of a feed, which names events and has none: `{"UUID": {"info": …, "timestamp": …}}`.
#[must_use]
pub fn is_feed(bytes: &[u8]) -> bool {
    feed_events(bytes).is_some()
}

/// The events that the manifest of a feed names, the newest first, and how many there are.
#[must_use]
pub fn feed_events(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let object = value.as_object().filter(|object| !object.is_empty())?;
    let mut events = Vec::with_capacity(object.len());
    for (id, about) in object {
        let is_id = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let about = about.as_object().filter(|_| is_id)?;
        let changed = match about.get("timestamp") {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        events.push((std::cmp::Reverse(changed.unwrap_or(0)), id.clone()));
    }
    let all = events.len();
    events.sort();
    events.truncate(MOST_EVENTS);
    Some((events.into_iter().map(|(_, id)| id).collect(), all))
}
