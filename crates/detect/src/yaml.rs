//! YAML with places: what it says and where, scalars as they are written.
//!
//! Rule files name the line of what is wrong with them, and mix `yes`, `0755` and `1.0` with texts that only their
//! reader can tell apart. So this keeps scalars as text, and bounds what aliases can grow to.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Nodes of one file at most, with those that aliases stand for. Long scalars count as several.
const MOST_NODES: usize = 400_000;
/// Bytes of a scalar that count as one node.
const NODE_BYTES: usize = 256;
/// Collections within each other at most.
const MOST_DEPTH: usize = 64;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) content: Content,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) column: usize,
    /// Bytes from the beginning, where it begins and ends.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Scalar {
        text: String,
        /// Without quotes, and no block: then it may be no text at all.
        is_plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// Why a text is no YAML that we take.
#[derive(Debug)]
pub(crate) struct YamlError {
    pub(crate) at: Place,
    pub(crate) message: String,
}

/// Reads all documents of a file.
///
/// # Errors
/// When it is no YAML, or larger or deeper than any file of rules.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut options = Options::default();
    options.flow_nesting_limit = MOST_DEPTH;
    options.block_nesting_limit = MOST_DEPTH;
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| YamlError {
            at: place(error.marker(), error.marker()),
            message: error.info(),
        })?;
        builder.take(event, place(&span.start, &span.end))?;
    }
    Ok(builder.documents)
}

fn place(start: &granit_parser::Marker, end: &granit_parser::Marker) -> Place {
    Place {
        line: start.line(),
        column: start.col().saturating_add(1),
        start: start.byte_offset().unwrap_or_default(),
        end: end.byte_offset().unwrap_or_default(),
    }
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
}

/// A collection that has begun.
struct Open {
    at: Place,
    anchor: usize,
    items: Vec<Node>,
    is_mapping: bool,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Place) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let content = Content::Scalar {
                    text: text.into_owned(),
                    is_plain: style == ScalarStyle::Plain,
                };
                self.add(Node { at, content }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, anchor, false),
            Event::MappingStart(_, anchor, _) => self.begin(at, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    return Err(YamlError {
                        at,
                        message: "an alias of what is not there yet".to_owned(),
                    });
                };
                self.count(at, size(&node))?;
                let mut copy = Node::clone(&node);
                copy.at = at;
                self.add(copy, 0)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Place, anchor: usize, is_mapping: bool) -> Result<(), YamlError> {
        if self.open.len() >= MOST_DEPTH {
            let message = format!("more than {MOST_DEPTH} collections within each other");
            return Err(YamlError { at, message });
        }
        self.open.push(Open {
            at,
            anchor,
            items: Vec::new(),
            is_mapping,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let content = if open.is_mapping {
            let mut pairs = Vec::with_capacity(open.items.len() / 2);
            let mut items = open.items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Content::Mapping(pairs)
        } else {
            Content::Sequence(open.items)
        };
        let node = Node {
            at: open.at,
            content,
        };
        self.add(node, open.anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.count(node.at, own_size(&node))?;
        if anchor > 0 {
            self.count(node.at, size(&node))?;
            self.anchors.insert(anchor, Rc::new(node.clone()));
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }

    fn count(&mut self, at: Place, nodes: usize) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES {
            let message =
                format!("more than {MOST_NODES} values, with those that aliases stand for");
            return Err(YamlError { at, message });
        }
        Ok(())
    }
}

/// Of a node without what is in it.
fn own_size(node: &Node) -> usize {
    let bytes = node.text().map_or(0, str::len);
    (bytes / NODE_BYTES).saturating_add(1)
}

fn size(node: &Node) -> usize {
    let inner: usize = match &node.content {
        Content::Scalar { .. } => 0,
        Content::Sequence(items) => items.iter().map(size).sum(),
        Content::Mapping(pairs) => pairs
            .iter()
            .map(|(key, value)| size(key).saturating_add(size(value)))
            .sum(),
    };
    inner.saturating_add(own_size(node))
}

impl Node {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// Nothing at all, or `null`.
    pub(crate) fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar { text, is_plain } => {
                *is_plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Content::Sequence(_) | Content::Mapping(_) => false,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Sequence(items) => Some(items),
            Content::Scalar { .. } | Content::Mapping(_) => None,
        }
    }

    pub(crate) fn pairs(&self) -> Option<&[(Self, Self)]> {
        match &self.content {
            Content::Mapping(pairs) => Some(pairs),
            Content::Scalar { .. } | Content::Sequence(_) => None,
        }
    }

    /// The value of a key of a mapping; of the first, if it is there twice.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let mut pairs = self.pairs()?.iter();
        pairs
            .find(|(name, _)| name.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// As the core schema of YAML 1.2 has it.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Content::Mapping(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| {
                    let key = key.text().unwrap_or_default().to_owned();
                    (key, value.to_json())
                });
                Value::Object(pairs.collect::<Map<_, _>>())
            }
            Content::Scalar {
                text,
                is_plain: false,
            } => Value::String(text.clone()),
            Content::Scalar { text, .. } => scalar(text),
        }
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return Value::from(number);
    }
    if let Ok(number) = text.parse::<u64>() {
        return Value::from(number);
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let float = text.parse::<f64>().ok().filter(|_| is_number);
    match float.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_scalars_as_they_are_written() {
        let documents = parse("a: [0755, 'yes', ~]\n---\n- b: >\n    x\n    y\n").unwrap();
        assert_eq!(documents.len(), 2);
        let items = documents[0].get("a").unwrap().items().unwrap();
        assert_eq!(items[0].text(), Some("0755"));
        assert!(items[2].is_null() && !items[1].is_null());
        let block = documents[1].items().unwrap()[0].get("b").unwrap();
        assert_eq!((block.text(), block.at.line), (Some("x y\n"), 4));
        assert_eq!(
            documents[0].to_json(),
            serde_json::json!({"a": [755, "yes", null]})
        );
    }

    #[test]
    fn aliases_do_not_grow_without_end() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 'b'..'k' {
            let below = char::from(level as u8 - 1);
            let aliases = vec![format!("*{below}"); 10].join(", ");
            text.push_str(&format!("{level}: &{level} [{aliases}]\n"));
        }
        assert!(parse(&text).unwrap_err().message.contains("aliases"));
        let long = format!("- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(1_000));
        assert!(parse(&long).unwrap_err().message.contains("aliases"));
        assert!(parse(&"[".repeat(10_000)).is_err());
    }
}
