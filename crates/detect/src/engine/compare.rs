//! One field compared with another.

use memchr::memmem;

use crate::language::Operator;
use crate::pattern::Glob;
use crate::source::Value;

/// Whether the values left of an operator stand to those on its right as it says.
pub(super) fn fields(operator: Operator, left: &[Value<'_>], right: &[Value<'_>]) -> bool {
    match operator {
        Operator::In => left.iter().all(|value| is_among(value, right)),
        Operator::Intersects => left.iter().any(|value| is_among(value, right)),
        _ => {
            let Some(right) = right.first() else {
                return false;
            };
            left.iter().any(|left| one(operator, left, right))
        }
    }
}

fn is_among(value: &Value<'_>, others: &[Value<'_>]) -> bool {
    others.iter().any(|other| is_equal(value, other))
}

fn is_equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    left == right
}

fn one(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> bool {
    let order = || order(left, right);
    match operator {
        Operator::Exists => true,
        Operator::Equal | Operator::In | Operator::Intersects => is_equal(left, right),
        Operator::NotEqual => !is_equal(left, right),
        Operator::Less => order().is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessEqual => order().is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        Operator::Glob
        | Operator::IGlob
        | Operator::Contains
        | Operator::IContains
        | Operator::BContains
        | Operator::StartsWith
        | Operator::BStartsWith
        | Operator::EndsWith => match (left, right) {
            (Value::Text(left), Value::Text(right)) => texts(operator, left, right),
            _ => false,
        },
        // Refused when rules are compiled.
        Operator::Regex | Operator::PMatch => false,
    }
}

fn texts(operator: Operator, left: &[u8], right: &[u8]) -> bool {
    match operator {
        Operator::Contains | Operator::BContains => memmem::find(left, right).is_some(),
        Operator::IContains => {
            let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
            memmem::find(&left, &right).is_some()
        }
        Operator::StartsWith | Operator::BStartsWith => left.starts_with(right),
        Operator::EndsWith => left.ends_with(right),
        Operator::Glob | Operator::IGlob => {
            let glob = Glob::new(right, operator == Operator::IGlob);
            glob.is_ok_and(|glob| glob.matches(left))
        }
        _ => false,
    }
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Unsigned(left), Value::Unsigned(right)) => Some(left.cmp(right)),
        (Value::Signed(left), Value::Signed(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        _ => None,
    }
}
