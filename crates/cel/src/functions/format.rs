//! `string.format(list)` (cel-spec, extensions/strings.md), and how values are shown in text.

use std::fmt::Write as _;

use super::{Call, mismatch};
use crate::error::{EvaluationError, Position, Reason};
use crate::limits::Budget;
use crate::value::{Key, List, Map, Text, Value};

/// Digits after the point at most: a double has no more to say.
const PRECISION: usize = 1_000;

pub(super) fn format<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>, Reason> {
    let [Value::String(template), Value::List(arguments)] = call.arguments else {
        return Err(call.mismatch());
    };
    let mut output = Output {
        text: String::new(),
        budget: call.budget,
    };
    let mut arguments = arguments.iter();
    let mut rest: &str = template;
    while let Some((before, after)) = rest.split_once('%') {
        output.push(before)?;
        let (precision, after) = match after.strip_prefix('.') {
            Some(digits) => {
                let end = digits
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(digits.len());
                let (digits, after) = digits.split_at(end);
                let precision = digits.parse().ok().filter(|places| *places <= PRECISION);
                let precision = precision
                    .ok_or_else(|| Reason::invalid("format: not a precision after `%.`"))?;
                (Some(precision), after)
            }
            None => (None, after),
        };
        let Some(clause) = after.chars().next() else {
            return Err(Reason::invalid("format: nothing after `%`"));
        };
        rest = after.get(clause.len_utf8()..).unwrap_or_default();
        if clause == '%' {
            output.push("%")?;
            continue;
        }
        if !"sdfexXob".contains(clause) {
            let message = format!("format: unknown clause `%{}`", clause.escape_debug());
            return Err(Reason::invalid(message));
        }
        let Some(value) = arguments.next() else {
            return Err(Reason::invalid("format: fewer values than clauses"));
        };
        output.clause(clause, precision.unwrap_or(6), &value)?;
    }
    output.push(rest)?;
    Ok(Value::String(Text::from(output.text)))
}

impl Value<'_> {
    /// The value for people to read, as `%s` has it.
    ///
    /// # Errors
    /// When the budget ends.
    pub fn to_text(&self, budget: &mut Budget) -> Result<String, EvaluationError> {
        let mut output = Output {
            text: String::new(),
            budget,
        };
        match output.show(self) {
            Ok(()) => Ok(output.text),
            Err(reason) => Err(EvaluationError {
                reason,
                position: Position { line: 1, column: 1 },
            }),
        }
    }
}

struct Output<'b> {
    text: String,
    budget: &'b mut Budget,
}

impl Output<'_> {
    fn push(&mut self, text: &str) -> Result<(), Reason> {
        self.budget.take_bytes(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn clause(&mut self, clause: char, precision: usize, value: &Value<'_>) -> Result<(), Reason> {
        // Written for the account first; none of these is long.
        let wrong = || mismatch(&format!("%{clause}"), std::slice::from_ref(value));
        let text = match (clause, value) {
            ('s', value) => return self.show(value),
            ('x' | 'X', Value::String(text)) => return self.hex(text.as_bytes(), clause),
            ('x' | 'X', Value::Bytes(bytes)) => return self.hex(bytes, clause),
            ('d', Value::Int(value)) => value.to_string(),
            ('d', Value::Uint(value)) => value.to_string(),
            ('d', Value::Double(value)) => plain_double(*value),
            ('b', Value::Bool(value)) => u8::from(*value).to_string(),
            ('b' | 'o' | 'x' | 'X', Value::Int(value)) => {
                let sign = if *value < 0 { "-" } else { "" };
                format!("{sign}{}", radix(clause, value.unsigned_abs()))
            }
            ('b' | 'o' | 'x' | 'X', Value::Uint(value)) => radix(clause, *value),
            ('f' | 'e', value) => {
                let value = match value {
                    Value::Double(value) => *value,
                    Value::Int(value) => *value as f64,
                    Value::Uint(value) => *value as f64,
                    _ => return Err(wrong()),
                };
                match clause {
                    _ if !value.is_finite() => plain_double(value),
                    'f' => format!("{value:.precision$}"),
                    _ => scientific(value, precision),
                }
            }
            _ => return Err(wrong()),
        };
        self.push(&text)
    }

    fn hex(&mut self, bytes: &[u8], clause: char) -> Result<(), Reason> {
        self.budget.take_bytes(bytes.len().saturating_mul(2))?;
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = match clause {
                'x' => write!(self.text, "{byte:02x}"),
                _ => write!(self.text, "{byte:02X}"),
            };
        }
        Ok(())
    }

    fn show(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        self.budget.take_steps(1)?;
        match value {
            Value::String(text) => self.push(text),
            Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Int(value) => self.push(&value.to_string()),
            Value::Uint(value) => self.push(&value.to_string()),
            Value::Double(value) => self.push(&plain_double(*value)),
            Value::Bytes(bytes) => {
                self.budget.take_bytes(bytes.len().saturating_mul(3))?;
                self.push(&lossy(bytes))
            }
            Value::Duration(span) => self.push(&span.to_string()),
            Value::Timestamp(time) => self.push(&time.to_string()),
            Value::Type(named) => self.push(named.name()),
            Value::Object(object) => self.push(&object.to_string()),
            Value::Optional(None) => self.push("none"),
            Value::Optional(Some(value)) => self.show(value),
            Value::List(list) => self.list(list),
            Value::Map(map) => self.map(map),
        }
    }

    fn list(&mut self, list: &List<'_>) -> Result<(), Reason> {
        self.push("[")?;
        for (at, value) in list.iter().enumerate() {
            if at > 0 {
                self.push(", ")?;
            }
            self.show(&value)?;
        }
        self.push("]")
    }

    /// In the order of the keys as they are written.
    fn map(&mut self, map: &Map<'_>) -> Result<(), Reason> {
        let mut entries = Vec::new();
        for (key, value) in map.iter() {
            self.budget.take_steps(1)?;
            let written = match &key {
                Key::String(text) => text.to_string(),
                key => key.to_string(),
            };
            self.budget.take_bytes(written.len().saturating_mul(2))?;
            entries.push((written, value));
        }
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        self.push("{")?;
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 {
                self.push(", ")?;
            }
            self.push(key)?;
            self.push(": ")?;
            self.show(value)?;
        }
        self.push("}")
    }
}

/// Base 10, without an exponent.
fn plain_double(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => value.to_string(),
    }
}

/// At least two digits in the exponent, and always its sign.
fn scientific(value: f64, precision: usize) -> String {
    let written = format!("{value:.precision$e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

fn radix(clause: char, value: u64) -> String {
    match clause {
        'b' => format!("{value:b}"),
        'o' => format!("{value:o}"),
        'x' => format!("{value:x}"),
        _ => format!("{value:X}"),
    }
}

/// The bytes as text, with one mark for each run of what is not UTF-8.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() && (!text.ends_with('\u{fffd}') || !chunk.valid().is_empty())
        {
            text.push('\u{fffd}');
        }
    }
    text
}
