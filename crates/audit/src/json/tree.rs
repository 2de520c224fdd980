//! The index of a JSON value: one small record for each value and key, in the order of the text.

use std::borrow::Cow;

use super::scan::{Scanner, Span};
use super::text::Text;

/// Most values and keys of one tree: a list of all pods of a large cluster has some millions, and is not worth it.
const MAX_NODES: usize = 1 << 20;
/// Which client set which field of an object: a third of it in bytes, and of no concern to anybody.
const MANAGED: &[u8] = b"managedFields";
/// Deepest nesting. Kubernetes itself ends at 10,000, its own objects at some thirty.
const MAX_DEPTH: usize = 256;

/// A value with the places of all its parts.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    text: Cow<'a, [u8]>,
    records: Vec<Record>,
}

/// Why a text has no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// Not JSON, or it ends too early.
    #[error("it is no JSON")]
    Syntax,
    /// Nested deeper than anything of Kubernetes.
    #[error("it is nested too deeply")]
    Depth,
    /// More values than are looked at.
    #[error("it has too many values")]
    Size,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    kind: Kind,
    /// For strings: whether there is a backslash in it.
    is_escaped: bool,
    start: u32,
    end: u32,
    /// The record behind this value and everything in it.
    next: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    List,
    String,
    /// Numbers, `true`, `false`, `null`.
    Scalar,
}

/// A value of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t> {
    whole: Whole<'t>,
    at: usize,
    record: Record,
}

#[derive(Clone, Copy, Debug)]
struct Whole<'t> {
    text: &'t [u8],
    records: &'t [Record],
}

impl<'t> Whole<'t> {
    fn node(self, at: usize) -> Option<Node<'t>> {
        let record = *self.records.get(at)?;
        Some(Node {
            whole: self,
            at,
            record,
        })
    }
}

impl<'a> Tree<'a> {
    /// The index of the one value that `text` is.
    pub(crate) fn read(text: impl Into<Cow<'a, [u8]>>) -> Result<Self, Broken> {
        Self::without(None, text.into())
    }

    /// The index of an object of Kubernetes, or of a list of them, in which `managedFields` stand as if they were
    /// empty.
    pub(crate) fn read_object(text: impl Into<Cow<'a, [u8]>>) -> Result<Self, Broken> {
        Self::without(Some(MANAGED), text.into())
    }

    fn without(closed: Option<&'static [u8]>, text: Cow<'a, [u8]>) -> Result<Self, Broken> {
        if u32::try_from(text.len()).is_err() {
            return Err(Broken::Size);
        }
        let mut builder = Builder {
            scanner: Scanner::new(&text),
            records: Vec::with_capacity(text.len() / 24),
            open: Vec::new(),
            closed,
        };
        builder.run()?;
        let records = builder.records;
        Ok(Self { text, records })
    }

    /// The value itself.
    pub(crate) fn root(&self) -> Option<Node<'_>> {
        Whole {
            text: &self.text,
            records: &self.records,
        }
        .node(0)
    }
}

/// What is being read.
struct Builder<'a> {
    scanner: Scanner<'a>,
    records: Vec<Record>,
    /// The containers around the place, outermost first.
    open: Vec<Open>,
    /// The name of members whose values are not looked into.
    closed: Option<&'static [u8]>,
}

struct Open {
    at: usize,
    is_object: bool,
    is_empty: bool,
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Broken> {
        self.value()?;
        while let Some(open) = self.open.last_mut() {
            let is_first = std::mem::replace(&mut open.is_empty, false);
            let has_more = if open.is_object {
                match self.scanner.key(is_first).ok_or(Broken::Syntax)? {
                    Some((key, start)) => {
                        let end = start.saturating_add(key.raw().len());
                        self.push(Kind::String, key.is_escaped(), start, end)?;
                        if self.closed == Some(key.raw()) {
                            self.closed_value()?;
                            continue;
                        }
                        true
                    }
                    None => false,
                }
            } else {
                self.scanner.item(is_first).ok_or(Broken::Syntax)?
            };
            if has_more {
                self.value()?;
            } else {
                self.close();
            }
        }
        if self.scanner.is_at_end() {
            Ok(())
        } else {
            Err(Broken::Syntax)
        }
    }

    fn value(&mut self) -> Result<(), Broken> {
        let first = self.scanner.peek().ok_or(Broken::Syntax)?;
        let start = self.scanner.at();
        match first {
            b'{' | b'[' => {
                if self.open.len() >= MAX_DEPTH {
                    return Err(Broken::Depth);
                }
                let is_object = first == b'{';
                self.scanner.expect(first).ok_or(Broken::Syntax)?;
                self.open.push(Open {
                    at: self.records.len(),
                    is_object,
                    is_empty: true,
                });
                let kind = if is_object { Kind::Object } else { Kind::List };
                self.push(kind, false, start, start)
            }
            b'"' => {
                let text = self.scanner.string().ok_or(Broken::Syntax)?;
                let end = self.scanner.at().saturating_sub(1);
                self.push(
                    Kind::String,
                    text.is_escaped(),
                    start.saturating_add(1),
                    end,
                )
            }
            _ => {
                self.scanner.scalar().ok_or(Broken::Syntax)?;
                self.push(Kind::Scalar, false, start, self.scanner.at())
            }
        }
    }

    /// A value that is not looked into.
    fn closed_value(&mut self) -> Result<(), Broken> {
        let kind = match self.scanner.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            _ => return self.value(),
        };
        let span = self.scanner.value().ok_or(Broken::Syntax)?;
        self.push(kind, false, span.start, span.end)
    }

    fn push(
        &mut self,
        kind: Kind,
        is_escaped: bool,
        start: usize,
        end: usize,
    ) -> Result<(), Broken> {
        if self.records.len() >= MAX_NODES {
            return Err(Broken::Size);
        }
        let small = |at: usize| u32::try_from(at).map_err(|_too_large| Broken::Size);
        self.records.push(Record {
            kind,
            is_escaped,
            start: small(start)?,
            end: small(end)?,
            next: small(self.records.len().saturating_add(1))?,
        });
        Ok(())
    }

    fn close(&mut self) {
        let next = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        let end = u32::try_from(self.scanner.at()).unwrap_or(u32::MAX);
        if let Some(open) = self.open.pop()
            && let Some(record) = self.records.get_mut(open.at)
        {
            record.next = next;
            record.end = end;
        }
    }
}

impl<'t> Node<'t> {
    pub(crate) fn is_object(self) -> bool {
        self.record.kind == Kind::Object
    }

    pub(crate) fn is_list(self) -> bool {
        self.record.kind == Kind::List
    }

    pub(crate) fn is_null(self) -> bool {
        self.record.kind == Kind::Scalar && self.raw() == b"null"
    }

    pub(crate) fn is_true(self) -> bool {
        self.record.kind == Kind::Scalar && self.raw() == b"true"
    }

    /// Where it stands in the text; for strings, what is between the quotes.
    pub(crate) fn span(self) -> Span {
        Span {
            start: usize::try_from(self.record.start).unwrap_or(usize::MAX),
            end: usize::try_from(self.record.end).unwrap_or(usize::MAX),
        }
    }

    /// As it stands in the text; for strings, what is between the quotes.
    pub(crate) fn raw(self) -> &'t [u8] {
        self.span().of(self.whole.text)
    }

    /// The string that it is.
    pub(crate) fn text(self) -> Option<Text<'t>> {
        (self.record.kind == Kind::String).then(|| Text::new(self.raw(), self.record.is_escaped))
    }

    /// The string that it is, decoded.
    pub(crate) fn str(self) -> Option<Cow<'t, str>> {
        self.text().map(Text::decode)
    }

    /// A string as it is, all else as the JSON that it is. What `null` is to be is for the caller to say.
    pub(crate) fn rendered(self) -> Cow<'t, str> {
        self.str()
            .unwrap_or_else(|| String::from_utf8_lossy(self.raw()))
    }

    /// The number that it is, when it is a whole one.
    pub(crate) fn number(self) -> Option<i64> {
        if self.record.kind != Kind::Scalar {
            return None;
        }
        std::str::from_utf8(self.raw()).ok()?.parse().ok()
    }

    /// The member called `key`; the first, should there be several.
    pub(crate) fn get(self, key: &str) -> Option<Node<'t>> {
        self.members()
            .find_map(|(name, value)| name.is(key).then_some(value))
    }

    /// The member reached by several keys, one below the other.
    pub(crate) fn path(self, keys: &[&str]) -> Option<Node<'t>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Members of an object, in order; none of anything else.
    pub(crate) fn members(self) -> impl Iterator<Item = (Text<'t>, Node<'t>)> + use<'t> {
        let end = if self.is_object() { self.next() } else { 0 };
        let mut at = self.at.saturating_add(1);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let key = self.whole.node(at)?;
            let value = self.whole.node(key.next())?;
            at = value.next();
            Some((key.text()?, value))
        })
    }

    /// Items of a list, in order; none of anything else.
    pub(crate) fn items(self) -> impl Iterator<Item = Node<'t>> + use<'t> {
        let end = if self.is_list() { self.next() } else { 0 };
        let mut at = self.at.saturating_add(1);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let item = self.whole.node(at)?;
            at = item.next();
            Some(item)
        })
    }

    fn next(self) -> usize {
        usize::try_from(self.record.next).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree<'_> {
        Tree::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn parts_are_found_where_they_stand() {
        let tree = tree(r#" {"a" : {"b":[1, "x\ny" ,null,{}]}, "":true} "#);
        let root = tree.root().unwrap();
        let items: Vec<_> = root
            .path(&["a", "b"])
            .unwrap()
            .items()
            .map(|item| item.rendered().into_owned())
            .collect();
        assert_eq!(items, ["1", "x\ny", "null", "{}"]);
        assert!(root.get("").unwrap().is_true());
        assert!(root.get("b").is_none());
        assert_eq!(
            root.get("a").unwrap().raw(),
            br#"{"b":[1, "x\ny" ,null,{}]}"#
        );
    }

    #[test]
    fn managed_fields_of_objects_are_not_looked_into() {
        let text = br#"{"metadata":{"managedFields":[{"a":"}"}],"name":"n"},"managedFields":"x"}"#;
        let tree = Tree::read_object(&text[..]).unwrap();
        let root = tree.root().unwrap();
        let managed = root.path(&["metadata", "managedFields"]).unwrap();
        assert_eq!(
            (managed.raw(), managed.items().count()),
            (&br#"[{"a":"}"}]"#[..], 0)
        );
        assert_eq!(root.path(&["metadata", "name"]).unwrap().rendered(), "n");
        assert_eq!(root.get("managedFields").unwrap().rendered(), "x");
        assert!(Tree::read_object(&br#"{"managedFields":[{"#[..]).is_err());
    }

    #[test]
    fn what_is_no_json_has_no_tree() {
        for text in [
            "",
            "{",
            "[1,]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            "[1 2]",
            "{}{}",
            "[}",
            "tru",
        ] {
            assert_eq!(
                Tree::read(text.as_bytes()).err(),
                Some(Broken::Syntax),
                "{text}"
            );
        }
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        assert_eq!(Tree::read(deep.as_bytes()).err(), Some(Broken::Depth));
        let many = format!("[{}1]", "1,".repeat(MAX_NODES));
        assert_eq!(Tree::read(many.as_bytes()).err(), Some(Broken::Size));
    }
}
