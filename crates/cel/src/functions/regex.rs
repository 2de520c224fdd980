//! Patterns: `matches`, and Kubernetes' `find` and `findAll`.

use super::{Builtin, Call, global, member, mismatch};
use crate::error::Reason;
use crate::evaluate::VALUE_BYTES;
use crate::limits::Budget;
use crate::pattern::Pattern;
use crate::value::{Text, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    global("matches", 2, 2, call_matches),
    member("matches", 2, 2, call_matches),
    member("find", 2, 2, call_find),
    member("findAll", 2, 3, call_find_all),
];

fn call_matches<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [text @ Value::String(_), Value::String(pattern)] = call.arguments else {
        return Err(call.mismatch());
    };
    let pattern = call.patterns.get(pattern, call.budget)?;
    matches(text, &pattern, call.budget)
}

fn call_find<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [text @ Value::String(_), Value::String(pattern)] = call.arguments else {
        return Err(call.mismatch());
    };
    let pattern = call.patterns.get(pattern, call.budget)?;
    find(text, &pattern, call.budget)
}

fn call_find_all<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [text @ Value::String(_), Value::String(pattern), limit @ ..] = call.arguments else {
        return Err(call.mismatch());
    };
    let pattern = call.patterns.get(pattern, call.budget)?;
    find_all(text, &pattern, limit.first(), call.budget)
}

/// Whether the pattern matches somewhere in the text.
pub(crate) fn matches<'a>(
    text: &Value<'a>,
    pattern: &Pattern,
    budget: &mut Budget,
) -> Result<Value<'a>, Reason> {
    let Value::String(text) = text else {
        return Err(mismatch("matches", std::slice::from_ref(text)));
    };
    pattern.take(text, budget)?;
    Ok(Value::Bool(pattern.regex.is_match(text)))
}

/// What the pattern matches first, or the empty string.
pub(crate) fn find<'a>(
    text: &Value<'a>,
    pattern: &Pattern,
    budget: &mut Budget,
) -> Result<Value<'a>, Reason> {
    let Value::String(text) = text else {
        return Err(mismatch("find", std::slice::from_ref(text)));
    };
    pattern.take(text, budget)?;
    let found = pattern.regex.find(text).map_or("", |found| found.as_str());
    budget.take_bytes(found.len())?;
    Ok(Value::String(Text::from(found.to_owned())))
}

/// All that the pattern matches, or the first so many; fewer than none is all.
pub(crate) fn find_all<'a>(
    text: &Value<'a>,
    pattern: &Pattern,
    limit: Option<&Value<'a>>,
    budget: &mut Budget,
) -> Result<Value<'a>, Reason> {
    let (Value::String(text), None | Some(Value::Int(_))) = (text, limit) else {
        return Err(mismatch("findAll", std::slice::from_ref(text)));
    };
    let most = match limit {
        Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    pattern.take(text, budget)?;
    let mut found = Vec::new();
    for each in pattern.regex.find_iter(text).take(most) {
        budget.take_steps(1)?;
        budget.take_bytes(VALUE_BYTES.saturating_add(each.len()))?;
        found.push(Value::String(Text::from(each.as_str().to_owned())));
    }
    Ok(Value::list(found))
}
