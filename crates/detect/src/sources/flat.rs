//! Events as one JSON object of fields and their values: `{"evt.type": "open", "fd.name": "/etc/shadow"}`.
//!
//! It has the fields of Falco's system calls by name and type, so that rules about them load, are checked, and can be
//! tried on events that were written down. Taking them from a kernel is the sensor's work.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::source::{
    Argument, ArgumentInfo, Event, Field, FieldError, FieldInfo, Kind, Presence, Shape, Source,
    Value, Values,
};

/// Name, type, shape and argument of each field.
const SYSCALL: &str = include_str!("syscall.txt");
/// Fields that are another one's, where an event does not have them by themselves.
const SAME: &[(&str, &[&str])] = &[
    ("fd.ip", &["fd.sip", "fd.cip"]),
    ("fd.net", &["fd.sip", "fd.cip"]),
    ("fd.snet", &["fd.sip"]),
    ("fd.cnet", &["fd.cip"]),
    ("fd.lnet", &["fd.lip"]),
    ("fd.rnet", &["fd.rip"]),
    ("fd.port", &["fd.sport", "fd.cport"]),
    ("fd.proto", &["fd.sproto", "fd.cproto"]),
];
/// Ancestors of a process that are asked for.
const MOST_ANCESTORS: usize = 64;

/// Fields by name.
#[derive(Debug)]
pub struct FlatSource {
    name: String,
    fields: Vec<FieldInfo>,
    numbers: HashMap<String, usize>,
}

/// One object.
#[derive(Debug)]
pub struct FlatEvent {
    fields: Map<String, Json>,
    time: u64,
}

impl FlatSource {
    /// The fields of system calls.
    #[must_use]
    pub fn syscall() -> Self {
        let fields = SYSCALL.lines().filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let name = words.next()?;
            Some(FieldInfo {
                name: Cow::Borrowed(name),
                kind: kind(words.next()?)?,
                shape: shape(words.next()?)?,
                argument: argument(words.next()?)?,
                about: Cow::Borrowed(""),
            })
        });
        let fields: Vec<FieldInfo> = fields.collect();
        let names = fields.iter().enumerate();
        Self {
            name: "syscall".to_owned(),
            numbers: names
                .map(|(number, info)| (info.name.to_string(), number))
                .collect(),
            fields,
        }
    }
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "text" => Kind::Text,
        "path" => Kind::Path,
        "unsigned" => Kind::Unsigned,
        "signed" => Kind::Signed,
        "double" => Kind::Double,
        "bool" => Kind::Bool,
        "time" => Kind::Time,
        "duration" => Kind::Duration,
        "address" => Kind::Address,
        "network" => Kind::Network,
        _ => return None,
    })
}

fn shape(word: &str) -> Option<Shape> {
    Some(match word {
        "one" => Shape::One,
        "list" => Shape::List,
        "any" => Shape::Any,
        "either" => Shape::Either,
        _ => return None,
    })
}

fn argument(word: &str) -> Option<ArgumentInfo> {
    Some(match word {
        "none" => ArgumentInfo::None,
        "optional" => ArgumentInfo::Optional,
        "required" => ArgumentInfo::Required,
        _ => return None,
    })
}

impl Source for FlatSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn field(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        // `evt.arg.flags` is `evt.arg[flags]`.
        let (name, argument) = match (name.strip_prefix("evt.arg."), argument) {
            (Some(key), None) => ("evt.arg", Some(key)),
            (Some(_) | None, argument) => (name, argument),
        };
        let (name, argument) = match (name.strip_prefix("evt.rawarg."), argument) {
            (Some(key), None) => ("evt.rawarg", Some(key)),
            (Some(_) | None, argument) => (name, argument),
        };
        let number = self.numbers.get(name).copied();
        let found = number.and_then(|number| Some((number, self.fields.get(number)?)));
        let Some((number, info)) = found else {
            return Err(FieldError::Unknown {
                name: name.to_owned(),
            });
        };
        let owned = || name.to_owned();
        match (info.argument, argument) {
            (ArgumentInfo::None, Some(_)) => return Err(FieldError::NoArgument { name: owned() }),
            (ArgumentInfo::Required, None) => {
                return Err(FieldError::NeedsArgument { name: owned() });
            }
            _ => {}
        }
        let key = match argument {
            None => owned(),
            Some(argument) => format!("{name}[{argument}]"),
        };
        // With an argument it is one of many.
        let shape = match (info.shape, argument) {
            (Shape::Any, Some(_)) => Shape::One,
            (shape, _) => shape,
        };
        Ok(Field {
            id: u32::try_from(number).unwrap_or(u32::MAX),
            argument: Argument::Key(key.into()),
            kind: info.kind,
            shape,
            is_key: name == "evt.type",
            is_plain: true,
        })
    }

    fn fields(&self) -> &[FieldInfo] {
        &self.fields
    }

    fn provides(&self) -> &[(&'static str, &'static str)] {
        &[("container", "0.7.0")]
    }

    fn wants_keys(&self) -> bool {
        true
    }
}

impl FlatEvent {
    /// An event of these fields. Its time is `evt.rawtime` in nanoseconds, or `evt.time` as RFC 3339 has it; 1970, when
    /// it has neither.
    #[must_use]
    pub fn new(mut fields: Map<String, Json>) -> Self {
        // There are no events of entering a system call, so an event without it is of leaving one.
        fields
            .entry("evt.dir")
            .or_insert_with(|| Json::String("<".to_owned()));
        let raw = fields.get("evt.rawtime").and_then(Json::as_u64);
        let written = fields.get("evt.time").and_then(Json::as_str);
        let written = written.and_then(|text| text.parse::<Timestamp>().ok());
        let written = written.and_then(|time| u64::try_from(time.as_nanosecond()).ok());
        Self {
            time: raw.or(written).unwrap_or_default(),
            fields,
        }
    }

    fn get(&self, key: &str) -> Option<&Json> {
        if let Some(value) = self.fields.get(key) {
            return Some(value);
        }
        // `evt.arg[flags]` may be written as `evt.arg.flags`.
        let (name, argument) = key.strip_suffix(']')?.split_once('[')?;
        self.fields.get(&format!("{name}.{argument}"))
    }
}

impl Event for FlatEvent {
    fn extract<'e>(&'e self, field: &Field, out: &mut Values<'e>) -> Presence {
        let Argument::Key(key) = &field.argument else {
            return Presence::Absent;
        };
        if let Some(value) = self.get(key) {
            return push(value, field, out);
        }
        if let Some((_, others)) = SAME.iter().find(|(name, _)| *name == &**key) {
            let mut found = Presence::Absent;
            for value in others.iter().filter_map(|other| self.fields.get(*other)) {
                if push(value, field, out) == Presence::Present {
                    found = Presence::Present;
                }
            }
            return found;
        }
        if field.shape == Shape::Any {
            let mut found = Presence::Absent;
            for ancestor in 0..MOST_ANCESTORS {
                if let Some(value) = self.fields.get(&format!("{key}[{ancestor}]")) {
                    found = push(value, field, out);
                }
            }
            return found;
        }
        Presence::Absent
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// Pushes a value as what the field is; nothing, when it is of another type.
fn push<'e>(value: &'e Json, field: &Field, out: &mut Values<'e>) -> Presence {
    if let Json::Array(items) = value
        && field.shape != Shape::One
    {
        for item in items {
            if push(item, field, out) == Presence::Absent {
                return Presence::Absent;
            }
        }
        return Presence::Present;
    }
    let value = match (field.kind, value) {
        (Kind::Text | Kind::Path, Json::String(text)) => {
            Some(Value::Text(Cow::Borrowed(text.as_bytes())))
        }
        (Kind::Text | Kind::Path, Json::Number(_) | Json::Bool(_)) => {
            Some(Value::Text(Cow::Owned(value.to_string().into_bytes())))
        }
        (Kind::Unsigned | Kind::Time | Kind::Duration, value) => {
            value.as_u64().map(Value::Unsigned)
        }
        (Kind::Signed, value) => value.as_i64().map(Value::Signed),
        (Kind::Double, value) => value.as_f64().map(Value::Double),
        (Kind::Bool, value) => value.as_bool().map(Value::Bool),
        (Kind::Address | Kind::Network, Json::String(text)) => {
            text.parse::<IpAddr>().ok().map(Value::Address)
        }
        _ => None,
    };
    match value {
        Some(value) => {
            out.push(value);
            Presence::Present
        }
        None => Presence::Absent,
    }
}
