//! Walks JSON and YAML documents and hands out the records that stand at one place of them, one after the other:
//! memory does not grow with the document, and what was read before an error stays read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::faults;
use super::found::{Found, Limited};
use super::loose::{Record, Text};
use crate::ecosystems::faults::excerpt;

/// Hands out the tables of a JSON document that stand at `place`: one name for each level, `*` for any member of
/// a table or list. `each` is given a table with the name under which it stands, empty in a list.
///
/// What is no table becomes a problem, and so does an error, which ends the walk. Says whether the table or list
/// that holds the records was there and whole.
pub(super) fn json<'de, T, F>(
    content: &'de [u8],
    place: &[&str],
    found: &mut Found<'_>,
    each: F,
) -> Result<bool, Limited>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, &str, T) -> Result<(), Limited>,
{
    let mut walk = Walk::new(found, each);
    let mut document = serde_json::Deserializer::from_slice(without_mark(content));
    let level = walk.level(place, "the document");
    let result = level.deserialize(&mut document);
    let result = result.and_then(|()| document.end());
    walk.finish(result.map_err(|error| faults::json(&error)))
}

/// As [`json`], of a YAML document.
pub(super) fn yaml<'de, T, F>(
    content: &'de [u8],
    place: &[&str],
    found: &mut Found<'_>,
    each: F,
) -> Result<bool, Limited>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, &str, T) -> Result<(), Limited>,
{
    // The largest lock files have some 10,000 packages of 30 nodes. None has aliases, with which a short text could
    // stand for a long one.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 3_000_000,
            max_nodes: 1_000_000,
            max_aliases: 0,
            max_anchors: 0,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let mut walk = Walk::new(found, each);
    let level = walk.level(place, "the document");
    let result = serde_saphyr::with_deserializer_from_slice_with_options(
        without_mark(content),
        options,
        |document| level.deserialize(document),
    );
    walk.finish(result.map_err(|error| faults::yaml(&error)))
}

/// Tools on Windows write byte order marks, and those that read these files pass over them.
fn without_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content)
}

/// One walk through one document.
struct Walk<'w, 'p, T, F> {
    found: &'w mut Found<'p>,
    each: F,
    was_reached: bool,
    is_limited: bool,
    record: PhantomData<fn() -> T>,
}

impl<'w, 'p, T, F> Walk<'w, 'p, T, F> {
    fn new(found: &'w mut Found<'p>, each: F) -> Self {
        Self {
            found,
            each,
            was_reached: false,
            is_limited: false,
            record: PhantomData,
        }
    }

    fn level<'l>(&'l mut self, place: &'l [&'l str], name: &'l str) -> Level<'l, 'w, 'p, T, F> {
        Level {
            walk: self,
            place,
            name,
        }
    }

    fn finish(self, result: Result<(), String>) -> Result<bool, Limited> {
        match result {
            Ok(()) => Ok(self.was_reached),
            Err(_) if self.is_limited => Err(Limited),
            Err(fault) => {
                self.found
                    .problem(format!("failed to read the file: {fault}"));
                Ok(false)
            }
        }
    }
}

/// A table or list on the way to the records. Not as deep as `place` is long, however deep the document is.
struct Level<'l, 'w, 'p, T, F> {
    walk: &'l mut Walk<'w, 'p, T, F>,
    /// What is left of the way; empty only where the caller asks for the document itself.
    place: &'l [&'l str],
    name: &'l str,
}

impl<T, F> Level<'_, '_, '_, T, F> {
    fn wrong<E>(self) -> Result<(), E> {
        let name = short(self.name);
        self.walk.found.problem(format!("{name} is no table"));
        Ok(())
    }
}

/// A name out of a file, as a message may hold it.
fn short(name: &str) -> String {
    excerpt(name, 200).into_owned()
}

impl<'de, T, F> DeserializeSeed<'de> for Level<'_, '_, '_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, &str, T) -> Result<(), Limited>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, T, F> Level<'_, '_, '_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, &str, T) -> Result<(), Limited>,
{
    fn record<E: Error>(&mut self, name: &str, record: Option<T>) -> Result<(), E> {
        let Some(record) = record else {
            let name = match name {
                "" => "an entry".to_owned(),
                name => format!("entry {:?}", short(name)),
            };
            self.walk.found.problem(format!("{name} is no table"));
            return Ok(());
        };
        let walk = &mut *self.walk;
        (walk.each)(walk.found, name, record).map_err(|Limited| {
            walk.is_limited = true;
            E::custom("the limit of packages is reached")
        })
    }
}

impl<'de, T, F> Visitor<'de> for Level<'_, '_, '_, T, F>
where
    T: Deserialize<'de>,
    F: FnMut(&mut Found<'_>, &str, T) -> Result<(), Limited>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table or list")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut table: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.place.split_first() else {
            return self.wrong();
        };
        self.walk.was_reached |= rest.is_empty();
        while let Some(name) = table.next_key::<Text<'de>>()? {
            let name = name.get().unwrap_or_default();
            if *wanted != "*" && *wanted != name {
                table.next_value::<IgnoredAny>()?;
            } else if rest.is_empty() {
                let Record(record) = table.next_value()?;
                self.record(name, record)?;
            } else {
                table.next_value_seed(self.walk.level(rest, name))?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let ["*"] = self.place else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return self.wrong();
        };
        self.walk.was_reached = true;
        while let Some(Record(record)) = list.next_element()? {
            self.record("", record)?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.wrong()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.wrong()
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.wrong()
    }
}
