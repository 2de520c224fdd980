//! What expressions are about: values that borrow from JSON, from the program, or share what was made.

mod compare;
mod containers;
mod json;
mod text;
mod time;

use std::sync::Arc;

pub(crate) use compare::{compare, equals, order_exactly};
pub(crate) use containers::Entries;
pub use containers::{Key, List, Map};
pub(crate) use text::double;
pub use text::{Octets, Text};
pub use time::{Duration, Timestamp};

use crate::objects::Object;

/// A value. Copying one is cheap: what is large is borrowed or shared.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` and `false`.
    Bool(bool),
    /// A whole number with a sign.
    Int(i64),
    /// A whole number without one: `1u`.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(Text<'a>),
    /// Bytes: `b'\xff'`.
    Bytes(Octets<'a>),
    /// A span of time.
    Duration(Duration),
    /// A point in time between the years 1 and 9999.
    Timestamp(Timestamp),
    /// What `type(x)` returns.
    Type(Type),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A value, or none: `a.?b`.
    Optional(Option<Arc<Value<'a>>>),
    /// A value of an extension: a quantity, an address.
    Object(Object),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Of `null`.
    Null,
    /// Of `true` and `false`.
    Bool,
    /// Of whole numbers.
    Int,
    /// Of whole numbers without a sign.
    Uint,
    /// Of floating-point numbers.
    Double,
    /// Of text.
    String,
    /// Of bytes.
    Bytes,
    /// Of lists.
    List,
    /// Of maps.
    Map,
    /// Of types.
    Type,
    /// Of optional values.
    Optional,
    /// Of spans of time.
    Duration,
    /// Of points in time.
    Timestamp,
    /// Of amounts: `quantity('1Gi')`.
    Quantity,
    /// Of `url('https://example.org')`.
    Url,
    /// Of `ip('::1')`.
    Ip,
    /// Of `cidr('10.0.0.0/8')`.
    Cidr,
    /// Of `semver('1.2.3')`.
    Semver,
    /// Of `format.uuid()`.
    Format,
}

/// Every type, by its name in expressions.
const TYPES: &[(&str, Type)] = &[
    ("null_type", Type::Null),
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("uint", Type::Uint),
    ("double", Type::Double),
    ("string", Type::String),
    ("bytes", Type::Bytes),
    ("list", Type::List),
    ("map", Type::Map),
    ("type", Type::Type),
    ("optional_type", Type::Optional),
    ("google.protobuf.Duration", Type::Duration),
    ("google.protobuf.Timestamp", Type::Timestamp),
    ("kubernetes.Quantity", Type::Quantity),
    ("kubernetes.URL", Type::Url),
    ("net.IP", Type::Ip),
    ("net.CIDR", Type::Cidr),
    ("kubernetes.Semver", Type::Semver),
    ("kubernetes.NamedFormat", Type::Format),
];

impl Type {
    /// Its name in expressions.
    #[must_use]
    pub fn name(self) -> &'static str {
        TYPES
            .iter()
            .find(|(_, each)| *each == self)
            .map_or("", |(name, _)| name)
    }

    /// The type of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = TYPES.iter().find(|(each, _)| *each == name);
        found.map(|(_, each)| *each)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(name, _)| *name)
    }
}

impl<'a> Value<'a> {
    /// The type of the value.
    #[must_use]
    pub fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Duration(_) => Type::Duration,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Type(_) => Type::Type,
            Self::List(_) => Type::List,
            Self::Map(_) => Type::Map,
            Self::Optional(_) => Type::Optional,
            Self::Object(object) => object.type_of(),
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&List<'a>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'a>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A list of these values.
    #[must_use]
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(List::made(values.into_iter().collect()))
    }

    /// A map with these entries; of entries with the same key, the last.
    #[must_use]
    pub fn map<K: Into<Text<'a>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let key = |(key, value): (K, Self)| (Key::String(key.into()), value);
        Self::Map(Map::made(entries.into_iter().map(key).collect()))
    }

    /// An optional with this value.
    pub(crate) fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The same value, borrowed from this one where that costs less than sharing.
    pub(crate) fn borrowed(&'a self) -> Self {
        match self {
            Self::String(Text::Shared(text)) => Self::String(Text::Borrowed(text)),
            Self::Bytes(Octets::Shared(bytes)) => Self::Bytes(Octets::Borrowed(bytes)),
            Self::List(List::Shared(items)) => Self::List(List::Borrowed(items)),
            Self::Map(Map::Shared(entries)) => Self::Map(Map::Borrowed(entries)),
            other => other.clone(),
        }
    }

    /// How many values lie in each other, JSON not counted: it has its reader's limit.
    pub(crate) fn depth(&self) -> usize {
        let mut around = 0;
        let mut value = self;
        loop {
            around += 1;
            match value {
                Self::Optional(Some(inner)) => value = inner,
                Self::List(list) => return around + list.depth(),
                Self::Map(map) => return around + map.depth(),
                _ => return around,
            }
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Text::Borrowed(text))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Timestamp(time)
    }
}

impl From<Duration> for Value<'_> {
    fn from(span: Duration) -> Self {
        Self::Duration(span)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Text::from(text))
    }
}
