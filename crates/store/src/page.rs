//! Lists are paged by key: a cursor says after which row to go on, so rows that come or go do not shift pages.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// Some rows of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
}

/// A place in a list, as text that is safe in an address. What it holds concerns only the list that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn encode<K: Serialize>(key: &K) -> Self {
        Self(URL_SAFE_NO_PAD.encode(crate::rows::json(key)))
    }

    pub(crate) fn decode<K: DeserializeOwned>(&self) -> Result<K, StoreError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(&self.0)
            .map_err(|_not_base64: base64::DecodeError| StoreError::BadCursor)?;
        serde_json::from_slice(&bytes)
            .map_err(|_other_list: serde_json::Error| StoreError::BadCursor)
    }
}

impl FromStr for Cursor {
    type Err = std::convert::Infallible;

    /// Any text is taken; the list that it is used on refuses it with [`StoreError::BadCursor`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T> Page<T> {
    /// A page of up to `limit` out of `items`, of which the query fetched one more to see whether it goes on.
    /// `key` is what the cursor of a row holds.
    pub(crate) fn cut<K: Serialize>(
        mut items: Vec<T>,
        limit: usize,
        key: impl FnOnce(&T) -> K,
    ) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| Cursor::encode(&key(last)));
        Self { items, next }
    }

    pub(crate) fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}
