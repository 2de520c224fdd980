//! Strings: the standard functions and cel-go's `ext.Strings`. Places are counted in code points.

use super::{Builtin, Call, format, global, lists, member};
use crate::error::Reason;
use crate::evaluate::VALUE_BYTES;
use crate::value::{Text, Value};

type Result<'a> = std::result::Result<Value<'a>, Reason>;

pub(super) const FUNCTIONS: &[Builtin] = &[
    member("contains", 2, 2, |call| {
        test(call, |text, part| text.contains(part))
    }),
    member("startsWith", 2, 2, |call| {
        test(call, |text, part| text.starts_with(part))
    }),
    member("endsWith", 2, 2, |call| {
        test(call, |text, part| text.ends_with(part))
    }),
    member("charAt", 2, 2, char_at),
    member("indexOf", 2, 3, index_of),
    member("lastIndexOf", 2, 3, last_index_of),
    member("lowerAscii", 1, 1, |call| {
        mapped(call, |text| text.to_ascii_lowercase())
    }),
    member("upperAscii", 1, 1, |call| {
        mapped(call, |text| text.to_ascii_uppercase())
    }),
    member("trim", 1, 1, |call| {
        mapped(call, |text| text.trim().to_owned())
    }),
    member("reverse", 1, 1, reverse),
    member("replace", 3, 4, replace),
    member("split", 2, 3, split),
    member("substring", 2, 3, substring),
    member("join", 1, 2, join),
    member("format", 2, 2, format::format),
    global("strings.quote", 1, 1, quote),
];

fn test<'a>(call: &mut Call<'_, 'a>, test: fn(&str, &str) -> bool) -> Result<'a> {
    let [Value::String(text), Value::String(part)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget
        .take_text(text.len().saturating_add(part.len()))?;
    Ok(Value::Bool(test(text, part)))
}

fn mapped<'a>(call: &mut Call<'_, 'a>, map: fn(&str) -> String) -> Result<'a> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len())?;
    Ok(Value::String(Text::from(map(text))))
}

fn made<'a>(call: &mut Call<'_, 'a>, text: &str) -> Result<'a> {
    call.budget.take_bytes(text.len())?;
    Ok(Value::String(Text::from(text.to_owned())))
}

/// The offset of the code point at a place; one behind the last is allowed.
fn offset(text: &str, place: i64) -> std::result::Result<usize, Reason> {
    let out = Reason::IndexOutOfRange(place);
    let Ok(place) = usize::try_from(place) else {
        return Err(out);
    };
    let mut offsets = text.char_indices().map(|(at, _)| at);
    match offsets.nth(place) {
        Some(at) => Ok(at),
        None if text.chars().count() == place => Ok(text.len()),
        None => Err(out),
    }
}

fn place(text: &str, offset: usize) -> Value<'static> {
    let before = text.get(..offset).unwrap_or_default();
    Value::Int(i64::try_from(before.chars().count()).unwrap_or(i64::MAX))
}

fn char_at<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(text), Value::Int(at)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_text(text.len())?;
    let at = offset(text, *at)?;
    let rest = text.get(at..).unwrap_or_default();
    Ok(Value::String(Text::from(
        rest.chars().next().map(String::from).unwrap_or_default(),
    )))
}

/// Of a part in a string, or of an element in a list.
fn index_of<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (text, part, from) = match call.arguments {
        [Value::List(list), value] => return lists::index_of(list, value, false, call.budget),
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, *from),
        _ => return Err(call.mismatch()),
    };
    call.budget
        .take_text(text.len().saturating_add(part.len()))?;
    let from = offset(text, from)?;
    let found = text.get(from..).unwrap_or_default().find(&**part);
    Ok(found.map_or(Value::Int(-1), |at| place(text, from + at)))
}

/// With a place, the last one that starts there or before.
fn last_index_of<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (text, part, to) = match call.arguments {
        [Value::List(list), value] => return lists::index_of(list, value, true, call.budget),
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(to)] => (text, part, Some(*to)),
        _ => return Err(call.mismatch()),
    };
    call.budget
        .take_text(text.len().saturating_add(part.len()))?;
    let end = match to {
        None => text.len(),
        Some(to) => offset(text, to)?.saturating_add(part.len()),
    };
    // The end may fall into a character, in which no part can end either.
    let end = text.floor_char_boundary(end.min(text.len()));
    let found = text.get(..end).unwrap_or_default().rfind(&**part);
    Ok(found.map_or(Value::Int(-1), |at| place(text, at)))
}

fn reverse<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    match call.arguments {
        [Value::List(list)] => lists::reverse(list, call.budget),
        _ => mapped(call, |text| text.chars().rev().collect()),
    }
}

fn replace<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (text, old, new, most) = match call.arguments {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, -1),
        [
            Value::String(text),
            Value::String(old),
            Value::String(new),
            Value::Int(most),
        ] => (text, old, new, *most),
        _ => return Err(call.mismatch()),
    };
    // Fewer than none means all.
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    call.budget.take_text(text.len())?;
    let hits = text.matches(&**old).take(most).count();
    let bytes = text.len().saturating_add(hits.saturating_mul(new.len()));
    call.budget.take_bytes(bytes)?;
    Ok(Value::String(Text::from(text.replacen(&**old, new, hits))))
}

fn split<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (text, separator, most) = match call.arguments {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [
            Value::String(text),
            Value::String(separator),
            Value::Int(most),
        ] => (text, separator, *most),
        _ => return Err(call.mismatch()),
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest: &str = text;
    call.budget.take_bytes(text.len())?;
    while parts.len() + 1 < most {
        // Without a separator, each character is a part.
        let end = match separator.is_empty() {
            true => rest
                .chars()
                .next()
                .map(char::len_utf8)
                .filter(|end| *end < rest.len()),
            false => rest.find(&**separator),
        };
        let Some(end) = end else {
            break;
        };
        call.budget.take_steps(1)?;
        call.budget.take_bytes(VALUE_BYTES)?;
        let part = rest.get(..end).unwrap_or_default();
        parts.push(Value::String(Text::from(part.to_owned())));
        rest = rest.get(end + separator.len()..).unwrap_or_default();
    }
    if most > 0 && !(separator.is_empty() && text.is_empty()) {
        parts.push(Value::String(Text::from(rest.to_owned())));
    }
    Ok(Value::list(parts))
}

fn substring<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (text, from, to) = match call.arguments {
        [Value::String(text), Value::Int(from)] => (text, *from, None),
        [Value::String(text), Value::Int(from), Value::Int(to)] => (text, *from, Some(*to)),
        _ => return Err(call.mismatch()),
    };
    call.budget.take_text(text.len())?;
    let start = offset(text, from)?;
    let end = match to {
        Some(to) if to < from => return Err(Reason::IndexOutOfRange(to)),
        Some(to) => offset(text, to)?,
        None => text.len(),
    };
    made(call, text.get(start..end).unwrap_or_default())
}

fn join<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let (list, separator) = match call.arguments {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, &**separator),
        _ => return Err(call.mismatch()),
    };
    let mut joined = String::new();
    for (at, each) in list.iter().enumerate() {
        let Value::String(text) = &each else {
            return Err(super::mismatch("join", &[each]));
        };
        let before = if at > 0 { separator } else { "" };
        call.budget.take_steps(1)?;
        call.budget
            .take_bytes(before.len().saturating_add(text.len()))?;
        joined.push_str(before);
        joined.push_str(text);
    }
    Ok(Value::String(Text::from(joined)))
}

fn quote<'a>(call: &mut Call<'_, 'a>) -> Result<'a> {
    let [Value::String(text)] = call.arguments else {
        return Err(call.mismatch());
    };
    call.budget.take_bytes(text.len().saturating_mul(2))?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        let escaped = match character {
            '\x07' => r"\a",
            '\x08' => r"\b",
            '\x0c' => r"\f",
            '\n' => r"\n",
            '\r' => r"\r",
            '\t' => r"\t",
            '\x0b' => r"\v",
            '\\' => r"\\",
            '"' => "\\\"",
            other => {
                quoted.push(other);
                continue;
            }
        };
        quoted.push_str(escaped);
    }
    quoted.push('"');
    Ok(Value::String(Text::from(quoted)))
}
