//! Texts with values of the event in them: `%field`, `%field[argument]`, `%20field`, `%toupper(field)`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::compile::{Builder, CompileError, SlotId};
use crate::engine::Run;
use crate::language::{Term, parse_output_field};
use crate::source::{Event, Shape, Value};

/// What stands in an output where an event has no value, as in Falco's.
const MISSING: &str = "<NA>";
/// What stands in sentences there.
const NONE: &str = "not known";
/// Bytes of one value in a text at most.
const MOST_BYTES: usize = 8 << 10;
/// Fields of one text at most.
const MOST_FIELDS: usize = 500;

/// A compiled text.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    /// Whether people read it as a sentence: lists are told as such, without Falco's brackets.
    is_prose: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// A value, and how many characters it takes: 0 for as many as it has.
    Value {
        slot: SlotId,
        name: String,
        width: usize,
    },
    /// `%correlation.count`
    Count,
}

/// How percent signs that begin no field are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Percent {
    /// As errors, as Falco does in outputs.
    Strict,
    /// As they are, in texts of sentences.
    Lenient,
}

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    /// When a field in it is not there.
    pub(crate) fn compile(
        text: &str,
        percent: Percent,
        builder: &mut Builder<'_>,
    ) -> Result<Self, CompileError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        // A star says that values may be missing, which they always may.
        let start = usize::from(percent == Percent::Strict && text.starts_with('*'));
        let mut at = start;
        while let Some(rest) = text.get(at..) {
            let Some(sign) = rest.find('%') else {
                literal.push_str(rest);
                break;
            };
            literal.push_str(rest.get(..sign).unwrap_or_default());
            at = at.saturating_add(sign).saturating_add(1);
            let rest = text.get(at..).unwrap_or_default();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let width = rest.get(..digits).unwrap_or_default();
            let width = width.parse::<usize>().unwrap_or_default().min(1_000);
            let field = rest.get(digits..).unwrap_or_default();
            let is_field = field.starts_with(|c: char| c.is_ascii_alphabetic());
            if !is_field {
                if percent == Percent::Strict {
                    let message = "a % stands before a field, or before a number and a field";
                    return Err(CompileError::new(at, message));
                }
                literal.push('%');
                continue;
            }
            let (piece, length) = match value(field, width, builder) {
                Ok(found) => found,
                Err(_) if percent == Percent::Lenient && !has_point(field) => {
                    literal.push('%');
                    continue;
                }
                Err(mut error) => {
                    error.at = at.saturating_add(digits).saturating_add(error.at);
                    return Err(error);
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
            if pieces.len() > MOST_FIELDS * 2 {
                let message = format!("more than {MOST_FIELDS} fields in one text");
                return Err(CompileError::new(at, message));
            }
            at = at.saturating_add(digits).saturating_add(length);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        let is_prose = percent == Percent::Lenient;
        Ok(Self { pieces, is_prose })
    }

    /// A text without values.
    pub(crate) fn literal(text: &str) -> Self {
        Self {
            pieces: vec![Piece::Text(text.to_owned())],
            is_prose: false,
        }
    }

    /// The text with the values of an event.
    pub(crate) fn render<E: Event + ?Sized>(&self, run: &mut Run<'_, '_, E>, count: u64) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Count => {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{count}");
                }
                Piece::Value { slot, width, .. } => {
                    let shown = match self.is_prose {
                        true => told(*slot, run).unwrap_or_else(|| NONE.to_owned()),
                        false => shown(*slot, run).unwrap_or_else(|| MISSING.to_owned()),
                    };
                    if *width == 0 {
                        text.push_str(&shown);
                    } else {
                        let cut: String = shown.chars().take(*width).collect();
                        let _ = write!(text, "{cut:<width$}");
                    }
                }
            }
        }
        text
    }

    /// The slots of its values with their names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, SlotId)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value { slot, name, .. } => Some((name.as_str(), *slot)),
            Piece::Text(_) | Piece::Count => None,
        })
    }
}

/// The field that a text begins with. Of `%proc.name.` it is the longest part that there is.
fn value(
    text: &str,
    width: usize,
    builder: &mut Builder<'_>,
) -> Result<(Piece, usize), CompileError> {
    const COUNT: &str = "correlation.count";
    if text.starts_with(COUNT) {
        return Ok((Piece::Count, COUNT.len()));
    }
    let parsed = parse_output_field(text);
    let (mut term, mut length) =
        parsed.map_err(|error| CompileError::new(error.at, error.message))?;
    loop {
        match builder.term(&term) {
            Ok(slot) => {
                let name = term.to_string();
                return Ok((Piece::Value { slot, name, width }, length));
            }
            Err(error) => {
                let Term::Field {
                    name,
                    argument: None,
                    at,
                } = &term
                else {
                    return Err(error);
                };
                let shorter = name.rsplit_once('.').map(|(shorter, _)| shorter);
                let Some(shorter) = shorter.filter(|text| error.is_unknown && text.contains('.'))
                else {
                    return Err(error);
                };
                length = shorter.len();
                term = Term::Field {
                    name: shorter.to_owned(),
                    argument: None,
                    at: *at,
                };
            }
        }
    }
}

/// Whether the word at the beginning has a point in it, as fields do.
fn has_point(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default();
    rest.strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        || rest.starts_with('(')
}

/// The values of a slot as text; nothing when there are none.
pub(crate) fn shown<E: Event + ?Sized>(slot: SlotId, run: &mut Run<'_, '_, E>) -> Option<String> {
    let is_list = run.shape(slot) != Shape::One;
    let values = run.values(slot)?;
    if !is_list {
        return values.first().map(text);
    }
    let texts: Vec<String> = values.iter().map(text).collect();
    Some(cut(format!("({})", texts.join(","))))
}

/// The values of a slot as a sentence lists them; nothing when there are none.
fn told<E: Event + ?Sized>(slot: SlotId, run: &mut Run<'_, '_, E>) -> Option<String> {
    let values = run.values(slot)?;
    let texts: Vec<String> = values.iter().map(text).collect();
    (!texts.is_empty()).then(|| cut(texts.join(", ")))
}

/// The values of a slot that say something, each as text.
pub(crate) fn texts<E: Event + ?Sized>(slot: SlotId, run: &mut Run<'_, '_, E>) -> Vec<String> {
    let values = run.values(slot).unwrap_or_default();
    let texts = values.iter().take(1_000).map(text);
    texts.filter(|text| !text.is_empty()).collect()
}

/// The values of a slot as JSON; null when there are none.
pub(crate) fn json<E: Event + ?Sized>(slot: SlotId, run: &mut Run<'_, '_, E>) -> Json {
    let is_list = run.shape(slot) != Shape::One;
    let Some(values) = run.values(slot) else {
        return Json::Null;
    };
    if is_list {
        return Json::Array(values.iter().take(1_000).map(value_json).collect());
    }
    values.first().map_or(Json::Null, value_json)
}

fn value_json(value: &Value<'_>) -> Json {
    match value {
        Value::Unsigned(number) => Json::from(*number),
        Value::Signed(number) => Json::from(*number),
        Value::Double(number) => Json::from(*number),
        Value::Bool(flag) => Json::from(*flag),
        Value::Text(_) | Value::Address(_) => Json::from(text(value)),
    }
}

/// One value as text.
pub(crate) fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => cut(String::from_utf8_lossy(text).into_owned()),
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Address(address) => address.to_string(),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MOST_BYTES {
        let mut end = MOST_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
