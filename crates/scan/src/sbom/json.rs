//! Parts of foreign JSON: borrowed where that is possible, and bounded where few bytes of a document would
//! make many of ours.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Text that borrows from the document where it has no escapes.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The text of a field that may be missing.
pub(super) fn text(field: Option<Text<'_>>) -> Cow<'_, str> {
    field.unwrap_or_default().0
}

/// The text of a field that may be missing, without taking it.
pub(super) fn as_text<'b>(field: &'b Option<Text<'_>>) -> &'b str {
    field.as_ref().map_or("", |Text(text)| text)
}

/// A list, or `null`, whose items are taken up one by one.
#[derive(Debug, Default)]
pub(super) struct List<T>(pub(super) T);

/// What keeps of a list's items what it has a use for.
pub(super) trait Gather<'a>: Default {
    /// An item as it stands in the document.
    type Item: Deserialize<'a>;

    fn take(&mut self, item: Self::Item);
}

impl<'de, T: Gather<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Gather<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List(T::default()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut gathered = T::default();
                while let Some(item) = items.next_element()? {
                    gathered.take(item);
                }
                Ok(List(gathered))
            }
        }

        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// Records that one list may have. Files are records too: the largest real documents have some hundred
/// thousand.
const MOST_RECORDS: usize = 1_000_000;

/// The records of a list as they stand there, so that a bad one spoils no other.
#[derive(Debug, Default)]
pub(super) struct Records<'a> {
    pub(super) raw: Vec<&'a RawValue>,
    /// How many more there were.
    pub(super) untold: usize,
}

impl<'de: 'a, 'a> Gather<'de> for Records<'a> {
    type Item = &'a RawValue;

    fn take(&mut self, item: &'a RawValue) {
        if self.raw.len() < MOST_RECORDS {
            self.raw.push(item);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }
}

/// The first item of a list.
#[derive(Debug)]
pub(super) struct First<T>(pub(super) Option<T>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'a, T: Deserialize<'a>> Gather<'a> for First<T> {
    type Item = T;

    fn take(&mut self, item: T) {
        self.0.get_or_insert(item);
    }
}

/// Entries that [`Pairs`] keeps: those of an image with a thousand layers and ten thousand problems.
const MOST_PAIRS: usize = 100_000;

/// An object of texts, in order.
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while pairs.len() < MOST_PAIRS {
                    match map.next_entry()? {
                        Some(pair) => pairs.push(pair),
                        None => return Ok(Pairs(pairs)),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
