//! Quantities, as in Kubernetes, and the comparisons that versions share with them.

use std::cmp::Ordering;

use super::{Builtin, Call, global, member};
use crate::error::{Reason, cut};
use crate::objects::quantity::Quantity;
use crate::objects::{Kind, Object};
use crate::value::Value;

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("quantity", 1, 1, quantity),
    global("isQuantity", 1, 1, is_quantity),
    member("isInteger", 1, 1, |call| {
        Ok(Value::Bool(receiver(call)?.as_int().is_some()))
    }),
    member("asInteger", 1, 1, |call| {
        let value = receiver(call)?.as_int();
        value
            .map(Value::Int)
            .ok_or(Reason::Overflow("quantity is no int"))
    }),
    member("asApproximateFloat", 1, 1, |call| {
        Ok(Value::Double(receiver(call)?.as_double()))
    }),
    member("sign", 1, 1, |call| Ok(Value::Int(receiver(call)?.sign()))),
    member("add", 2, 2, |call| combined(call, Quantity::plus)),
    member("sub", 2, 2, |call| combined(call, Quantity::minus)),
    member("compareTo", 2, 2, |call| {
        Ok(Value::Int(order(call)? as i64))
    }),
    member("isLessThan", 2, 2, |call| {
        Ok(Value::Bool(order(call)?.is_lt()))
    }),
    member("isGreaterThan", 2, 2, |call| {
        Ok(Value::Bool(order(call)?.is_gt()))
    }),
];

fn quantity<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    match Quantity::parse(text) {
        Some(quantity) => Ok(made(quantity)),
        None => Err(Reason::invalid(format!("not a quantity: {}", cut(text)))),
    }
}

fn made(quantity: Quantity) -> Value<'static> {
    Value::Object(Object::new(Kind::Quantity(quantity)))
}

fn is_quantity<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::String(text)] => Ok(Value::Bool(Quantity::parse(text).is_some())),
        _ => Err(call.mismatch()),
    }
}

fn as_kind<'v>(value: &'v Value<'_>) -> Option<&'v Kind> {
    match value {
        Value::Object(object) => Some(object.kind()),
        _ => None,
    }
}

fn receiver<'c>(call: &Call<'c, '_>) -> std::result::Result<&'c Quantity, Reason> {
    match call.arguments.first().and_then(as_kind) {
        Some(Kind::Quantity(quantity)) => Ok(quantity),
        _ => Err(call.mismatch()),
    }
}

/// With another quantity, or with an int.
fn combined<'a>(
    call: &mut Call<'_, 'a>,
    combine: fn(&Quantity, &Quantity) -> Option<Quantity>,
) -> Result<'a> {
    let left = receiver(call)?;
    let combined = match call.arguments {
        [_, Value::Int(right)] => combine(left, &Quantity::from_int(*right)),
        [_, right] => match as_kind(right) {
            Some(Kind::Quantity(right)) => combine(left, right),
            _ => return Err(call.mismatch()),
        },
        _ => return Err(call.mismatch()),
    };
    combined.map(made).ok_or(Reason::Overflow("quantity"))
}

/// The order of two quantities, or of two versions.
fn order(call: &Call<'_, '_>) -> std::result::Result<Ordering, Reason> {
    let [left, right] = call.arguments else {
        return Err(call.mismatch());
    };
    match (as_kind(left), as_kind(right)) {
        (Some(Kind::Quantity(left)), Some(Kind::Quantity(right))) => Ok(left.order(right)),
        (Some(Kind::Semver(left)), Some(Kind::Semver(right))) => Ok(left.cmp_precedence(right)),
        _ => Err(call.mismatch()),
    }
}
