//! Values of documents that strangers wrote, whatever type they have. Reading one never fails for its type, so
//! that a record with a wrong field costs that field and not the file.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text; `None` where nothing or something else stands.
#[derive(Clone, Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim)
    }
}

impl<'a> Text<'a> {
    pub(super) fn into_inner(self) -> Option<Cow<'a, str>> {
        self.0
    }
}

/// Whether something stands there: not null, `false`, or an empty text, list or table.
#[derive(Clone, Copy, Default)]
pub(super) struct Flag(pub(super) bool);

/// A list; empty where something else stands.
pub(super) struct List<T>(pub(super) Vec<T>);

/// The members of a table, by name; empty where something else stands.
pub(super) struct Table<'a, T>(pub(super) Vec<(Cow<'a, str>, T)>);

/// A table; `None` where something else stands.
pub(super) struct Record<T>(pub(super) Option<T>);

// By hand, because a derive would ask for `T: Default`.
impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Table<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What becomes of each type of value. What is not said is read over and gives the default.
trait Shape<'de>: Default {
    fn from_bool(_value: bool) -> Self {
        Self::default()
    }

    fn from_text(_text: Cow<'de, str>) -> Self {
        Self::default()
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn from_table<A: MapAccess<'de>>(mut table: A) -> Result<Self, A::Error> {
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'a, 'de: 'a> Shape<'de> for Text<'a> {
    fn from_text(text: Cow<'de, str>) -> Self {
        Self(Some(text))
    }
}

impl<'de> Shape<'de> for Flag {
    fn from_bool(value: bool) -> Self {
        Self(value)
    }

    fn from_text(text: Cow<'de, str>) -> Self {
        Self(!text.is_empty())
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut flag = Self(false);
        while list.next_element::<IgnoredAny>()?.is_some() {
            flag = Self(true);
        }
        Ok(flag)
    }

    fn from_table<A: MapAccess<'de>>(mut table: A) -> Result<Self, A::Error> {
        let mut flag = Self(false);
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            flag = Self(true);
        }
        Ok(flag)
    }
}

impl<'de, T: Deserialize<'de>> Shape<'de> for List<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Self(elements))
    }
}

impl<'a, 'de: 'a, T: Deserialize<'de>> Shape<'de> for Table<'a, T> {
    fn from_table<A: MapAccess<'de>>(mut table: A) -> Result<Self, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), member)) = table.next_entry()? {
            members.push((name.unwrap_or_default(), member));
        }
        Ok(Self(members))
    }
}

impl<'de, T: Deserialize<'de>> Shape<'de> for Record<T> {
    fn from_table<A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(|record| Self(Some(record)))
    }
}

/// Visits any value and makes an `S` of it.
struct Any<S>(PhantomData<S>);

impl<'de, S: Shape<'de>> Visitor<'de> for Any<S> {
    type Value = S;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<S, E> {
        Ok(S::from_bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_unit<E>(self) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<S, E> {
        Ok(S::from_text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<S, E> {
        Ok(S::from_text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S, A::Error> {
        S::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<S, A::Error> {
        S::from_table(table)
    }
}

fn any<'de, D: Deserializer<'de>, S: Shape<'de>>(value: D) -> Result<S, D::Error> {
    value.deserialize_any(Any(PhantomData))
}

impl<'a, 'de: 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        any(value)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        any(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        any(value)
    }
}

impl<'a, 'de: 'a, T: Deserialize<'de>> Deserialize<'de> for Table<'a, T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        any(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        any(value)
    }
}
