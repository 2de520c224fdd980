//! Mathematics, as in cel-go's `ext.Math`.

use std::cmp::Ordering;

use super::{Builtin, Call, global, mismatch};
use crate::error::Reason;
use crate::value::{Value, compare};

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("math.greatest", 1, usize::MAX, |call| {
        extreme(call, Ordering::Greater)
    }),
    global("math.least", 1, usize::MAX, |call| {
        extreme(call, Ordering::Less)
    }),
    global("math.ceil", 1, 1, |call| rounded(call, f64::ceil)),
    global("math.floor", 1, 1, |call| rounded(call, f64::floor)),
    global("math.round", 1, 1, |call| rounded(call, f64::round)),
    global("math.trunc", 1, 1, |call| rounded(call, f64::trunc)),
    global("math.sqrt", 1, 1, sqrt),
    global("math.abs", 1, 1, abs),
    global("math.sign", 1, 1, sign),
    global("math.isNaN", 1, 1, |call| test(call, f64::is_nan)),
    global("math.isInf", 1, 1, |call| test(call, f64::is_infinite)),
    global("math.isFinite", 1, 1, |call| test(call, f64::is_finite)),
    global("math.bitAnd", 2, 2, |call| {
        bits(call, |left, right| left & right)
    }),
    global("math.bitOr", 2, 2, |call| {
        bits(call, |left, right| left | right)
    }),
    global("math.bitXor", 2, 2, |call| {
        bits(call, |left, right| left ^ right)
    }),
    global("math.bitNot", 1, 1, bit_not),
    global("math.bitShiftLeft", 2, 2, |call| {
        shift(call, u64::checked_shl)
    }),
    global("math.bitShiftRight", 2, 2, |call| {
        shift(call, u64::checked_shr)
    }),
];

/// Of the arguments, or of the one list; of equal ones, the first.
fn extreme<'a>(call: &mut Call<'_, 'a>, wanted: Ordering) -> Result<'a> {
    let values: Vec<Value<'a>> = match call.arguments {
        [Value::List(list)] => {
            call.budget
                .take_bytes(list.len().saturating_mul(size_of::<Value<'_>>()))?;
            list.iter().collect()
        }
        values => values.to_vec(),
    };
    let mut best: Option<Value<'a>> = None;
    for value in values {
        call.budget.take_steps(1)?;
        if !matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return Err(mismatch(call.name, &[value]));
        }
        let is_better = match &best {
            Some(best) => compare(&value, best, call.budget)?.flatten() == Some(wanted),
            None => true,
        };
        if is_better {
            best = Some(value);
        }
    }
    best.ok_or_else(|| Reason::invalid(format!("{} of an empty list", call.name)))
}

fn rounded<'a>(call: &mut Call<'_, 'a>, round: fn(f64) -> f64) -> Result<'a> {
    match call.arguments {
        [Value::Double(value)] => Ok(Value::Double(round(*value))),
        _ => Err(call.mismatch()),
    }
}

fn sqrt<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let value = match call.arguments {
        [Value::Double(value)] => *value,
        [Value::Int(value)] => *value as f64,
        [Value::Uint(value)] => *value as f64,
        _ => return Err(call.mismatch()),
    };
    Ok(Value::Double(value.sqrt()))
}

fn abs<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::Int(value)] => {
            let absolute = value.checked_abs().ok_or(Reason::Overflow("int"))?;
            Ok(Value::Int(absolute))
        }
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        _ => Err(call.mismatch()),
    }
}

fn sign<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    Ok(match call.arguments {
        [Value::Int(value)] => Value::Int(value.signum()),
        [Value::Uint(value)] => Value::Uint((*value).min(1)),
        [Value::Double(value)] if *value == 0.0 || value.is_nan() => Value::Double(*value),
        [Value::Double(value)] => Value::Double(value.signum()),
        _ => return Err(call.mismatch()),
    })
}

fn test<'a>(call: &mut Call<'_, 'a>, test: fn(f64) -> bool) -> Result<'a> {
    match call.arguments {
        [Value::Double(value)] => Ok(Value::Bool(test(*value))),
        _ => Err(call.mismatch()),
    }
}

fn bits<'a>(call: &mut Call<'_, 'a>, combine: fn(u64, u64) -> u64) -> Result<'a> {
    match call.arguments {
        [Value::Int(left), Value::Int(right)] => {
            let combined = combine(left.cast_unsigned(), right.cast_unsigned());
            Ok(Value::Int(combined.cast_signed()))
        }
        [Value::Uint(left), Value::Uint(right)] => Ok(Value::Uint(combine(*left, *right))),
        _ => Err(call.mismatch()),
    }
}

fn bit_not<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::Int(value)] => Ok(Value::Int(!value)),
        [Value::Uint(value)] => Ok(Value::Uint(!value)),
        _ => Err(call.mismatch()),
    }
}

/// Zeros come in on both sides, for ints too; shifting all bits out leaves none.
fn shift<'a>(call: &mut Call<'_, 'a>, shift: fn(u64, u32) -> Option<u64>) -> Result<'a> {
    let [value, Value::Int(by)] = call.arguments else {
        return Err(call.mismatch());
    };
    if *by < 0 {
        return Err(Reason::invalid(format!(
            "{}: offset is negative",
            call.name
        )));
    }
    let by = u32::try_from(*by).unwrap_or(u32::MAX);
    match value {
        Value::Int(value) => {
            let shifted = shift(value.cast_unsigned(), by).unwrap_or(0);
            Ok(Value::Int(shifted.cast_signed()))
        }
        Value::Uint(value) => Ok(Value::Uint(shift(*value, by).unwrap_or(0))),
        _ => Err(call.mismatch()),
    }
}
