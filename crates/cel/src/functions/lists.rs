//! Lists: cel-go's `ext.Lists`, and what Kubernetes adds.

use super::{Builtin, Call, global, member, mismatch};
use crate::error::Reason;
use crate::evaluate::VALUE_BYTES;
use crate::evaluate::comprehension::sort;
use crate::limits::Budget;
use crate::value::{Duration, List, Value, compare, equals};

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    member("slice", 3, 3, slice),
    member("flatten", 1, 2, flatten),
    member("sort", 1, 1, sorted),
    member("distinct", 1, 1, distinct),
    member("first", 1, 1, |call| end(call, false)),
    member("last", 1, 1, |call| end(call, true)),
    member("isSorted", 1, 1, is_sorted),
    member("sum", 1, 1, sum),
    member("min", 1, 1, |call| extreme(call, true)),
    member("max", 1, 1, |call| extreme(call, false)),
    global("lists.range", 1, 1, range),
];

/// Takes what a list of so many elements costs.
fn take(count: usize, budget: &mut Budget) -> std::result::Result<(), Reason> {
    budget.take_steps(count)?;
    budget.take_bytes(count.saturating_mul(VALUE_BYTES))
}

/// The first place of a value, or the last; -1 if there is none.
pub(super) fn index_of<'a>(
    list: &List<'a>,
    value: &Value<'a>,
    is_last: bool,
    budget: &mut Budget,
) -> Result<'a> {
    for step in 0..list.len() {
        let at = if is_last { list.len() - 1 - step } else { step };
        budget.take_steps(1)?;
        let each = list.get(at).unwrap_or(Value::Null);
        if equals(&each, value, budget)? {
            return Ok(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)));
        }
    }
    Ok(Value::Int(-1))
}

pub(super) fn reverse<'a>(list: &List<'a>, budget: &mut Budget) -> Result<'a> {
    take(list.len(), budget)?;
    let mut values: Vec<_> = list.iter().collect();
    values.reverse();
    Ok(Value::list(values))
}

fn slice<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::List(list), Value::Int(from), Value::Int(to)] = call.arguments else {
        return Err(call.mismatch());
    };
    let (Ok(start), Ok(end)) = (usize::try_from(*from), usize::try_from(*to)) else {
        return Err(Reason::IndexOutOfRange((*from).min(*to)));
    };
    if end > list.len() {
        return Err(Reason::IndexOutOfRange(*to));
    }
    if start > end {
        return Err(Reason::IndexOutOfRange(*from));
    }
    take(end - start, call.budget)?;
    let values = (start..end).filter_map(|at| list.get(at));
    Ok(Value::list(values))
}

/// Lists in the list replaced by their elements, once or so many times.
fn flatten<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (list, depth) = match call.arguments {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, *depth),
        _ => return Err(call.mismatch()),
    };
    if depth < 0 {
        return Err(Reason::invalid("flatten: depth is negative"));
    }
    let mut values = Vec::new();
    flatten_into(list, depth, &mut values, call.budget)?;
    Ok(Value::list(values))
}

/// Goes as deep as values lie in each other, which has a limit.
fn flatten_into<'a>(
    list: &List<'a>,
    depth: i64,
    values: &mut Vec<Value<'a>>,
    budget: &mut Budget,
) -> std::result::Result<(), Reason> {
    for value in list.iter() {
        budget.take_steps(1)?;
        match &value {
            Value::List(inner) if depth > 0 => flatten_into(inner, depth - 1, values, budget)?,
            _ => {
                budget.take_bytes(VALUE_BYTES)?;
                values.push(value);
            }
        }
    }
    Ok(())
}

fn sorted<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    take(list.len(), call.budget)?;
    let values = sort(list.iter().collect(), call.budget, |value| value)?;
    Ok(Value::list(values))
}

fn distinct<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    take(list.len(), call.budget)?;
    let mut values: Vec<Value<'a>> = Vec::new();
    'each: for value in list.iter() {
        for known in &values {
            call.budget.take_steps(1)?;
            if equals(known, &value, call.budget)? {
                continue 'each;
            }
        }
        values.push(value);
    }
    Ok(Value::list(values))
}

/// The first or last element as an optional.
fn end<'a>(call: &mut Call<'_, 'a>, is_last: bool) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    let at = if is_last {
        list.len().wrapping_sub(1)
    } else {
        0
    };
    Ok(list.get(at).map_or(Value::Optional(None), Value::some))
}

fn range<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::Int(count)] = call.arguments else {
        return Err(call.mismatch());
    };
    take(usize::try_from(*count).unwrap_or(0), call.budget)?;
    Ok(Value::list((0..*count).map(Value::Int)))
}

fn is_sorted<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    for (left, right) in list.iter().zip(list.iter().skip(1)) {
        call.budget.take_steps(1)?;
        match compare(&left, &right, call.budget)? {
            Some(Some(order)) if order.is_gt() => return Ok(Value::Bool(false)),
            Some(_) => {}
            None => return Err(mismatch(call.name, &[left, right])),
        }
    }
    Ok(Value::Bool(true))
}

/// Of numbers or durations of one type; of none, the int 0, as there are no static types to ask.
fn sum<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    let mut values = list.iter();
    let Some(mut sum) = values.next() else {
        return Ok(Value::Int(0));
    };
    if !matches!(
        sum,
        Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)
    ) {
        return Err(mismatch(call.name, &[sum]));
    }
    for value in values {
        call.budget.take_steps(1)?;
        sum = match (&sum, &value) {
            (Value::Int(left), Value::Int(right)) => {
                Value::Int(left.checked_add(*right).ok_or(Reason::Overflow("int"))?)
            }
            (Value::Uint(left), Value::Uint(right)) => {
                Value::Uint(left.checked_add(*right).ok_or(Reason::Overflow("uint"))?)
            }
            (Value::Double(left), Value::Double(right)) => Value::Double(left + right),
            (Value::Duration(left), Value::Duration(right)) => {
                let sum = i128::from(left.nanoseconds()) + i128::from(right.nanoseconds());
                Value::Duration(Duration::checked(sum)?)
            }
            _ => return Err(mismatch(call.name, &[sum, value])),
        };
    }
    Ok(sum)
}

fn extreme<'a>(call: &mut Call<'_, 'a>, is_min: bool) -> Result<'a> {
    let [Value::List(list)] = call.arguments else {
        return Err(call.mismatch());
    };
    let mut values = list.iter();
    let Some(mut best) = values.next() else {
        return Err(Reason::invalid(format!("{} of an empty list", call.name)));
    };
    for value in values {
        call.budget.take_steps(1)?;
        let Some(order) = compare(&value, &best, call.budget)? else {
            return Err(mismatch(call.name, &[best, value]));
        };
        if order.is_some_and(|order| if is_min { order.is_lt() } else { order.is_gt() }) {
            best = value;
        }
    }
    Ok(best)
}
