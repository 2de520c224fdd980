//! Lists and maps: JSON's as they are, and those that were made.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Text, Type, Value};

/// A list.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// An array of a document.
    Json(&'a [Json]),
    /// A list of the program.
    Borrowed(&'a Items<'a>),
    /// A list that was made.
    Shared(Arc<Items<'a>>),
}

/// The values of a list that was made.
#[derive(Debug)]
pub struct Items<'a> {
    depth: usize,
    pub(crate) values: Vec<Value<'a>>,
}

impl<'a> Items<'a> {
    pub(crate) fn new(values: Vec<Value<'a>>) -> Self {
        Self {
            depth: values.iter().map(Value::depth).max().unwrap_or(0),
            values,
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn made(values: Vec<Value<'a>>) -> Self {
        Self::Shared(Arc::new(Items::new(values)))
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Json(_) => 0,
            Self::Borrowed(items) => items.depth,
            Self::Shared(items) => items.depth,
        }
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(values) => values.len(),
            Self::Borrowed(items) => items.values.len(),
            Self::Shared(items) => items.values.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at an index from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Json(values) => values.get(index).map(Value::from),
            Self::Borrowed(items) => items.values.get(index).map(Value::borrowed),
            Self::Shared(items) => items.values.get(index).cloned(),
        }
    }

    /// The elements in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value<'a>> {
        let list = self.clone();
        (0..self.len()).map(move |index| list.get(index).unwrap_or(Value::Null))
    }
}

/// A map.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// An object of a document.
    Json(&'a serde_json::Map<String, Json>),
    /// A map of the program.
    Borrowed(&'a Entries<'a>),
    /// A map that was made.
    Shared(Arc<Entries<'a>>),
}

/// The entries of a map that was made, by their keys.
#[derive(Debug)]
pub struct Entries<'a> {
    depth: usize,
    pub(crate) entries: Vec<(Key<'a>, Value<'a>)>,
}

impl<'a> Entries<'a> {
    /// Sorts the entries; of those with the same key, the last stays.
    pub(crate) fn new(mut entries: Vec<(Key<'a>, Value<'a>)>) -> Self {
        // Stable, so that of the same keys the last comes last.
        entries.sort_by(|left, right| left.0.order(&right.0));
        entries.reverse();
        entries.dedup_by(|left, right| left.0.order(&right.0).is_eq());
        entries.reverse();
        Self {
            depth: entries
                .iter()
                .map(|(_, value)| value.depth())
                .max()
                .unwrap_or(0),
            entries,
        }
    }

    fn find(&self, key: &Key<'_>) -> Option<&Value<'a>> {
        let found = self
            .entries
            .binary_search_by(|(each, _)| each.order(key))
            .ok()?;
        self.entries.get(found).map(|(_, value)| value)
    }

    fn find_text(&self, key: &str) -> Option<&Value<'a>> {
        self.find(&Key::String(Text::Borrowed(key)))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn made(entries: Vec<(Key<'a>, Value<'a>)>) -> Self {
        Self::Shared(Arc::new(Entries::new(entries)))
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Json(_) => 0,
            Self::Borrowed(entries) => entries.depth,
            Self::Shared(entries) => entries.depth,
        }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(object) => object.len(),
            Self::Borrowed(entries) => entries.entries.len(),
            Self::Shared(entries) => entries.entries.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value under a key that is text.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Json(object) => object.get(key).map(Value::from),
            Self::Borrowed(entries) => entries.find_text(key).map(Value::borrowed),
            Self::Shared(entries) => entries.find_text(key).cloned(),
        }
    }

    /// The value under any key: `1`, `1u` and `1.0` are the same one.
    pub(crate) fn find(&self, key: &Key<'_>) -> Option<Value<'a>> {
        match self {
            Self::Json(_) => match key {
                Key::String(text) => self.get(text),
                Key::Bool(_) | Key::Int(_) | Key::Uint(_) => None,
            },
            Self::Borrowed(entries) => entries.find(key).map(Value::borrowed),
            Self::Shared(entries) => entries.find(key).cloned(),
        }
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Key<'a>, Value<'a>)> + 'a> {
        match self {
            Self::Json(object) => Box::new(
                object
                    .iter()
                    .map(|(key, value)| (Key::String(Text::Borrowed(key)), Value::from(value))),
            ),
            Self::Borrowed(entries) => Box::new(
                entries
                    .entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.borrowed())),
            ),
            Self::Shared(entries) => {
                let entries = Arc::clone(entries);
                let entry = move |at: usize| entries.entries.get(at).cloned();
                Box::new((0..self.len()).filter_map(entry))
            }
        }
    }
}

/// One more than the largest `int`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// What a map may be asked by.
#[derive(Clone, Debug)]
pub enum Key<'a> {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without a sign.
    Uint(u64),
    /// Text.
    String(Text<'a>),
}

impl<'a> Key<'a> {
    /// The key that a value is in the literal of a map: doubles are none there.
    pub(crate) fn literal(value: &Value<'a>) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Uint(value) => Some(Self::Uint(*value)),
            Value::String(text) => Some(Self::String(text.clone())),
            _ => None,
        }
    }

    /// The key that a value asks for: a double asks for the whole number that it is.
    pub(crate) fn asked(value: &Value<'a>) -> Option<Self> {
        match value {
            Value::Double(value) if value.fract() == 0.0 => {
                if *value >= -TWO_63 && *value < TWO_63 {
                    Some(Self::Int(*value as i64))
                } else if *value >= 0.0 && *value < 2.0 * TWO_63 {
                    Some(Self::Uint(*value as u64))
                } else {
                    None
                }
            }
            other => Self::literal(other),
        }
    }

    /// The key as a value.
    #[must_use]
    pub fn value(&self) -> Value<'a> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::String(text) => Value::String(text.clone()),
        }
    }

    /// Bytes of its text: what looking for it costs.
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Bool(_) | Self::Int(_) | Self::Uint(_) => 0,
        }
    }

    pub(crate) fn type_of(&self) -> Type {
        self.value().type_of()
    }

    pub(crate) fn order(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Self::String(left), Key::String(right)) => (**left).cmp(&**right),
            (Self::Bool(left), Key::Bool(right)) => left.cmp(right),
            (Self::Int(left), Key::Int(right)) => left.cmp(right),
            (Self::Uint(left), Key::Uint(right)) => left.cmp(right),
            (Self::Int(left), Key::Uint(right)) => i128::from(*left).cmp(&i128::from(*right)),
            (Self::Uint(left), Key::Int(right)) => i128::from(*left).cmp(&i128::from(*right)),
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Uint(_) => 1,
            Self::String(_) => 2,
        }
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}"),
            Self::String(text) => f.write_str(crate::error::cut(text)),
        }
    }
}
