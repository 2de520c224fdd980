//! Falco's fields of any event: `jevt.*` and `json.*` of its JSON plugin, `evt.*` of its core.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use seareeve_detect::{Argument, Kind, Presence, Shape, Value, Values};

use super::{Brackets, Definition, Extract, Get, SOURCE, present_if};
use crate::event::{AuditEvent, text};
use crate::json::Node;

/// Most steps of a pointer.
const MAX_STEPS: usize = 64;

type Row = (&'static str, Brackets, Kind, Extract, &'static str);

const FIELDS: &[Row] = &[
    (
        "jevt.value",
        Brackets::Pointer,
        Kind::Text,
        value,
        "The value at a JSON pointer (RFC 6901) into the event; objects and lists as JSON.",
    ),
    (
        "jevt.obj",
        Brackets::None,
        Kind::Text,
        whole,
        "The whole event.",
    ),
    (
        "jevt.rawtime",
        Brackets::None,
        Kind::Time,
        raw_time,
        "When the request arrived, in nanoseconds since 1970.",
    ),
    (
        "json.value",
        Brackets::Pointer,
        Kind::Text,
        value,
        "As `jevt.value`.",
    ),
    (
        "json.obj",
        Brackets::None,
        Kind::Text,
        whole,
        "As `jevt.obj`.",
    ),
    (
        "json.rawtime",
        Brackets::None,
        Kind::Time,
        raw_time,
        "As `jevt.rawtime`.",
    ),
    (
        "jevt.time",
        Brackets::None,
        Kind::Text,
        clock,
        "The time of day of it, in UTC.",
    ),
    (
        "jevt.time.iso8601",
        Brackets::None,
        Kind::Text,
        iso,
        "The same with the date.",
    ),
    (
        "evt.rawtime",
        Brackets::None,
        Kind::Time,
        raw_time,
        "As `jevt.rawtime`.",
    ),
    (
        "evt.time",
        Brackets::None,
        Kind::Text,
        clock,
        "As `jevt.time`.",
    ),
    (
        "evt.time.iso8601",
        Brackets::None,
        Kind::Text,
        iso,
        "As `jevt.time.iso8601`.",
    ),
    (
        "evt.datetime",
        Brackets::None,
        Kind::Text,
        iso,
        "As `jevt.time.iso8601`.",
    ),
    (
        "evt.source",
        Brackets::None,
        Kind::Text,
        source,
        "Always `k8s_audit`.",
    ),
    (
        "evt.pluginname",
        Brackets::None,
        Kind::Text,
        plugin,
        "Always `k8saudit`, as Falco calls its plugin.",
    ),
    (
        "evt.plugininfo",
        Brackets::None,
        Kind::Text,
        summary,
        "User, verb and address in a line.",
    ),
    (
        "evt.num",
        Brackets::None,
        Kind::Unsigned,
        number,
        "Always 1: events are not numbered across processes.",
    ),
];

pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    FIELDS
        .iter()
        .map(|(name, brackets, kind, get, about)| Definition {
            name: Cow::Borrowed(name),
            brackets: *brackets,
            kind: *kind,
            shape: Shape::One,
            // Public rule files ask every event for its stage this way.
            is_key: false,
            get: Get::By(*get),
            about: Cow::Borrowed(about),
        })
}

/// A JSON pointer, taken apart. As in Falco, its first slash may be missing.
pub(super) fn pointer(pointer: &str) -> Result<Argument, String> {
    let steps: Vec<Box<str>> = pointer
        .strip_prefix('/')
        .unwrap_or(pointer)
        .split('/')
        .map(|step| step.replace("~1", "/").replace("~0", "~").into())
        .collect();
    if steps.len() > MAX_STEPS {
        return Err(format!("it leads through more than {MAX_STEPS} steps"));
    }
    Ok(Argument::Path(steps.into()))
}

fn value<'e>(event: &'e AuditEvent<'_>, argument: &Argument, out: &mut Values<'e>) -> Presence {
    let Argument::Path(path) = argument else {
        return Presence::Absent;
    };
    let [first, rest @ ..] = &path[..] else {
        return Presence::Absent;
    };
    let record = &event.record;
    let known = match (first.as_ref(), rest.is_empty()) {
        ("stage", true) => Some(record.stage_text),
        ("verb", true) => Some(record.verb),
        ("auditID", true) => Some(record.audit_id),
        ("level", true) => Some(record.level),
        ("requestURI", true) => Some(record.uri),
        _ => None,
    };
    if let Some(known) = known {
        if !known.is_empty() {
            out.push(text(known.decode()));
        }
        return present_if(!known.is_empty());
    }
    // The bodies' own indices leave these out.
    let is_left_out = rest.iter().any(|step| step.as_ref() == "managedFields");
    let (top, rest) = match first.as_ref() {
        "requestObject" if !is_left_out => (event.request(), rest),
        "responseObject" if !is_left_out => (event.response(), rest),
        _ => (event.whole(), &path[..]),
    };
    let found = top.and_then(|top| rest.iter().try_fold(top, |node, step| child(node, step)));
    if let Some(found) = found {
        out.push(text(found.rendered()));
    }
    present_if(found.is_some())
}

fn child<'t>(node: Node<'t>, step: &str) -> Option<Node<'t>> {
    if node.is_list() {
        return node.items().nth(step.parse().ok()?);
    }
    node.get(step)
}

fn whole<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.bytes(event.record.text());
    Presence::Present
}

fn raw_time<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    // Public files write "never" as a time of 0, which an event without times must not fulfil.
    let time = seareeve_detect::Event::time(event).max(1);
    out.push(Value::Unsigned(time));
    Presence::Present
}

fn clock<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let time = time(event).to_zoned(TimeZone::UTC);
    out.owned(time.strftime("%H:%M:%S.%9f").to_string());
    Presence::Present
}

fn iso<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.owned(time(event).to_string());
    Presence::Present
}

fn time(event: &AuditEvent<'_>) -> Timestamp {
    let time = seareeve_detect::Event::time(event);
    Timestamp::from_nanosecond(i128::from(time)).unwrap_or_default()
}

fn source<'e>(_: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.text(SOURCE);
    Presence::Present
}

fn plugin<'e>(_: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.text("k8saudit");
    Presence::Present
}

fn summary<'e>(event: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    let record = &event.record;
    let words = [record.user.name, record.verb, record.uri].map(|word| word.decode());
    out.owned(words.join(" "));
    Presence::Present
}

fn number<'e>(_: &'e AuditEvent<'_>, _: &Argument, out: &mut Values<'e>) -> Presence {
    out.push(Value::Unsigned(1));
    Presence::Present
}
