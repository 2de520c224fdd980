//! Bundles of STIX 2.1: indicators, and what their patterns look for.
//!
//! A pattern says what to look for in observations; a detection here sees one value at a time. So a pattern is used
//! where a single value decides: alternatives all count; of things that have to come together a hash counts, since it
//! names the file whatever else is said of it, and an address with a port does not, since the address alone is less.

mod pattern;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::format::Unreadable;
use crate::reading::{Collector, Span};

pub(crate) fn is_bundle(value: &Value) -> bool {
    let object = match value {
        Value::Array(items) => items.first().unwrap_or(&Value::Null),
        other => other,
    };
    let kind = object.get("type").and_then(Value::as_str);
    // TAXII's envelope has objects and no type.
    let is_envelope = kind.is_none() && object.get("objects").is_some();
    is_envelope || kind == Some("bundle") || kind == Some("indicator")
}

pub(crate) fn read(value: &Value, collector: &mut Collector<'_>) -> Result<(), Unreadable> {
    if !is_bundle(value) {
        return Err(Unreadable::Other("bundle of STIX"));
    }
    let objects = match value {
        Value::Array(items) => items.as_slice(),
        Value::Object(object) => match object.get("objects").and_then(Value::as_array) {
            Some(objects) => objects.as_slice(),
            None => std::slice::from_ref(value),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => &[],
    };
    for object in objects.iter().filter_map(Value::as_object) {
        if object.get("type").and_then(Value::as_str) == Some("indicator") {
            indicator(object, collector);
        }
    }
    Ok(())
}

fn indicator(object: &Map<String, Value>, collector: &mut Collector<'_>) {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let id = text("id").unwrap_or("an indicator without an id");
    let Some(pattern) = text("pattern") else {
        return collector.unused("indicators without a pattern", id);
    };
    if object.get("revoked").and_then(Value::as_bool) == Some(true) {
        return collector.unused("revoked", pattern);
    }
    // STIX 2.0 knew no other type.
    let kind = text("pattern_type").unwrap_or("stix");
    if kind != "stix" {
        return collector.unused(&format!("patterns of the type {kind}"), pattern);
    }
    let time = |name| text(name).map(str::parse::<Timestamp>).transpose();
    let (Ok(from), Ok(until)) = (time("valid_from"), time("valid_until")) else {
        return collector.unused("times that are none", pattern);
    };
    match pattern::values(pattern) {
        Ok(found) => {
            for (value, kind) in found.values {
                collector.of_kind(&value, kind, Span { from, until });
            }
            for why in found.unused {
                collector.unused(&why, pattern);
            }
        }
        Err(why) => collector.unused(&format!("patterns that cannot be read: {why}"), pattern),
    }
}
