//! A JSON value and where it stands, so that what is wrong with a document is said with its place.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A value in a document.
#[derive(Clone)]
pub(super) struct At<'a> {
    value: &'a Value,
    path: String,
}

/// What is wrong with a document.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) path: String,
    pub(super) why: String,
}

impl<'a> At<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> Malformed {
        let path = match self.path.as_str() {
            "" => "the document",
            path => path,
        };
        Malformed {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// The value itself where it is a text, as older documents write what newer ones write as objects.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Malformed> {
        let object = self.value.as_object();
        object.ok_or_else(|| self.wrong("is not an object"))
    }

    /// A field; `null` is as good as none.
    pub(super) fn field(&self, name: &str) -> Result<Option<At<'a>>, Malformed> {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| At {
            value,
            path: if self.path.is_empty() {
                name.to_owned()
            } else {
                format!("{}.{name}", self.path)
            },
        }))
    }

    pub(super) fn required(&self, name: &str) -> Result<At<'a>, Malformed> {
        self.field(name)?
            .ok_or_else(|| self.wrong(format!("has no {name}")))
    }

    /// A text, trimmed; empty when the field is not there.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Malformed> {
        match self.field(name)? {
            Some(at) => at.string(),
            None => Ok(""),
        }
    }

    pub(super) fn string(&self) -> Result<&'a str, Malformed> {
        let text = self.value.as_str().map(str::trim);
        text.ok_or_else(|| self.wrong("is not a text"))
    }

    /// The items of a list; none when the field is not there.
    pub(super) fn list(&self, name: &str) -> Result<Vec<At<'a>>, Malformed> {
        let Some(list) = self.field(name)? else {
            return Ok(Vec::new());
        };
        let items = list.value.as_array();
        let items = items.ok_or_else(|| list.wrong("is not a list"))?;
        let item = |(number, value)| At {
            value,
            path: format!("{}[{number}]", list.path),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, Malformed> {
        self.list(name)?.iter().map(At::string).collect()
    }

    /// The pairs of an object of texts; none when the field is not there.
    pub(super) fn pairs(&self, name: &str) -> Result<Vec<(&'a str, &'a str)>, Malformed> {
        let Some(at) = self.field(name)? else {
            return Ok(Vec::new());
        };
        let pair = |key: &'a String| Ok((key.as_str(), at.text(key)?));
        at.object()?.keys().map(pair).collect()
    }

    /// A time (RFC 3339); the field need not be there.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Malformed> {
        let Some(at) = self.field(name)? else {
            return Ok(None);
        };
        let time = at.string()?.parse();
        time.map(Some)
            .map_err(|_: jiff::Error| at.wrong("is not a time such as 2026-01-31T12:00:00Z"))
    }

    /// One of the words that a format allows.
    pub(super) fn word<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Malformed> {
        let text = self.string()?;
        let short: String = text.chars().take(80).collect();
        parse(text).ok_or_else(|| self.wrong(format!("has the unknown word {short:?}")))
    }
}
