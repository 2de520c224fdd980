//! Arithmetic: what leaves the range of its type is an error (langdef.md, "Overflow").

use super::VALUE_BYTES;
use crate::error::Reason;
use crate::functions::mismatch;
use crate::lexer::Symbol;
use crate::limits::Budget;
use crate::value::{Duration, List, Octets, Text, Value};

pub(super) fn negate<'a>(value: &Value<'a>) -> Result<Value<'a>, Reason> {
    match value {
        Value::Int(value) => int(value.checked_neg()),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(mismatch("-_", std::slice::from_ref(other))),
    }
}

pub(super) fn operate<'a>(
    symbol: Symbol,
    left: &Value<'a>,
    right: &Value<'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Reason> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => ints(symbol, *left, *right),
        (Value::Uint(left), Value::Uint(right)) => uints(symbol, *left, *right),
        (Value::Double(left), Value::Double(right)) => match symbol {
            Symbol::Plus => Some(left + right),
            Symbol::Minus => Some(left - right),
            Symbol::Star => Some(left * right),
            Symbol::Slash => Some(left / right),
            _ => None,
        }
        .map(|value| Ok(Value::Double(value))),
        _ if symbol == Symbol::Plus => add(left, right, budget)?.map(Ok),
        _ if symbol == Symbol::Minus => subtract(left, right),
        _ => None,
    }
    .unwrap_or_else(|| {
        let name = format!("_{}_", symbol.text());
        Err(mismatch(&name, &[left.clone(), right.clone()]))
    })
}

fn int(value: Option<i64>) -> Result<Value<'static>, Reason> {
    value.map(Value::Int).ok_or(Reason::Overflow("int"))
}

fn ints<'a>(symbol: Symbol, left: i64, right: i64) -> Option<Result<Value<'a>, Reason>> {
    let value = match symbol {
        Symbol::Plus => left.checked_add(right),
        Symbol::Minus => left.checked_sub(right),
        Symbol::Star => left.checked_mul(right),
        Symbol::Slash | Symbol::Percent if right == 0 => return Some(Err(Reason::DivideByZero)),
        Symbol::Slash => left.checked_div(right),
        // The smallest int modulo -1 leaves the range on its way in cel-go.
        Symbol::Percent => left.checked_rem(right),
        _ => return None,
    };
    Some(int(value))
}

fn uints<'a>(symbol: Symbol, left: u64, right: u64) -> Option<Result<Value<'a>, Reason>> {
    let value = match symbol {
        Symbol::Plus => left.checked_add(right),
        Symbol::Minus => left.checked_sub(right),
        Symbol::Star => left.checked_mul(right),
        Symbol::Slash | Symbol::Percent if right == 0 => return Some(Err(Reason::DivideByZero)),
        Symbol::Slash => left.checked_div(right),
        Symbol::Percent => left.checked_rem(right),
        _ => return None,
    };
    Some(value.map(Value::Uint).ok_or(Reason::Overflow("uint")))
}

/// Sums that are not of two numbers.
fn add<'a>(
    left: &Value<'a>,
    right: &Value<'a>,
    budget: &mut Budget,
) -> Result<Option<Value<'a>>, Reason> {
    Ok(Some(match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.take_bytes(left.len().saturating_add(right.len()))?;
            Value::String(Text::from([&**left, &**right].concat()))
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.take_bytes(left.len().saturating_add(right.len()))?;
            Value::Bytes(Octets::from([&**left, &**right].concat()))
        }
        (Value::List(left), Value::List(right)) => {
            let count = left.len().saturating_add(right.len());
            budget.take_bytes(count.saturating_mul(VALUE_BYTES))?;
            Value::List(List::made(left.iter().chain(right.iter()).collect()))
        }
        (Value::Duration(left), Value::Duration(right)) => {
            let sum = i128::from(left.nanoseconds()) + i128::from(right.nanoseconds());
            Value::Duration(Duration::checked(sum)?)
        }
        (Value::Timestamp(time), Value::Duration(span))
        | (Value::Duration(span), Value::Timestamp(time)) => {
            Value::Timestamp(time.plus(span.nanoseconds().into())?)
        }
        _ => return Ok(None),
    }))
}

/// Differences that are not of two numbers.
fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Option<Result<Value<'a>, Reason>> {
    Some(match (left, right) {
        (Value::Duration(left), Value::Duration(right)) => {
            let rest = i128::from(left.nanoseconds()) - i128::from(right.nanoseconds());
            Duration::checked(rest).map(Value::Duration)
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            left.since(*right).map(Value::Duration)
        }
        (Value::Timestamp(time), Value::Duration(span)) => time
            .plus(-i128::from(span.nanoseconds()))
            .map(Value::Timestamp),
        _ => return None,
    })
}
