//! Conversions between types (langdef.md, "Types and Conversions"), `size` and `type`.

use super::{Builtin, Call, global, member};
use crate::error::{Reason, cut};
use crate::value::{Duration, Octets, Text, Timestamp, Value, double as write_double};

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("size", 1, 1, size),
    member("size", 1, 1, size),
    global("type", 1, 1, type_of),
    global("dyn", 1, 1, dynamic),
    global("bool", 1, 1, bool),
    global("int", 1, 1, int),
    global("uint", 1, 1, uint),
    global("double", 1, 1, double),
    global("string", 1, 1, string),
    global("bytes", 1, 1, bytes),
    global("duration", 1, 1, duration),
    global("timestamp", 1, 1, timestamp),
];

fn size<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let size = match call.arguments {
        [Value::String(text)] => {
            call.budget.take_text(text.len())?;
            text.chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => map.len(),
        _ => return Err(call.mismatch()),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn type_of<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [value] => Ok(Value::Type(value.type_of())),
        _ => Err(call.mismatch()),
    }
}

fn dynamic<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [value] => Ok(value.clone()),
        _ => Err(call.mismatch()),
    }
}

fn bool<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::String(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            other => Err(unreadable("bool", other)),
        },
        _ => Err(call.mismatch()),
    }
}

fn unreadable(wanted: &str, text: &str) -> Reason {
    Reason::invalid(format!("not a {wanted}: {}", cut(text)))
}

fn int<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let value = match call.arguments {
        [Value::Int(value)] => Some(*value),
        [Value::Uint(value)] => i64::try_from(*value).ok(),
        // The ends of the range are out: not every machine brings them back (langdef.md, "Overflow").
        [Value::Double(value)] if value.is_nan() => None,
        [Value::Double(value)] => {
            let is_within = *value > i64::MIN as f64 && *value < i64::MAX as f64;
            is_within.then_some(*value as i64)
        }
        [Value::String(text)] => match text.parse() {
            Ok(value) => Some(value),
            Err(_) => return Err(unreadable("int", text)),
        },
        [Value::Timestamp(time)] => Some(time.seconds()),
        [Value::Duration(span)] => Some(span.nanoseconds()),
        _ => return Err(call.mismatch()),
    };
    value.map(Value::Int).ok_or(Reason::Overflow("int"))
}

fn uint<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let value = match call.arguments {
        [Value::Uint(value)] => Some(*value),
        [Value::Int(value)] => u64::try_from(*value).ok(),
        [Value::Double(value)] => {
            let is_within = *value >= 0.0 && *value < u64::MAX as f64;
            is_within.then_some(*value as u64)
        }
        [Value::String(text)] => match text.parse() {
            Ok(value) => Some(value),
            Err(_) => return Err(unreadable("uint", text)),
        },
        _ => return Err(call.mismatch()),
    };
    value.map(Value::Uint).ok_or(Reason::Overflow("uint"))
}

fn double<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    Ok(Value::Double(match call.arguments {
        [Value::Double(value)] => *value,
        [Value::Int(value)] => *value as f64,
        [Value::Uint(value)] => *value as f64,
        [Value::String(text)] => {
            call.budget.take_text(text.len())?;
            text.parse().map_err(|_| unreadable("double", text))?
        }
        _ => return Err(call.mismatch()),
    }))
}

fn string<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let text = match call.arguments {
        [Value::String(text)] => return Ok(Value::String(text.clone())),
        [Value::Bool(value)] => value.to_string(),
        [Value::Int(value)] => value.to_string(),
        [Value::Uint(value)] => value.to_string(),
        [Value::Double(value)] => write_double(*value),
        [Value::Bytes(bytes)] => {
            call.budget.take_bytes(bytes.len())?;
            match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => return Err(Reason::invalid("bytes are not UTF-8")),
            }
        }
        [Value::Duration(span)] => span.to_string(),
        [Value::Timestamp(time)] => time.to_string(),
        [Value::Object(object)] => object.to_string(),
        _ => return Err(call.mismatch()),
    };
    call.budget.take_bytes(text.len())?;
    Ok(Value::String(Text::from(text)))
}

fn bytes<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
        [Value::String(Text::Borrowed(text))] => {
            Ok(Value::Bytes(Octets::Borrowed(text.as_bytes())))
        }
        [Value::String(text)] => {
            call.budget.take_bytes(text.len())?;
            Ok(Value::Bytes(Octets::from(text.as_bytes().to_vec())))
        }
        _ => Err(call.mismatch()),
    }
}

fn duration<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    Ok(Value::Duration(match call.arguments {
        [Value::Duration(span)] => *span,
        [Value::String(text)] => {
            call.budget.take_steps(text.len() / 8)?;
            Duration::parse(text)?
        }
        [Value::Int(nanoseconds)] => Duration::from_nanoseconds(*nanoseconds),
        _ => return Err(call.mismatch()),
    }))
}

fn timestamp<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    Ok(Value::Timestamp(match call.arguments {
        [Value::Timestamp(time)] => *time,
        [Value::String(text)] => {
            call.budget.take_text(text.len())?;
            Timestamp::parse(text)?
        }
        [Value::Int(seconds)] => Timestamp::from_seconds(*seconds)?,
        _ => return Err(call.mismatch()),
    }))
}
