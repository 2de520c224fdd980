//! Optional values, as in cel-go. Those that need not evaluate all arguments are nodes of their own.

use super::{Builtin, Call, global, member};
use crate::error::Reason;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("optional.of", 1, 1, of),
    global("optional.none", 0, 0, none),
    global("optional.ofNonZeroValue", 1, 1, of_non_zero_value),
    global("optional.unwrap", 1, 1, unwrap),
    member("unwrapOpt", 1, 1, unwrap),
    member("hasValue", 1, 1, has_value),
    member("value", 1, 1, value),
];

fn of<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    match call.arguments {
        [value] => Ok(Value::some(value.clone())),
        _ => Err(call.mismatch()),
    }
}

fn none<'a>(_: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    Ok(Value::Optional(None))
}

fn of_non_zero_value<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [value] = call.arguments else {
        return Err(call.mismatch());
    };
    let is_zero = match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(span) => span.nanoseconds() == 0,
        Value::Timestamp(time) => time.nanoseconds() == 0,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Type(_) | Value::Optional(Some(_)) | Value::Object(_) => false,
    };
    Ok(match is_zero {
        true => Value::Optional(None),
        false => Value::some(value.clone()),
    })
}

/// Of a list of optionals, the values.
fn unwrap<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget
        .take_bytes(list.len().saturating_mul(size_of::<Value<'_>>()))?;
    let mut values = Vec::new();
    for each in list.iter() {
        call.budget.take_steps(1)?;
        match each {
            Value::Optional(value) => values.extend(value.as_deref().cloned()),
            other => return Err(super::mismatch(call.name, &[other])),
        }
    }
    Ok(Value::list(values))
}

fn has_value<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    match call.arguments {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(call.mismatch()),
    }
}

fn value<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    match call.arguments {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => Err(Reason::invalid("optional without a value")),
        _ => Err(call.mismatch()),
    }
}
