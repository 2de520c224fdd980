//! Any JSON document as an event, with the fields of Falco's plugin for JSON: `json.value[/a/b]`, `json.obj`,
//! `json.rawtime`.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::source::{
    Argument, ArgumentInfo, Event, Field, FieldError, FieldInfo, Kind, Presence, Shape, Source,
    Values,
};

const VALUE: u32 = 0;
const OBJECT: u32 = 1;
const TIME: u32 = 2;

/// Documents of any form.
#[derive(Debug)]
pub struct JsonSource {
    name: String,
    /// A pointer to what tells events apart, if there is something.
    key: Option<String>,
    fields: Vec<FieldInfo>,
}

/// One document.
#[derive(Debug)]
pub struct JsonEvent {
    value: Json,
    time: u64,
}

impl JsonSource {
    /// A source of this name. `key` is the pointer of the value by which rules are sorted.
    #[must_use]
    pub fn new(name: &str, key: Option<&str>) -> Self {
        let info = |name: &'static str, argument, kind, about: &'static str| FieldInfo {
            name: Cow::Borrowed(name),
            argument,
            kind,
            shape: Shape::One,
            about: Cow::Borrowed(about),
        };
        Self {
            name: name.to_owned(),
            key: key.map(str::to_owned),
            fields: vec![
                info(
                    "json.value",
                    ArgumentInfo::Required,
                    Kind::Text,
                    "what a JSON pointer leads to",
                ),
                info(
                    "json.obj",
                    ArgumentInfo::None,
                    Kind::Text,
                    "the whole document",
                ),
                info(
                    "json.rawtime",
                    ArgumentInfo::None,
                    Kind::Time,
                    "when it happened",
                ),
            ],
        }
    }
}

impl Source for JsonSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn field(&self, name: &str, argument: Option<&str>) -> Result<Field, FieldError> {
        let owned = || name.to_owned();
        let (id, kind) = match name {
            "json.value" => (VALUE, Kind::Text),
            "json.obj" => (OBJECT, Kind::Text),
            "json.rawtime" => (TIME, Kind::Time),
            _ => return Err(FieldError::Unknown { name: owned() }),
        };
        let parsed = match (id, argument) {
            (VALUE, None) => return Err(FieldError::NeedsArgument { name: owned() }),
            (VALUE, Some(pointer)) => pointer_of(pointer).ok_or_else(|| FieldError::Argument {
                name: owned(),
                argument: pointer.to_owned(),
                why: "a JSON pointer begins with /".to_owned(),
            })?,
            (_, Some(_)) => return Err(FieldError::NoArgument { name: owned() }),
            (_, None) => Argument::None,
        };
        Ok(Field {
            id,
            is_key: argument.is_some() && argument == self.key.as_deref(),
            argument: parsed,
            kind,
            shape: Shape::One,
        })
    }

    fn fields(&self) -> &[FieldInfo] {
        &self.fields
    }
}

/// RFC 6901, split and unescaped.
fn pointer_of(pointer: &str) -> Option<Argument> {
    if pointer.is_empty() {
        return Some(Argument::Path([].into()));
    }
    let parts = pointer.strip_prefix('/')?.split('/');
    let parts: Vec<Box<str>> = parts
        .map(|part| part.replace("~1", "/").replace("~0", "~").into())
        .collect();
    Some(Argument::Path(parts.into()))
}

impl JsonEvent {
    /// A document that happened at a time, in nanoseconds since 1970.
    #[must_use]
    pub fn new(value: Json, time: u64) -> Self {
        Self { value, time }
    }
}

impl Event for JsonEvent {
    fn extract<'e>(&'e self, field: &Field, out: &mut Values<'e>) -> Presence {
        let value = match (field.id, &field.argument) {
            (TIME, _) => {
                out.push(crate::source::Value::Unsigned(self.time));
                return Presence::Present;
            }
            (VALUE, Argument::Path(path)) => {
                path.iter()
                    .try_fold(&self.value, |value, part| match value {
                        Json::Object(fields) => fields.get(&**part),
                        Json::Array(items) => items.get(part.parse::<usize>().ok()?),
                        _ => None,
                    })
            }
            _ => Some(&self.value),
        };
        match value {
            None => Presence::Absent,
            Some(Json::String(text)) => {
                out.text(text);
                Presence::Present
            }
            Some(other) => {
                out.owned(other.to_string());
                Presence::Present
            }
        }
    }

    fn time(&self) -> u64 {
        self.time
    }
}
