//! The keys of one object of a rule file, read with the line of what is wrong.

use std::collections::BTreeSet;

use super::diagnostic::Code;
use super::located::{FileId, Located, Spot};
use crate::yaml::Node;

/// Why an item cannot be used.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) spot: Spot,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(code: Code, spot: Spot, message: impl Into<String>) -> Self {
        Self {
            code,
            spot,
            message: message.into(),
        }
    }
}

/// One object of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'n> {
    pub(crate) file: FileId,
    pub(crate) node: &'n Node,
}

impl<'n> Item<'n> {
    pub(crate) fn spot(self) -> Spot {
        self.at(self.node)
    }

    pub(crate) fn at(self, node: &Node) -> Spot {
        Spot {
            file: self.file,
            at: node.at,
        }
    }

    pub(crate) fn fault(self, node: &Node, message: impl Into<String>) -> Fault {
        Fault::new(Code::YamlValidate, self.at(node), message)
    }

    pub(crate) fn has(self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    /// A text that must be there.
    pub(crate) fn text(self, key: &str) -> Result<&'n str, Fault> {
        match self.optional(key)? {
            Some(node) => Ok(node.text().unwrap_or_default()),
            None => {
                let message = format!("there is no value for the key '{key}'");
                Err(self.fault(self.node, message))
            }
        }
    }

    /// A text that must be there, with its place.
    pub(crate) fn located(self, key: &str) -> Result<Located, Fault> {
        self.text(key)?;
        let node = self.node.get(key).unwrap_or(self.node);
        Ok(Located::scalar(self.file, node))
    }

    /// A scalar that may be left out, but not be empty.
    pub(crate) fn optional(self, key: &str) -> Result<Option<&'n Node>, Fault> {
        let Some(node) = self.node.get(key) else {
            return Ok(None);
        };
        match node.text() {
            None => Err(self.fault(node, format!("the value of '{key}' is not a scalar value"))),
            Some(text) if text.is_empty() || node.is_null() => {
                Err(self.fault(node, format!("the value of '{key}' must not be empty")))
            }
            Some(_) => Ok(Some(node)),
        }
    }

    /// A truth value that may be left out.
    pub(crate) fn flag(self, key: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.optional(key)? else {
            return Ok(None);
        };
        let text = node.text().unwrap_or_default().to_ascii_lowercase();
        match text.as_str() {
            "true" | "yes" | "on" | "y" => Ok(Some(true)),
            "false" | "no" | "off" | "n" => Ok(Some(false)),
            _ => Err(self.fault(
                node,
                format!("the value of '{key}' is neither true nor false"),
            )),
        }
    }

    /// A list of scalars; nothing when the key is not there.
    pub(crate) fn list(self, key: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(node) = self.node.get(key) else {
            return Ok(None);
        };
        let Some(items) = node.items() else {
            return Err(self.fault(node, format!("the value of '{key}' is not a sequence")));
        };
        let texts = items.iter().map(|item| match item.text() {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.fault(item, format!("a value of '{key}' is not scalar"))),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Keys that were there before: what they say is not read.
    pub(crate) fn repeated(self) -> impl Iterator<Item = &'n Node> {
        let pairs = self.node.pairs().unwrap_or_default().iter();
        let mut seen = BTreeSet::new();
        let keys = pairs.map(|(key, _)| key);
        keys.filter(move |key| !seen.insert(key.text()))
    }

    /// Keys that are not among `known`.
    pub(crate) fn unknown<'k>(
        self,
        known: &'k [&str],
    ) -> impl Iterator<Item = &'n Node> + use<'n, 'k> {
        let pairs = self.node.pairs().unwrap_or_default().iter();
        let is_unknown = |key: &&Node| !key.text().is_some_and(|text| known.contains(&text));
        pairs.map(|(key, _)| key).filter(is_unknown)
    }
}
