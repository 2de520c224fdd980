//! Lists as sets, as in cel-go's `ext.Sets`.

use super::{Builtin, Call, global};
use crate::error::Reason;
use crate::limits::Budget;
use crate::value::{List, Value, equals};

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("sets.contains", 2, 2, contains),
    global("sets.equivalent", 2, 2, equivalent),
    global("sets.intersects", 2, 2, intersects),
];

fn contains<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::List(all), Value::List(some)] = call.arguments else {
        return Err(call.mismatch());
    };
    has_all(all, some, call.budget).map(Value::Bool)
}

fn equivalent<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::List(left), Value::List(right)] = call.arguments else {
        return Err(call.mismatch());
    };
    let both = has_all(left, right, call.budget)? && has_all(right, left, call.budget)?;
    Ok(Value::Bool(both))
}

fn intersects<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::List(left), Value::List(right)] = call.arguments else {
        return Err(call.mismatch());
    };
    for each in left.iter() {
        if has(right, &each, call.budget)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn has_all(all: &List<'_>, some: &List<'_>, budget: &mut Budget) -> Result<bool, Reason> {
    for each in some.iter() {
        if !has(all, &each, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn has(list: &List<'_>, value: &Value<'_>, budget: &mut Budget) -> Result<bool, Reason> {
    for each in list.iter() {
        budget.take_steps(1)?;
        if equals(&each, value, budget)? {
            return Ok(true);
        }
    }
    budget.take_steps(1)?;
    Ok(false)
}
