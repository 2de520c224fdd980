//! From JSON, without converting it, and to JSON.

use base64::Engine as _;
use serde_json::Value as Json;

use super::{Key, List, Map, Text, Value};
use crate::error::{EvaluationError, Position, Reason};
use crate::limits::Budget;

impl<'a> From<&'a Json> for Value<'a> {
    /// Whole numbers are `int`, above its range `uint`, and others `double`.
    #[inline]
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::String(text) => Self::String(Text::Borrowed(text)),
            Json::Array(values) => Self::List(List::Json(values)),
            Json::Object(object) => Self::Map(Map::Json(object)),
            Json::Number(number) => {
                if let Some(int) = number.as_i64() {
                    Self::Int(int)
                } else if let Some(uint) = number.as_u64() {
                    Self::Uint(uint)
                } else {
                    Self::Double(number.as_f64().unwrap_or(f64::NAN))
                }
            }
        }
    }
}

/// What a value of JSON takes in memory, about.
const JSON_BYTES: usize = size_of::<Json>();

impl Value<'_> {
    /// The value as JSON, as the language maps it (langdef.md, "JSON Data Conversion"), but for whole numbers
    /// outside of a double's exact range: they stay numbers. Optionals are their value, or null.
    ///
    /// # Errors
    /// When the budget ends, or for types and for maps whose keys are not text.
    pub fn to_json(&self, budget: &mut Budget) -> Result<Json, EvaluationError> {
        self.json(budget).map_err(|reason| EvaluationError {
            reason,
            position: Position { line: 1, column: 1 },
        })
    }

    fn json(&self, budget: &mut Budget) -> Result<Json, Reason> {
        budget.take_steps(1)?;
        budget.take_bytes(JSON_BYTES)?;
        Ok(match self {
            Self::Null | Self::Optional(None) => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Uint(value) => Json::from(*value),
            Self::Double(value) if value.is_nan() => Json::from("NaN"),
            Self::Double(value) if value.is_infinite() => Json::from(if *value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            }),
            Self::Double(value) => Json::from(*value),
            Self::String(text) => {
                budget.take_bytes(text.len())?;
                Json::from(&**text)
            }
            Self::Bytes(bytes) => {
                budget.take_bytes(bytes.len().saturating_mul(2))?;
                Json::from(base64::engine::general_purpose::STANDARD.encode(&**bytes))
            }
            Self::Duration(duration) => Json::from(duration.to_string()),
            Self::Timestamp(time) => Json::from(time.to_string()),
            Self::Type(_) => return Err(Reason::NotJson("a type".into())),
            Self::Object(object) => {
                let text = object.to_string();
                budget.take_bytes(text.len())?;
                Json::from(text)
            }
            Self::Optional(Some(value)) => value.json(budget)?,
            Self::List(list) => {
                let values = list.iter().map(|value| value.json(budget));
                Json::Array(values.collect::<Result<_, _>>()?)
            }
            Self::Map(map) => {
                let mut object = serde_json::Map::new();
                for (key, value) in map.iter() {
                    let Key::String(key) = key else {
                        let message = format!("a map with keys of type {}", key.type_of().name());
                        return Err(Reason::NotJson(message.into()));
                    };
                    budget.take_bytes(key.len())?;
                    object.insert(key.to_string(), value.json(budget)?);
                }
                Json::Object(object)
            }
        })
    }
}
