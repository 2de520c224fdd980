//! Equality and order (langdef.md, "Equality" and "Ordering"): numbers of all types lie on one line.

use std::cmp::Ordering;

use super::{List, Map, Value};
use crate::error::Reason;
use crate::limits::Budget;

/// Whether two values are equal; values of different types are not.
pub(crate) fn equals(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, Reason> {
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => {
            budget.take_text(left.len().min(right.len()))?;
            **left == **right
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.take_text(left.len().min(right.len()))?;
            **left == **right
        }
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Timestamp(left), Value::Timestamp(right)) => left == right,
        (Value::Type(left), Value::Type(right)) => left == right,
        (Value::List(left), Value::List(right)) => lists(left, right, budget)?,
        (Value::Map(left), Value::Map(right)) => maps(left, right, budget)?,
        (Value::Optional(left), Value::Optional(right)) => match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => {
                budget.take_steps(1)?;
                equals(left, right, budget)?
            }
            (None, Some(_)) | (Some(_), None) => false,
        },
        (Value::Object(left), Value::Object(right)) => left == right,
        (left, right) => numbers(left, right) == Some(Some(Ordering::Equal)),
    })
}

fn lists(left: &List<'_>, right: &List<'_>, budget: &mut Budget) -> Result<bool, Reason> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        budget.take_steps(1)?;
        if !equals(&left, &right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps(left: &Map<'_>, right: &Map<'_>, budget: &mut Budget) -> Result<bool, Reason> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (key, left) in left.iter() {
        budget.take_steps(1)?;
        budget.take_text(key.text_bytes())?;
        let Some(right) = right.find(&key) else {
            return Ok(false);
        };
        if !equals(&left, &right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two values, if their types have one; of NaN with anything, there is none.
pub(crate) fn compare(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Option<Ordering>>, Reason> {
    let order = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => {
            budget.take_text(left.len().min(right.len()))?;
            (**left).cmp(&**right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.take_text(left.len().min(right.len()))?;
            (**left).cmp(&**right)
        }
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (left, right) => return Ok(numbers(left, right)),
    };
    Ok(Some(Some(order)))
}

/// The order of two numbers, if that is what they are.
pub(crate) fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Uint(right)) => Some(i128::from(*left).cmp(&(*right).into())),
        (Value::Uint(left), Value::Int(right)) => Some(i128::from(*left).cmp(&(*right).into())),
        (Value::Int(left), Value::Double(right)) => whole_with_double((*left).into(), *right),
        (Value::Uint(left), Value::Double(right)) => whole_with_double((*left).into(), *right),
        (Value::Double(left), Value::Int(right)) => {
            whole_with_double((*right).into(), *left).map(Ordering::reverse)
        }
        (Value::Double(left), Value::Uint(right)) => {
            whole_with_double((*right).into(), *left).map(Ordering::reverse)
        }
        _ => return None,
    })
}

/// As doubles: neighbours above 2^53 are equal to the same one, as in all other implementations.
fn whole_with_double(whole: i128, double: f64) -> Option<Ordering> {
    (whole as f64).partial_cmp(&double)
}

/// Values that have an order, and any two of them. Unlike [`compare`], which takes 2^53 and 2^53 + 1 for the same
/// double but not for each other, it may be sorted by.
pub(crate) fn order_exactly(left: &Value<'_>, right: &Value<'_>, budget: &mut Budget) -> Ordering {
    let exact = |whole: i128, double: f64| {
        // Doubles beyond i128 saturate, which keeps their order to any 64-bit number.
        let floor = double.floor();
        let order = whole.cmp(&(floor as i128));
        order.then(if double > floor {
            Ordering::Less
        } else {
            Ordering::Equal
        })
    };
    match (left, right) {
        (Value::Int(left), Value::Double(right)) => exact((*left).into(), *right),
        (Value::Uint(left), Value::Double(right)) => exact((*left).into(), *right),
        (Value::Double(left), Value::Int(right)) => exact((*right).into(), *left).reverse(),
        (Value::Double(left), Value::Uint(right)) => exact((*right).into(), *left).reverse(),
        (left, right) => compare(left, right, budget)
            .ok()
            .flatten()
            .flatten()
            .unwrap_or(Ordering::Equal),
    }
}
